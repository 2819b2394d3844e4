//! What goes wrong with scripts.

/// A script that does not compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadScript {
    /// Name of the file.
    pub file: String,
    /// 1-based line in the file; 0 when it is not known.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
    /// It is nothing wrong but something that Rhino runs and this engine does not: some of E4X.
    pub foreign: bool,
}

/// A run that ended before its script did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ScriptError {
    /// What ended it.
    pub kind: ScriptErrorKind,
    /// What was thrown, as text.
    pub message: String,
    /// File and 1-based line; `None` where a thrown value carries no place.
    pub at: Option<(String, usize)>,
}

/// What ended a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptErrorKind {
    /// The script threw, or did what the language forbids.
    Thrown,
    /// The script reached for what no script may have.
    Security,
    /// It ran longer than it may.
    Time,
    /// It took more memory than it may.
    Memory,
    /// It called itself too deeply.
    Depth,
    /// Nobody waits for it any more.
    Abandoned,
    /// There was no engine to run it in.
    Engine,
}

impl ScriptError {
    pub(super) fn engine(error: &rquickjs::Error) -> Self {
        Self { kind: ScriptErrorKind::Engine, message: error.to_string(), at: None }
    }
}
