//! The core function library (XPath 1.0, 4), and the functions of XPath 2.0 that stylesheets use.

use std::borrow::Cow;

use super::ast::{ExpandedName, Expr};
use super::eval::Evaluation;
use super::focus::Focus;
use super::number::round;
use super::strings::{self, Pattern};
use super::{Value, XPathError};
use crate::document::{Node, NodeKind};
use crate::names::XML;

/// The namespace of functions in XPath 2.0.
const FN: &str = "http://www.w3.org/2005/xpath-functions";

macro_rules! functions {
    ($($(#[$later:ident])? $function:ident $name:literal $least:literal..=$most:expr;)*) => {
        /// A built-in function.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Function { $($function),* }

        impl Function {
            /// Name, fewest and most arguments, whether it came with XPath 2.0.
            const ALL: &[(&str, Self, usize, usize, bool)] =
                &[$(($name, Self::$function, $least, $most, functions!(@ $($later)?))),*];
        }
    };
    (@ later) => { true };
    (@) => { false };
}

const MANY: usize = usize::MAX;

functions! {
    Last "last" 0..=0;
    Position "position" 0..=0;
    Count "count" 1..=1;
    Id "id" 1..=1;
    LocalName "local-name" 0..=1;
    NamespaceUri "namespace-uri" 0..=1;
    Name "name" 0..=1;
    String "string" 0..=1;
    Concat "concat" 2..=MANY;
    StartsWith "starts-with" 2..=2;
    Contains "contains" 2..=2;
    SubstringBefore "substring-before" 2..=2;
    SubstringAfter "substring-after" 2..=2;
    Substring "substring" 2..=3;
    StringLength "string-length" 0..=1;
    NormalizeSpace "normalize-space" 0..=1;
    Translate "translate" 3..=3;
    Boolean "boolean" 1..=1;
    Not "not" 1..=1;
    True "true" 0..=0;
    False "false" 0..=0;
    Lang "lang" 1..=1;
    Number "number" 0..=1;
    Sum "sum" 1..=1;
    Floor "floor" 1..=1;
    Ceiling "ceiling" 1..=1;
    Round "round" 1..=1;
    #[later] UpperCase "upper-case" 1..=1;
    #[later] LowerCase "lower-case" 1..=1;
    #[later] EndsWith "ends-with" 2..=2;
    #[later] Matches "matches" 2..=3;
    #[later] Replace "replace" 3..=4;
    #[later] Tokenize "tokenize" 2..=3;
    #[later] StringJoin "string-join" 1..=2;
    #[later] DistinctValues "distinct-values" 1..=1;
    #[later] Exists "exists" 1..=1;
    #[later] Empty "empty" 1..=1;
    #[later] Abs "abs" 1..=1;
    #[later] Min "min" 1..=1;
    #[later] Max "max" 1..=1;
    #[later] Avg "avg" 1..=1;
    #[later] IndexOf "index-of" 2..=2;
    #[later] Reverse "reverse" 1..=1;
    #[later] Subsequence "subsequence" 2..=3;
    #[later] Data "data" 1..=1;
    #[later] Root "root" 0..=1;
    #[later] StringToCodepoints "string-to-codepoints" 1..=1;
    #[later] CodepointsToString "codepoints-to-string" 1..=1;
}

impl Function {
    pub(super) fn named(name: &ExpandedName, later: bool) -> Option<Self> {
        let is_core = name.uri.is_empty() || (later && &*name.uri == FN);
        let found = Self::ALL
            .iter()
            .find(|(known, .., is_later)| is_core && *known == &*name.local && (later || !is_later));
        found.map(|(_, function, ..)| *function)
    }

    pub(super) fn takes(self, count: usize) -> bool {
        Self::ALL
            .iter()
            .any(|(_, function, least, most, _)| *function == self && (*least..=*most).contains(&count))
    }

    pub(super) const fn gives_number(self) -> bool {
        matches!(
            self,
            Self::Last
                | Self::Position
                | Self::Count
                | Self::StringLength
                | Self::Number
                | Self::Sum
                | Self::Floor
                | Self::Ceiling
                | Self::Round
                | Self::Abs
                | Self::Min
                | Self::Max
                | Self::Avg
        )
    }
}

/// The arguments of a call, evaluated when asked for.
struct Arguments<'a, 'e, 'd> {
    evaluation: &'a Evaluation<'e, 'd>,
    exprs: &'a [Expr],
    focus: &'a Focus<'d>,
}

impl<'d> Arguments<'_, '_, 'd> {
    fn value(&self, index: usize) -> Result<Value<'d>, XPathError> {
        match self.exprs.get(index) {
            Some(expr) => self.evaluation.value(expr, self.focus),
            None => Ok(Value::Nodes(vec![self.focus.node])),
        }
    }

    fn text(&self, index: usize) -> Result<Cow<'d, str>, XPathError> {
        let value = self.value(index)?;
        if let Value::Nodes(nodes) = &value {
            self.evaluation.work.spend(nodes.first().map_or(0, |node| node.weight()))?;
        }
        let text = value.to_text();
        self.evaluation.work.spend_on_text(text.len())?;
        Ok(text)
    }

    fn number(&self, index: usize) -> Result<f64, XPathError> {
        Ok(self.value(index)?.to_number())
    }

    fn nodes(&self, index: usize, of: &'static str) -> Result<Vec<Node<'d>>, XPathError> {
        self.value(index)?.into_nodes(of)
    }

    /// The first node of the argument, or the context node.
    fn node(&self, of: &'static str) -> Result<Option<Node<'d>>, XPathError> {
        Ok(self.nodes(0, of)?.first().copied())
    }

    /// For what makes texts or numbers of them.
    fn items(&self, index: usize) -> Result<Vec<Value<'d>>, XPathError> {
        let value = self.value(index)?;
        self.evaluation.work.spend(value.weight())?;
        Ok(value.into_items())
    }

    fn pattern(&self, index: usize, flags: usize) -> Result<Pattern, XPathError> {
        let flags = if self.exprs.len() > flags { self.text(flags)? } else { Cow::Borrowed("") };
        Pattern::compile(&self.text(index)?, &flags).map_err(XPathError::Function)
    }

    fn numbers(&self) -> Result<Vec<f64>, XPathError> {
        Ok(self.items(0)?.iter().map(Value::to_number).collect())
    }
}

#[expect(clippy::cast_precision_loss, reason = "nothing here is longer than a double can count")]
const fn count(count: usize) -> Value<'static> {
    Value::Number(count as f64)
}

impl<'d> Evaluation<'_, 'd> {
    pub(super) fn call(
        &self,
        function: Function,
        arguments: &[Expr],
        focus: &Focus<'d>,
    ) -> Result<Value<'d>, XPathError> {
        use Function::*;
        let a = Arguments { evaluation: self, exprs: arguments, focus };
        Ok(match function {
            Last => count(focus.size),
            Position => count(focus.position),
            Count => match a.value(0)? {
                Value::Nodes(nodes) => count(nodes.len()),
                Value::Sequence(items) => count(items.len()),
                _ => return Err(XPathError::NotNodes("count()")),
            },
            Id => Value::Nodes(self.elements_with_id(&a)?),
            LocalName => a.node("local-name()")?.map_or(Value::from(""), |node| node.local_name().into()),
            NamespaceUri => {
                a.node("namespace-uri()")?.map_or(Value::from(""), |node| node.namespace().into())
            }
            Name => a.node("name()")?.map_or(Value::from(""), |node| node.name().into()),
            String => Value::Text(a.text(0)?),
            Concat => {
                let mut all = std::string::String::new();
                for index in 0..arguments.len() {
                    all.push_str(&a.text(index)?);
                }
                self.work.spend_on_text(all.len())?;
                all.into()
            }
            StartsWith => a.text(0)?.starts_with(&*a.text(1)?).into(),
            EndsWith => a.text(0)?.ends_with(&*a.text(1)?).into(),
            Contains => memchr::memmem::find(a.text(0)?.as_bytes(), a.text(1)?.as_bytes()).is_some().into(),
            SubstringBefore => strings::before(a.text(0)?, &a.text(1)?).into(),
            SubstringAfter => strings::after(a.text(0)?, &a.text(1)?).into(),
            Substring => {
                let length = if arguments.len() > 2 { a.number(2)? } else { f64::INFINITY };
                strings::substring(a.text(0)?, a.number(1)?, length).into()
            }
            StringLength => count(a.text(0)?.chars().count()),
            NormalizeSpace => strings::normalize_space(a.text(0)?).into(),
            Translate => strings::translate(&a.text(0)?, &a.text(1)?, &a.text(2)?).into(),
            Boolean => a.value(0)?.to_boolean().into(),
            Not => (!a.value(0)?.to_boolean()).into(),
            True => true.into(),
            False => false.into(),
            Lang => speaks(focus.node, &a.text(0)?).into(),
            Number => a.number(0)?.into(),
            Sum => a.numbers_of_nodes()?.into_iter().sum::<f64>().into(),
            Floor => a.number(0)?.floor().into(),
            Ceiling => a.number(0)?.ceil().into(),
            Round => round(a.number(0)?).into(),
            UpperCase => a.text(0)?.to_uppercase().into(),
            LowerCase => a.text(0)?.to_lowercase().into(),
            Matches => a.pattern(1, 2)?.is_match(&a.text(0)?).into(),
            Replace => {
                let replaced =
                    a.pattern(1, 3)?.replace(&a.text(0)?, &a.text(2)?).map_err(XPathError::Function)?;
                self.work.spend_on_text(replaced.len())?;
                replaced.into()
            }
            Tokenize => {
                let parts = a.pattern(1, 2)?.split(&a.text(0)?).map_err(XPathError::Function)?;
                Value::from_items(parts.into_iter().map(Value::from).collect())
            }
            StringJoin => {
                let between = if arguments.len() > 1 { a.text(1)? } else { Cow::Borrowed("") };
                let texts: Vec<_> = a.items(0)?.iter().map(Value::to_text).collect();
                let joined = texts.join(&*between);
                self.work.spend_on_text(joined.len())?;
                joined.into()
            }
            DistinctValues => {
                let mut seen = ahash::AHashSet::new();
                let mut items = a.items(0)?;
                items.retain(|item| seen.insert(item.to_text()));
                Value::from_items(items.into_iter().map(atomic).collect())
            }
            Exists => (a.value(0)?.len() > 0).into(),
            Empty => (a.value(0)?.len() == 0).into(),
            Abs => a.number(0)?.abs().into(),
            Min => {
                a.numbers()?.into_iter().reduce(f64::min).map_or(Value::Sequence(Vec::new()), Value::Number)
            }
            Max => {
                a.numbers()?.into_iter().reduce(f64::max).map_or(Value::Sequence(Vec::new()), Value::Number)
            }
            Avg => match a.numbers()? {
                numbers if numbers.is_empty() => Value::Sequence(Vec::new()),
                #[expect(clippy::cast_precision_loss, reason = "few items")]
                numbers => Value::Number(numbers.iter().sum::<f64>() / numbers.len() as f64),
            },
            IndexOf => {
                let wanted = a.text(1)?;
                let places = a.items(0)?.into_iter().enumerate().filter(|(_, item)| item.to_text() == wanted);
                Value::from_items(places.map(|(index, _)| count(index + 1)).collect())
            }
            Reverse => Value::from_items(a.items(0)?.into_iter().rev().collect()),
            Subsequence => {
                let start = round(a.number(1)?);
                let length = if arguments.len() > 2 { round(a.number(2)?) } else { f64::INFINITY };
                let items = a.items(0)?.into_iter().enumerate().filter(|(index, _)| {
                    #[expect(clippy::cast_precision_loss, reason = "few items")]
                    let position = (index + 1) as f64;
                    position >= start && position < start + length
                });
                Value::from_items(items.map(|(_, item)| item).collect())
            }
            Data => Value::from_items(a.items(0)?.into_iter().map(atomic).collect()),
            Root => Value::Nodes(a.node("root()")?.map(|node| node.document().root()).into_iter().collect()),
            StringToCodepoints => {
                let codes = a.text(0)?.chars().map(|c| Value::Number(f64::from(u32::from(c)))).collect();
                Value::from_items(codes)
            }
            CodepointsToString => {
                let chars = a.numbers()?.into_iter().map(|code| {
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "a cast saturates"
                    )]
                    let c = char::from_u32(code as u32).filter(|c| crate::names::is_xml_char(*c));
                    c.ok_or_else(|| XPathError::Function("codepoints-to-string(): no character".to_owned()))
                });
                chars.collect::<Result<std::string::String, _>>()?.into()
            }
        })
    }

    /// Without a document type the only identifiers are those that name themselves so: `xml:id`.
    fn elements_with_id(&self, a: &Arguments<'_, '_, 'd>) -> Result<Vec<Node<'d>>, XPathError> {
        let texts: Vec<Cow<'d, str>> = a.items(0)?.iter().map(Value::to_text).collect();
        let wanted: ahash::AHashSet<&str> =
            texts.iter().flat_map(|text| text.split_ascii_whitespace()).collect();
        let root = a.focus.node.document().root();
        self.work.spend(root.document().len() as u64)?;
        let is_wanted =
            |node: &Node<'d>| node.attribute_of(XML, "id").is_some_and(|id| wanted.contains(id.trim()));
        Ok(root.descendants().filter(|node| node.is_element()).filter(is_wanted).collect())
    }
}

impl Arguments<'_, '_, '_> {
    fn numbers_of_nodes(&self) -> Result<Vec<f64>, XPathError> {
        match self.value(0)? {
            value @ (Value::Nodes(_) | Value::Sequence(_)) => {
                self.evaluation.work.spend(value.weight())?;
                Ok(value.into_items().iter().map(Value::to_number).collect())
            }
            _ => Err(XPathError::NotNodes("sum()")),
        }
    }
}

/// A node as its text; other values as they are.
fn atomic(item: Value<'_>) -> Value<'_> {
    match item {
        Value::Nodes(_) => Value::Text(item.to_text()),
        other => other,
    }
}

fn speaks(node: Node<'_>, wanted: &str) -> bool {
    let own = std::iter::once(node).chain(node.ancestors());
    let mut elements = own.filter(|node| node.kind() == NodeKind::Element);
    let Some(language) = elements.find_map(|element| element.attribute_of(XML, "lang")) else { return false };
    let (head, rest) = match language.get(..wanted.len()) {
        Some(head) => (head, &language[wanted.len()..]),
        None => return false,
    };
    head.eq_ignore_ascii_case(wanted) && (rest.is_empty() || rest.starts_with('-'))
}
