//! `JavaCallout`: a class of Java, which runs as the script that takes its place (api-management §9.6).

use super::substitute;
use crate::policy::Compiled;
use crate::policy::blueprint::Blueprint;

const WHY: &str = "no Java runs here";

/// No Java runs here. With a substitute for its class the policy is that script; without one it degrades.
pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&["timeLimit"], &["ClassName", "ResourceURL"]);
    match policy.root.child("ClassName").filter(|class| !class.text().is_empty()) {
        Some(class) => substitute::compile(policy, class, class.text(), WHY),
        None => policy.degrade(policy.root, format!("{WHY}, and no ClassName says what to put in its place")),
    }
}

#[cfg(test)]
mod tests;
