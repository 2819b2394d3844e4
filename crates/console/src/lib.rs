//! The console: server-rendered pages for people, at `/console`.
//!
//! Invariant: nothing here reads the store or opens a sealed value. The console is a client of the public
//! wire: every page is made from requests that anybody with the same rights could send, and shows them in
//! its fold "The request behind this page".
//!
//! Invariant: every page works without JavaScript and carries no inline script or style.

mod assets;
mod cookies;
mod fields;
mod gateway_probe;
mod interrupted;
mod pages;
mod pending;
mod pending_bundles;
mod posted;
mod security;
mod shell;
mod signing;
mod times;
mod uploaded;
mod visit;
mod wire;

#[cfg(test)]
#[path = "../fake/mod.rs"]
mod fake;
#[cfg(test)]
mod testing;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::middleware;
use pierhead_domain::{SharedClock, SharedRng};
use pierhead_vault::LookupKey;

pub use wire::ControlApi;

/// What the console needs of the program around it.
pub struct ConsoleParts {
    /// The control listener's services, called in-process.
    pub api: ControlApi,
    /// Where API proxies answer, `http://host:port` with no path: shown to people and used by "Try it".
    pub gateway_url: String,
    /// The organization that the gateway runs, as management paths name it.
    pub organization: String,
    /// Its environment.
    pub environment: String,
    /// Where people reach the control listener, `http(s)://host[:port]` with no path. Cookies are `Secure`
    /// when it is https, and the consent callback is made from it.
    pub public_url: String,
    /// Where time comes from.
    pub clock: SharedClock,
    /// Where unguessable bytes come from.
    pub rng: SharedRng,
    /// Signs form tokens and the cookie that says who is signed in.
    pub key: LookupKey,
}

/// The console's state, shared by its handlers.
pub(crate) struct Console {
    pub(crate) api: ControlApi,
    pub(crate) gateway_url: String,
    pub(crate) public_url: String,
    pub(crate) clock: SharedClock,
    pub(crate) rng: SharedRng,
    pub(crate) signer: signing::Signer,
    pub(crate) consents: pending::PendingConsents,
    pub(crate) bundles: pending_bundles::PendingBundles,
    pub(crate) gateway: wire::GatewayAddress,
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

/// The routes below `/console`, with their headers, sessions and error pages.
pub fn router(parts: ConsoleParts) -> Router {
    let trim = |url: String| url.trim_end_matches('/').to_owned();
    let console = Arc::new(Console {
        api: parts.api,
        gateway_url: trim(parts.gateway_url),
        public_url: trim(parts.public_url),
        clock: parts.clock,
        rng: parts.rng,
        signer: signing::Signer::new(parts.key),
        consents: pending::PendingConsents::default(),
        bundles: pending_bundles::PendingBundles::default(),
        gateway: wire::GatewayAddress { organization: parts.organization, environment: parts.environment },
    });
    pages::routes()
        .layer(middleware::from_fn_with_state(Arc::clone(&console), visit::frame))
        .merge(assets::routes())
        .layer(middleware::from_fn(security::headers))
        .with_state(console)
}
