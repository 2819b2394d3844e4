use proptest::prelude::*;

use super::*;

fn read(head: &str, is_head: bool) -> Result<Option<ResponseHead>, BadResponse> {
    assert_eq!(end_of_head(head.as_bytes(), 0)?, Some(head.len()), "{head:?}");
    ResponseHead::read(&Bytes::copy_from_slice(head.as_bytes()), is_head)
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
            let _ = ResponseHead::read(&Bytes::copy_from_slice(&bytes[..end]), is_head);
        }
    }
}
