//! Steering a double from the program that holds it.

use std::io;
use std::net::SocketAddr;

use pierhead_domain::SecretString;

use super::faults::Fault;
use super::journal::JournalEntry;
use super::oauth::authorize;
use super::state::Shared;

/// Steers and reads one double. Clones are the same handle.
#[derive(Debug, Clone)]
pub struct Handle {
    app: Shared,
    address: SocketAddr,
}

impl Handle {
    pub(crate) fn new(app: Shared, address: SocketAddr) -> Self {
        Self { app, address }
    }

    /// The root URL, without a final slash: `http://127.0.0.1:41234`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The registered OAuth client's id.
    pub fn client_id(&self) -> &str {
        &self.app.options.client_id
    }

    /// The registered OAuth client's secret.
    pub fn client_secret(&self) -> &SecretString {
        &self.app.options.client_secret
    }

    /// Opens an authorization URL as a browser would, lets `account` (the first one when `None`) allow or
    /// deny it, and answers the URL the browser is sent to.
    ///
    /// # Errors
    /// What the error page would say, when Google would show one instead of a redirect.
    pub fn consent(&self, url: &str, allow: bool, account: Option<&str>) -> Result<String, String> {
        let query = url.split_once('?').map(|(_, query)| query);
        authorize::decide_at_once(&self.app, query, allow, account).map_err(|why| why.to_string())
    }

    /// Ends the life of every access token; answers how many were alive. Refresh tokens keep working.
    pub fn expire_access_tokens(&self) -> usize {
        self.app.oauth().expire_access_tokens(self.app.now())
    }

    /// Revokes every grant with its tokens, as people do on their account page; answers how many.
    pub fn revoke_all(&self) -> usize {
        self.app.oauth().revoke_all()
    }

    /// How many access tokens were issued for refresh tokens so far.
    pub fn refresh_count(&self) -> u64 {
        self.app.oauth().refresh_count()
    }

    /// Every request remembered, oldest first; control requests are not among them.
    pub fn requests(&self) -> Vec<JournalEntry> {
        self.app.journal.entries()
    }

    /// The remembered calls of the token endpoint, oldest first.
    pub fn token_requests(&self) -> Vec<JournalEntry> {
        self.requests().into_iter().filter(JournalEntry::is_token_request).collect()
    }

    /// Forgets the requests seen so far.
    pub fn clear_requests(&self) {
        self.app.journal.clear();
    }

    /// Adds a fault for requests to come.
    pub fn inject(&self, fault: Fault) {
        self.app.faults.add(fault);
    }

    /// Removes the faults that have not struck yet.
    pub fn clear_faults(&self) {
        self.app.faults.clear();
    }

    /// Forgets every grant, file, fault and request, as if just started.
    ///
    /// # Errors
    /// When the sample files cannot be written.
    pub fn reset(&self) -> io::Result<()> {
        self.app.reset()
    }
}
