//! The Google double: OAuth 2.0 and Drive v3 as Google serves them, with people, files, sharing and
//! history that change as clients change them.
//!
//! What it serves: the consent page and token endpoints (`oauth`), Drive v3 (`drive`), and
//! `/sandbox/…` to steer it (`control`): expire tokens, revoke grants, inject faults, read the
//! journal of requests. File contents live in a temporary directory, never in memory.

mod bearer;
mod control;
mod drive;
mod faults;
mod handle;
mod journal;
mod oauth;
mod observe;
mod options;
mod params;
mod problem;
mod running;
mod selection;
mod state;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::serve::ListenerExt;
use pierhead_domain::{SharedClock, SharedRng};
use tokio::net::TcpListener;

pub use faults::{Fault, FaultKind};
pub use handle::Handle;
pub use journal::{BearerState, JournalEntry};
pub use options::{Account, GoogleDriveOptions};
pub use running::RunningGoogleDrive;

pub(crate) use selection::{FIELDS_PARAMETER, check_selection, is_oauth_path};
use state::{App, Shared};

/// The Google Drive double: one set of people, grants and files. Clones share them.
#[derive(Clone, Debug)]
pub struct GoogleDrive {
    app: Shared,
}

impl GoogleDrive {
    /// A fresh double with the people and sample files of `options`.
    ///
    /// # Errors
    /// When no temporary directory for file contents can be made.
    pub fn new(options: GoogleDriveOptions, clock: SharedClock, rng: SharedRng) -> io::Result<Self> {
        Ok(Self { app: Arc::new(App::new(options, clock, rng)?) })
    }

    /// Everything the double serves, control routes included.
    pub fn router(&self) -> Router {
        let routes = Router::new()
            .merge(oauth::routes())
            .merge(drive::routes())
            .fallback(observe::no_such_route)
            .method_not_allowed_fallback(observe::no_such_route)
            .with_state(Arc::clone(&self.app));
        // Observed from outside the routes, since a method override changes which route is meant.
        let observed = Router::new()
            .fallback_service(routes)
            .layer(middleware::from_fn_with_state(Arc::clone(&self.app), observe::observe));
        control::routes().with_state(Arc::clone(&self.app)).fallback_service(observed)
    }

    /// A handle to steer and read this double, believed to be reachable at `address`.
    pub fn handle(&self, address: SocketAddr) -> Handle {
        Handle::new(Arc::clone(&self.app), address)
    }

    /// Serves on `listener` until `shutdown` completes, then finishes the answers under way.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        // Nagle's algorithm would hold back the small frames of a token answer.
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "the double could not set TCP_NODELAY");
            }
        });
        axum::serve(listener, self.router()).with_graceful_shutdown(shutdown).await
    }
}
