//! `Script`: Python, rewritten as JavaScript when it is deployed (api-management §9.6; decision 053).

use pierhead_script::python;

use super::javascript::{self, File};
use super::substitute;
use super::tls::Tls;
use crate::policy::Compiled;
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;

/// Python as public bundles use it runs; with more than that the policy degrades and names the line. A substitute
/// for the file comes first. What is JavaScript already runs as such.
///
/// Fault of Python: `steps.script.ScriptEvaluationFailed` 500 (Unsourced: its text).
pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&["timeLimit"], &["ResourceURL", "IncludeURL"]);
    let root = policy.root;
    let Some(url) = root.child("ResourceURL").filter(|url| !url.text().is_empty()) else {
        policy.problem(root, "NoResourceForURL", "Script needs a ResourceURL");
        return None;
    };
    match url.text().split_once("://") {
        Some(("py", name)) if !name.is_empty() => {
            if substitute::exists(policy, name) {
                return substitute::compile(policy, url, name, "");
            }
            python(policy, url, name)
        }
        Some(("js" | "jsc", name)) if !name.is_empty() => {
            let mut files: Vec<_> =
                root.children("IncludeURL").filter_map(|include| javascript::file(policy, include)).collect();
            files.push(javascript::file(policy, url)?);
            javascript::compile_files(policy, files, Tls::default())
        }
        Some((_, "")) => {
            policy.problem(url, "InvalidResourceUrlReference", format!("'{}' names no file", url.text()));
            None
        }
        Some(_) => {
            policy.problem(url, "WrongResourceType", format!("'{}' is no script", url.text()));
            None
        }
        None => {
            let message = format!("'{}' is not of the form py://name.py", url.text());
            policy.problem(url, "InvalidResourceUrlFormat", message);
            None
        }
    }
}

/// What is included and the file itself, as one module.
fn python(policy: &mut Blueprint<'_>, url: &Element, name: &str) -> Option<Compiled> {
    let (mut whole, mut complete) = (String::new(), true);
    for include in policy.root.children("IncludeURL") {
        match policy.resource(include, include.text()) {
            Some(text) => {
                whole.push_str(text);
                whole.push('\n');
            }
            None => complete = false,
        }
    }
    let before = whole.matches('\n').count();
    match policy.resource(url, url.text()) {
        Some(text) if complete => whole.push_str(text),
        _ => return None,
    }
    match python::translate(&whole) {
        Ok(translated) => {
            let file = File { url: url.text(), name, text: &whole };
            // What is included stands before the first line of the file.
            let translated = translated.splitn(before + 1, '\n').collect::<Vec<_>>().join(" ");
            javascript::compile_translated(policy, file, &translated, python::RUNTIME)
        }
        Err(bad) => {
            let (line, of) = match bad.line.checked_sub(before).filter(|line| *line > 0) {
                Some(line) => (line, name),
                None => (bad.line, "what it includes"),
            };
            let help = format!("give a script that does the same as resource jsc://{name}.js");
            policy.degrade(url, format!("{of}, line {line}: {}; {help}", bad.message))
        }
    }
}

#[cfg(test)]
mod tests;
