//! The files of one bundle while it is read, with what is noticed.

use std::collections::{BTreeMap, BTreeSet};

use pierhead_gateway::design::{Enclosure, FileResource, PolicyText};

use crate::files::content_of;
use crate::source::Sources;
use crate::xml::Node;
use crate::{Files, Finding, Limits, Severity};

/// The files below a root. What is taken is noted; the rest becomes enclosures.
pub(super) struct Shelf<'f> {
    root: &'f str,
    files: BTreeMap<&'f str, &'f [u8]>,
    taken: BTreeSet<String>,
    limits: &'f Limits,
    findings: Vec<Finding>,
    pub(super) sources: Sources,
}

impl<'f> Shelf<'f> {
    pub(super) fn new(files: &'f Files, root: &'f str, limits: &'f Limits) -> Self {
        let below = |path: &'f str| match root {
            "" => Some(path),
            root => path.strip_prefix(root)?.strip_prefix('/'),
        };
        let files = files.iter().filter_map(|(path, bytes)| Some((below(path)?, bytes))).collect();
        let mut shelf = Self {
            root,
            files,
            taken: BTreeSet::new(),
            limits,
            findings: Vec::new(),
            sources: Sources::default(),
        };
        shelf.sources.root = shelf.path("");
        shelf
    }

    /// A path below the root as it is in the bundle.
    pub(super) fn path(&self, below: &str) -> String {
        match (self.root, below) {
            ("", below) => below.to_owned(),
            (root, "") => root.to_owned(),
            (root, below) => format!("{root}/{below}"),
        }
    }

    pub(super) fn note(
        &mut self,
        severity: Severity,
        rule: &'static str,
        (below, line): (&str, usize),
        message: impl Into<String>,
    ) {
        let file = self.path(below);
        self.findings.push(Finding { severity, rule, file, line, message: message.into() });
    }

    /// Paths of the files directly in a folder, or at the top.
    pub(super) fn in_folder(&self, folder: &str) -> Vec<&'f str> {
        let below = |path: &'f str| match folder {
            "" => Some(path),
            folder => path.strip_prefix(folder)?.strip_prefix('/'),
        };
        self.files
            .keys()
            .copied()
            .filter(|path| below(path).is_some_and(|rest| !rest.contains('/')))
            .collect()
    }

    /// Paths of all files below a folder.
    pub(super) fn below_folder(&self, folder: &str) -> Vec<&'f str> {
        let is_below = |path: &&str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        self.files.keys().copied().filter(is_below).collect()
    }

    /// A text, which is thereby taken. One that is not UTF-8 is noted and left.
    pub(super) fn text(&mut self, path: &str) -> Option<&'f str> {
        let bytes = self.files.get(path).copied()?;
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                self.taken.insert(path.to_owned());
                Some(text)
            }
            Err(_) => {
                self.note(Severity::Error, "NotUtf8", (path, 0), "the document is not UTF-8 text");
                None
            }
        }
    }

    /// A document; one that is no XML is noted. Its text comes with it.
    pub(super) fn document(&mut self, path: &str) -> Option<(Node, &'f str)> {
        let text = self.text(path)?;
        match Node::parse(text, self.limits) {
            Ok(node) => Some((node, text)),
            Err(bad) => {
                self.note(Severity::Error, "BadXml", (path, bad.line), bad.why);
                None
            }
        }
    }

    /// A document inside a document: the texts of a policy template.
    pub(super) fn fragment(&mut self, path: &str, line: usize, text: &str) -> Node {
        match Node::parse(&format!("<fragment>{text}</fragment>"), self.limits) {
            Ok(node) => node,
            Err(bad) => {
                let message = format!("the flows in it are no XML: {}", bad.why);
                self.note(Severity::Error, "BadXml", (path, line), message);
                Node::default()
            }
        }
    }

    /// The one document at the top that has this root element; others are noted and left.
    pub(super) fn root_document(&mut self, element: &str) -> Option<(Node, &'f str)> {
        let mut found = None;
        for path in self.in_folder("") {
            if !path.ends_with(".xml") {
                continue;
            }
            let Some((node, _)) = self.document(path) else { continue };
            if node.name != element {
                self.taken.remove(path);
            } else if found.is_some() {
                let message = format!("a second {element} document; the first one counts");
                self.note(Severity::Warning, "ManyRootDocuments", (path, node.line), message);
                self.taken.remove(path);
            } else {
                self.sources.root = self.path(path);
                found = Some((node, path));
            }
        }
        if found.is_none() {
            let message = format!("there is no {element} document; the bundle is named after its file");
            self.note(Severity::Warning, "NoRootDocument", ("", 0), message);
        }
        found
    }

    /// Notes children that are not `known`; what they say is not in the model.
    pub(super) fn only(&mut self, path: &str, node: &Node, known: &[&str]) {
        for child in node.children.iter().filter(|child| !known.contains(&child.name.as_str())) {
            if child.is_blank() {
                continue;
            }
            let message = format!("{} in {} is not known and is left out", child.name, node.name);
            self.note(Severity::Warning, "UnknownElement", (path, child.line), message);
        }
    }

    /// Reads `true` or `false`; anything else is noted.
    pub(super) fn flag(&mut self, path: &str, node: Option<&Node>, default: bool) -> bool {
        let Some(node) = node else { return default };
        match node.text().to_ascii_lowercase().as_str() {
            "true" => true,
            "false" => false,
            "" => default,
            _ => {
                let message = format!("{}: '{}' is neither true nor false", node.name, node.text());
                self.note(Severity::Error, "NotABoolean", (path, node.line), message);
                default
            }
        }
    }

    /// Reads a whole number; anything else is noted.
    pub(super) fn number<N: std::str::FromStr>(&mut self, path: &str, node: Option<&Node>) -> Option<N> {
        let node = node.filter(|node| !node.text().is_empty())?;
        let number = node.text().parse().ok();
        if number.is_none() {
            let message = format!("{}: '{}' is not a number that is possible here", node.name, node.text());
            self.note(Severity::Error, "NotANumber", (path, node.line), message);
        }
        number
    }

    /// A policy document. Its name comes from the file in SAP's dialect, from its attribute in Apigee's.
    pub(super) fn policy(&mut self, path: &str, name_from_file: bool) -> Option<PolicyText> {
        let text = self.text(path)?;
        let stem = stem(path);
        // One that is no XML is kept: whoever looks at the report wants to find it in the model.
        let (kind, name) = match Node::parse(text, self.limits) {
            Ok(node) => {
                let given = node.attribute("name").filter(|name| !name.is_empty());
                let name = if name_from_file { stem } else { given.unwrap_or(stem) };
                if name != stem {
                    let message = format!("policy '{name}' stands in a file of another name");
                    self.note(Severity::Info, "FileNameDiffers", (path, node.line), message);
                }
                (node.name.clone(), name.to_owned())
            }
            Err(bad) => {
                self.note(Severity::Error, "BadXml", (path, bad.line), bad.why);
                (String::new(), stem.to_owned())
            }
        };
        let file = self.path(path);
        if let Some(first) = self.sources.policies.insert(name.clone(), file) {
            let message = format!("policy '{name}' is in {first} already");
            self.note(Severity::Error, "DuplicatePolicy", (path, 0), message);
        }
        Some(PolicyText { name, kind, xml: text.to_owned(), fixed: false })
    }

    /// A script or document that policies refer to as `<kind>://<name>`.
    pub(super) fn resource(&mut self, path: &str, kind: &str, name: &str) -> Option<FileResource> {
        let (content, binary) = content_of(self.files.get(path).copied()?);
        self.taken.insert(path.to_owned());
        let file = self.path(path);
        self.sources.resources.insert(format!("{kind}://{name}"), file);
        Some(FileResource { name: name.to_owned(), kind: kind.to_owned(), content, binary })
    }

    /// What nobody took.
    pub(super) fn enclosures(&mut self) -> Vec<Enclosure> {
        let rest = self.files.iter().filter(|(path, _)| !self.taken.contains(**path));
        rest.map(|(path, bytes)| {
            let (content, binary) = content_of(bytes);
            Enclosure { path: (*path).to_owned(), content, binary }
        })
        .collect()
    }

    pub(super) fn close(self) -> (Vec<Finding>, Sources) {
        (self.findings, self.sources)
    }
}

/// The name of a file without its folder and its extension.
pub(super) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
