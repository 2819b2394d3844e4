use std::rc::Rc;

use bytes::BytesMut;
use http::HeaderMap;
use proptest::prelude::*;

use super::decoder::Decoded;
use super::head::HeadReader;
use super::*;

const LIMITS: HeadLimits = HeadLimits { line: 7 * 1024, headers: 18 * 1024, count: 100 };

/// What a connection yields: each request with its body, then the refusal that ends it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Read {
    requests: Vec<(String, Vec<u8>)>,
    /// Whether the last request's body has ended.
    ended: bool,
    refused: Option<Refusal>,
}

/// Reads a stream that arrives in `pieces`.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Read {
    let (mut heads, mut bytes, mut body) = (HeadReader::new(LIMITS, Rc::default()), BytesMut::new(), None);
    let mut read = Read { ended: true, ..Read::default() };
    for piece in pieces {
        bytes.extend_from_slice(piece);
        if let Err(refusal) = advance(&mut heads, &mut bytes, &mut body, &mut read) {
            read.refused = Some(refusal);
            break;
        }
    }
    read
}

fn advance(
    heads: &mut HeadReader,
    bytes: &mut BytesMut,
    body: &mut Option<decoder::Decoder>,
    read: &mut Read,
) -> Result<(), Refusal> {
    loop {
        match body {
            None => {
                let Some(head) = heads.read(bytes)? else { return Ok(()) };
                read.requests.push((format!("{} {}", head.method, head.target), Vec::new()));
                (*body, read.ended) = (Some(head.body), false);
            }
            Some(decoder) => match decoder.decode(bytes, &mut HeaderMap::new())? {
                Decoded::Data(data) => {
                    read.requests.last_mut().expect("a request").1.extend_from_slice(&data);
                }
                Decoded::End => (*body, read.ended) = (None, true),
                Decoded::NeedsMore => return Ok(()),
            },
        }
    }
}

fn refusal(bytes: &[u8]) -> Option<Refusal> {
    read([bytes]).refused
}

fn head(bytes: &str) -> Heard {
    HeadReader::new(LIMITS, Rc::default()).read(&mut BytesMut::from(bytes)).expect("right").expect("whole")
}

fn with_headers(lines: &str) -> Vec<u8> {
    format!("POST /a HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n").into_bytes()
}

#[test]
fn well_framed_messages_are_read_one_after_another() {
    let three = b"GET /a?b=c HTTP/1.1\r\nHost: x:80\r\n\r\nPOST / HTTP/1.1\r\nhost:x\r\ntransfer-encoding: Chunked\r\n\r\n\
        5;a=b\r\nhello\r\n0\r\nTrailer: x\r\n\r\n\r\nPUT / HTTP/1.1\r\nHost:\r\ncontent-length: 3\r\n\r\nabc";
    let requests = [("GET /a?b=c", ""), ("POST /", "hello"), ("PUT /", "abc")]
        .map(|(line, body)| (line.to_owned(), body.as_bytes().to_vec()));
    assert_eq!(read([&three[..]]), Read { requests: requests.to_vec(), ended: true, refused: None });
}

#[test]
fn a_head_tells_what_concerns_this_hop_and_keeps_the_rest() {
    let put = head(
        "PUT /x HTTP/1.1\r\nHost: h\r\nX-A:  1 \r\nContent-Length: 4\r\nExpect: 100-Continue\r\nTE: trailers\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(
        put.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect::<Vec<_>>(),
        [("host", &b"h"[..]), ("x-a", b"1")]
    );
    assert_eq!((put.body.exact(), put.expects, put.announces_body), (Some(4), Expects::Continue, true));
    assert!(!put.keeps_alive && !put.nominates);

    let nominating = head("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, X-A\r\n\r\n");
    assert!(nominating.nominates && nominating.headers.contains_key("connection"));
    assert!(!nominating.announces_body && nominating.keeps_alive);
}

#[test]
fn http_10_is_kept_open_only_when_it_asks() {
    assert!(!head("GET / HTTP/1.0\r\n\r\n").keeps_alive);
    assert!(head("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keeps_alive);
    assert!(!head("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n").keeps_alive);
}

#[test]
fn an_absolute_target_names_a_host() {
    let absolute = head("GET http://h:8/a?b HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(
        (absolute.target.as_str(), absolute.authority.as_ref().expect("a host").as_str()),
        ("/a?b", "h:8")
    );
    assert_eq!(head("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").target.as_str(), "*");
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
        (b"\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n", Refusal::BadRequestLine),
        (b"GET /a\0b HTTP/1.1\r\n", Refusal::BadPath),
        (b"GET /a#b HTTP/1.1\r\n", Refusal::BadPath),
        (b"GET /\xc0\xae HTTP/1.1\r\n", Refusal::BadPath),
        (b"GET / HTTP/2.0\r\n", Refusal::UnsupportedVersion),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refusal::SpeaksHttp2),
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
        let decoder =
            head(&String::from_utf8(with_headers("Transfer-Encoding: chunked")).expect("text")).body;
        assert_eq!(decoder.check(body.as_bytes()), Err(Refusal::BadChunk), "looking ahead: {body:?}");
    }
    let many_trailers = format!("0\r\n{}", "A: b\r\n".repeat(101));
    let long_trailers = format!("0\r\nA: {}", "a".repeat(19 * 1024));
    for body in [
        "1234567890123456\r\n",
        &format!("5;{}", "e".repeat(300)),
        "5;a\0\r\n",
        &many_trailers,
        &long_trailers,
    ] {
        let whole = [with_headers("Transfer-Encoding: chunked"), body.as_bytes().to_vec()].concat();
        assert_eq!(refusal(&whole), Some(Refusal::BadChunk));
    }
    let folded = [with_headers("Transfer-Encoding: chunked"), b"0\r\n A: b\r\n\r\n".to_vec()].concat();
    assert_eq!(refusal(&folded), Some(Refusal::FoldedHeader), "a trailer is a header line");
}

/// Streams that are right up to a place, and then perhaps not.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let head = prop_oneof![
        Just("GET /x?y HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()),
        Just("\r\nPUT / HTTP/1.0\r\nContent-Length: 4\r\n\r\nabcd".to_owned()),
        "[A-Z]{1,5} /[a-z]{0,9} HTTP/1.[01]\r\nHost: x\r\n([A-Za-z-]{1,4}: ?[ -~\t]{0,9}\r?\n){0,3}\r\n",
        "[ -~\r\n]{0,30}",
    ];
    let chunks = "([a-f0-9]{0,3}(;[a-z]{0,3})?(\r\n|\n)?[ -~]{0,20}(\r\n){0,2}){0,3}";
    (prop::collection::vec(head, 0..4), chunks).prop_map(|(heads, chunks)| {
        [heads.concat().into_bytes(), with_headers("Transfer-Encoding: chunked"), chunks.into_bytes()]
            .concat()
    })
}

proptest! {
    #[test]
    fn where_the_bytes_are_cut_changes_nothing(
        whole in streams(),
        cuts in prop::collection::vec(1usize..40, 0..60),
    ) {
        let mut rest = &whole[..];
        let mut pieces = Vec::new();
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        let at_once = read([&whole[..]]);
        prop_assert_eq!(&read(pieces), &at_once);
        prop_assert_eq!(&read(whole.chunks(1)), &at_once);
    }

    #[test]
    fn looking_ahead_at_a_body_tells_what_reading_it_will(body in "([a-f0-9]{0,2}\r?\n[a-z]{0,9}\r?\n?){0,4}") {
        let mut decoder = head(&String::from_utf8(with_headers("Transfer-Encoding: chunked")).expect("text")).body;
        let ahead = decoder.check(body.as_bytes());
        let mut bytes = BytesMut::from(body.as_bytes());
        let read = loop {
            match decoder.decode(&mut bytes, &mut HeaderMap::new()) {
                Ok(Decoded::Data(_)) => {}
                Ok(Decoded::End | Decoded::NeedsMore) => break Ok(()),
                Err(refusal) => break Err(refusal),
            }
        };
        prop_assert_eq!(ahead, read);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        read([&bytes[..]]);
        read([&with_headers("Transfer-Encoding: chunked")[..], &bytes]);
    }
}
