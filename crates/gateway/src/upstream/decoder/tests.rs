use proptest::prelude::*;

use super::*;

/// Feeds `wire` in parts cut at `cuts`; the body, and what was left behind its end.
fn decoded(
    mut decoder: Decoder,
    wire: &[u8],
    cuts: &[usize],
) -> Result<(Vec<u8>, Vec<u8>, bool), BadResponse> {
    let (mut buffer, mut body) = (BytesMut::new(), Vec::new());
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (wire.len() + 1)).collect();
    cuts.push(wire.len());
    cuts.sort_unstable();
    let mut at = 0;
    for cut in cuts {
        buffer.extend_from_slice(&wire[at..cut]);
        at = cut;
        while let Decoded::Data(data) = decoder.decode(&mut buffer, &mut HeaderMap::new())? {
            assert!(!data.is_empty());
            body.extend_from_slice(&data);
        }
    }
    Ok((body, buffer.to_vec(), decoder.is_ended()))
}

#[test]
fn a_length_takes_so_many_bytes_and_leaves_the_rest() {
    assert_eq!(decoded(Decoder::length(3), b"abcd", &[]), Ok((b"abc".to_vec(), b"d".to_vec(), true)));
    assert_eq!(decoded(Decoder::length(9), b"abcd", &[]), Ok((b"abcd".to_vec(), Vec::new(), false)));
}

#[test]
fn chunks_end_with_the_empty_one_and_its_trailers_are_no_body() {
    let wire = b"2\r\nab\r\n3 ;x=y\r\ncde\r\n0\r\nX: y\r\n\r\nHTTP";
    assert_eq!(decoded(Decoder::chunked(), wire, &[]), Ok((b"abcde".to_vec(), b"HTTP".to_vec(), true)));
}

#[test]
fn chunks_that_can_be_read_in_two_ways_are_refused() {
    for wire in [
        &b"2\nab\r\n0\r\n\r\n"[..],
        b"2\r\nabc\r\n0\r\n\r\n",
        b"2\r\nab\n0\r\n\r\n",
        b"\r\nab",
        b"-2\r\nab",
        b"+2\r\nab",
        b"0x2\r\nab",
        b" 2\r\nab",
        b"2\rx\r\nab",
        b"fffffffffffffffff\r\nab",
        b"0\r\nX: y\n\r\n",
        b"0\r\n\n",
        b"0\r\nX y\r\n\r\n",
        b"0\r\nX: a\0b\r\n\r\n",
    ] {
        assert!(decoded(Decoder::chunked(), wire, &[]).is_err(), "{}", String::from_utf8_lossy(wire));
    }
}

#[test]
fn endless_chunk_lines_and_trailers_are_refused() {
    let line = vec![b'1'; MAX_CHUNK_LINE + 1];
    assert!(decoded(Decoder::chunked(), &line, &[]).is_err());
    let trailers = [&b"0\r\n"[..], &b"X: aaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(MAX_TRAILERS / 16)].concat();
    assert!(decoded(Decoder::chunked(), &trailers, &[]).is_err());
}

#[test]
fn the_end_of_the_connection_ends_only_a_body_without_framing() {
    assert_eq!(Decoder::to_close().close(), Ok(()));
    assert_eq!(Decoder::ended().close(), Ok(()));
    assert_eq!(Decoder::length(1).close(), Err(BrokeOff));
    assert_eq!(Decoder::chunked().close(), Err(BrokeOff));
}

proptest! {
    #[test]
    fn however_chunks_are_cut_into_packets_the_body_is_the_same(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let mut wire = Vec::new();
        for chunk in &chunks {
            wire.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
            wire.extend_from_slice(chunk);
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(b"0\r\n\r\nnext");
        let whole = decoded(Decoder::chunked(), &wire, &cuts);
        prop_assert_eq!(whole, Ok((chunks.concat(), b"next".to_vec(), true)));
    }

    #[test]
    fn no_bytes_make_it_panic_or_take_more_than_there_is(
        wire in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'0'), Just(b'a'), any::<u8>()], 0..200),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
        length in 0_u64..300,
    ) {
        for decoder in [Decoder::chunked(), Decoder::length(length), Decoder::to_close()] {
            let once = decoded(decoder, &wire, &[]);
            prop_assert_eq!(&once, &decoded(decoder, &wire, &cuts), "packets change nothing");
            if let Ok((body, left, _)) = once {
                prop_assert!(body.len() + left.len() <= wire.len());
            }
        }
    }
}
