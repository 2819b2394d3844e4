//! Formats and options.

use ahash::AHashMap;

use crate::dialect::Dialect;
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;

/// What becomes what. `None` is what the dialect does by itself.
#[derive(Debug, Default)]
pub(super) struct Options {
    number: Option<bool>,
    boolean: Option<bool>,
    null: Option<bool>,
    /// A text that is null too, where null is recognized.
    pub(super) null_value: Box<str>,
    pub(super) namespace_block: Option<Box<str>>,
    pub(super) default_namespace: Box<str>,
    /// Prefixes are left out without one.
    pub(super) namespace_separator: Option<Box<str>>,
    pub(super) text_always: bool,
    pub(super) text_node: Box<str>,
    pub(super) attribute_block: Option<Box<str>>,
    pub(super) attribute_prefix: Box<str>,
    pub(super) prefix: Box<str>,
    pub(super) suffix: Box<str>,
    pub(super) strip_levels: usize,
    /// Paths of elements that are always in an array; true for those without their own name around it.
    pub(super) arrays: AHashMap<Box<str>, bool>,
}

/// What text is recognized as.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recognized {
    pub(super) number: bool,
    pub(super) boolean: bool,
    pub(super) null: bool,
}

impl Options {
    /// From `Options` or `Format`; exactly one of them must be there.
    pub(super) fn read(policy: &mut Blueprint<'_>) -> Option<Self> {
        match (policy.root.child("Options"), policy.root.child("Format")) {
            (Some(element), None) => Some(Self::from_element(policy, element)),
            (None, Some(element)) => {
                policy.only(element, &[], &[]);
                let format = Self::format(element.text());
                if format.is_none() {
                    policy.problem(
                        element,
                        "UnknownFormat",
                        format!("there is no format '{}'", element.text()),
                    );
                }
                format
            }
            _ => {
                let message = "exactly one of Options and Format is needed";
                policy.problem(policy.root, "EitherOptionOrFormat", message);
                None
            }
        }
    }

    fn format(name: &str) -> Option<Self> {
        let base = || Self {
            null_value: "NULL".into(),
            number: Some(false),
            boolean: Some(false),
            null: Some(false),
            ..Self::default()
        };
        Some(match name {
            "xml.com" => {
                Self { null: Some(true), text_node: "#text".into(), attribute_prefix: "@".into(), ..base() }
            }
            "yahoo" => Self { number: Some(true), text_node: "content".into(), ..base() },
            "google" => Self {
                text_node: "$t".into(),
                namespace_separator: Some("$".into()),
                text_always: true,
                ..base()
            },
            "badgerFish" => Self {
                text_node: "$".into(),
                text_always: true,
                attribute_prefix: "@".into(),
                namespace_separator: Some(":".into()),
                namespace_block: Some("@xmlns".into()),
                default_namespace: "$".into(),
                ..base()
            },
            _ => return None,
        })
    }

    fn from_element<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Self {
        policy.only(
            element,
            &[],
            &[
                "RecognizeNumber",
                "RecognizeBoolean",
                "RecognizeNull",
                "NullValue",
                "NamespaceBlockName",
                "DefaultNamespaceNodeName",
                "NamespaceSeparator",
                "TextAlwaysAsProperty",
                "TextNodeName",
                "AttributeBlockName",
                "AttributePrefix",
                "OutputPrefix",
                "OutputSuffix",
                "StripLevels",
                "TreatAsArray",
            ],
        );
        let text = |name: &str| element.child(name).map(Element::text).filter(|text| !text.is_empty());
        let or = |name: &str, default: &str| -> Box<str> { text(name).unwrap_or(default).into() };
        let mut flag = |name: &str| text(name).map(|_| policy.flag_child(element, name, false));
        let (number, boolean, null) =
            (flag("RecognizeNumber"), flag("RecognizeBoolean"), flag("RecognizeNull"));
        let text_always = flag("TextAlwaysAsProperty").unwrap_or(false);
        let strip = element.child("StripLevels").filter(|levels| !levels.text().is_empty());
        let strip_levels =
            strip.and_then(|levels| policy.number(levels, levels.text(), "InvalidStripLevels"));
        Self {
            number,
            boolean,
            null,
            null_value: or("NullValue", "NULL"),
            namespace_block: text("NamespaceBlockName").map(Into::into),
            default_namespace: or("DefaultNamespaceNodeName", "$default"),
            namespace_separator: text("NamespaceSeparator").map(Into::into),
            text_always,
            text_node: or("TextNodeName", "#text"),
            attribute_block: text("AttributeBlockName").map(Into::into),
            attribute_prefix: or("AttributePrefix", ""),
            prefix: or("OutputPrefix", ""),
            suffix: or("OutputSuffix", ""),
            strip_levels: strip_levels.unwrap_or(0),
            arrays: arrays(policy, element),
        }
    }

    /// SAP recognizes numbers and booleans unless told otherwise, Apigee nothing.
    pub(super) fn recognized(&self, dialect: Dialect) -> Recognized {
        let sap = dialect == Dialect::Sap;
        Recognized {
            number: self.number.unwrap_or(sap),
            boolean: self.boolean.unwrap_or(sap),
            null: self.null.unwrap_or(false),
        }
    }
}

fn arrays<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> AHashMap<Box<str>, bool> {
    let mut arrays = AHashMap::new();
    let Some(element) = element.child("TreatAsArray") else { return arrays };
    policy.only(element, &[], &["Path"]);
    for path in element.children("Path") {
        policy.only(path, &["unwrap"], &[]);
        let unwrap = policy.flag(path, "unwrap", false);
        let text = path.text().trim_matches('/');
        if text.is_empty() {
            policy.problem(path, "InvalidPath", "the Path is empty");
        }
        // A path given twice, with and without unwrapping, is unwrapped.
        *arrays.entry(text.into()).or_default() |= unwrap;
    }
    arrays
}
