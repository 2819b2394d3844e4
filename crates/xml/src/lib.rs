//! XML: documents as trees, XPath 1.0, XSLT 1.0, XML Schema and SOAP, for input from strangers.
//!
//! ```
//! use pierhead_xml::{Document, Limits, XPath};
//!
//! let document = Document::parse("<a:list xmlns:a='urn:a'><a:n>1</a:n><a:n>2</a:n></a:list>", &Limits::default())?;
//! let numbers = XPath::compile("/p:list/p:n", &[("p", "urn:a")])?;
//! let nodes = numbers.nodes(document.root())?;
//! assert_eq!(nodes.len(), 2);
//! assert_eq!(nodes[1].to_xml(), "<a:n xmlns:a=\"urn:a\">2</a:n>");
//! assert_eq!(XPath::compile("sum(//p:n)", &[("p", "urn:a")])?.number(document.root())?, 3.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariants: no input makes this crate panic, read a file or a network address, or work without a bound.
//! What is compiled (`XPath`, `Stylesheet`, `Schema`, `Wsdl`) is `Send + Sync` and used by any number of threads at once.

mod canonical;
mod document;
mod limits;
mod names;
mod regular;
mod soap;
mod write;
pub mod wsdl;
pub mod xpath;
pub mod xsd;
pub mod xslt;

pub use canonical::{Canonical, TooLong};
pub use document::{BadXml, Document, Node, NodeKind, decode};
pub use limits::Limits;
pub use names::{is_nc_name, is_xml_char};
pub use soap::{Envelope, SoapVersion};
pub use write::{Edit, escape_attribute, escape_text};
pub use xpath::{BadXPath, Value, XPath, XPathError};
pub use xsd::{BadSchema, Invalid, Schema};
pub use xslt::{BadStylesheet, Stylesheet, TransformError, Transformed};
