//! Header maps whose room is used again.

use std::cell::RefCell;

use http::HeaderMap;

/// The empty maps of one thread: making one costs two allocations.
#[derive(Debug, Default)]
pub(crate) struct SpareMaps(RefCell<Vec<HeaderMap>>);

/// As many as requests may be under way without a new one each time.
const KEPT: usize = 64;
/// One that has grown beyond this gives its room back.
const MAX_CAPACITY: usize = 100;

impl SpareMaps {
    /// An empty map.
    pub(crate) fn take(&self) -> HeaderMap {
        self.0.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes a map that nobody needs any more. Nothing of it is left.
    pub(crate) fn give(&self, mut map: HeaderMap) {
        let mut kept = self.0.borrow_mut();
        if kept.len() < KEPT && (1..=MAX_CAPACITY).contains(&map.capacity()) {
            map.clear();
            kept.push(map);
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_map_comes_back_empty_and_with_its_room() {
        let maps = SpareMaps::default();
        let mut map = HeaderMap::with_capacity(8);
        map.insert("authorization", HeaderValue::from_static("secret"));
        let room = map.capacity();
        maps.give(map);
        let again = maps.take();
        assert!(again.is_empty() && again.get("authorization").is_none());
        assert_eq!(again.capacity(), room);
        assert_eq!(maps.take().capacity(), 0, "there was one");
    }

    #[test]
    fn a_map_that_has_grown_is_not_kept() {
        let maps = SpareMaps::default();
        maps.give(HeaderMap::with_capacity(500));
        assert_eq!(maps.take().capacity(), 0);
    }
}
