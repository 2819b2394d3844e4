//! What is wrong with a design.

use std::fmt;

use serde::Serialize;

/// A mistake in a design, with the place to mend it. All mistakes of a design are reported at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct CompileProblem {
    /// The policy or endpoint: `policy Set-Header`, `proxy endpoint default`, `target endpoint default`.
    pub file: String,
    /// 1-based line in the policy document; 0 where there is no document.
    pub line: usize,
    /// A short name of the rule that was broken; the original's deploy error where it has one.
    pub rule: &'static str,
    /// For people.
    pub message: String,
}

impl fmt::Display for CompileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ", line {}", self.line)?;
        }
        write!(f, ": {} [{}]", self.message, self.rule)
    }
}
