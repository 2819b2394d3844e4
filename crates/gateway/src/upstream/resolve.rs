//! Names to addresses: cached, and never to a machine's metadata service.

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use ahash::AHashMap;

/// A thread's resolved names.
pub(super) struct Resolver {
    ttl: Duration,
    known: RefCell<AHashMap<Box<str>, Known>>,
}

struct Known {
    addresses: Rc<[IpAddr]>,
    until: Instant,
}

/// More names than this are not remembered: a template may make one per request.
const MAX_KNOWN: usize = 4096;

impl Resolver {
    pub(super) fn new(ttl: Duration) -> Self {
        Self { ttl, known: RefCell::default() }
    }

    /// The addresses of `host`: a name, an IPv4 address or an IPv6 address in brackets. May be empty.
    pub(super) async fn addresses(&self, host: &str) -> io::Result<Rc<[IpAddr]>> {
        if let Ok(literal) = host.trim_start_matches('[').trim_end_matches(']').parse() {
            return Ok(Rc::new([literal]));
        }
        let now = Instant::now();
        if let Some(known) = self.known.borrow().get(host)
            && known.until > now
        {
            return Ok(known.addresses.clone());
        }
        let addresses: Rc<[IpAddr]> =
            tokio::net::lookup_host((host, 0)).await?.map(|address: SocketAddr| address.ip()).collect();
        let mut known = self.known.borrow_mut();
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(host.into(), Known { addresses: addresses.clone(), until: now + self.ttl });
        Ok(addresses)
    }
}

/// Whether no target may have this address. What a target is, the operator's design says, private networks
/// included; but a machine's own metadata service hands out its credentials, and the link-local range it
/// lives in holds no backend (hostile-input §4.2 line 9).
pub(super) fn is_forbidden(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => forbidden_v4(v4),
        IpAddr::V6(v6) => {
            carried_v4(v6).is_some_and(forbidden_v4)
                || v6.is_unicast_link_local()
                || v6.is_unspecified()
                || v6.is_multicast()
                || v6 == EC2_METADATA
        }
    }
}

/// The IPv4 address that an IPv6 address leads to: mapped, compatible, by NAT64 or by 6to4.
fn carried_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let at = match address.segments() {
        [0, 0, 0, 0, 0, 0xffff | 0, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => 12,
        [0x2002, ..] => 2,
        _ => return None,
    };
    let bytes = address.octets();
    Some(Ipv4Addr::new(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]))
}

const EC2_METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
const ALIBABA_METADATA: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
/// Public in form, and on Azure every machine's own.
const AZURE_METADATA: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

const fn forbidden_v4(address: Ipv4Addr) -> bool {
    address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || address.to_bits() == ALIBABA_METADATA.to_bits()
        || address.to_bits() == AZURE_METADATA.to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_addresses_are_forbidden_in_every_spelling() {
        for address in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fd00:ec2::254",
            "fe80::1",
            "0.0.0.0",
            "100.100.100.200",
            "168.63.129.16",
            "::169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
        ] {
            assert!(is_forbidden(address.parse().expect(address)), "{address}");
        }
        for address in [
            "127.0.0.1",
            "10.0.0.1",
            "192.168.1.1",
            "::1",
            "8.8.8.8",
            "fd00::1",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert!(!is_forbidden(address.parse().expect(address)), "{address}");
        }
    }
}
