use std::future::poll_fn;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response};
use tokio::net::TcpListener;
use tokio::task::LocalSet;

use crate::body::RequestBody;
use crate::compile::{Endpoint, Http2, TargetTimeouts};
use crate::counters::ThreadCounters;
use crate::limits::Limits;
use crate::server::Watch;
use crate::upstream::{RequestHead, Upstreams};

/// Sends `part`, then a trailer.
async fn target(listener: TcpListener, part: &'static [u8]) {
    let (stream, _) = listener.accept().await.expect("accepts");
    let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        let mut stream = respond.send_response(Response::new(()), false).expect("answers");
        if !part.is_empty() {
            stream.send_data(Bytes::from_static(part), false).expect("sends");
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        stream.send_trailers(trailers).expect("ends");
    }
}

#[tokio::test]
async fn trailers_follow_the_body() {
    for part in [&b"data"[..], b""] {
        let local = LocalSet::new();
        local
            .run_until(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
                let port = listener.local_addr().expect("bound").port();
                tokio::task::spawn_local(target(listener, part));
                let upstreams =
                    Upstreams::new(&Limits::default(), Arc::new(ThreadCounters::default()), &[], None);
                let to = Endpoint { http2: Http2::Only, ..Endpoint::new(false, "127.0.0.1", port) };
                let (method, path, headers) = (Method::GET, "/".parse().expect("a path"), HeaderMap::new());
                let head = RequestHead {
                    method: &method,
                    target: &path,
                    headers: &headers,
                    is_http10: false,
                    carries: false,
                    upgrades: false,
                    takes_trailers: false,
                };
                let watch = Watch::new(Instant::now());

                let (head, mut carrier) = upstreams
                    .send(&to, TargetTimeouts::default(), &head, &mut RequestBody::Empty, &watch)
                    .await
                    .expect("an answer");
                let (mut data, mut trailers) = (Vec::new(), None);
                while let Some(frame) = poll_fn(|cx| carrier.poll_frame(cx)).await {
                    match frame.expect("whole").into_data() {
                        Ok(part) => data.extend_from_slice(&part),
                        Err(frame) => trailers = frame.into_trailers().ok(),
                    }
                }

                assert_eq!((head.status.as_u16(), data.as_slice()), (200, part));
                assert_eq!(trailers.expect("trailers")["grpc-status"], "0");
                assert!(carrier.is_response_over());
            })
            .await;
    }
}
