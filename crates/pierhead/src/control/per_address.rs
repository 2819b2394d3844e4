//! How many connections one address may hold: nobody takes all the room there is.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Open connections by address.
#[derive(Debug, Clone)]
pub(crate) struct PerAddress {
    most: usize,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection of an address, while it lives.
#[derive(Debug)]
pub(crate) struct Held {
    address: IpAddr,
    of: PerAddress,
}

impl PerAddress {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, open: Arc::default() }
    }

    /// Counts one more; `None` when the address has its share already.
    pub(crate) fn hold(&self, address: IpAddr) -> Option<Held> {
        let address = address.to_canonical();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Held { address, of: self.clone() })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut open = self.of.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_its_share_and_no_more_until_it_lets_one_go() {
        let room = PerAddress::new(2);
        let (here, there) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = room.hold(here).unwrap();
        let _second = room.hold("::ffff:192.0.2.1".parse().unwrap()).unwrap();
        assert!(room.hold(here).is_none());
        assert!(room.hold(there).is_some());
        drop(first);
        assert!(room.hold(here).is_some());
    }
}
