//! Answers that come before the request's body has ended (hostile-input §4.2 line 2).

use pierhead_gateway::design::{EndpointFlows, Flow, Step};

use crate::stage::{Proxy, Stage, Upstream};

/// A proxy whose first step answers: a refused caller, a spent quota, what a cache holds.
async fn staged(kind: &str, xml: &str) -> (Stage, Upstream) {
    let upstream = Upstream::ok().await;
    let steps = vec![Step { policy: "S".into(), ..Step::default() }];
    let flows = EndpointFlows {
        pre: Flow { request: steps.clone(), response: steps, ..Flow::default() },
        ..EndpointFlows::default()
    };
    (Stage::serving([Proxy::new("p", "/", upstream.addr).policy("S", kind, xml, flows)]), upstream)
}

const REFUSED: (&str, &str, u16) =
    ("VerifyAPIKey", "<VerifyAPIKey><APIKey ref=\"request.header.key\"/></VerifyAPIKey>", 401);
const SPENT: (&str, &str, u16) = (
    "Quota",
    "<Quota><Allow count=\"1\"/><Interval>1</Interval><TimeUnit>month</TimeUnit><Distributed>false</Distributed></Quota>",
    429,
);
const CACHED: (&str, &str, u16) = (
    "ResponseCache",
    "<ResponseCache><CacheKey><KeyFragment>k</KeyFragment></CacheKey><ExpirySettings><TimeoutInSeconds>3600</TimeoutInSeconds></ExpirySettings></ResponseCache>",
    200,
);

#[tokio::test]
async fn what_is_left_of_a_body_after_an_early_answer_is_read_or_the_connection_ends() {
    for (kind, xml, status) in [REFUSED, SPENT, CACHED] {
        let (stage, upstream) = staged(kind, xml).await;
        // Spends the quota, fills the cache.
        stage.get("/").await;
        stage.get("/").await;
        let before = upstream.seen().len();

        let mut small = stage.client().await;
        small.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello").await;
        let first = small.answer().await;
        small
            .send("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
            .await;
        let second = small.answer().await;
        let mut large = stage.client().await;
        large.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nbegin").await;
        let last = large.answer().await;
        // What it sends on is no request, and does not overtake the answer with a reset.
        large.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;

        assert_eq!((first.status, first.header("connection")), (status, vec![]), "{kind}");
        assert_eq!((second.status, second.header("connection")), (status, vec![]), "{kind}");
        assert_eq!((last.status, last.header("connection")), (status, vec!["close"]), "{kind}");
        assert!(large.is_closed().await, "{kind}");
        assert_eq!(upstream.seen().len(), before, "{kind}: nothing of it reached the target");
    }
}
