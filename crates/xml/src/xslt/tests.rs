mod hostile;
mod instructions;
mod later;
mod output;
mod templates;

use super::{BadStylesheet, Stylesheet, TransformError, Transformed};
use crate::{Document, Limits};

const HEAD: &str = "xmlns:xsl='http://www.w3.org/1999/XSL/Transform'";

/// A stylesheet of version 1.0 around what stands in it; the result has no declaration.
fn sheet(inside: &str) -> String {
    versioned("1.0", inside)
}

fn versioned(version: &str, inside: &str) -> String {
    let output = if inside.contains("<xsl:output") { "" } else { "<xsl:output omit-xml-declaration='yes'/>" };
    format!("<xsl:stylesheet version='{version}' {HEAD}>{output}{inside}</xsl:stylesheet>")
}

fn compiled(xsl: &str) -> Stylesheet {
    Stylesheet::compile(xsl, &Limits::default()).unwrap_or_else(|bad| panic!("{bad}\n{xsl}"))
}

fn refused(xsl: &str) -> BadStylesheet {
    Stylesheet::compile(xsl, &Limits::default()).err().unwrap_or_else(|| panic!("compiles: {xsl}"))
}

fn run(xsl: &str, xml: &str, parameters: &[(&str, &str)]) -> Result<Transformed, TransformError> {
    let source = Document::parse(xml, &Limits::default()).unwrap();
    compiled(xsl).transform(&source, parameters)
}

/// The result of a whole stylesheet.
fn result_of(xsl: &str, xml: &str) -> String {
    run(xsl, xml, &[]).unwrap_or_else(|error| panic!("{error}\n{xsl}")).text
}

/// The result of a body that runs for the outermost element.
fn body(inside: &str, xml: &str) -> String {
    result_of(&sheet(&format!("<xsl:template match='/*'>{inside}</xsl:template>")), xml)
}

fn failure(inside: &str, xml: &str) -> String {
    let xsl = sheet(&format!("<xsl:template match='/*'>{inside}</xsl:template>"));
    run(&xsl, xml, &[]).map(|made| made.text).unwrap_err().to_string()
}
