//! The two languages of definitions and designs: JavaScript in [`js`], and the mapping language.
//!
//! The mapping language is small, total, and shaped like `jq` so that authors of definitions know it.
//!
//! A [`Program`] selects and reshapes JSON; a [`Template`] puts values into text. Both are compiled once.
//! There is no recursion, no unbounded loop and no way to define a function, so every program ends; on
//! top of that each evaluation has [`Limits`] on steps and on the size of what it makes.
//!
//! Invariant: no mapping reads the clock, the network or the file system; equal inputs give equal outputs.
//!
//! ```
//! use pierhead_script::{Program, Variables};
//! use serde_json::json;
//! let title = Program::compile(r#".names[] | select(.primary) | "Dear \(.text)""#)?;
//! let person = json!({"names": [{"text": "A"}, {"text": "B", "primary": true}]});
//! assert_eq!(title.first(&person, &Variables::none())?, Some(json!("Dear B")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ast;
mod error;
mod eval;
mod functions;
pub mod js;
mod limits;
mod operators;
mod order;
mod parse;
mod program;
pub mod python;
mod strings;
mod template;
#[cfg(test)]
mod tests;
mod variables;

pub use error::{CompileError, EvalError};
pub use limits::Limits;
pub use order::compare;
pub use program::Program;
pub use template::{Escape, Template};
pub use variables::Variables;
