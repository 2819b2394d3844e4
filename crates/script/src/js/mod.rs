//! The sandboxed JavaScript engine.
//!
//! A [`Script`] is compiled once, when a design is deployed. Nothing that a run changes is there for the next.
//! Built-in objects are frozen where the script leaves them alone; then an engine is used again, with
//! surroundings made anew and added globals taken away. A script that extends prototypes, and one whose
//! run failed, gets an engine that no run has used before. Engines are made ready ahead of their use and kept
//! per thread ([`Script::restock`]). A run has limits on time, memory and depth ([`Limits`]).
//!
//! What a script can reach is what its [`Host`] answers and nothing else: there is no file, network, module
//! or timer here.

mod engine;
mod error;
mod host;
mod pool;
#[cfg(test)]
mod reuse_tests;
mod rhino;
mod script;
#[cfg(test)]
mod tests;

pub use error::{BadScript, ScriptError, ScriptErrorKind};
pub use host::{Host, HostFailure, HostValue};
pub use rhino::{can_name_anything, words};
pub use script::{Language, Limits, Script, SourceFile, Surroundings};
