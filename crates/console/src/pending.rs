//! Consents on their way: what a person typed, kept while they are at the vendor's page.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pierhead_domain::EpochMillis;
use serde_json::{Map, Value};

/// How long a person may take at the vendor's page.
const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// More than this many people are not connecting at once; the oldest consent gives way.
const MOST: usize = 1_000;

/// One consent asked for. It lives in memory only: after a restart, the person begins again.
#[derive(Clone)]
pub(crate) struct PendingConsent {
    /// The form token of the session that asked; another session's answer is refused.
    pub(crate) session: String,
    pub(crate) element_key: String,
    pub(crate) element_name: String,
    /// The vendor's consent page.
    pub(crate) url: String,
    /// The instance to connect again; `None` makes a new one.
    pub(crate) instance: Option<u64>,
    pub(crate) name: String,
    pub(crate) tags: Vec<String>,
    /// Settings for the instance, the OAuth client's secret among them.
    pub(crate) configuration: Map<String, Value>,
    pub(crate) asked_at: EpochMillis,
}

/// Pending consents by their state value. Taking one removes it, so that a code works once.
#[derive(Default)]
pub(crate) struct PendingConsents(Mutex<HashMap<String, PendingConsent>>);

impl PendingConsents {
    /// Keeps a consent under its unguessable `state`.
    pub(crate) fn keep(&self, state: &str, consent: PendingConsent) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = consent.asked_at;
        kept.retain(|_, other| now.since(other.asked_at) < LIFETIME);
        if kept.len() >= MOST
            && let Some(oldest) =
                kept.iter().min_by_key(|(_, other)| other.asked_at).map(|(key, _)| key.clone())
        {
            kept.remove(&oldest);
        }
        kept.insert(state.to_owned(), consent);
    }

    /// Looks at a consent of this session without using it up.
    pub(crate) fn peek(&self, state: &str, session: &str, now: EpochMillis) -> Option<PendingConsent> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(state).filter(|consent| consent.is_for(session, now)).cloned()
    }

    /// Uses a consent up. `None` when it was never asked for, was used before, is older than 15 minutes, or
    /// is another session's; that one stays for its owner.
    pub(crate) fn take(&self, state: &str, session: &str, now: EpochMillis) -> Option<PendingConsent> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.get(state)?.is_for(session, now) {
            return None;
        }
        kept.remove(state)
    }
}

impl PendingConsent {
    fn is_for(&self, session: &str, now: EpochMillis) -> bool {
        self.session == session && now.since(self.asked_at) < LIFETIME
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consent(session: &str, at: i64) -> PendingConsent {
        PendingConsent {
            session: session.into(),
            element_key: "googledrive".into(),
            element_name: "Google Drive".into(),
            url: "https://vendor.example/consent".into(),
            instance: None,
            name: "n".into(),
            tags: vec![],
            configuration: Map::new(),
            asked_at: EpochMillis::new(at),
        }
    }

    #[test]
    fn a_consent_is_used_once_by_the_session_that_asked() {
        let consents = PendingConsents::default();
        consents.keep("s", consent("a", 0));
        let now = EpochMillis::new(1);

        assert!(consents.take("s", "b", now).is_none(), "another session");
        assert!(consents.take("t", "a", now).is_none(), "another state");
        assert!(consents.peek("s", "a", now).is_some());
        assert!(consents.take("s", "a", now).is_some());
        assert!(consents.take("s", "a", now).is_none(), "a second time");
    }

    #[test]
    fn a_consent_ends_after_a_quarter_of_an_hour() {
        let consents = PendingConsents::default();
        consents.keep("s", consent("a", 0));
        assert!(consents.take("s", "a", EpochMillis::new(15 * 60 * 1000)).is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let consents = PendingConsents::default();
        for n in 0..=MOST {
            consents.keep(&n.to_string(), consent("a", i64::try_from(n).unwrap()));
        }
        assert!(consents.take("0", "a", EpochMillis::new(2)).is_none());
        assert!(consents.take("1", "a", EpochMillis::new(2)).is_some());
    }
}
