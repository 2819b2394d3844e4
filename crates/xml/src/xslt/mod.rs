//! XSLT 1.0 (W3C Recommendation of 16 November 1999), and of XSLT 2.0 what public stylesheets use: grouping,
//! functions, sequences, regular expressions.
//!
//! A stylesheet stands alone: `xsl:include`, `xsl:import` and `document()` are refused, as the originals do. What
//! is not supported is refused when the stylesheet is compiled.

mod avt;
mod body;
mod compile;
mod decimal;
mod format;
mod functions;
mod grouping;
mod grove;
mod html;
mod instruction;
mod keys;
mod nodes;
mod number;
mod output;
mod pattern;
mod run;
mod sort;
mod space;
mod statics;
#[cfg(test)]
mod tests;

use ahash::AHashMap;

use crate::document::{BadXml, Document};
use crate::limits::Limits;
use crate::xpath::{ExpandedName, Expr};
use decimal::DecimalFormat;
use instruction::{Body, Parameter, Set, Variable};
use keys::Key;
use output::Settings;
use pattern::Rule;
use space::SpaceRule;

/// The namespace of XSLT's own elements.
pub(crate) const XSLT: &str = "http://www.w3.org/1999/XSL/Transform";

/// A stylesheet that does not compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("stylesheet, line {line}: {why}")]
pub struct BadStylesheet {
    /// 1-based.
    pub line: u32,
    /// What is wrong there.
    pub why: String,
}

impl From<BadXml> for BadStylesheet {
    fn from(bad: BadXml) -> Self {
        Self { line: bad.line, why: bad.why }
    }
}

/// A transformation that gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransformError {
    /// An instruction failed.
    #[error("stylesheet, line {line}: {why}")]
    Failed {
        /// Of the instruction in the stylesheet, 1-based.
        line: u32,
        /// Why.
        why: String,
    },
    /// `xsl:message` with `terminate="yes"`; holds its text.
    #[error("terminated by the stylesheet: {0}")]
    Terminated(String),
    /// Templates call each other deeper than is allowed.
    #[error("templates call each other deeper than {0}")]
    TooDeep(usize),
    /// The result is longer than is allowed.
    #[error("the result is longer than {0} bytes or has too many nodes")]
    TooLong(usize),
}

/// What a transformation gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transformed {
    /// The serialised result.
    pub text: String,
    /// The media type that the stylesheet names for its output.
    pub media_type: Option<String>,
    /// The texts of `xsl:message`, in order.
    pub messages: Vec<String>,
}

/// A compiled stylesheet. Any number of threads may transform with it at once.
#[derive(Debug)]
pub struct Stylesheet {
    later: bool,
    templates: Vec<Template>,
    /// Best first, by mode.
    rules: AHashMap<Option<ExpandedName>, Vec<Rule>>,
    named: AHashMap<ExpandedName, usize>,
    globals: Vec<Global>,
    keys: AHashMap<ExpandedName, Vec<Key>>,
    sets: AHashMap<ExpandedName, Vec<Set>>,
    functions: Vec<OwnFunction>,
    formats: AHashMap<ExpandedName, DecimalFormat>,
    space: Vec<SpaceRule>,
    output: Settings,
}

#[derive(Debug)]
struct Template {
    line: u32,
    parameters: Vec<Parameter>,
    body: Body,
}

/// A variable or parameter of the whole stylesheet.
#[derive(Debug)]
struct Global {
    variable: Variable,
    is_parameter: bool,
}

/// `xsl:function` of XSLT 2.0.
#[derive(Debug)]
struct OwnFunction {
    parameters: Vec<ExpandedName>,
    body: Body,
}

/// A number of a line with an expression, for errors while transforming.
#[derive(Debug, Clone)]
struct Select {
    expr: Expr,
    line: u32,
}

impl Stylesheet {
    /// Compiles a stylesheet.
    pub fn compile(xml: &str, limits: &Limits) -> Result<Self, BadStylesheet> {
        let document = Document::parse(xml, limits)?;
        compile::compile(&document)
    }

    /// Transforms `source`. `parameters` are values of the stylesheet's own, by name; those it does not have
    /// are ignored.
    pub fn transform(
        &self,
        source: &Document,
        parameters: &[(&str, &str)],
    ) -> Result<Transformed, TransformError> {
        run::transform(self, source, parameters)
    }

    /// The parameters that the stylesheet takes.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.globals.iter().filter(|global| global.is_parameter).map(|global| &*global.variable.name.local)
    }
}
