//! A reader of the few DER structures that keys and certificates are made of (X.690).

/// Tag of a truth value.
pub const BOOLEAN: u8 = 0x01;
/// Tag of a whole number.
pub const INTEGER: u8 = 0x02;
/// Tag of a bit string.
pub const BIT_STRING: u8 = 0x03;
/// Tag of bytes.
pub const OCTET_STRING: u8 = 0x04;
/// Tag of an object identifier.
pub const OID: u8 = 0x06;
/// Tag of a sequence.
pub const SEQUENCE: u8 = 0x30;
/// Tag of a set.
pub const SET: u8 = 0x31;

/// What is left to read of a value.
#[derive(Debug, Clone, Copy)]
pub struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// All of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether everything was read.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next tag.
    pub fn peek(self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The content of the next value, which must have this tag.
    pub fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        if found != tag {
            return None;
        }
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // Four bytes of length are more than any key has; an indefinite length is not DER.
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (digits.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }

    /// What is inside the next value, a sequence.
    pub fn sequence(&mut self) -> Option<Self> {
        self.value(SEQUENCE).map(Self)
    }

    /// A sequence, and all its bytes, tag and length included.
    pub fn sequence_with_its_bytes(&mut self) -> Option<(&'a [u8], Self)> {
        let before = self.0;
        let inside = self.sequence()?;
        Some((&before[..before.len() - self.0.len()], inside))
    }

    /// A number that is not negative, without leading zeros.
    pub fn number(&mut self) -> Option<&'a [u8]> {
        let bytes = self.value(INTEGER)?;
        match bytes.first() {
            Some(0..=0x7f) => {
                let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
                Some(&bytes[zeros..])
            }
            _ => None,
        }
    }

    /// A bit string of whole bytes.
    pub fn bits(&mut self) -> Option<&'a [u8]> {
        match self.value(BIT_STRING)? {
            [0, bytes @ ..] => Some(bytes),
            _ => None,
        }
    }
}
