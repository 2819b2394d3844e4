//! What the sources say about policies: which are built, which tests there are, which elements are read.

use std::collections::BTreeSet;
use std::path::Path;

use super::sheet::POLICIES;
use crate::run::root;

/// Folders whose tests may show a fact.
const TESTED_IN: &[&str] = &["crates/gateway", "crates/pierhead/tests"];

/// Calls whose string arguments are names of elements and attributes.
const READERS: &[&str] = &["only(", "only_in_root("];

/// The texts that facts are checked against.
pub(super) struct Sources {
    kinds: Vec<String>,
    tests: BTreeSet<String>,
}

impl Sources {
    pub(super) fn read() -> anyhow::Result<Self> {
        let mut this = Self { kinds: Vec::new(), tests: BTreeSet::new() };
        for folder in TESTED_IN {
            each_rust_file(&root().join(folder), &mut |path, text| {
                this.tests.extend(functions(text));
                if path.starts_with(root().join(POLICIES)) && path.file_name().is_some_and(|n| n == "mod.rs")
                {
                    this.kinds.extend(entries(text));
                }
            })?;
        }
        Ok(this)
    }

    /// Root elements of the policies that are built.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.kinds.iter().map(String::as_str)
    }

    /// Whether a function of this name is in the tested folders.
    pub(super) fn has_test(&self, name: &str) -> bool {
        self.tests.contains(name)
    }

    /// Names that the policy in `file`, and the parts in the folder of the same name, allow in its document.
    pub(super) fn elements_read_by(&self, file: &Path) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut read = |path: &Path, text: &str| {
            if !path.ends_with("tests.rs") {
                names.extend(allowed(text));
            }
        };
        if let Ok(text) = std::fs::read_to_string(file) {
            read(file, &text);
        }
        // A policy without parts has no folder.
        let _ = each_rust_file(&file.with_extension(""), &mut read);
        names
    }
}

fn each_rust_file(folder: &Path, see: &mut impl FnMut(&Path, &str)) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            each_rust_file(&path, see)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            see(&path, &std::fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// Names of functions.
fn functions(text: &str) -> impl Iterator<Item = String> {
    text.match_indices("fn ").map(|(at, found)| {
        text[at + found.len()..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    })
}

/// The kinds in calls of `entry("Kind", …)`; the one that goes by a constant has its name as text nowhere near.
fn entries(text: &str) -> Vec<String> {
    text.match_indices("entry(")
        .filter_map(|(at, found)| {
            let argument = text[at + found.len()..].trim_start();
            if argument.starts_with("OPEN_CONNECTORS,") {
                return Some("OpenConnectors".to_owned());
            }
            Some(argument.strip_prefix('"')?.split('"').next()?.to_owned())
        })
        .collect()
}

/// String literals in the arguments of the readers.
fn allowed(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for reader in READERS {
        for (at, found) in text.match_indices(reader) {
            if !text[..at].ends_with('.') {
                continue;
            }
            let arguments = balanced(&text[at + found.len()..]);
            names.extend(arguments.split('"').skip(1).step_by(2).map(str::to_owned));
        }
    }
    names
}

/// What stands before the parenthesis that closes.
fn balanced(text: &str) -> &str {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{allowed, entries, functions};

    #[test]
    fn elements_are_found_where_the_code_allows_them() {
        let code = r#"b.only_in_root(&["continue"], &["Rate", "Identifier"]); b.only(rate, &["ref"], &[]); only("x")"#;
        assert_eq!(allowed(code), ["ref", "continue", "Rate", "Identifier"]);
    }

    #[test]
    fn kinds_and_functions_are_found() {
        let code = r#"entry("Quota", "ratelimit", quota::compile), entry(OPEN_CONNECTORS, "o", x)"#;
        assert_eq!(entries(code), ["Quota", "OpenConnectors"]);
        assert_eq!(functions("#[test]\nfn a_b() {}\nasync fn c()").collect::<Vec<_>>(), ["a_b", "c"]);
    }
}
