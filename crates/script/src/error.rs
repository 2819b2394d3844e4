//! What can be wrong with a program's text, and with its run.

/// The text is no program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {message}")]
pub struct CompileError {
    /// Byte offset into the text.
    pub at: usize,
    /// What is wrong there.
    pub message: String,
}

impl CompileError {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

/// A program did not fit its input, or went beyond a limit. Never holds the input's values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {message}")]
pub struct EvalError {
    /// Byte offset of the failing part in the program's text.
    pub at: usize,
    /// What did not fit.
    pub message: String,
}

impl EvalError {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}
