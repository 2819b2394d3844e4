//! What the console's editor offers while one types a policy: the elements and attributes of every kind.

use serde::Serialize;

use super::sheet::Sheet;

/// Where it is written.
pub(super) const FILE: &str = "crates/console/assets/policies.json";

#[derive(Serialize)]
struct Entry<'s> {
    kind: &'s str,
    of: &'s [String],
    summary: &'s str,
    /// Paths below the root, `@` before an attribute; what is refused is left out.
    paths: Vec<&'s str>,
}

/// The file's text: a JSON list with one line per kind.
pub(super) fn text(sheets: &[Sheet]) -> anyhow::Result<String> {
    let mut lines = Vec::new();
    for sheet in sheets {
        let offered = sheet.element.iter().filter(|element| element.refused.is_none());
        let paths = offered.map(|element| element.name.as_str()).filter(|name| is_path(name)).collect();
        let entry = Entry { kind: &sheet.kind, of: &sheet.originals, summary: &sheet.summary, paths };
        lines.push(serde_json::to_string(&entry)?);
    }
    Ok(format!("[\n{}\n]\n", lines.join(",\n")))
}

/// Some facts are not about one element: those have blanks, dots or schemes in their name.
fn is_path(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "/@_-".contains(c)) && !name.ends_with('/')
}
