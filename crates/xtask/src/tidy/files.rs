//! Sizes of files, and words that must not stand in them.

use std::path::Path;
use std::process::Command;

use crate::run::{output, root};

const MOST_LINES: usize = 500;
const MOST_LINES_OF_TESTS: usize = 800;

/// Words in parts, so that this file does not hold them. Paths of one machine and registries' hosts have no
/// place in a project that others clone.
const FORBIDDEN: &[&[&str]] = &[
    &["/ro", "ot/"],
    &["/wo", "rk/"],
    &["crates", ".io"],
    &["pypi", ".org"],
    &["registry.npm", "js.org"],
    &["deb.deb", "ian.org"],
];

/// Names of vendors that the connector engine must not know (design: a connector is data).
const VENDORS: &[&str] = &["googledrive", "dropbox", "onedrive", "webdav", "salesforce", "hubspot"];

pub(super) fn check() -> anyhow::Result<Vec<String>> {
    let listing =
        output(Command::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]))?;
    let mut breaks = Vec::new();
    for name in listing.lines() {
        let Ok(text) = std::fs::read_to_string(root().join(name)) else { continue };
        breaks.extend(check_file(name, &text));
    }
    Ok(breaks)
}

fn check_file(name: &str, text: &str) -> Vec<String> {
    let mut breaks = Vec::new();
    let is_rust = Path::new(name).extension().is_some_and(|extension| extension == "rs");
    let is_test = name.contains("/tests/") || name.contains("tests.rs") || name.starts_with("tests/");
    let most = if is_test { MOST_LINES_OF_TESTS } else { MOST_LINES };
    let lines = text.lines().count();
    if is_rust && lines > most {
        breaks.push(format!("{name} has {lines} lines; {most} is the ceiling (two ideas in one file?)"));
    }
    if !name.ends_with("Cargo.lock") && !name.contains("/vendor/") {
        for parts in FORBIDDEN {
            let word = parts.concat();
            if let Some(line) = text.lines().position(|line| names(line, &word)) {
                breaks.push(format!("{name}:{} names '{word}'", line + 1));
            }
        }
    }
    let engine =
        ["crates/connectors/src/engine", "crates/connectors/src/driver", "crates/connectors/src/definition"];
    if is_rust && !is_test && engine.iter().any(|folder| name.starts_with(folder)) {
        let code = code(text);
        for vendor in VENDORS {
            if code.contains(vendor) {
                breaks.push(format!("{name} names the vendor '{vendor}': the engine knows none"));
            }
        }
    }
    if is_rust && ["utils.rs", "helpers.rs", "common.rs"].iter().any(|bad| name.ends_with(&format!("/{bad}")))
    {
        breaks.push(format!("{name}: a file is named after what it holds"));
    }
    breaks
}

/// Whether `word` stands in `line` by itself: a path of a machine begins where it begins, `/folders/root/` does
/// not.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !word.starts_with('/')
            || !before.is_some_and(|letter| letter.is_alphanumeric() || "}*.-_".contains(letter))
    })
}

/// What the compiler reads, in lower case: no comments, no tests.
fn code(text: &str) -> String {
    let lines = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    lines
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::check_file;

    #[test]
    fn each_rule_finds_its_break() {
        assert_eq!(check_file("crates/a/src/lib.rs", &"x\n".repeat(501)).len(), 1);
        assert_eq!(check_file("docs/a.md", &["see /ro", "ot/x"].concat()).len(), 1);
        assert_eq!(check_file("crates/connectors/src/engine/mod.rs", "let key = \"WebDAV\";").len(), 1);
        assert_eq!(check_file("crates/connectors/src/engine/mod.rs", "// as WebDAV has it").len(), 0);
        assert_eq!(check_file("docs/a.md", &["GET /folders/ro", "ot/contents"].concat()).len(), 0);
        assert_eq!(check_file("crates/a/src/utils.rs", "").len(), 1);
        assert_eq!(check_file("crates/a/src/lib.rs", "fine"), Vec::<String>::new());
    }
}
