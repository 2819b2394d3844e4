use std::task::Waker;

use http::{HeaderMap, Method};
use proptest::prelude::*;

use super::*;
use crate::body::RequestBody;
use crate::upstream::RequestHead;

/// Takes a few bytes at each second write, and holds them back until it is flushed.
struct Reluctant {
    held: Vec<u8>,
    taken: Vec<u8>,
    each: usize,
    ready: bool,
}

impl AsyncWrite for Reluctant {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.ready = !self.ready;
        if !self.ready {
            return Poll::Pending;
        }
        let count = buf.len().min(self.each);
        self.held.extend_from_slice(&buf[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.ready = !self.ready;
        if !self.ready {
            return Poll::Pending;
        }
        let held = std::mem::take(&mut self.held);
        self.taken.extend_from_slice(&held);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn sent(outbox: &mut Outbox<RequestBody>, body: RequestBody, each: usize) -> String {
    let mut io = Reluctant { held: Vec::new(), taken: Vec::new(), each, ready: false };
    let head = RequestHead {
        method: &Method::PUT,
        target: &http::uri::PathAndQuery::from_static("/"),
        headers: &HeaderMap::new(),
        is_http10: false,
        carries: false,
        upgrades: false,
        takes_trailers: false,
    };
    let length = BodyLength::of(&body);
    outbox.begin(length, |text| {
        head.write("t", length, None, text);
        body
    });
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..10_000 {
        if let Poll::Ready(result) = outbox.poll_send(&mut io, &mut cx) {
            result.expect("sends");
            assert!(outbox.is_empty());
            return String::from_utf8(io.taken).expect("text");
        }
        assert!(!outbox.is_empty());
    }
    panic!("never done");
}

#[test]
fn a_request_without_a_body_is_its_head() {
    let head = "PUT / HTTP/1.1\r\nhost: t\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(sent(&mut Outbox::default(), RequestBody::Empty, 1000), head);
}

proptest! {
    #[test]
    fn however_little_is_taken_at_a_time_the_same_is_sent(each in 1_usize..30, text in "[a-z]{1,80}") {
        let body = || RequestBody::Whole(Bytes::from(text.clone()));
        let expected = format!("PUT / HTTP/1.1\r\nhost: t\r\ncontent-length: {}\r\n\r\n{text}", text.len());
        let mut outbox = Outbox::default();
        prop_assert_eq!(sent(&mut outbox, body(), each), expected.clone());
        prop_assert_eq!(sent(&mut outbox, body(), each), expected, "and again over the same connection");
    }
}
