//! Which addresses may be called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Refuses every address that is not on the public internet, unless the operator allowed it: what a vendor
/// definition or a redirect names must not reach the operator's own machines (hostile-input §9).
#[derive(Debug, Clone, Default)]
pub struct AddressGuard {
    allow: Arc<[IpNet]>,
}

/// An address that may not be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {rule}")]
pub struct Denied {
    /// The address.
    pub address: IpAddr,
    /// What kind of address it is: `a loopback address`.
    pub rule: &'static str,
}

impl AddressGuard {
    /// A guard that lets through public addresses and those in `allow` (`egress.allow`).
    pub fn new(allow: impl IntoIterator<Item = IpNet>) -> Self {
        Self { allow: allow.into_iter().collect() }
    }

    /// Whether `address` may be called. An IPv6 address that carries an IPv4 one (mapped, NAT64, 6to4) is
    /// judged by what it carries.
    pub fn check(&self, address: IpAddr) -> Result<(), Denied> {
        let canonical = address.to_canonical();
        let carried = match canonical {
            IpAddr::V4(_) => None,
            IpAddr::V6(v6) => carried_v4(v6).map(IpAddr::V4),
        };
        let allowed = |ip: &IpAddr| self.allow.iter().any(|net| net.contains(ip));
        if allowed(&address) || allowed(&canonical) || carried.as_ref().is_some_and(allowed) {
            return Ok(());
        }
        let rule = match (canonical, carried) {
            (IpAddr::V4(v4), _) | (IpAddr::V6(_), Some(IpAddr::V4(v4))) => denied_v4(v4),
            (IpAddr::V6(v6), _) => denied_v6(v6),
        };
        rule.map_or(Ok(()), |rule| Err(Denied { address, rule }))
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(first: u16, second: u16, third: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0), prefix)
}

/// IANA's special-purpose registry for IPv4 (RFC 6890 and later), and one public address that a cloud uses
/// for its machines' metadata.
const DENIED_V4: &[(Ipv4Net, &str)] = &[
    (v4(0, 0, 0, 0, 8), "an unspecified address"),
    (v4(10, 0, 0, 0, 8), "a private address"),
    (v4(100, 64, 0, 0, 10), "a carrier-grade NAT address"),
    (v4(127, 0, 0, 0, 8), "a loopback address"),
    (v4(168, 63, 129, 16, 32), "a cloud metadata address"),
    (v4(169, 254, 0, 0, 16), "a link-local address"),
    (v4(172, 16, 0, 0, 12), "a private address"),
    (v4(192, 0, 0, 0, 24), "a protocol assignment address"),
    (v4(192, 0, 2, 0, 24), "a documentation address"),
    (v4(192, 88, 99, 0, 24), "a 6to4 relay address"),
    (v4(192, 168, 0, 0, 16), "a private address"),
    (v4(198, 18, 0, 0, 15), "a benchmarking address"),
    (v4(198, 51, 100, 0, 24), "a documentation address"),
    (v4(203, 0, 113, 0, 24), "a documentation address"),
    (v4(224, 0, 0, 0, 4), "a multicast address"),
    (v4(240, 0, 0, 0, 4), "a reserved address"),
];

/// What is special inside and outside of the global unicast range `2000::/3`.
const DENIED_V6: &[(Ipv6Net, &str)] = &[
    (v6(0, 0, 0, 128), "an unspecified address"),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "a loopback address"),
    (v6(0xfc00, 0, 0, 7), "a unique local address"),
    (v6(0xfe80, 0, 0, 10), "a link-local address"),
    (v6(0xfec0, 0, 0, 10), "a site-local address"),
    (v6(0xff00, 0, 0, 8), "a multicast address"),
    (v6(0x2001, 0x0db8, 0, 32), "a documentation address"),
    (v6(0x3fff, 0, 0, 20), "a documentation address"),
    (v6(0x2001, 0, 0, 32), "a Teredo address"),
    (v6(0x2001, 0, 0, 23), "a protocol assignment address"),
];

const GLOBAL_UNICAST: Ipv6Net = v6(0x2000, 0, 0, 3);
const NAT64: Ipv6Net = v6(0x0064, 0xff9b, 0, 96);
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 16);

fn denied_v4(address: Ipv4Addr) -> Option<&'static str> {
    DENIED_V4.iter().find(|(net, _)| net.contains(&address)).map(|(_, rule)| *rule)
}

fn denied_v6(address: Ipv6Addr) -> Option<&'static str> {
    let special = DENIED_V6.iter().find(|(net, _)| net.contains(&address)).map(|(_, rule)| *rule);
    special.or_else(|| (!GLOBAL_UNICAST.contains(&address)).then_some("no public address"))
}

fn carried_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bytes = address.octets();
    let at = if NAT64.contains(&address) {
        12
    } else if SIX_TO_FOUR.contains(&address) {
        2
    } else {
        return None;
    };
    Some(Ipv4Addr::new(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(address: &str) -> Option<&'static str> {
        AddressGuard::default().check(address.parse().unwrap()).err().map(|denied| denied.rule)
    }

    #[test]
    fn first_and_last_address_of_every_special_range_are_denied() {
        for (first, last, expected) in [
            ("0.0.0.0", "0.255.255.255", "an unspecified address"),
            ("10.0.0.0", "10.255.255.255", "a private address"),
            ("100.64.0.0", "100.127.255.255", "a carrier-grade NAT address"),
            ("127.0.0.1", "127.255.255.255", "a loopback address"),
            ("168.63.129.16", "168.63.129.16", "a cloud metadata address"),
            ("169.254.0.0", "169.254.169.254", "a link-local address"),
            ("172.16.0.0", "172.31.255.255", "a private address"),
            ("192.0.0.0", "192.0.0.255", "a protocol assignment address"),
            ("192.0.2.0", "192.0.2.255", "a documentation address"),
            ("192.88.99.0", "192.88.99.255", "a 6to4 relay address"),
            ("192.168.0.0", "192.168.255.255", "a private address"),
            ("198.18.0.0", "198.19.255.255", "a benchmarking address"),
            ("198.51.100.0", "198.51.100.255", "a documentation address"),
            ("203.0.113.0", "203.0.113.255", "a documentation address"),
            ("224.0.0.0", "239.255.255.255", "a multicast address"),
            ("240.0.0.0", "255.255.255.255", "a reserved address"),
            ("::", "::", "an unspecified address"),
            ("::1", "::1", "a loopback address"),
            ("fc00::", "fdff:ffff::1", "a unique local address"),
            ("fd00:ec2::254", "fd00:ec2::254", "a unique local address"),
            ("fe80::", "febf:ffff::1", "a link-local address"),
            ("fec0::", "feff:ffff::1", "a site-local address"),
            ("ff00::", "ffff::1", "a multicast address"),
            ("2001:db8::", "2001:db8:ffff::1", "a documentation address"),
            ("3fff::", "3fff:fff::1", "a documentation address"),
            ("2001::", "2001:0:ffff::1", "a Teredo address"),
            ("2001:10::", "2001:1ff:ffff::1", "a protocol assignment address"),
            ("100::", "100::1", "no public address"),
            ("5f00::1", "64:ff9b:1::1", "no public address"),
        ] {
            assert_eq!(rule(first), Some(expected), "{first}");
            assert_eq!(rule(last), Some(expected), "{last}");
        }
    }

    #[test]
    fn neighbours_of_special_ranges_and_public_addresses_pass() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:200::1",
            "2a00::1",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert_eq!(rule(address), None, "{address}");
        }
    }

    #[test]
    fn an_address_that_carries_another_is_judged_by_the_carried_one() {
        for (address, expected) in [
            ("::ffff:127.0.0.1", "a loopback address"),
            ("::ffff:169.254.169.254", "a link-local address"),
            ("64:ff9b::10.0.0.1", "a private address"),
            ("64:ff9b::a9fe:a9fe", "a link-local address"),
            ("2002:7f00:1::1", "a loopback address"),
            ("2002:c0a8:1::1", "a private address"),
            ("::127.0.0.1", "no public address"),
        ] {
            assert_eq!(rule(address), Some(expected), "{address}");
        }
    }

    #[test]
    fn the_allow_list_opens_exactly_what_it_names() {
        let guard = AddressGuard::new(["127.0.0.0/8".parse().unwrap(), "fd00:1::/32".parse().unwrap()]);
        for open in ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fd00:1::5", "8.8.8.8"] {
            assert_eq!(guard.check(open.parse().unwrap()), Ok(()), "{open}");
        }
        for shut in ["10.0.0.1", "::1", "fd00:2::5", "169.254.169.254"] {
            assert!(guard.check(shut.parse().unwrap()).is_err(), "{shut}");
        }
    }
}
