//! The files of an export while they are written, and what is left out.

use pierhead_gateway::design::Enclosure;

use super::CannotExport;
use crate::content::Export;
use crate::files::{bytes_of, checked_path};
use crate::xml::XmlWriter;
use crate::{Files, Finding, Limits, Severity};

/// Collects files below one root folder.
pub(crate) struct Ledger {
    root: &'static str,
    files: Files,
    findings: Vec<Finding>,
}

impl Ledger {
    pub(super) fn new(root: &'static str) -> Self {
        Self { root, files: Files::default(), findings: Vec::new() }
    }

    /// Notes that something was left out; each text once.
    pub(crate) fn lose(&mut self, file: &str, message: impl Into<String>) {
        let file = if file.is_empty() { self.root.to_owned() } else { format!("{}/{file}", self.root) };
        let finding = Finding::new(Severity::Warning, "NoCounterpart", (&file, 0), message);
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// A path for a part of this name. A name is one part of a path, but for resources with folders in them.
    pub(super) fn named(
        &self,
        folder: &str,
        (what, name): (&'static str, &str),
        extension: &str,
    ) -> Result<String, CannotExport> {
        let bad = || CannotExport::UnusableName { what, name: name.to_owned() };
        if name.is_empty()
            || name.ends_with('/')
            || (what != "resource" && name.contains('/'))
            || name.contains('\\')
        {
            return Err(bad());
        }
        let path = if folder.is_empty() {
            format!("{name}{extension}")
        } else {
            format!("{folder}/{name}{extension}")
        };
        match checked_path(&path, &Limits::default()) {
            Ok(checked) if checked == path => Ok(path),
            _ => Err(bad()),
        }
    }

    pub(super) fn document(&mut self, path: &str, writer: XmlWriter) -> Result<(), CannotExport> {
        let xml = writer
            .finish()
            .map_err(|character| CannotExport::NotXml { file: format!("{}/{path}", self.root), character })?;
        self.put(path, xml.into_bytes())
    }

    pub(super) fn put(&mut self, path: &str, bytes: Vec<u8>) -> Result<(), CannotExport> {
        let file = format!("{}/{path}", self.root);
        if self.files.get(&file).is_some() {
            return Err(CannotExport::SameFile { file });
        }
        self.files.insert(file, bytes);
        Ok(())
    }

    /// Bytes of a content; one that is said to be base64 and is not goes out as text.
    pub(super) fn content(&mut self, path: &str, content: &str, binary: bool) -> Result<(), CannotExport> {
        let bytes = bytes_of(content, binary).unwrap_or_else(|| content.as_bytes().to_vec());
        self.put(path, bytes)
    }

    /// Writes enclosures, but for those below folders that only the other dialect has, and those whose file has
    /// been written anew.
    pub(super) fn enclose(&mut self, enclosures: &[Enclosure], foreign: &[&str]) -> Result<(), CannotExport> {
        for enclosure in enclosures {
            if foreign.iter().any(|folder| enclosure.path.starts_with(folder)) {
                self.lose(&enclosure.path, "this dialect has no place for it");
                continue;
            }
            match checked_path(&enclosure.path, &Limits::default()) {
                Ok(path) if path == enclosure.path => {}
                _ => {
                    let name = enclosure.path.clone();
                    return Err(CannotExport::UnusableName { what: "enclosure", name });
                }
            }
            if self.files.get(&format!("{}/{}", self.root, enclosure.path)).is_none() {
                self.content(&enclosure.path, &enclosure.content, enclosure.binary)?;
            }
        }
        Ok(())
    }

    pub(super) fn close(self) -> Export {
        Export { files: self.files, findings: self.findings }
    }
}
