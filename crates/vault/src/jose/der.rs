//! A reader of the few DER structures that keys and certificates are made of (X.690).

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;

/// What is left to read of a value.
#[derive(Clone, Copy)]
pub(crate) struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next tag.
    pub(crate) fn peek(self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The content of the next value, which must have this tag.
    pub(crate) fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
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

    pub(crate) fn sequence(&mut self) -> Option<Self> {
        self.value(SEQUENCE).map(Self)
    }

    /// A sequence, and all its bytes, tag and length included.
    pub(crate) fn sequence_with_its_bytes(&mut self) -> Option<(&'a [u8], Self)> {
        let before = self.0;
        let inside = self.sequence()?;
        Some((&before[..before.len() - self.0.len()], inside))
    }

    /// A number that is not negative, without leading zeros.
    pub(crate) fn number(&mut self) -> Option<&'a [u8]> {
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
    pub(crate) fn bits(&mut self) -> Option<&'a [u8]> {
        match self.value(BIT_STRING)? {
            [0, bytes @ ..] => Some(bytes),
            _ => None,
        }
    }
}
