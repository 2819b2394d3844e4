//! An element of XSLT with the attributes it may have.

use super::super::avt::Avt;
use super::super::statics::Here;
use super::super::{BadStylesheet, Select, XSLT};
use super::Compiled;

/// Reads attributes; those it was not told of are refused.
pub(super) struct Attributes<'h, 's, 'd> {
    pub(super) here: &'h Here<'s, 'd>,
}

/// What every element of XSLT 2.0 may have.
const STANDARD: &[&str] =
    &["xpath-default-namespace", "exclude-result-prefixes", "extension-element-prefixes", "version"];

impl<'h, 's, 'd> Attributes<'h, 's, 'd> {
    /// `allowed` are those of XSLT 1.0, `later` those that came with 2.0.
    pub(super) fn of(here: &'h Here<'s, 'd>, allowed: &[&str], later: &[&str]) -> Compiled<Self> {
        let element = here.node;
        for attribute in element.attributes() {
            let local = attribute.local_name();
            let is_later = here.shared.later && (later.contains(&local) || STANDARD.contains(&local));
            if attribute.namespace() == XSLT
                || (attribute.namespace().is_empty() && !allowed.contains(&local) && !is_later)
            {
                return Err(here.bad(format!("{} has no attribute {}", element.name(), attribute.name())));
            }
        }
        Ok(Self { here })
    }

    pub(super) fn get(&self, name: &str) -> Option<&'d str> {
        self.here.node.attribute(name)
    }

    pub(super) fn need(&self, name: &str) -> Compiled<&'d str> {
        self.get(name)
            .ok_or_else(|| self.here.bad(format!("{} has no attribute {name}", self.here.node.name())))
    }

    pub(super) fn expr(&self, name: &str) -> Compiled<Option<Select>> {
        self.get(name).map(|text| self.here.expr(text)).transpose()
    }

    pub(super) fn need_expr(&self, name: &str) -> Compiled<Select> {
        self.here.expr(self.need(name)?)
    }

    pub(super) fn avt(&self, name: &str) -> Compiled<Option<Avt>> {
        self.get(name).map(|text| Avt::compile(text, self.here)).transpose()
    }

    pub(super) fn avt_or(&self, name: &str, default: &str) -> Compiled<Avt> {
        Ok(self.avt(name)?.unwrap_or_else(|| Avt::literal(default)))
    }

    /// `yes` or `no`.
    pub(super) fn flag(&self, name: &str, default: bool) -> Compiled<bool> {
        match self.get(name).map(str::trim) {
            None => Ok(default),
            Some("yes" | "true" | "1") => Ok(true),
            Some("no" | "false" | "0") => Ok(false),
            Some(_) => Err(self.bad(format!("{name} is neither yes nor no"))),
        }
    }

    pub(super) fn bad(&self, why: impl Into<String>) -> BadStylesheet {
        self.here.bad(why)
    }
}
