//! Whoever holds connections without using them is sent away.

use std::time::{Duration, Instant};

use pierhead_testkit::Pierhead;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Both listeners give a client ten seconds for a request's head.
const LONGEST: Duration = Duration::from_secs(40);

/// Says `said`, then nothing; gives how long it took until the server hung up.
async fn hung_up_after(url: String, said: &str) -> Option<Duration> {
    let address = url.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(said.as_bytes()).await.unwrap();
    let begun = Instant::now();
    let mut all = Vec::new();
    let end = tokio::time::timeout(LONGEST, stream.read_to_end(&mut all)).await;
    end.is_ok().then(|| begun.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_and_half_spoken_connections_do_not_stay() {
    let pierhead = Pierhead::start().await;
    let whole = "GET /healthz HTTP/1.1\r\nHost: server\r\n\r\n";
    let mut waiting = Vec::new();
    for said in
        ["", "P", "PRI * HTTP/2.0\r\n\r\nSM", "GET /heal", "GET /healthz HTTP/1.1\r\nHost: s\r\nX-A: ", whole]
    {
        for url in [pierhead.control(""), pierhead.gateway("")] {
            // The gateway lets an idle client that asked before stay longer.
            if said == whole && url == pierhead.gateway("") {
                continue;
            }
            waiting.push(async move { (hung_up_after(url.clone(), said).await, said, url) });
        }
    }
    for (after, said, url) in futures_util::future::join_all(waiting).await {
        assert!(after.is_some(), "after {said:?} the connection to {url} stays");
    }
}
