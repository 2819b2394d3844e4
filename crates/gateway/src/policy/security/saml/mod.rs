//! What the two policies about SAML 2.0 assertions share (api-management §9.3; decision 055).

pub(super) mod algorithm;
pub(super) mod assertion;
pub(super) mod sign;
#[cfg(test)]
pub(super) mod testing;
pub(super) mod verify;

use std::borrow::Cow;

use http::StatusCode;
use pierhead_xml::{Document, Limits};

use crate::dialect::Dialect;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::source::{MediaKind, Source, Sourced};

/// The namespace of assertions.
pub(super) const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
/// The namespace of signatures.
pub(super) const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";

/// The longest canonical form, in bytes.
const CANONICAL_BYTES: usize = 16 * 1024 * 1024;

/// `steps.saml.<name>`, 500. Unsourced: all names but `InvalidMediaTpe`, which is written like this.
pub(super) fn fault(name: &str, text: impl Into<Cow<'static, str>>) -> Fault {
    Fault::internal(format!("steps.saml.{name}"), text)
}

/// The same where the client's assertion is the reason: 401 in Apigee, as for its other tokens.
pub(super) fn refusal(dialect: Dialect, name: &str, text: impl Into<Cow<'static, str>>) -> Fault {
    match dialect {
        Dialect::Apigee => Fault::step(StatusCode::UNAUTHORIZED, format!("steps.saml.{name}"), text),
        Dialect::Sap => fault(name, text),
    }
}

/// The document in a message or variable. A message must say that it is XML, unless `any_type`.
pub(super) fn document(cx: &Exchange, source: &Source, any_type: bool) -> Result<Document, Fault> {
    let read = match source.get(cx) {
        Sourced::Message(message) if !any_type && MediaKind::of(message) != MediaKind::Xml => {
            let text = format!("The content type of {} is not one of XML", source.name);
            return Err(fault("InvalidMediaTpe", text));
        }
        Sourced::Message(message) => Document::parse_bytes(message.body.bytes(), &Limits::default()),
        Sourced::Text(text) => Document::parse(&text, &Limits::default()),
        Sourced::Nothing => {
            return Err(fault("SourceNotAvailable", format!("{} is not available", source.name)));
        }
    };
    read.map_err(|bad| fault("SourceNotAvailable", format!("{} is no XML: {bad}", source.name)))
}
