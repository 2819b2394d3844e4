//! Base64 that arrives in pieces: `Content-Transfer-Encoding: base64` in a multipart upload.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::super::problem::Problem;

/// Decodes whole groups of four letters and keeps the rest for the next piece.
#[derive(Debug, Default)]
pub(super) struct Base64 {
    waiting: Vec<u8>,
}

impl Base64 {
    pub(super) fn decode(&mut self, piece: &[u8]) -> Result<Vec<u8>, Problem> {
        self.waiting.extend(piece.iter().filter(|byte| !byte.is_ascii_whitespace()));
        let whole = self.waiting.len() / 4 * 4;
        let rest = self.waiting.split_off(whole);
        let ready = std::mem::replace(&mut self.waiting, rest);
        STANDARD.decode(ready).map_err(|_| super::malformed("the second part is not base64"))
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, Problem> {
        STANDARD.decode(self.waiting).map_err(|_| super::malformed("the second part's base64 is cut off"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_decode_to_the_whole(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 1usize..9) {
            let text = STANDARD.encode(&bytes);
            let mut decoder = Base64::default();
            let mut out = Vec::new();
            for piece in text.as_bytes().chunks(cut) {
                out.extend(decoder.decode(piece).unwrap());
                out.extend(decoder.decode(b"\r\n").unwrap());
            }
            out.extend(decoder.finish().unwrap());
            prop_assert_eq!(out, bytes);
        }
    }
}
