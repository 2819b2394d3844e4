//! How much one evaluation may do.

use std::cell::Cell;

/// Bounds of one evaluation. A program that reaches one fails with a clear error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Evaluated parts of the program, counted with repetition.
    pub steps: u64,
    /// Bytes of text and members of arrays and objects made.
    pub size: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 2_000_000, size: 64 * 1024 * 1024 }
    }
}

/// What is left of the limits during one evaluation.
pub(crate) struct Meter {
    steps: Cell<u64>,
    size: Cell<u64>,
}

/// A limit was reached; the text says which.
pub(crate) struct Exhausted(pub(crate) &'static str);

impl Meter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { steps: Cell::new(limits.steps), size: Cell::new(limits.size) }
    }

    pub(crate) fn step(&self) -> Result<(), Exhausted> {
        spend(&self.steps, 1, "the expression takes too many steps")
    }

    pub(crate) fn grow(&self, by: usize) -> Result<(), Exhausted> {
        spend(&self.size, by as u64, "the expression makes too large a value")
    }
}

fn spend(left: &Cell<u64>, amount: u64, message: &'static str) -> Result<(), Exhausted> {
    match left.get().checked_sub(amount) {
        Some(rest) => {
            left.set(rest);
            Ok(())
        }
        None => Err(Exhausted(message)),
    }
}
