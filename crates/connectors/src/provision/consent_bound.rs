//! How many consents may be begun from one address: asking for one needs no credentials and writes a row.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pierhead_domain::EpochMillis;

/// Consents from one address within [`WINDOW`].
const MOST: u32 = 100;
const WINDOW: Duration = Duration::from_secs(600);
/// Addresses remembered before those whose window is over are forgotten.
const ADDRESSES: usize = 10_000;

/// Counts consents by address; of IPv6 by network of 64 bits.
#[derive(Debug, Default)]
pub(crate) struct ConsentBound(Mutex<HashMap<IpAddr, Window>>);

#[derive(Debug, Clone, Copy)]
struct Window {
    began: EpochMillis,
    count: u32,
}

impl ConsentBound {
    /// Counts one more; the seconds to wait when there were too many. Calls from within count for nobody.
    pub(crate) fn count(&self, from: Option<IpAddr>, now: EpochMillis) -> Result<(), u64> {
        let Some(from) = from.map(network) else { return Ok(()) };
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |window: &Window| window.began.plus(WINDOW) <= now;
        if windows.len() >= ADDRESSES {
            windows.retain(|_, window| !is_over(window));
        }
        let window = windows.entry(from).or_insert(Window { began: now, count: 0 });
        if is_over(window) {
            *window = Window { began: now, count: 0 };
        }
        if window.count >= MOST {
            let left = window.began.plus(WINDOW).as_i64().saturating_sub(now.as_i64());
            return Err(u64::try_from(left).unwrap_or(0).div_ceil(1000).max(1));
        }
        window.count += 1;
        Ok(())
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> EpochMillis {
        EpochMillis::new(seconds * 1000)
    }

    #[test]
    fn one_address_begins_so_many_consents_in_ten_minutes_and_then_waits() {
        let bound = ConsentBound::default();
        let here = Some("192.0.2.1".parse().unwrap());
        for _ in 0..MOST {
            assert_eq!(bound.count(here, at(0)), Ok(()));
        }
        assert_eq!(bound.count(here, at(1)), Err(599));
        assert_eq!(bound.count(Some("192.0.2.2".parse().unwrap()), at(1)), Ok(()), "another address");
        assert_eq!(bound.count(None, at(1)), Ok(()), "the installation itself");
        assert_eq!(bound.count(here, at(600)), Ok(()), "the window is over");
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let bound = ConsentBound::default();
        for host in 0..MOST {
            assert_eq!(bound.count(Some(format!("2001:db8::{host:x}").parse().unwrap()), at(0)), Ok(()));
        }
        assert!(bound.count(Some("2001:db8::ffff".parse().unwrap()), at(0)).is_err());
    }
}
