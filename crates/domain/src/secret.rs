//! Values that must never be printed.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Text that is wiped on drop, shows as `***`, and compares in constant time.
#[derive(Clone)]
pub struct SecretString(Zeroizing<String>);

impl SecretString {
    /// Takes ownership of clear text.
    pub fn new(clear: impl Into<String>) -> Self {
        Self(Zeroizing::new(clear.into()))
    }

    /// The clear text. Every call of this is a place to look at in a review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl PartialEq for SecretString {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for SecretString {}

impl From<String> for SecretString {
    fn from(clear: String) -> Self {
        Self::new(clear)
    }
}

impl From<&str> for SecretString {
    fn from(clear: &str) -> Self {
        Self::new(clear)
    }
}

macro_rules! named_secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(SecretString);

        impl $name {
            /// The clear text.
            pub fn expose(&self) -> &str {
                self.0.expose()
            }
        }

        impl<T: Into<SecretString>> From<T> for $name {
            fn from(clear: T) -> Self {
                Self(clear.into())
            }
        }
    };
}

named_secret! {
    /// Identifies a user on the hub's wire: base64 of 32 bytes, 44 characters (open-connectors §2.1).
    UserSecret
}
named_secret! {
    /// Identifies an organization on the hub's wire: 32 lower-case hex digits (open-connectors §2.1).
    OrganizationSecret
}
named_secret! {
    /// The connector token of one instance: base64 of 32 bytes, 44 characters (open-connectors §2.1).
    InstanceToken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_shows_in_debug_output() {
        let token = InstanceToken::from("s3cret");
        assert_eq!(format!("{token:?}"), "InstanceToken(***)");
        assert_eq!(token, InstanceToken::from("s3cret"));
    }
}
