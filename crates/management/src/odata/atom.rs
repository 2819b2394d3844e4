//! OData V2 Atom: entries, feeds and the service document.

use std::borrow::Cow;

use pierhead_domain::EpochMillis;
use quick_xml::escape::escape;
use serde_json::Value;

use super::Entity;
use super::entity::millis;
use super::json::Writing;
use super::schema::{Edm, Property};

const XMLNS: &str = concat!(
    r#" xmlns="http://www.w3.org/2005/Atom""#,
    r#" xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata""#,
    r#" xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices""#,
);
const RELATED: &str = "http://schemas.microsoft.com/ado/2007/08/dataservices/related/";
const SCHEME: &str = "http://schemas.microsoft.com/ado/2007/08/dataservices/scheme";
const DECLARATION: &str = r#"<?xml version="1.0" encoding="utf-8"?>"#;

impl Writing<'_> {
    /// One entity as a document.
    pub(super) fn entry_document(&self, entity: &Entity, now: EpochMillis) -> String {
        let mut xml = DECLARATION.to_owned();
        self.entry(&mut xml, entity, now, XMLNS);
        xml
    }

    /// A list as a document.
    pub(super) fn feed_document(
        &self,
        title: &str,
        entities: &[Entity],
        count: Option<usize>,
        next: Option<&str>,
        now: EpochMillis,
    ) -> String {
        let mut xml = DECLARATION.to_owned();
        let id = format!("{}/{title}", self.root);
        self.feed(&mut xml, &id, title, entities, now, XMLNS, (count, next));
        xml
    }

    /// The service document.
    pub(super) fn service_document(&self) -> String {
        let mut xml = format!(
            r#"{DECLARATION}<service xmlns="http://www.w3.org/2007/app" xmlns:atom="http://www.w3.org/2005/Atom" xml:base="{}/"><workspace><atom:title>Default</atom:title>"#,
            escape(self.root)
        );
        for set in self.schema.sets {
            xml.push_str(&format!(
                r#"<collection href="{0}"><atom:title>{0}</atom:title></collection>"#,
                set.name
            ));
        }
        xml.push_str("</workspace></service>");
        xml
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a feed, written in one place")]
    fn feed(
        &self,
        xml: &mut String,
        id: &str,
        title: &str,
        entities: &[Entity],
        now: EpochMillis,
        namespaces: &str,
        (count, next): (Option<usize>, Option<&str>),
    ) {
        xml.push_str(&format!(
            r#"<feed{namespaces}><id>{}</id><title type="text">{}</title><updated>{}</updated><author><name/></author>"#,
            escape(id),
            escape(title),
            now.rfc3339_seconds()
        ));
        if let Some(count) = count {
            xml.push_str(&format!("<m:count>{count}</m:count>"));
        }
        xml.push_str(&format!(r#"<link rel="self" title="{0}" href="{0}"/>"#, escape(title)));
        for entity in entities {
            self.entry(xml, entity, now, "");
        }
        if let Some(next) = next {
            xml.push_str(&format!(r#"<link rel="next" href="{}"/>"#, escape(next)));
        }
        xml.push_str("</feed>");
    }

    fn entry(&self, xml: &mut String, entity: &Entity, now: EpochMillis, namespaces: &str) {
        let uri = self.uri(entity);
        let relative = uri.strip_prefix(self.root).unwrap_or(&uri).trim_start_matches('/');
        xml.push_str(&format!(
            r#"<entry{namespaces}><id>{}</id><title type="text">{}</title><updated>{}</updated><author><name/></author><link rel="edit" title="{}" href="{}"/>"#,
            escape(&uri),
            escape(entity.key().first()),
            now.rfc3339_seconds(),
            entity.set.type_name,
            escape(relative),
        ));
        for navigation in entity.set.navigation.iter().filter(|navigation| self.selects(navigation.name)) {
            let kind = if navigation.many { "feed" } else { "entry" };
            let href = format!("{relative}/{}", navigation.name);
            xml.push_str(&format!(
                r#"<link rel="{RELATED}{0}" type="application/atom+xml;type={kind}" title="{0}" href="{1}""#,
                navigation.name,
                escape(&href)
            ));
            let Some(related) = entity.related(navigation.name) else {
                xml.push_str("/>");
                continue;
            };
            xml.push_str("><m:inline>");
            if navigation.many {
                let id = format!("{uri}/{}", navigation.name);
                self.below().feed(xml, &id, navigation.name, related, now, "", (None, None));
            } else if let Some(related) = related.first() {
                self.below().entry(xml, related, now, "");
            }
            xml.push_str("</m:inline></link>");
        }
        xml.push_str(&format!(
            r#"<category term="{}.{}" scheme="{SCHEME}"/><content type="application/xml"><m:properties>"#,
            self.schema.namespace, entity.set.type_name
        ));
        for property in entity.set.properties.iter().filter(|property| !property.input_only) {
            if self.selects(property.name) {
                self.atom_property(xml, property, entity.value(property.name));
            }
        }
        xml.push_str("</m:properties></content></entry>");
    }

    fn atom_property(&self, xml: &mut String, property: &Property, value: &Value) {
        let name = property.name;
        if value.is_null() {
            xml.push_str(&format!(r#"<d:{name} m:null="true"/>"#));
            return;
        }
        let kind = match property.edm {
            Edm::String => String::new(),
            edm => format!(r#" m:type="{}""#, edm.name(self.schema.namespace)),
        };
        xml.push_str(&format!("<d:{name}{kind}>"));
        match (property.edm, value) {
            (Edm::Complex(complex), value) => {
                for field in complex.properties {
                    self.atom_property(xml, field, value.get(field.name).unwrap_or(&Value::Null));
                }
            }
            (Edm::DateTime, Value::String(text)) => {
                let at = EpochMillis::new(millis(text).unwrap_or_default());
                xml.push_str(at.rfc3339_seconds().trim_end_matches('Z'));
            }
            (_, Value::String(text)) => xml.push_str(&escape(xml_text(text))),
            (_, other) => xml.push_str(&other.to_string()),
        }
        xml.push_str(&format!("</d:{name}>"));
    }
}

/// XML 1.0 cannot hold most control characters, not even escaped.
fn xml_text(text: &str) -> Cow<'_, str> {
    let forbidden = |char: char| char.is_control() && !matches!(char, '\t' | '\n' | '\r');
    if text.contains(forbidden) { text.replace(forbidden, "\u{fffd}").into() } else { text.into() }
}
