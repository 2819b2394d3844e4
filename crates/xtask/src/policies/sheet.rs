//! One policy's fact sheet.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

use super::sources::Sources;
use crate::run::root;

/// Where policies live.
pub(super) const POLICIES: &str = "crates/gateway/src/policy";

/// What the originals document about one kind of policy, and what shows that ours does it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sheet {
    /// The root element.
    pub(super) kind: String,
    /// `sap`, `apigee`.
    pub(super) originals: Vec<String>,
    /// One line.
    pub(super) summary: String,
    /// Of the variable that says that it failed.
    pub(super) prefix: String,
    #[serde(default)]
    pub(super) element: Vec<Element>,
    #[serde(default)]
    pub(super) variable: Vec<Variable>,
    #[serde(default)]
    pub(super) fault: Vec<Fault>,
    #[serde(default)]
    pub(super) deploy: Vec<Deploy>,
    #[serde(skip)]
    pub(super) path: PathBuf,
}

/// An element or attribute: its path below the root, `@` before an attribute.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Element {
    pub(super) name: String,
    /// The test that shows it.
    pub(super) test: Option<String>,
    /// Why a policy that has it cannot be deployed, instead of a test.
    pub(super) refused: Option<String>,
}

/// A flow variable that the policy sets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) test: String,
}

/// A fault at run time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    pub(super) code: String,
    pub(super) status: String,
    pub(super) test: String,
}

/// A mistake that is found at deploy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deploy {
    pub(super) rule: String,
    pub(super) test: String,
}

impl Sheet {
    /// All sheets, by kind.
    pub(super) fn all() -> anyhow::Result<Vec<Self>> {
        let mut sheets = Vec::new();
        let families = std::fs::read_dir(root().join(POLICIES)).context(POLICIES)?;
        for family in families {
            let family = family?.path();
            if !family.is_dir() {
                continue;
            }
            for file in std::fs::read_dir(&family)? {
                let path = file?.path();
                if path.extension().is_some_and(|extension| extension == "toml") {
                    sheets.push(Self::read(&path)?);
                }
            }
        }
        sheets.sort_by(|a, b| a.kind.cmp(&b.kind));
        Ok(sheets)
    }

    fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let sheet: Self = toml::from_str(&text).with_context(|| path.display().to_string())?;
        Ok(Self { path: path.to_owned(), ..sheet })
    }

    /// The family's name: the folder it lies in.
    pub(super) fn family(&self) -> &str {
        self.path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// What is wrong with it: tests that are not there, elements that the code reads and the sheet hides.
    pub(super) fn breaks(&self, sources: &Sources) -> Vec<String> {
        let mut breaks = Vec::new();
        if !sources.kinds().any(|kind| kind == self.kind) {
            breaks.push(format!("fact sheet {}: no policy of this kind is built", self.kind));
        }
        for (fact, test) in self.facts() {
            if !sources.has_test(test) {
                breaks.push(format!("fact sheet {}: {fact}: there is no test '{test}'", self.kind));
            }
        }
        for element in &self.element {
            if element.test.is_some() == element.refused.is_some() {
                breaks.push(format!(
                    "fact sheet {}: element {} has either a test or a reason why it is refused",
                    self.kind, element.name
                ));
            }
        }
        let listed: Vec<&str> =
            self.element.iter().flat_map(|element| element.name.split(['/', '@'])).collect();
        for name in sources.elements_read_by(&self.path.with_extension("rs")) {
            if !listed.contains(&name.as_str()) {
                breaks.push(format!("fact sheet {}: the code reads '{name}', the sheet hides it", self.kind));
            }
        }
        breaks
    }

    /// Every fact with the test that shows it.
    pub(super) fn facts(&self) -> impl Iterator<Item = (&str, &str)> {
        let elements =
            self.element.iter().filter_map(|element| Some((element.name.as_str(), element.test.as_deref()?)));
        let variables = self.variable.iter().map(|variable| (variable.name.as_str(), variable.test.as_str()));
        let faults = self.fault.iter().map(|fault| (fault.code.as_str(), fault.test.as_str()));
        let rules = self.deploy.iter().map(|rule| (rule.rule.as_str(), rule.test.as_str()));
        elements.chain(variables).chain(faults).chain(rules)
    }
}
