//! The open connections of the whole gateway, counted when they begin and end: never on a request's way.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use ahash::AHashMap;

/// How many connections there are, in all and of each client's address.
#[derive(Debug, Default)]
pub(super) struct Connections(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    all: usize,
    of: AHashMap<IpAddr, usize>,
}

/// How many there are with one that has just begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) all: usize,
    pub(super) of_address: usize,
}

impl Connections {
    pub(super) fn begin(&self, address: IpAddr) -> Counted {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.all += 1;
        let of_address = open.of.entry(address).or_default();
        *of_address += 1;
        let of_address = *of_address;
        Counted { all: open.all, of_address }
    }

    pub(super) fn end(&self, address: IpAddr) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        if let Some(count) = open.of.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.of.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_connections_is_forgotten() {
        let (connections, one, other) = (Connections::default(), IpAddr::from([1; 4]), IpAddr::from([2; 4]));
        assert_eq!(connections.begin(one), Counted { all: 1, of_address: 1 });
        assert_eq!(connections.begin(one), Counted { all: 2, of_address: 2 });
        assert_eq!(connections.begin(other), Counted { all: 3, of_address: 1 });
        for address in [one, other, one] {
            connections.end(address);
        }
        assert!(connections.0.lock().expect("not poisoned").of.is_empty());
    }
}
