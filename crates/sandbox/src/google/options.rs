//! What a double is made with.

use std::time::Duration;

use pierhead_domain::SecretString;

/// Somebody with a Google account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The address that permissions name.
    pub email: String,
    /// The name people see.
    pub display_name: String,
}

impl Account {
    /// An account.
    pub fn new(email: impl Into<String>, display_name: impl Into<String>) -> Self {
        Self { email: email.into(), display_name: display_name.into() }
    }
}

/// Settings of a [`GoogleDrive`](super::GoogleDrive).
#[derive(Debug, Clone)]
pub struct GoogleDriveOptions {
    /// The one OAuth client that is registered.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// Redirect URIs registered for the client; any loopback redirect is accepted besides.
    pub redirect_uris: Vec<String>,
    /// How long an access token lives. Google's answer says 3599 s.
    pub access_token_lifetime: Duration,
    /// Who can sign in; the first is preselected on the consent page. Never empty in use: an empty
    /// list stands for the default accounts.
    pub users: Vec<Account>,
    /// Whether each Drive starts with a folder, a text and three Google documents.
    pub samples: bool,
    /// Storage of each account in bytes.
    pub storage_limit: u64,
    /// How many requests the journal remembers.
    pub journal_capacity: usize,
}

impl Default for GoogleDriveOptions {
    fn default() -> Self {
        Self {
            client_id: "pierhead-sandbox.apps.googleusercontent.com".into(),
            client_secret: "GOCSPX-pierhead-sandbox".into(),
            redirect_uris: Vec::new(),
            access_token_lifetime: Duration::from_secs(3599),
            users: default_users(),
            samples: true,
            storage_limit: 15 << 30,
            journal_capacity: 10_000,
        }
    }
}

pub(crate) fn default_users() -> Vec<Account> {
    vec![
        Account::new("harriet.quayle@example.com", "Harriet Quayle"),
        Account::new("bram.ostler@example.com", "Bram Ostler"),
    ]
}
