//! Callers that were let in lately, so that not every call asks the database.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use pierhead_domain::{Caller, EpochMillis};

/// Beyond this many the cache starts anew: a bound, not a policy.
const CAPACITY: usize = 10_000;

/// Keyed hash of the credentials that were shown.
pub(crate) type Shown = [u8; 32];

#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) caller: Caller,
    /// Keyed hash of the organization secret that belongs to the caller; only for hub headers.
    pub(crate) organization: Shown,
    /// The credentials themselves end then.
    pub(crate) expires: Option<EpochMillis>,
}

#[derive(Debug)]
pub(crate) struct CallerCache {
    keep: Duration,
    changes: AtomicU64,
    known: RwLock<HashMap<Shown, (Known, EpochMillis)>>,
}

impl CallerCache {
    pub(crate) fn new(keep: Duration) -> Self {
        Self { keep, changes: AtomicU64::new(0), known: RwLock::default() }
    }

    pub(crate) fn get(&self, shown: &Shown, now: EpochMillis) -> Option<Known> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let (found, until) = known.get(shown)?;
        let expired = found.expires.is_some_and(|expires| expires <= now);
        (*until > now && !expired).then(|| found.clone())
    }

    /// Taken before a look-up and given to [`CallerCache::put`].
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Remembers what a look-up found, unless something changed since it began.
    pub(crate) fn put(&self, shown: Shown, found: Known, began_at: u64, now: EpochMillis) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if self.changes() != began_at {
            return;
        }
        if known.len() >= CAPACITY {
            known.clear();
        }
        known.insert(shown, (found, now.plus(self.keep)));
    }

    /// Forgets everybody: after each change of people, roles, accounts, logins or keys.
    pub(crate) fn clear(&self) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        self.changes.fetch_add(1, Ordering::SeqCst);
        known.clear();
    }
}

#[cfg(test)]
mod tests {
    use pierhead_domain::{AccountId, OrganizationId, Roles};

    use super::*;

    fn known(expires: Option<i64>) -> Known {
        let caller = Caller {
            organization: OrganizationId::new(1),
            account: AccountId::new(1),
            user: None,
            name: "n".into(),
            roles: Roles::default(),
        };
        Known { caller, organization: [0; 32], expires: expires.map(EpochMillis::new) }
    }

    #[test]
    fn what_was_looked_up_before_a_change_is_not_remembered_after_it() {
        let cache = CallerCache::new(Duration::from_millis(10));
        let began = cache.changes();
        cache.clear();
        cache.put([1; 32], known(None), began, EpochMillis::new(0));
        assert!(cache.get(&[1; 32], EpochMillis::new(0)).is_none());
    }

    #[test]
    fn a_caller_is_known_for_a_while_and_never_beyond_its_credentials() {
        let cache = CallerCache::new(Duration::from_millis(10));
        cache.put([1; 32], known(None), cache.changes(), EpochMillis::new(0));
        cache.put([2; 32], known(Some(5)), cache.changes(), EpochMillis::new(0));
        assert!(cache.get(&[1; 32], EpochMillis::new(9)).is_some());
        assert!(cache.get(&[1; 32], EpochMillis::new(10)).is_none());
        assert!(cache.get(&[2; 32], EpochMillis::new(4)).is_some());
        assert!(cache.get(&[2; 32], EpochMillis::new(5)).is_none());
    }
}
