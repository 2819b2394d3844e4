use proptest::prelude::*;

use super::*;

fn read(head: &str, is_head: bool) -> Result<Option<ResponseHead>, BadResponse> {
    assert_eq!(end_of_head(head.as_bytes(), 0)?, Some(head.len()), "{head:?}");
    ResponseHead::read(&Bytes::copy_from_slice(head.as_bytes()), is_head, false)
}

fn final_head(head: &str, is_head: bool) -> ResponseHead {
    read(head, is_head).expect("proper").expect("final")
}

#[test]
fn what_follows_a_head_is_told_by_its_framing() {
    for (head, body, keeps_alive) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Decoder::length(5), true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", Decoder::chunked(), true),
        ("HTTP/1.1 200 OK\r\n\r\n", Decoder::to_close(), false),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n", Decoder::length(5), false),
        (
            "HTTP/1.1 200 OK\r\nConnection: close, keep-alive\r\nContent-Length: 5\r\n\r\n",
            Decoder::length(5),
            false,
        ),
        ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", Decoder::length(5), false),
        ("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\n", Decoder::length(5), true),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", Decoder::ended(), true),
        ("HTTP/1.1 204 No Content\r\n\r\n", Decoder::ended(), true),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", Decoder::ended(), false),
    ] {
        let read = final_head(head, false);
        assert_eq!((read.body, read.keeps_alive), (body, keeps_alive), "{head:?}");
    }
}

#[test]
fn after_a_head_request_the_length_is_a_header_and_no_framing() {
    let read = final_head("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: X-A\r\nX-A: 1\r\n\r\n", true);
    assert_eq!(read.body, Decoder::ended());
    assert_eq!(read.headers.len(), 1);
    assert_eq!(read.headers["content-length"], "5");
}

#[test]
fn carried_headers_are_those_that_would_have_been_read() {
    for head in [
        "HTTP/1.1 200 OK\r\nServer: a\r\nDate: x\r\nContent-Length: 5\r\nX-Request-Id: no\r\nX-B:  b \r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nKeep-Alive: 5\r\nX-A: 2\r\nConnection: keep-alive\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        let bytes = Bytes::copy_from_slice(head.as_bytes());
        let mut read = ResponseHead::read(&bytes, false, false).expect("proper").expect("final");
        let carried = ResponseHead::read(&bytes, false, true).expect("proper").expect("final");
        assert_eq!(
            (carried.status, carried.body, carried.keeps_alive),
            (read.status, read.body, read.keeps_alive)
        );
        assert!(carried.headers.is_empty());
        let carried = carried.carried.expect("carried");
        let lines = carried.lines().flat_map(|lines| lines.split(|&byte| byte == b'\n'));
        let lines: Vec<String> = lines
            .filter_map(|line| std::str::from_utf8(line).expect("text").split_once(':'))
            .map(|(name, value)| format!("{}: {}", name.to_ascii_lowercase(), value.trim()))
            .collect();
        // The name of the request is ours to give.
        read.headers.remove("x-request-id");
        let expected: Vec<String> = read
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().expect("text")))
            .collect();
        assert_eq!(lines, expected, "{head:?}");
        assert_eq!(carried.has_date(), read.headers.contains_key("date"));
    }
}

#[test]
fn what_cannot_be_carried_as_it_came_is_read() {
    for head in [
        "HTTP/1.1 200 OK\r\nConnection: X-A\r\nX-A: 1\r\nX-B: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-A: 1\r\nConnection: X-A\r\nX-B: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-B: 2\n\n",
        "HTTP/1.1 200 OK\r\nA: 1\r\nTE: x\r\nB: 1\r\nTE: x\r\nC: 1\r\nTE: x\r\nD: 1\r\nTE: x\r\nX-B: 2\r\n\r\n",
    ] {
        let read = ResponseHead::read(&Bytes::copy_from_slice(head.as_bytes()), false, true);
        let read = read.expect("proper").expect("final");
        assert!(read.carried.is_none(), "{head:?}");
        assert_eq!(read.headers["x-b"], "2");
        assert!(!read.headers.contains_key("x-a"), "{head:?}");
    }
}

#[test]
fn heads_that_can_be_read_in_two_ways_are_refused() {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000000000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n Content-Length: 5\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 99 Low\r\n\r\n",
        "HTTP/1.2 200 OK\r\n\r\n",
    ] {
        assert!(read(head, false).is_err(), "{head:?}");
    }
    for begin in ["\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/2 200\r\n\r\n", "ICY 200 OK\r\n\r\n", "x"] {
        assert!(end_of_head(begin.as_bytes(), 0).is_err(), "{begin:?}");
    }
}

#[test]
fn interim_responses_are_passed_over() {
    assert!(read("HTTP/1.1 100 Continue\r\n\r\n", false).expect("proper").is_none());
    assert!(read("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", false).expect("proper").is_none());
}

#[test]
fn a_reason_of_the_targets_own_is_kept() {
    assert_eq!(final_head("HTTP/1.1 200 OK\r\n\r\n", false).reason, None);
    assert_eq!(final_head("HTTP/1.1 200 Fine\r\n\r\n", false).reason.as_deref(), Some("Fine"));
}

#[test]
fn more_headers_than_a_client_may_send_are_refused() {
    let head = |count| format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(count));
    assert_eq!(final_head(&head(100), false).headers.get_all("x").iter().count(), 100);
    assert!(read(&head(101), false).is_err());
}

proptest! {
    #[test]
    fn the_end_is_found_however_the_head_arrives(
        lines in prop::collection::vec("[A-Za-z-]{1,8}: [ -~]{0,12}", 0..6),
        step in 1_usize..9,
    ) {
        let head = format!("HTTP/1.1 200 OK\r\n{}\r\nbody\r\n\r\n", lines.iter().map(|line| format!("{line}\r\n")).collect::<String>());
        let end = head.len() - 8;
        let mut scanned = 0;
        for arrived in (step..head.len()).step_by(step).chain([head.len()]) {
            let found = end_of_head(&head.as_bytes()[..arrived], scanned).expect("begins like a head");
            if found.is_some() || arrived == head.len() {
                prop_assert_eq!(found, Some(end));
                break;
            }
            prop_assert!(arrived < end);
            scanned = arrived.saturating_sub(3);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(rest in prop::collection::vec(any::<u8>(), 0..120), is_head: bool) {
        let bytes = [&b"HTTP/1.1 200 OK\r\n"[..], &rest, b"\r\n\r\n"].concat();
        if let Ok(Some(end)) = end_of_head(&bytes, 0) {
            let _ = ResponseHead::read(&Bytes::copy_from_slice(&bytes[..end]), is_head, false);
        }
    }
}
