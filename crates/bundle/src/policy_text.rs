//! Policy documents in the form of a dialect. Only the root's start tag differs, and only it is touched.

use pierhead_gateway::design::PolicyText;
use pierhead_gateway::dialect::Dialect;

/// The namespace of SAP's policies.
const NAMESPACE: &str = "http://www.sap.com/apimgmt";

/// The document as `dialect` writes it. Apigee reads the name from the root's attribute and knows no namespace;
/// SAP takes the name from the file and puts its namespace on every policy. A text that is no XML stays as it
/// is.
pub(crate) fn in_dialect(policy: &PolicyText, dialect: Dialect) -> String {
    let xml = &policy.xml;
    let Some(tag) = Tag::of_root(xml) else { return xml.clone() };
    match dialect {
        Dialect::Sap if tag.attributes.iter().any(|attribute| attribute.key == "xmlns") => xml.clone(),
        Dialect::Sap => insert(xml, tag.name_end, &format!(" xmlns=\"{NAMESPACE}\"")),
        Dialect::Apigee => {
            let name = tag.attributes.iter().find(|attribute| attribute.key == "name");
            let mut xml = match name {
                Some(name) if name.value == escaped(&policy.name) => xml.clone(),
                Some(name) => {
                    let (start, end) = name.value_span;
                    format!("{}{}{}", &xml[..start], escaped(&policy.name), &xml[end..])
                }
                None => insert(xml, tag.name_end, &format!(" name=\"{}\"", escaped(&policy.name))),
            };
            let spaced = |tag: &Tag<'_>| {
                let of_sap =
                    |attribute: &&Attribute<'_>| attribute.key == "xmlns" && attribute.value == NAMESPACE;
                tag.attributes
                    .iter()
                    .find(of_sap)
                    .map(|attribute| (attribute.start, attribute.value_span.1 + 1))
            };
            if let Some((start, end)) = Tag::of_root(&xml).as_ref().and_then(spaced) {
                xml.replace_range(start..end, "");
            }
            xml
        }
    }
}

fn insert(xml: &str, at: usize, text: &str) -> String {
    format!("{}{text}{}", &xml[..at], &xml[at..])
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// The start tag of a root element, by its byte positions.
struct Tag<'x> {
    name_end: usize,
    attributes: Vec<Attribute<'x>>,
}

struct Attribute<'x> {
    /// Where the white space before it begins.
    start: usize,
    key: &'x str,
    value: &'x str,
    value_span: (usize, usize),
}

impl<'x> Tag<'x> {
    fn of_root(xml: &'x str) -> Option<Self> {
        let mut at = 0;
        loop {
            at += xml.get(at..)?.find('<')?;
            let rest = &xml[at..];
            if rest.starts_with("<?") {
                at += rest.find("?>")? + 2;
            } else if rest.starts_with("<!--") {
                at += rest.find("-->")? + 3;
            } else if rest.starts_with("<!") {
                return None;
            } else {
                break;
            }
        }
        let ends_name = |c: char| c.is_whitespace() || matches!(c, '>' | '/');
        let name_end = at + xml[at..].find(ends_name)?;
        let mut attributes = Vec::new();
        let mut start = name_end;
        loop {
            let key_start = start + xml[start..].find(|c: char| !c.is_whitespace())?;
            if xml[key_start..].starts_with(['>', '/']) {
                return Some(Self { name_end, attributes });
            }
            let equals = key_start + xml[key_start..].find('=')?;
            let quote_at = equals + 1 + xml[equals + 1..].find(['"', '\''])?;
            let quote = xml[quote_at..].chars().next()?;
            let value_start = quote_at + 1;
            let value_end = value_start + xml[value_start..].find(quote)?;
            attributes.push(Attribute {
                start,
                key: xml[key_start..equals].trim(),
                value: &xml[value_start..value_end],
                value_span: (value_start, value_end),
            });
            start = value_end + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(xml: &str) -> PolicyText {
        PolicyText { name: "Set \"a\"".into(), kind: "Quota".into(), xml: xml.into(), fixed: false }
    }

    #[test]
    fn only_the_start_tag_of_the_root_changes() {
        let sap = text(
            "<?xml version=\"1.0\"?>\n<!-- <Quota> -->\n<Quota async='true' xmlns='http://www.sap.com/apimgmt'>\n <Allow name='x'/></Quota>",
        );
        let apigee = in_dialect(&sap, Dialect::Apigee);
        assert_eq!(
            apigee,
            "<?xml version=\"1.0\"?>\n<!-- <Quota> -->\n<Quota name=\"Set &quot;a&quot;\" async='true'>\n <Allow name='x'/></Quota>"
        );
        assert_eq!(in_dialect(&sap, Dialect::Sap), sap.xml);
        let back = in_dialect(&text(&apigee), Dialect::Sap);
        assert!(back.contains("<Quota xmlns=\"http://www.sap.com/apimgmt\" name="), "{back}");
        assert_eq!(in_dialect(&text(&back), Dialect::Apigee), apigee);
    }

    #[test]
    fn a_name_that_differs_is_corrected() {
        let given = text("<Quota name=\"other\"/>");
        assert_eq!(in_dialect(&given, Dialect::Apigee), "<Quota name=\"Set &quot;a&quot;\"/>");
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(xml in "[<>/?!='\"a-c \\PC-]{0,40}") {
            let _ = in_dialect(&text(&xml), Dialect::Apigee);
            let _ = in_dialect(&text(&xml), Dialect::Sap);
        }
    }
}
