//! Uploaded bundles between their report and their import. They live in memory only.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use pierhead_domain::EpochMillis;

/// How long a person may read the report.
const LIFETIME: Duration = Duration::from_secs(30 * 60);
/// All bundles together; the oldest gives way.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// And so many of them.
const MOST: usize = 100;

/// One bundle that was looked at and not imported yet.
#[derive(Clone)]
pub(crate) struct PendingBundle {
    /// The form token of the session that sent it; nobody else sees it.
    pub(crate) session: String,
    /// The file's name without `.zip`.
    pub(crate) stem: String,
    pub(crate) zip: Bytes,
    pub(crate) sent_at: EpochMillis,
}

/// Pending bundles by an unguessable word.
#[derive(Default)]
pub(crate) struct PendingBundles(Mutex<HashMap<String, PendingBundle>>);

impl PendingBundles {
    /// Keeps a bundle.
    pub(crate) fn keep(&self, word: &str, bundle: PendingBundle) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = bundle.sent_at;
        kept.retain(|_, other| now.since(other.sent_at) < LIFETIME);
        kept.insert(word.to_owned(), bundle);
        let total = |kept: &HashMap<String, PendingBundle>| {
            kept.values().map(|bundle| bundle.zip.len()).sum::<usize>()
        };
        while kept.len() > 1 && (kept.len() > MOST || total(&kept) > MOST_BYTES) {
            let others = kept.iter().filter(|(other, _)| other.as_str() != word);
            let Some(oldest) = others.min_by_key(|(_, bundle)| bundle.sent_at).map(|(word, _)| word.clone())
            else {
                return;
            };
            kept.remove(&oldest);
        }
    }

    /// The bundle, when this session sent it not long ago.
    pub(crate) fn peek(&self, word: &str, session: &str, now: EpochMillis) -> Option<PendingBundle> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits =
            |bundle: &&PendingBundle| bundle.session == session && now.since(bundle.sent_at) < LIFETIME;
        kept.get(word).filter(fits).cloned()
    }

    /// Forgets a bundle.
    pub(crate) fn forget(&self, word: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(session: &str, bytes: usize, at: i64) -> PendingBundle {
        PendingBundle {
            session: session.into(),
            stem: "b".into(),
            zip: Bytes::from(vec![0; bytes]),
            sent_at: EpochMillis::new(at),
        }
    }

    #[test]
    fn only_its_session_sees_a_bundle_and_not_for_ever() {
        let bundles = PendingBundles::default();
        bundles.keep("w", bundle("ada", 1, 0));
        let now = EpochMillis::new(1);
        assert!(bundles.peek("w", "ada", now).is_some());
        assert!(bundles.peek("w", "grace", now).is_none());
        assert!(bundles.peek("w", "ada", EpochMillis::new(30 * 60 * 1000)).is_none());
        bundles.forget("w");
        assert!(bundles.peek("w", "ada", now).is_none());
    }

    #[test]
    fn the_oldest_bundle_gives_way_and_the_newest_stays() {
        let bundles = PendingBundles::default();
        let now = EpochMillis::new(3);
        bundles.keep("a", bundle("ada", MOST_BYTES / 2, 0));
        bundles.keep("b", bundle("ada", MOST_BYTES / 2, 1));
        bundles.keep("c", bundle("ada", MOST_BYTES / 2, 2));
        assert!(bundles.peek("a", "ada", now).is_none());
        assert!(bundles.peek("b", "ada", now).is_some() && bundles.peek("c", "ada", now).is_some());
        bundles.keep("d", bundle("ada", MOST_BYTES + 1, 3));
        assert!(bundles.peek("d", "ada", now).is_some() && bundles.peek("c", "ada", now).is_none());
    }
}
