//! Following what other nodes on the same database change (decision 066).

use std::collections::BTreeMap;
use std::sync::Weak;
use std::time::Duration;

use pierhead_store::management::DesignChange;
use pierhead_store::{StoreError, WriteTx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use super::part::LivePart;
use super::{StartFailure, report};
use crate::management::Parts;

/// How often other nodes' changes are looked for.
const LOOK: Duration = Duration::from_millis(250);
/// Looks for a note that another transaction may still be about to commit: two minutes.
const PATIENCE: u32 = 480;
/// Numbers before a note that are waited for at most.
const GAP: i64 = 4096;
/// Failed looks after which everything is read again, since notes may have been forgotten meanwhile.
const BLIND: u32 = 240;
/// The newest notes that the first look reads: those that are missing among them may still appear.
const FIRST: u64 = 256;
/// Notes read at once.
const PAGE: u64 = 1000;
/// How long notes are kept, in milliseconds.
const KEEP_MS: i64 = 86_400_000;
/// Looks between two removals of old notes.
const LOOKS_BETWEEN_SWEEPS: u32 = 2400;
/// How often what changed is written beside the database.
const WRITE: Duration = Duration::from_secs(1);

/// How far the changes of other nodes were followed; nothing was read yet without a place.
#[derive(Debug, Default)]
pub(crate) struct Following(Option<Place>);

/// A note to clear a cache, which is no part of what is committed.
#[derive(Debug, Serialize, Deserialize)]
struct ClearCache {
    clear_cache: String,
    prefix: String,
}

/// A place in the log of changes. Numbers are given when a note is begun and appear when it is committed, so a
/// smaller one may appear later.
#[derive(Debug, Default, PartialEq, Eq)]
struct Place {
    through: i64,
    /// Numbers before it that were not seen, with the looks that are left to wait for each.
    missing: BTreeMap<i64, u32>,
}

impl Place {
    /// A place after `newest`, which are in their order.
    fn after(newest: &[DesignChange]) -> Self {
        let mut place = Self::default();
        if let [first, ..] = newest {
            place.through = first.id - 1;
            place.take(newest.to_vec());
        }
        place
    }

    /// Notes from here on are to be read.
    fn from(&self) -> i64 {
        self.missing.first_key_value().map_or(self.through, |(first, _)| first - 1)
    }

    /// Those of `notes` that are new.
    fn take(&mut self, notes: Vec<DesignChange>) -> Vec<DesignChange> {
        let mut new = Vec::new();
        for note in notes {
            if note.id > self.through {
                let first = (self.through + 1).max(note.id - GAP);
                self.missing.extend((first..note.id).map(|id| (id, PATIENCE)));
                self.through = note.id;
                new.push(note);
            } else if self.missing.remove(&note.id).is_some() {
                new.push(note);
            }
        }
        new
    }

    /// Another look was taken: what is missing for long was rolled back.
    fn wait(&mut self) {
        self.missing.retain(|_, looks| {
            *looks -= 1;
            *looks > 0
        });
    }
}

impl Parts {
    /// Puts into the snapshot what other nodes changed since the last call; at the first one, everything. The
    /// caller holds the gate.
    pub(crate) async fn follow(&self) -> Result<(), StartFailure> {
        let mut following = self.following.lock().await;
        let Some(place) = &mut following.0 else {
            // Before anything else is read: what is committed from now on has a note after this place.
            let newest = self.store.designs().design_changes(None, FIRST).await?;
            self.load().await?;
            following.0 = Some(Place::after(&newest));
            return Ok(());
        };
        if !self.store.may_be_shared() {
            return Ok(());
        }
        let followed = self.follow_from(place).await;
        if followed.is_err() {
            // Some of what was taken may not have been put into the snapshot.
            following.0 = None;
        }
        followed
    }

    async fn follow_from(&self, place: &mut Place) -> Result<(), StartFailure> {
        let mut parts = Vec::new();
        let mut from = place.from();
        loop {
            let notes = self.store.designs().design_changes(Some(from), PAGE).await?;
            let Some(last) = notes.last() else { break };
            from = last.id;
            for note in place.take(notes) {
                if note.organization != self.organization() || note.node == self.node {
                    continue;
                }
                match serde_json::from_str::<LivePart>(&note.part) {
                    Ok(part) if !parts.contains(&part) => parts.push(part),
                    Ok(_) => {}
                    Err(_) if self.clears(&note.part) => {}
                    // Written by a newer program in words that this one does not know.
                    Err(_) => {
                        tracing::warn!(part = note.part, "another node changed what this one does not know")
                    }
                }
            }
        }
        report(&self.publish(&parts, None).await?);
        Ok(())
    }

    /// Whether there is something to follow, without holding anybody up.
    async fn is_behind(&self) -> Result<bool, StoreError> {
        let from = match &self.following.lock().await.0 {
            None => return Ok(true),
            Some(_) if !self.store.may_be_shared() => return Ok(false),
            Some(place) => place.from(),
        };
        Ok(!self.store.designs().design_changes(Some(from), 1).await?.is_empty())
    }

    /// Tells other nodes what a transaction changes, where there may be some.
    pub(crate) async fn note(&self, tx: &WriteTx, parts: &[LivePart]) -> Result<(), StoreError> {
        if !self.store.may_be_shared() {
            return Ok(());
        }
        let words = parts.iter().filter_map(|part| serde_json::to_string(part).ok());
        let now = self.clock.now().as_i64();
        tx.note_design_changes(self.organization(), &self.node, words, now).await
    }

    /// Clears a cache of this node, and has the others clear theirs.
    pub(crate) async fn clear_cache(&self, cache: &str, prefix: &str) -> Result<(), StoreError> {
        let note = json!(ClearCache { clear_cache: cache.into(), prefix: prefix.into() }).to_string();
        if self.store.may_be_shared() {
            let tx = self.store.write().await?;
            let now = self.clock.now().as_i64();
            tx.note_design_changes(self.organization(), &self.node, [note.clone()], now).await?;
            tx.commit().await?;
        }
        self.clears(&note);
        Ok(())
    }

    fn clears(&self, note: &str) -> bool {
        let Ok(ClearCache { clear_cache, prefix }) = serde_json::from_str(note) else { return false };
        if let Some(state) = self.state.get() {
            state.clear_cache(&clear_cache, &prefix);
        }
        true
    }

    async fn look(&self) -> Result<(), StartFailure> {
        if !self.is_behind().await? {
            return Ok(());
        }
        let _gate = self.gate.lock().await;
        if self.following.lock().await.0.is_none() {
            // Started without the database, or long without it: it may be older than this program.
            self.store.migrate().await?;
            self.install_data_keys().await?;
        }
        self.follow().await?;
        if let Some(place) = &mut self.following.lock().await.0 {
            place.wait();
        }
        Ok(())
    }

    async fn forget_old_notes(&self) -> Result<(), StoreError> {
        let tx = self.store.write().await?;
        tx.remove_old_design_changes(self.clock.now().as_i64() - KEEP_MS).await?;
        tx.commit().await
    }
}

/// Follows other nodes for as long as there are `parts`.
pub(crate) async fn follow(parts: Weak<Parts>) {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut failed, mut looks) = (0_u32, 0_u32);
    loop {
        ticks.tick().await;
        let Some(parts) = parts.upgrade() else { return };
        match parts.look().await {
            Ok(()) => {
                if failed > 0 {
                    tracing::info!("the designs are up to date with the database again");
                }
                failed = 0;
            }
            Err(failure) => {
                if failed == 0 {
                    tracing::warn!(error = %failure, "changes of other nodes cannot be read: {failure}");
                }
                failed = failed.saturating_add(1);
                if failed == BLIND {
                    parts.following.lock().await.0 = None;
                }
            }
        }
        looks = looks.wrapping_add(1);
        if looks % LOOKS_BETWEEN_SWEEPS == 1
            && parts.store.may_be_shared()
            && let Err(failure) = parts.forget_old_notes().await
        {
            tracing::warn!(error = %failure, "old notes of changes cannot be removed: {failure}");
        }
    }
}

/// Writes what changed beside the database, for as long as there are `parts`.
pub(crate) async fn keep(parts: Weak<Parts>) {
    let mut ticks = interval(WRITE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(parts) = parts.upgrade() else { return };
        if parts.last_good.needs_all().await
            && let Err(failure) = parts.keep_all().await
        {
            tracing::warn!(error = %failure, "the last good snapshot cannot be written: {failure}");
        }
        parts.last_good.write_changes().await;
    }
}

#[cfg(test)]
mod tests {
    use pierhead_domain::OrganizationId;
    use proptest::prelude::*;

    use super::*;

    fn note(id: i64) -> DesignChange {
        DesignChange { id, organization: OrganizationId::new(1), node: "n".into(), part: String::new() }
    }

    fn ids(notes: Vec<DesignChange>) -> Vec<i64> {
        notes.into_iter().map(|note| note.id).collect()
    }

    #[test]
    fn a_note_that_appears_late_is_taken_once_and_one_that_never_does_is_given_up() {
        let mut place = Place::after(&[note(4), note(6)]);
        assert_eq!(place.from(), 4, "5 may still appear");
        assert_eq!(ids(place.take(vec![note(6), note(9)])), [9]);
        assert_eq!(ids(place.take(vec![note(5), note(6), note(8), note(9)])), [5, 8]);
        assert_eq!(ids(place.take(vec![note(8), note(9)])), [0_i64; 0]);
        assert_eq!(place.from(), 6);
        (0..PATIENCE).for_each(|_| place.wait());
        assert_eq!((place.from(), place.missing.len()), (9, 0));
        assert_eq!(Place::after(&[]).from(), 0);
    }

    proptest! {
        #[test]
        fn every_note_is_taken_exactly_once_in_whatever_order_they_are_committed(
            order in Just((1..40_i64).collect::<Vec<_>>()).prop_shuffle(),
            every in 1..7_usize,
        ) {
            let (mut place, mut committed, mut taken) = (Place::default(), Vec::new(), Vec::new());
            for some in order.chunks(every) {
                committed.extend_from_slice(some);
                committed.sort_unstable();
                let from = place.from();
                let visible = committed.iter().filter(|id| **id > from).map(|id| note(*id)).collect();
                taken.extend(ids(place.take(visible)));
                place.wait();
            }
            taken.sort_unstable();
            prop_assert_eq!(taken, (1..40).collect::<Vec<_>>());
        }
    }
}
