//! The engine's door: one call in, one answer out.

use std::path::PathBuf;
use std::sync::Arc;

use http::StatusCode;
use pierhead_domain::{SharedClock, SharedRng};

use crate::driver::Outbound;

use super::{CallProblem, Connection, HubAnswer, HubCall};

/// What the engine works with.
#[derive(Debug, Clone)]
pub struct EngineParts {
    /// The outbound client with its address guard (`Egress` implements it), or a test's recordings.
    pub outbound: Arc<dyn Outbound>,
    /// Directories no `file` connector may be, contain or lie in (the data directory).
    pub forbidden_directories: Vec<PathBuf>,
    /// Time.
    pub clock: SharedClock,
    /// Randomness, for names of unfinished uploads.
    pub rng: SharedRng,
}

/// Runs definitions. One for the whole process; clones share everything.
#[derive(Debug, Clone)]
pub struct Engine {
    #[expect(dead_code, reason = "the interpreter arrives with the next commit")]
    parts: Arc<EngineParts>,
}

impl Engine {
    /// An engine with these parts.
    pub fn new(parts: EngineParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// Makes one hub call through `connection`.
    pub async fn call(&self, connection: &dyn Connection, call: HubCall) -> Result<HubAnswer, CallProblem> {
        let _ = (connection, call);
        Err(CallProblem::new(StatusCode::NOT_FOUND, "This API is not currently supported for this element"))
    }

    /// Checks with the vendor that the credentials work (`ping`, provisioning). Gives what the vendor calls
    /// the account, where the definition can ask.
    pub async fn verify(&self, connection: &dyn Connection) -> Result<Option<String>, CallProblem> {
        let _ = connection;
        Ok(None)
    }
}
