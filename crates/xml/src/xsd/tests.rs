mod constructs;
mod hostile;
mod values;

use super::Schema;
use crate::{Document, Limits};

const HEAD: &str = "xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns='u' targetNamespace='u' elementFormDefault='qualified'";

fn schema(inside: &str) -> Schema {
    let text = format!("<xs:schema {HEAD}>{inside}</xs:schema>");
    Schema::compile("main.xsd", &[("main.xsd", &text)], &Limits::default())
        .unwrap_or_else(|bad| panic!("{bad}\n{text}"))
}

fn refused(inside: &str) -> String {
    let text = format!("<xs:schema {HEAD}>{inside}</xs:schema>");
    let schema = Schema::compile("main.xsd", &[("main.xsd", &text)], &Limits::default());
    schema.err().unwrap_or_else(|| panic!("compiles: {text}")).to_string()
}

/// What is wrong with a document whose outermost element is in the schema's namespace; empty when nothing is.
fn wrong(schema: &Schema, xml: &str) -> String {
    let at = xml.find([' ', '>', '/']).unwrap();
    let xml = format!(
        "{} xmlns='u' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'{}",
        &xml[..at],
        &xml[at..]
    );
    let document = Document::parse(&xml, &Limits::default()).unwrap_or_else(|bad| panic!("{xml}: {bad}"));
    schema.validate(&document).err().map(|invalid| invalid.to_string()).unwrap_or_default()
}

/// Documents that are valid, and others with what is wrong with them.
fn check(inside: &str, valid: &[&str], invalid: &[(&str, &str)]) {
    let schema = schema(inside);
    for xml in valid {
        assert_eq!(wrong(&schema, xml), "", "{xml}\n{inside}");
    }
    for (xml, part) in invalid {
        let why = wrong(&schema, xml);
        assert!(!why.is_empty(), "valid: {xml}\n{inside}");
        assert!(why.contains(part), "{xml}: {why}");
    }
}
