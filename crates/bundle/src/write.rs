//! Writing: the model into files of either dialect. The same model gives the same bytes.

mod apigee;
mod ledger;
mod sap;

use pierhead_gateway::dialect::Dialect;

use crate::content::{Content, Export};

pub(crate) use ledger::Ledger;

/// Why something cannot be written as a bundle at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotExport {
    /// A name that would leave its folder, or that no file can have.
    #[error("{what} '{name}' has a name that no file can have")]
    UnusableName {
        /// `policy`, `resource`, ….
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Two parts would be the same file.
    #[error("{file} would be written twice: two parts have the same name")]
    SameFile {
        /// The path.
        file: String,
    },
    /// A text holds a character that no XML document can hold.
    #[error("{file}: the character {character:?} cannot stand in an XML document")]
    NotXml {
        /// The document.
        file: String,
        /// The character.
        character: char,
    },
    /// The other original has nothing like it.
    #[error("{0} has no counterpart in the other dialect")]
    NoCounterpart(&'static str),
}

/// Writes a bundle in a dialect. What the dialect has no place for is left out and among the findings.
///
/// # Errors
/// When a name or a text cannot be written, or the whole has no counterpart: SAP has no shared flows, Apigee no
/// policy templates.
pub fn export(content: &Content, dialect: Dialect) -> Result<Export, CannotExport> {
    match (content, dialect) {
        (Content::Proxy(design), Dialect::Sap) => sap::proxy(design),
        (Content::Proxy(design), Dialect::Apigee) => apigee::proxy(design),
        (Content::SharedFlow(design), Dialect::Apigee) => apigee::shared_flow(design),
        (Content::Template(template), Dialect::Sap) => sap::template(template),
        (Content::SharedFlow(_), Dialect::Sap) => Err(CannotExport::NoCounterpart("a shared flow")),
        (Content::Template(_), Dialect::Apigee) => Err(CannotExport::NoCounterpart("a policy template")),
    }
}
