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

type Owned = (Weak<Inner>, Engine);

#[derive(Default)]
struct Pool {
    ready: VecDeque<Owned>,
    /// Engines whose run ended well, to be made ready again.
    used: Vec<Owned>,
    /// Engines that will not run again; freeing one takes as long as a short script.
    spent: Vec<Engine>,
}

thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

fn is_of(owned: &Owned, script: &Script) -> bool {
    owned.0.as_ptr() == Arc::as_ptr(&script.0)
}

/// An engine that is ready for the script, or becomes so now.
pub(super) fn take(script: &Script) -> Option<Engine> {
    let ready = POOL.with_borrow_mut(|pool| {
        let at = pool.ready.iter().position(|owned| is_of(owned, script))?;
        pool.ready.remove(at).map(|(_, engine)| engine)
    });
    // On a thread that nobody restocks.
    ready.or_else(|| take_used(script).filter(Engine::renew))
}

fn take_used(script: &Script) -> Option<Engine> {
    POOL.with_borrow_mut(|pool| {
        let at = pool.used.iter().position(|owned| is_of(owned, script))?;
        Some(pool.used.swap_remove(at).1)
    })
}

/// Takes back an engine that has run, and well or not.
pub(super) fn used(script: &Script, engine: Engine, well: bool) {
    let spent = POOL.with_borrow_mut(|pool| {
        if well && script.0.is_reusable {
            pool.used.push((Arc::downgrade(&script.0), engine));
            if pool.used.len() > MOST_READY {
                let oldest = pool.used.remove(0);
                pool.spent.push(oldest.1);
            }
        } else {
            pool.spent.push(engine);
        }
        // Nobody restocks this thread: then nobody clears away either.
        if pool.spent.len() > READY_PER_SCRIPT { std::mem::take(&mut pool.spent) } else { Vec::new() }
    });
    drop(spent);
}

pub(super) fn restock(script: &Script) {
    let (spent, mut have) = POOL.with_borrow_mut(|pool| {
        let spent = std::mem::take(&mut pool.spent);
        // A script that is not deployed any more needs none.
        pool.ready.retain(|(owner, _)| owner.strong_count() > 0);
        pool.used.retain(|(owner, _)| owner.strong_count() > 0);
        (spent, pool.ready.iter().filter(|owned| is_of(owned, script)).count())
    });
    drop(spent);
    while have < READY_PER_SCRIPT
        && let Some(engine) = take_used(script)
    {
        if engine.renew() {
            put(script, engine);
            have += 1;
        }
    }
    // One is enough of what can be used again: the second is made when two requests meet.
    if have >= if script.0.is_reusable { 1 } else { READY_PER_SCRIPT } {
        return;
    }
    // It compiled before; if memory is short now, the run will say so.
    if let Ok(engine) = Engine::new(&script.0) {
        put(script, engine);
    }
}

fn put(script: &Script, engine: Engine) {
    let oldest = POOL.with_borrow_mut(|pool| {
        pool.ready.push_back((Arc::downgrade(&script.0), engine));
        if pool.ready.len() > MOST_READY { pool.ready.pop_front() } else { None }
    });
    drop(oldest);
}

/// Whether an engine waits on this thread that has run the script before.
#[cfg(test)]
pub(super) fn has_used_engine(script: &Script) -> bool {
    POOL.with_borrow(|pool| {
        let mut all = pool.ready.iter().chain(&pool.used);
        all.any(|owned| is_of(owned, script) && owned.1.has_run())
    })
}
