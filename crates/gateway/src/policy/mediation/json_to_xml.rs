//! `JSONToXML` (api-management §9.5).

mod write;

use super::conversion::{Conversion, Kind, is_name, is_name_char};
use crate::exchange::Exchange;
use crate::json::Json;
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;
use crate::policy::source::MediaKind;
use crate::policy::{Compiled, Policy, PolicyRun};
use write::Writer;

static KIND: Kind = Kind {
    policy: "JSONToXML",
    prefix_apigee: "steps.jsontoxml",
    prefix_sap: "steps.json2xml",
    from: MediaKind::Json,
    content_type: "application/xml",
};

/// Writes the JSON of a message as XML.
#[derive(Debug)]
pub(super) struct JsonToXml {
    conversion: Conversion,
    options: Options,
}

/// What becomes what.
#[derive(Debug)]
pub(super) struct Options {
    omit_declaration: bool,
    indent: bool,
    object_root: Box<str>,
    array_root: Box<str>,
    array_item: Box<str>,
    /// A text that means null.
    null_value: Box<str>,
    /// In place of what XML does not allow in names and texts.
    replacement: Box<str>,
    text_node: Box<str>,
    attribute_block: Box<str>,
    attribute_prefix: Box<str>,
    namespace_block: Box<str>,
    namespace_separator: Box<str>,
    default_namespace: Box<str>,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["Source", "OutputVariable", "Options"]);
    let conversion = Conversion::read(policy, &KIND);
    let none = Element::default();
    let element = policy.root.child("Options");
    if let Some(element) = element {
        policy.only(
            element,
            &[],
            &[
                "OmitXmlDeclaration",
                "ObjectRootElementName",
                "ArrayRootElementName",
                "ArrayItemElementName",
                "NullValue",
                "InvalidCharsReplacement",
                "TextNodeName",
                "AttributeBlockName",
                "AttributePrefix",
                "NamespaceBlockName",
                "NamespaceSeparator",
                "DefaultNamespaceNodeName",
                "Indent",
            ],
        );
    }
    let text = |name: &str, default: &str| -> Box<str> {
        let written = element.unwrap_or(&none).child(name).map(Element::text);
        written.filter(|text| !text.is_empty()).unwrap_or(default).into()
    };
    let options = Options {
        omit_declaration: element
            .is_some_and(|element| policy.flag_child(element, "OmitXmlDeclaration", false)),
        indent: element.is_some_and(|element| policy.flag_child(element, "Indent", false)),
        object_root: text("ObjectRootElementName", "Root"),
        array_root: text("ArrayRootElementName", "Array"),
        array_item: text("ArrayItemElementName", "Item"),
        null_value: text("NullValue", "NULL"),
        replacement: text("InvalidCharsReplacement", "_"),
        text_node: text("TextNodeName", "#text"),
        attribute_block: text("AttributeBlockName", "#attrs"),
        attribute_prefix: text("AttributePrefix", "@"),
        namespace_block: text("NamespaceBlockName", "#namespaces"),
        namespace_separator: text("NamespaceSeparator", ":"),
        default_namespace: text("DefaultNamespaceNodeName", "$default"),
    };
    if let Some(element) = element {
        check(policy, element, &options);
    }
    Some(Box::new(JsonToXml { conversion, options }))
}

fn check(policy: &mut Blueprint<'_>, element: &Element, options: &Options) {
    for (name, value) in [
        ("ObjectRootElementName", &options.object_root),
        ("ArrayRootElementName", &options.array_root),
        ("ArrayItemElementName", &options.array_item),
    ] {
        if !is_name(value) {
            policy.problem(
                element,
                "InvalidElementName",
                format!("{name} '{value}' is no name of an element"),
            );
        }
    }
    if !options.replacement.chars().all(is_name_char) {
        let message = "InvalidCharsReplacement has a character that names may not have";
        policy.problem(element, "InvalidCharsReplacement", message);
    }
}

impl Policy for JsonToXml {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.conversion.run(cx, |text, _| {
            let document = Json::parse(text).map_err(|bad| bad.to_string())?;
            Ok(Writer::new(&self.options, text.len()).document(&document))
        }))
    }
}

#[cfg(test)]
mod tests;
