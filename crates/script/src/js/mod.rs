//! The sandboxed JavaScript engine.
//!
//! A [`Script`] is compiled once, when a design is deployed. Each run happens in an engine that no run has
//! used before and that is thrown away afterwards, so that whatever a script changes (globals, prototypes,
//! built-in functions) is gone with it; engines are made ready ahead of their use and kept per thread
//! ([`Script::restock`]). A run has limits on time, memory and depth ([`Limits`]).
//!
//! What a script can reach is what its [`Host`] answers and nothing else: there is no file, network, module
//! or timer here.

mod engine;
mod error;
mod host;
mod pool;
mod rhino;
mod script;
#[cfg(test)]
mod tests;

pub use error::{BadScript, ScriptError, ScriptErrorKind};
pub use host::{Host, HostFailure, HostValue};
pub use rhino::{can_name_anything, words};
pub use script::{Language, Limits, Script, SourceFile, Surroundings};
