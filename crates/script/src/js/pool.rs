//! Engines made ready ahead of their use, per thread.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use super::engine::Engine;
use super::script::{Inner, Script};

/// Ready engines of one thread; those of the script that was used longest ago give way.
const MOST_READY: usize = 32;
/// Ready engines of one script on one thread.
const READY_PER_SCRIPT: usize = 2;

#[derive(Default)]
struct Pool {
    ready: VecDeque<(Weak<Inner>, Engine)>,
    /// Engines that have run; freeing one takes as long as a short script.
    used: Vec<Engine>,
}

thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

/// An engine in which nothing has run yet.
pub(super) fn take(script: &Script) -> Option<Engine> {
    POOL.with_borrow_mut(|pool| {
        let at = pool.ready.iter().position(|(owner, _)| owner.as_ptr() == Arc::as_ptr(&script.0))?;
        pool.ready.remove(at).map(|(_, engine)| engine)
    })
}

/// An engine that has run and will not again.
pub(super) fn used(engine: Engine) {
    let spent = POOL.with_borrow_mut(|pool| {
        pool.used.push(engine);
        // Nobody restocks this thread: then nobody clears away either.
        if pool.used.len() > READY_PER_SCRIPT { std::mem::take(&mut pool.used) } else { Vec::new() }
    });
    drop(spent);
}

pub(super) fn restock(script: &Script) {
    let (spent, wanted) = POOL.with_borrow_mut(|pool| {
        let spent = std::mem::take(&mut pool.used);
        // A script that is not deployed any more needs none.
        pool.ready.retain(|(owner, _)| owner.strong_count() > 0);
        let have = pool.ready.iter().filter(|(owner, _)| owner.as_ptr() == Arc::as_ptr(&script.0)).count();
        (spent, have < READY_PER_SCRIPT)
    });
    drop(spent);
    if !wanted {
        return;
    }
    // It compiled before; if memory is short now, the run will say so.
    if let Ok(engine) = Engine::new(&script.0) {
        POOL.with_borrow_mut(|pool| {
            pool.ready.push_back((Arc::downgrade(&script.0), engine));
            if pool.ready.len() > MOST_READY { pool.ready.pop_front() } else { None }
        });
    }
}
