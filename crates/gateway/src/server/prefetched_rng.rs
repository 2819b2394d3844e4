//! Random bytes, fetched from their source in batches.

use std::sync::{Mutex, PoisonError};

use pierhead_domain::{Rng, SharedRng};

const BATCH: usize = 512;

/// A source that asks another one for 512 bytes at a time, so that naming a request costs no system call.
/// Each byte is given out once and wiped.
pub(super) struct PrefetchedRng {
    source: SharedRng,
    batch: Mutex<(usize, [u8; BATCH])>,
}

impl PrefetchedRng {
    pub(super) fn new(source: SharedRng) -> Self {
        Self { source, batch: Mutex::new((BATCH, [0; BATCH])) }
    }
}

impl std::fmt::Debug for PrefetchedRng {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrefetchedRng").finish_non_exhaustive()
    }
}

impl Rng for PrefetchedRng {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > BATCH {
            return self.source.fill(bytes);
        }
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        let (used, buffer) = &mut *batch;
        if BATCH - *used < bytes.len() {
            self.source.fill(buffer);
            *used = 0;
        }
        let given = &mut buffer[*used..*used + bytes.len()];
        bytes.copy_from_slice(given);
        given.fill(0);
        *used += bytes.len();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pierhead_domain::SeededRng;

    use super::*;

    #[test]
    fn no_bytes_are_given_out_twice() {
        let rng = PrefetchedRng::new(Arc::new(SeededRng::new(7)));
        let mut seen = std::collections::HashSet::new();
        for _ in 0..200 {
            let mut id = [0; 8];
            rng.fill(&mut id);
            assert!(seen.insert(id));
        }
        let mut long = [0; 2 * BATCH];
        rng.fill(&mut long);
        assert!(long.iter().any(|&byte| byte != 0));
    }
}
