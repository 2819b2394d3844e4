//! Identifiers. Integers where the originals use integers; time-ordered text elsewhere.

use std::fmt;
use std::str::FromStr;

use crate::{EpochMillis, Rng};

/// Text that is no identifier of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must be a positive whole number")]
pub struct BadId {
    kind: &'static str,
}

macro_rules! integer_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// From the stored number.
            pub const fn new(id: i64) -> Self {
                Self(id)
            }

            /// The number as stored and as written on the wire.
            pub const fn as_i64(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                match text.parse::<i64>() {
                    Ok(id) if id > 0 && text.bytes().all(|b| b.is_ascii_digit()) => Ok(Self(id)),
                    _ => Err(BadId { kind: $kind }),
                }
            }
        }
    };
}

integer_id! {
    /// An organization: owns everything.
    OrganizationId, "organization id"
}
integer_id! {
    /// An account: a division of an organization.
    AccountId, "account id"
}
integer_id! {
    /// A user of an account.
    UserId, "user id"
}
integer_id! {
    /// A connector instance.
    InstanceId, "instance id"
}

/// Names one request in answers and logs: 24 lower-case hex digits, the first eight the seconds since
/// 1970, so that ids sort by time (open-connectors §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 24]);

const HEX: &[u8; 16] = b"0123456789abcdef";

impl RequestId {
    /// A new id for a request that begins at `now`.
    pub fn new(now: EpochMillis, rng: &dyn Rng) -> Self {
        let mut tail = [0u8; 8];
        rng.fill(&mut tail);
        let seconds = u32::try_from(now.seconds()).unwrap_or(u32::MAX).to_be_bytes();
        // Made for each proxied request: neither a formatter nor a character at a time.
        let mut digits = [0; 24];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(seconds.iter().chain(&tail)) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        Self(digits)
    }

    /// The 24 digits.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A new text id: 12 hex digits of milliseconds, then 20 random ones; 32 in all. Later ids sort later.
pub fn time_ordered_id(now: EpochMillis, rng: &dyn Rng) -> String {
    let mut tail = [0u8; 10];
    rng.fill(&mut tail);
    format!("{:012x}{}", now.as_i64().clamp(0, 0xffff_ffff_ffff), hex::encode(tail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRng;

    #[test]
    fn an_id_is_digits_only() {
        assert_eq!("42".parse(), Ok(InstanceId::new(42)));
        for bad in ["", "0", "-1", "+1", "1x", "99999999999999999999"] {
            assert!(bad.parse::<InstanceId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_request_id_has_24_hex_digits() {
        let id = RequestId::new(EpochMillis::new(1_496_775_291_000), &SeededRng::new(1));
        assert_eq!(id.as_str().len(), 24);
        assert!(id.as_str().starts_with("5936fa7b"), "{id}");
    }

    #[test]
    fn later_text_ids_sort_later() {
        let rng = SeededRng::new(1);
        assert!(time_ordered_id(EpochMillis::new(1), &rng) < time_ordered_id(EpochMillis::new(2), &rng));
    }
}
