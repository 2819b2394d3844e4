//! What is wrong with a design, and what of it cannot run.

use std::fmt;

use serde::Serialize;

/// A part of a design that somebody has to mend; which file of a bundle it is, the bundle's reader knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum DesignPart {
    /// The API proxy as a whole.
    Proxy,
    /// The shared flow as a whole.
    SharedFlow,
    /// The policy of this name.
    Policy(String),
    /// The proxy endpoint of this name.
    ProxyEndpoint(String),
    /// The target endpoint of this name.
    TargetEndpoint(String),
    /// The script or document of this name, such as `jsc://a.js`.
    Resource(String),
}

impl fmt::Display for DesignPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proxy => f.write_str("API proxy"),
            Self::SharedFlow => f.write_str("shared flow"),
            Self::Policy(name) => write!(f, "policy {name}"),
            Self::ProxyEndpoint(name) => write!(f, "proxy endpoint {name}"),
            Self::TargetEndpoint(name) => write!(f, "target endpoint {name}"),
            Self::Resource(name) => write!(f, "resource {name}"),
        }
    }
}

/// A mistake in a design, with the place to mend it. All mistakes of a design are reported at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct CompileProblem {
    /// Where it is.
    pub part: DesignPart,
    /// 1-based line in the document of the policy or resource; 0 where there is no document.
    pub line: usize,
    /// A short name of the rule that was broken; the original's deploy error where it has one.
    pub rule: &'static str,
    /// For people.
    pub message: String,
}

impl fmt::Display for CompileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.part)?;
        if self.line > 0 {
            write!(f, ", line {}", self.line)?;
        }
        write!(f, ": {} [{}]", self.message, self.rule)
    }
}

/// Something that an original runs and this gateway does not. The proxy is deployed all the same; a request
/// that reaches it is answered 501 with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Degradation {
    /// The policy or target endpoint.
    pub part: DesignPart,
    /// 1-based line in the policy's document; 0 where there is no document.
    pub line: usize,
    /// The element that cannot run: `JavaCallout`, `ScriptTarget`, ….
    pub kind: String,
    /// Why, for people.
    pub reason: String,
    /// Whether any request can reach it. What no step or route names degrades nothing.
    pub attached: bool,
}

impl fmt::Display for Degradation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.part)?;
        if self.line > 0 {
            write!(f, ", line {}", self.line)?;
        }
        write!(f, ": {} cannot run here: {}", self.kind, self.reason)
    }
}
