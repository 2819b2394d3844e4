//! Connector instances in memory: opened once, then called without touching the database.

mod directory;
mod line;
mod live;
mod sealed;

pub(crate) use directory::{Directory, LoadProblem};
pub(crate) use line::Line;
pub(crate) use live::LiveInstance;
pub(crate) use sealed::InstanceVault;

/// The kind under which instance tokens are hashed for look-up.
pub(crate) const TOKEN_KIND: &str = "element";
