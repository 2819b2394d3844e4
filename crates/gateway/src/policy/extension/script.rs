//! `Script`: Python, which runs as the script that takes its place (api-management §9.6).

use super::javascript;
use super::substitute;
use super::tls::Tls;
use crate::policy::Compiled;
use crate::policy::blueprint::Blueprint;

const WHY: &str = "no Python runs here";

/// No Python runs here (decision 043). With a substitute for its file the policy is that script, without one
/// it degrades. What is JavaScript already runs as such.
pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&["timeLimit"], &["ResourceURL", "IncludeURL"]);
    let root = policy.root;
    let Some(url) = root.child("ResourceURL").filter(|url| !url.text().is_empty()) else {
        policy.problem(root, "NoResourceForURL", "Script needs a ResourceURL");
        return None;
    };
    match url.text().split_once("://") {
        Some(("py", name)) if !name.is_empty() => substitute::compile(policy, url, name, WHY),
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

#[cfg(test)]
mod tests;
