//! Feeds the readers of responses with any bytes.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

use super::decoder::Decoded;
use super::response_head::{BadResponse, ResponseHead, end_of_head};

/// Reads `wire` as an answer, whole and with its body cut in two where its last byte says: both come to the
/// same. Its head is read with and without being carried.
pub(crate) fn response(wire: &[u8]) {
    let Ok(Some(end)) = end_of_head(wire, 0) else { return };
    let cut = wire.last().map_or(0, |last| usize::from(*last) % (wire.len() - end + 1));
    let whole = read(wire, end, &[&wire[end..]]);
    assert_eq!(whole, read(wire, end, &[&wire[end..end + cut], &wire[end + cut..]]));
    let _ = ResponseHead::read(&Bytes::copy_from_slice(&wire[..end]), true, true);
}

fn read(wire: &[u8], end: usize, pieces: &[&[u8]]) -> Result<Vec<u8>, BadResponse> {
    let head = Bytes::copy_from_slice(&wire[..end]);
    let Some(head) = ResponseHead::read(&head, false, false)? else { return Ok(Vec::new()) };
    let (mut decoder, mut buffer, mut body) = (head.body, BytesMut::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        while let Decoded::Data(data) = decoder.decode(&mut buffer, &mut HeaderMap::new())? {
            body.extend_from_slice(&data);
        }
    }
    Ok(body)
}
