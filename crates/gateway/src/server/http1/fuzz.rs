//! Feeds the readers of requests with any bytes.

use std::rc::Rc;

use bytes::BytesMut;
use http::HeaderMap;

use super::HeadLimits;
use super::decoder::{Decoded, Decoder};
use super::head::HeadReader;
use super::refusal::Refusal;

const LIMITS: HeadLimits = HeadLimits { line: 7 * 1024, headers: 18 * 1024, count: 100 };

/// Reads `wire` whole, and cut in two where its first byte says: both come to the same.
pub(crate) fn requests(wire: &[u8]) {
    let cut = wire.first().map_or(0, |first| usize::from(*first) % (wire.len() + 1));
    assert_eq!(read(&[wire]), read(&[&wire[..cut], &wire[cut..]]));
}

/// The requests with their bodies, and what ended the reading.
fn read(pieces: &[&[u8]]) -> (Vec<(String, Vec<u8>)>, Option<Refusal>) {
    let (mut heads, mut bytes) = (HeadReader::new(LIMITS, Rc::default()), BytesMut::new());
    let (mut body, mut requests) = (None, Vec::new());
    for piece in pieces {
        bytes.extend_from_slice(piece);
        if let Err(refusal) = advance(&mut heads, &mut bytes, &mut body, &mut requests) {
            return (requests, Some(refusal));
        }
    }
    (requests, None)
}

fn advance(
    heads: &mut HeadReader,
    bytes: &mut BytesMut,
    body: &mut Option<Decoder>,
    requests: &mut Vec<(String, Vec<u8>)>,
) -> Result<(), Refusal> {
    loop {
        let Some(decoder) = body else {
            let Some(head) = heads.read(bytes)? else { return Ok(()) };
            requests.push((format!("{} {}", head.method, head.target), Vec::new()));
            *body = Some(head.body);
            continue;
        };
        match decoder.decode(bytes, &mut HeaderMap::new())? {
            Decoded::NeedsMore => return Ok(()),
            Decoded::End => *body = None,
            Decoded::Data(data) => {
                if let Some((_, body)) = requests.last_mut() {
                    body.extend_from_slice(&data);
                }
            }
        }
    }
}
