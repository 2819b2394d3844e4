//! Which conditions and orders a vendor can do itself, and how they are written in its dialect.

use std::collections::BTreeMap;

use pierhead_script::{Escape, Template};

use super::block::Block;

/// A vendor's dialect of conditions and orders, as data.
#[derive(Debug, Clone, Default)]
pub(crate) struct PushDown {
    /// Between conditions that must all hold; none when the vendor cannot join them.
    pub(crate) and: Option<String>,
    /// Between alternatives; none when the vendor cannot join them.
    pub(crate) or: Option<String>,
    /// A negated condition, with `{condition}` in it.
    pub(crate) not: Option<Template>,
    pub(crate) group: Option<Template>,
    /// Around text literals.
    pub(crate) quote: String,
    /// Characters of a text literal and what they become.
    pub(crate) escape: Vec<(String, String)>,
    pub(crate) fields: BTreeMap<String, Vec<Pushed>>,
    /// Hub field → vendor field, for orders.
    pub(crate) order: BTreeMap<String, String>,
    /// One ordered field, with `{field}` in it.
    pub(crate) ascending: Option<Template>,
    pub(crate) descending: Option<Template>,
    pub(crate) order_separator: String,
}

/// One operator on one field, in the vendor's words.
#[derive(Debug, Clone)]
pub(crate) struct Pushed {
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`, `prefix`, `contains`, `has`.
    pub(crate) operator: String,
    pub(crate) template: Template,
    /// The vendor may give more than was meant: filter again here.
    pub(crate) loose: bool,
}

const OPERATORS: &[&str] = &["=", "!=", "<", "<=", ">", ">=", "prefix", "contains", "has"];

impl PushDown {
    pub(crate) fn read(parent: &Block<'_>, key: &str) -> Self {
        let Some(block) = parent.block(key, "where") else { return Self::default() };
        let template = |key: &str, names: &[&str]| block.template(key, Escape::None, names);
        let mut fields: BTreeMap<String, Vec<Pushed>> = BTreeMap::new();
        if let Some(named) = block.block("fields", "where fields") {
            for (field, node) in named.members() {
                let field_block = named.member(field, node, "where field");
                let pushed = field_block.members().iter().filter_map(|(operator, _)| {
                    let (word, loose) = match operator.strip_prefix('~') {
                        Some(word) => (word, true),
                        None => (operator.as_str(), false),
                    };
                    if !OPERATORS.contains(&word) {
                        field_block.mistake(operator, format!("no operator; known: {}", OPERATORS.join(" ")));
                    }
                    let template = field_block.template(operator, Escape::None, &["value", "text"])?;
                    Some(Pushed { operator: word.to_owned(), template, loose })
                });
                fields.insert(field.clone(), pushed.collect());
            }
        }
        let pairs = |key: &str| -> Vec<(String, String)> {
            let Some(pairs) = block.block(key, "texts") else { return Vec::new() };
            let pair = |(name, _): &(String, _)| pairs.text(name).map(|value| (name.clone(), value));
            pairs.members().iter().filter_map(pair).collect()
        };
        Self {
            and: block.text("and"),
            or: block.text("or"),
            not: template("not", &["condition"]),
            group: template("group", &["condition"]),
            quote: block.text("quote").unwrap_or_default(),
            escape: pairs("escape"),
            fields,
            order: pairs("order").into_iter().collect(),
            ascending: template("ascending", &["field"]),
            descending: template("descending", &["field"]),
            order_separator: block.text("order_separator").unwrap_or_else(|| ",".to_owned()),
        }
    }
}
