use proptest::prelude::*;

use super::*;

const LIMITS: HeadLimits = HeadLimits { line: 7 * 1024, headers: 18 * 1024, count: 100 };

fn follow(bytes: &[u8]) -> Verdict {
    Framing::new(LIMITS).follow(bytes)
}

fn refusal(bytes: &[u8]) -> Option<Refusal> {
    match follow(bytes).refused {
        Some(Refused::Head(refusal) | Refused::Body(refusal)) => Some(refusal),
        None => None,
    }
}

fn with_headers(lines: &str) -> Vec<u8> {
    format!("POST /a HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n").into_bytes()
}

#[test]
fn well_framed_messages_pass_whole_and_are_counted() {
    let two = b"GET /a?b=c HTTP/1.1\r\nHost: x:80\r\n\r\nPOST / HTTP/1.1\r\nhost:x\r\ntransfer-encoding: Chunked\r\n\r\n\
        5;a=b\r\nhello\r\n0\r\nTrailer: x\r\n\r\nPUT / HTTP/1.1\r\nHost:\r\ncontent-length: 3\r\n\r\nabc";
    assert_eq!(follow(two), Verdict { pass: two.len(), heads: 3, refused: None });
}

#[test]
fn each_broken_header_line_is_refused_by_its_own_rule() {
    for (line, expected) in [
        ("Host: y", Refusal::DuplicateHost),
        ("Content-Length: +0", Refusal::BadContentLength),
        ("Content-Length: 1, 1", Refusal::BadContentLength),
        ("Content-Length: 0x1", Refusal::BadContentLength),
        ("Content-Length:", Refusal::BadContentLength),
        ("Content-Length: 99999999999999999999", Refusal::BadContentLength),
        ("Content-Length: 1\r\nContent-Length: 1", Refusal::DuplicateContentLength),
        ("Content-Length: 1\r\nContent-Length: 2", Refusal::DuplicateContentLength),
        ("Transfer-Encoding: chunked\t", Refusal::BadTransferEncoding),
        ("Transfer-Encoding:\tchunked", Refusal::BadTransferEncoding),
        ("Transfer-Encoding: chunked, chunked", Refusal::BadTransferEncoding),
        ("Transfer-Encoding: gzip, chunked", Refusal::BadTransferEncoding),
        ("Transfer-Encoding: \"chunked\"", Refusal::BadTransferEncoding),
        ("Transfer-Encoding: xchunked", Refusal::UnknownTransferEncoding),
        ("Transfer-Encoding: identity", Refusal::UnknownTransferEncoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", Refusal::DuplicateTransferEncoding),
        ("Content-Length: 1\r\nTransfer-Encoding: chunked", Refusal::LengthAndTransferEncoding),
        ("Transfer-Encoding: chunked\r\nContent-Length: 1", Refusal::LengthAndTransferEncoding),
        ("Transfer-Encoding : chunked", Refusal::HeaderNameChar),
        ("X-A: b\r\n c", Refusal::FoldedHeader),
        ("X-A: b\r\n\tc", Refusal::FoldedHeader),
        ("X-A: b\0c", Refusal::HeaderValueChar),
        ("X-A: b\rc", Refusal::HeaderValueChar),
        ("X-A: b\x7f", Refusal::HeaderValueChar),
        ("X-A: b\nX-B: c", Refusal::BareLineFeed),
        (": b", Refusal::EmptyHeaderName),
        ("X-Ä: b", Refusal::NonAsciiHeaderName),
        ("no colon", Refusal::NoColon),
    ] {
        assert_eq!(refusal(&with_headers(line)), Some(expected), "{line:?}");
    }
}

#[test]
fn each_broken_request_line_is_refused_by_its_own_rule() {
    for (bytes, expected) in [
        (&b"GET / HTTP/1.1\nHost: x\n\n"[..], Refusal::BareLineFeed),
        (b"GET / HTTP/1.1\r\n\r\n", Refusal::NoHost),
        (b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Refusal::TransferEncodingOnHttp10),
        (b"GET  / HTTP/1.1\r\n", Refusal::BadRequestLine),
        (b"GET / a HTTP/1.1\r\n", Refusal::BadRequestLine),
        (b"GET /\r\n", Refusal::BadRequestLine),
        (b"GE\0T / HTTP/1.1\r\n", Refusal::BadRequestLine),
        (b"GET /a\0b HTTP/1.1\r\n", Refusal::BadPath),
        (b"GET /a#b HTTP/1.1\r\n", Refusal::BadPath),
        (b"GET /\xc0\xae HTTP/1.1\r\n", Refusal::BadPath),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refusal::UnsupportedVersion),
        (b"CONNECT a:1 HTTP/1.1\r\n", Refusal::ConnectMethod),
    ] {
        assert_eq!(refusal(bytes), Some(expected), "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_head_beyond_its_limits_is_refused_before_its_end() {
    let long_line = format!("GET /{}", "a".repeat(10 * 1024));
    assert_eq!(refusal(long_line.as_bytes()), Some(Refusal::TooBigLine));
    let long_header = format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}", "a".repeat(19 * 1024));
    assert_eq!(refusal(long_header.as_bytes()), Some(Refusal::TooBigHeaders));
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(100));
    assert_eq!(refusal(many.as_bytes()), Some(Refusal::TooBigHeaders));
}

#[test]
fn broken_chunks_are_refused() {
    for body in ["5\nhello", "5\r\nhelloX", "5\r\nhello\nX", "g\r\n", "-1\r\n", " 5\r\n", "0x5\r\n", "\r\n"] {
        let whole = [with_headers("Transfer-Encoding: chunked"), body.as_bytes().to_vec()].concat();
        assert_eq!(refusal(&whole), Some(Refusal::BadChunk), "{body:?}");
    }
    for body in ["1234567890123456\r\n".to_owned(), format!("5;{}", "e".repeat(300)), "5;a\0\r\n".to_owned()]
    {
        let whole = [with_headers("Transfer-Encoding: chunked"), body.into_bytes()].concat();
        assert_eq!(refusal(&whole), Some(Refusal::BadChunk));
    }
}

#[test]
fn a_head_is_held_back_when_its_body_is_refused_in_the_same_bytes() {
    let good = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let bad = [with_headers("Transfer-Encoding: chunked"), b"5\nhello".to_vec()].concat();

    let verdict = follow(&[&good[..], &bad].concat());

    assert_eq!(verdict.pass, good.len());
    assert_eq!(verdict.heads, 1);
    assert_eq!(verdict.refused, Some(Refused::Head(Refusal::BadChunk)));
}

#[test]
fn a_body_refused_later_is_an_error_of_the_body() {
    let mut framing = Framing::new(LIMITS);
    assert_eq!(framing.follow(&with_headers("Transfer-Encoding: chunked")).heads, 1);
    assert_eq!(framing.follow(b"5\nhello").refused, Some(Refused::Body(Refusal::BadChunk)));
}

proptest! {
    #[test]
    fn where_the_bytes_are_cut_changes_nothing_but_who_answers(
        cuts in prop::collection::vec(1usize..40, 0..30),
        chunk in "[a-f0-9]{0,3}(\r\n|\n)?[ -~]{0,20}(\r\n){0,3}",
    ) {
        let whole = [
            &b"GET /x HTTP/1.1\r\nHost: x\r\n\r\nPUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd"[..],
            &with_headers("Transfer-Encoding: chunked"),
            chunk.as_bytes(),
        ].concat();
        let at_once = refusal(&whole);
        let (mut framing, mut at, mut cuts) = (Framing::new(LIMITS), 0, cuts.into_iter());
        let mut in_pieces = None;
        while at < whole.len() && in_pieces.is_none() {
            let end = (at + cuts.next().unwrap_or(whole.len())).min(whole.len());
            let verdict = framing.follow(&whole[at..end]);
            prop_assert!(verdict.pass <= end - at);
            in_pieces = verdict.refused.map(|(Refused::Head(r) | Refused::Body(r))| r);
            at = end;
        }
        prop_assert_eq!(at_once, in_pieces);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let verdict = follow(&bytes);
        prop_assert!(verdict.pass <= bytes.len());
    }
}
