//! Finding the documents of a schema.

use super::{BadSchema, XSD};
use crate::document::{Document, Node};
use crate::limits::Limits;

/// More documents than this are refused.
const MAX_DOCUMENTS: usize = 100;

/// A document with a schema in it.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) name: String,
    pub(super) document: Document,
    /// The namespace it declares; of one that is included without a namespace of its own, the includer's.
    pub(super) target: String,
    /// Lines before the schema, where it stands inside another document.
    pub(super) lines_before: u32,
}

impl Loaded {
    pub(super) fn root(&self) -> Option<Node<'_>> {
        self.document.element()
    }
}

/// The document `name` and all that it includes and imports.
pub(super) fn load(
    name: &str,
    documents: &[(&str, &str)],
    limits: &Limits,
) -> Result<Vec<Loaded>, BadSchema> {
    let mut loading = Loading { documents, limits, loaded: Vec::new() };
    loading.add(name, None, "", 0)?;
    loading.follow()
}

/// Schemas inside another document, and what they include and import.
pub(super) fn load_nodes(
    roots: &[Node<'_>],
    name: &str,
    documents: &[(&str, &str)],
    limits: &Limits,
) -> Result<Vec<Loaded>, BadSchema> {
    let mut loading = Loading { documents, limits, loaded: Vec::new() };
    for root in roots {
        let bad = |bad| BadSchema::of(name, bad);
        let document = Document::parse(&root.to_xml(), limits).map_err(bad)?;
        let target = root.attribute("targetNamespace").unwrap_or_default().to_owned();
        let lines_before = root.line().saturating_sub(1);
        loading.loaded.push(Loaded { name: name.to_owned(), document, target, lines_before });
    }
    loading.follow()
}

struct Loading<'i> {
    documents: &'i [(&'i str, &'i str)],
    limits: &'i Limits,
    loaded: Vec<Loaded>,
}

impl Loading<'_> {
    /// Loads what the documents name, and what those name.
    fn follow(mut self) -> Result<Vec<Loaded>, BadSchema> {
        let mut next = 0;
        while next < self.loaded.len() {
            for (location, includer, namespace, line) in self.references(next)? {
                let from = self.loaded[next].name.clone();
                let found = self.add(&location, includer.as_deref(), &from, line)?;
                let target = &self.loaded[found].target;
                if includer.is_none() && *target != namespace {
                    let why = format!("{location} is of another namespace than the import says");
                    return Err(BadSchema { document: from, line, why });
                }
            }
            next += 1;
        }
        Ok(self.loaded)
    }

    /// Location, the namespace of an includer or none for an import, the namespace of an import, the line.
    #[expect(clippy::type_complexity, reason = "used once, right above")]
    fn references(&self, index: usize) -> Result<Vec<(String, Option<String>, String, u32)>, BadSchema> {
        let loaded = &self.loaded[index];
        let mut references = Vec::new();
        for child in
            loaded.root().into_iter().flat_map(Node::child_elements).filter(|child| child.namespace() == XSD)
        {
            let line = child.line() + loaded.lines_before;
            let bad = |why: &str| BadSchema { document: loaded.name.clone(), line, why: why.to_owned() };
            let location = child.attribute("schemaLocation").map(str::to_owned);
            match (child.local_name(), location) {
                ("include", Some(location)) => {
                    references.push((location, Some(loaded.target.clone()), String::new(), line));
                }
                ("include", None) => return Err(bad("include has no schemaLocation")),
                // Without a location the namespace comes from another document, or is built in.
                ("import", Some(location)) => {
                    let namespace = child.attribute("namespace").unwrap_or_default();
                    let is_there = self.loaded.iter().any(|other| other.target == namespace);
                    if !self.has(&location) && (is_there || is_built_in(namespace)) {
                        continue;
                    }
                    references.push((location, None, namespace.to_owned(), line));
                }
                ("redefine" | "override", _) => return Err(bad("redefine and override are not supported")),
                _ => {}
            }
        }
        Ok(references)
    }

    fn has(&self, location: &str) -> bool {
        let file = file_of(location);
        self.documents.iter().any(|(name, _)| *name == file || *name == location)
    }

    /// Loads a document unless it is there already; gives its index.
    fn add(
        &mut self,
        location: &str,
        includer: Option<&str>,
        from: &str,
        line: u32,
    ) -> Result<usize, BadSchema> {
        let file = file_of(location);
        let bad = |why: String| BadSchema { document: from.to_owned(), line, why };
        let found = self.documents.iter().find(|(name, _)| *name == location || *name == file);
        let Some((name, text)) = found else { return Err(bad(format!("there is no document {file}"))) };
        let document = Document::parse(text, self.limits).map_err(|bad| BadSchema::of(name, bad))?;
        let root = document.element().filter(|root| root.is_named(XSD, "schema"));
        let Some(root) = root else {
            return Err(BadSchema { document: (*name).to_owned(), line: 1, why: "not a schema".to_owned() });
        };
        let own = root.attribute("targetNamespace");
        let target = match (own, includer) {
            (Some(own), Some(includer)) if own != includer => {
                return Err(bad(format!("{file} is of another namespace than what includes it")));
            }
            (Some(own), _) => own.to_owned(),
            (None, includer) => includer.unwrap_or_default().to_owned(),
        };
        if let Some(index) =
            self.loaded.iter().position(|other| other.name == *name && other.target == target)
        {
            return Ok(index);
        }
        if self.loaded.len() >= MAX_DOCUMENTS {
            return Err(bad(format!("a schema may have {MAX_DOCUMENTS} documents")));
        }
        self.loaded.push(Loaded { name: (*name).to_owned(), document, target, lines_before: 0 });
        Ok(self.loaded.len() - 1)
    }
}

/// Namespaces whose schemas documents import by address and nobody carries along.
fn is_built_in(namespace: &str) -> bool {
    namespace == crate::names::XML || namespace == XSD
}

/// The last part of an address or path.
fn file_of(location: &str) -> &str {
    let location = location.split(['?', '#']).next().unwrap_or(location);
    location.rsplit(['/', '\\']).next().unwrap_or(location)
}
