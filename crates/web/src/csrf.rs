//! CSRF tokens that need no storage: an HMAC of the session they belong to.

use pierhead_domain::{Rng, SecretString};
use pierhead_vault::{LookupKey, constant_time_eq};

/// Makes and checks tokens. A token is good for exactly one session cookie's value.
#[derive(Debug, Clone)]
pub struct CsrfTokens {
    key: LookupKey,
}

impl CsrfTokens {
    /// Tokens under the installation's key.
    pub fn new(key: LookupKey) -> Self {
        Self { key }
    }

    /// The token of a session: 32 lower-case hex digits.
    pub fn token(&self, session: &SecretString) -> String {
        let digest = self.key.digest("csrf", session.expose());
        digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether `token` belongs to `session`; compared in constant time.
    pub fn matches(&self, session: &SecretString, token: &str) -> bool {
        constant_time_eq(self.token(session).as_bytes(), token.trim().as_bytes())
    }
}

/// The value of a new session cookie: 32 lower-case hex digits.
pub fn new_session(rng: &dyn Rng) -> SecretString {
    let mut bytes = [0; 16];
    rng.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

/// The cookie `name` of a request, wherever it stands among others.
pub fn cookie<'a>(headers: &'a http::HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(http::header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}
