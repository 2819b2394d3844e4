//! SOAP envelopes (SOAP 1.1, section 4; SOAP 1.2 part 1, section 5).

use crate::document::{Document, Node, NodeKind};
use crate::names::is_blank;
use crate::xsd::Invalid;

/// Which SOAP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoapVersion {
    /// SOAP 1.1.
    V11,
    /// SOAP 1.2.
    V12,
}

impl SoapVersion {
    /// The namespace of its envelope.
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::V11 => "http://schemas.xmlsoap.org/soap/envelope/",
            Self::V12 => "http://www.w3.org/2003/05/soap-envelope",
        }
    }
}

/// An envelope that is as SOAP wants it.
#[derive(Debug, Clone)]
pub struct Envelope<'d> {
    /// Which SOAP it is.
    pub version: SoapVersion,
    /// The elements in its body.
    pub body: Vec<Node<'d>>,
}

impl<'d> Envelope<'d> {
    /// Checks the envelope of a document, whose version must be one of `versions`.
    pub fn read(document: &'d Document, versions: &[SoapVersion]) -> Result<Self, Invalid> {
        let Some(root) = document.element() else {
            return Err(Invalid { line: 1, why: "there is no element".to_owned() });
        };
        let of = versions.iter().find(|version| root.is_named(version.namespace(), "Envelope"));
        let Some(version) = of.copied() else {
            return Err(invalid(
                root,
                "the outermost element is no SOAP envelope of the version that is asked for",
            ));
        };
        let envelope = version.namespace();
        if let Some(instruction) = root.descendants().find(|node| node.kind() == NodeKind::Instruction) {
            return Err(invalid(instruction, "a SOAP message holds no processing instructions"));
        }
        let mut parts = elements_only(root, "the envelope")?.into_iter().peekable();
        if let Some(header) = parts.next_if(|part| part.is_named(envelope, "Header")) {
            for block in elements_only(header, "the header")? {
                check_block(block, envelope)?;
            }
        }
        let Some(body) = parts.next().filter(|part| part.is_named(envelope, "Body")) else {
            return Err(invalid(root, "the body is missing, or not where it belongs"));
        };
        // SOAP 1.1 lets more elements follow, in namespaces of their own.
        let after = parts.find(|part| {
            version == SoapVersion::V12 || matches!(part.namespace(), "") || part.namespace() == envelope
        });
        if let Some(after) = after {
            return Err(invalid(after, "nothing may follow the body"));
        }
        if version == SoapVersion::V12 {
            let encoded =
                [root, body].into_iter().find(|node| node.attribute_of(envelope, "encodingStyle").is_some());
            if let Some(encoded) = encoded {
                return Err(invalid(encoded, "encodingStyle may not stand here"));
            }
        }
        let body = elements_only(body, "the body")?;
        if let Some(fault) = body.iter().find(|node| node.is_named(envelope, "Fault"))
            && body.len() > 1
        {
            return Err(invalid(*fault, "a fault stands alone in the body"));
        }
        Ok(Self { version, body })
    }

    /// Whether the body holds a fault.
    pub fn is_fault(&self) -> bool {
        self.body.first().is_some_and(|first| first.is_named(self.version.namespace(), "Fault"))
    }
}

fn check_block(block: Node<'_>, envelope: &str) -> Result<(), Invalid> {
    if block.namespace().is_empty() {
        return Err(invalid(block, "what is in the header has a namespace"));
    }
    let must = block.attribute_of(envelope, "mustUnderstand").map(str::trim);
    match must {
        None | Some("0" | "1" | "true" | "false") => Ok(()),
        Some(_) => Err(invalid(block, "mustUnderstand is neither true nor false")),
    }
}

fn elements_only<'d>(parent: Node<'d>, what: &str) -> Result<Vec<Node<'d>>, Invalid> {
    let is_text = |node: &Node<'_>| node.kind() == NodeKind::Text && !is_blank(node.own_text());
    match parent.children().find(is_text) {
        Some(text) => Err(invalid(text, format!("there is text in {what}"))),
        None => Ok(parent.child_elements().collect()),
    }
}

fn invalid(node: Node<'_>, why: impl Into<String>) -> Invalid {
    Invalid { line: node.line(), why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    const BOTH: &[SoapVersion] = &[SoapVersion::V11, SoapVersion::V12];

    fn read(inside: &str, version: SoapVersion, allowed: &[SoapVersion]) -> Result<usize, String> {
        let xml = format!("<s:Envelope xmlns:s='{}'>{inside}</s:Envelope>", version.namespace());
        let document = Document::parse(&xml, &Limits::default()).unwrap();
        Envelope::read(&document, allowed).map(|envelope| envelope.body.len()).map_err(|invalid| invalid.why)
    }

    #[test]
    fn envelopes_of_both_versions_are_read() {
        for version in [SoapVersion::V11, SoapVersion::V12] {
            let inside = "<s:Header><h xmlns='u' s:mustUnderstand='1'/></s:Header> <s:Body><a/><b/></s:Body>";
            assert_eq!(read(inside, version, BOTH), Ok(2));
            assert_eq!(read("<s:Body/>", version, &[version]), Ok(0));
        }
        assert_eq!(read("<s:Body/><x xmlns='u'/>", SoapVersion::V11, BOTH), Ok(0));
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        use SoapVersion::{V11, V12};
        for (inside, version, part) in [
            ("", V11, "body is missing"),
            ("<s:Header/>", V11, "body is missing"),
            ("<s:Body/><s:Header/>", V11, "follow the body"),
            ("<s:Body/><s:Body/>", V11, "follow the body"),
            ("<s:Body/><x xmlns='u'/>", V12, "follow the body"),
            ("<s:Header/><s:Header/><s:Body/>", V11, "body is missing"),
            ("<s:Header><h/></s:Header><s:Body/>", V11, "has a namespace"),
            ("<s:Header><h xmlns='u' s:mustUnderstand='yes'/></s:Header><s:Body/>", V11, "mustUnderstand"),
            ("text<s:Body/>", V11, "text in the envelope"),
            ("<s:Body>text</s:Body>", V12, "text in the body"),
            ("<s:Body><s:Fault/><a/></s:Body>", V11, "stands alone"),
            ("<s:Body s:encodingStyle='u'/>", V12, "encodingStyle"),
            ("<s:Body><?p x?></s:Body>", V12, "processing instructions"),
        ] {
            let why = read(inside, version, BOTH).unwrap_err();
            assert!(why.contains(part), "{inside}: {why}");
        }
        assert!(read("<s:Body/>", V11, &[V12]).unwrap_err().contains("no SOAP envelope"));
    }
}
