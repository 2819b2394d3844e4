//! What passes between client and target, and what ends at the gateway.

use crate::stage::{Proxy, Stage, Upstream};

#[tokio::test]
async fn the_target_sees_its_own_host_and_the_clients_other_headers() {
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);

    let answer = stage
        .exchange("GET /a%20b?c=d&e HTTP/1.1\r\nHost: api.test\r\nAccept: text/plain\r\nX-Two: 1\r\nX-Two: 2\r\nAuthorization: Bearer t\r\n\r\n")
        .await;

    assert_eq!(answer.status, 200);
    let seen = &upstream.seen()[0];
    assert_eq!(seen.request_line(), "GET /a%20b?c=d&e HTTP/1.1");
    assert_eq!(seen.header("host"), [upstream.addr.to_string()]);
    assert_eq!(seen.header("accept"), ["text/plain"]);
    assert_eq!(seen.header("x-two"), ["1", "2"]);
    assert_eq!(seen.header("authorization"), ["Bearer t"]);
    assert!(seen.header("x-forwarded-for").is_empty());
}

#[tokio::test]
async fn hop_by_hop_headers_end_here_on_both_sides() {
    let upstream = Upstream::answering(|_| {
        b"HTTP/1.1 200 OK\r\nConnection: X-Internal, keep-alive\r\nX-Internal: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nTrailer: X\r\nUpgrade: h2c\r\nX-Kept: yes\r\nContent-Length: 2\r\n\r\nok".to_vec()
    })
    .await;
    let stage = Stage::towards(&upstream);

    let answer = stage
        .exchange("POST / HTTP/1.1\r\nHost: x\r\nConnection: X-Mine, Authorization, TE\r\nX-Mine: 1\r\nAuthorization: Basic x\r\nTE: trailers\r\nTrailer: X\r\nKeep-Alive: 1\r\nProxy-Authorization: Basic y\r\nProxy-Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: trailer\r\n\r\n")
        .await;

    let seen = &upstream.seen()[0];
    for gone in ["x-mine", "keep-alive", "proxy-authorization", "proxy-connection", "upgrade", "x"] {
        assert!(seen.header(gone).is_empty(), "{gone}: {}", seen.head);
    }
    // What follows bodies was asked for and announced: this hop says so itself.
    assert_eq!((seen.header("connection"), seen.header("te")), (vec!["te"], vec!["trailers"]));
    assert_eq!((seen.header("trailer"), seen.trailers.as_str()), (vec!["x"], "x: trailer\r\n"));
    assert_eq!(seen.header("authorization"), ["Basic x"], "identity cannot be nominated away");
    assert_eq!(seen.body, b"hi");
    for gone in ["connection", "x-internal", "keep-alive", "proxy-authenticate", "trailer", "upgrade"] {
        assert!(answer.header(gone).is_empty(), "{gone}: {}", answer.head);
    }
    assert_eq!(answer.header("x-kept"), ["yes"]);
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
}

#[tokio::test]
async fn framing_is_rebuilt_never_forwarded() {
    let upstream = Upstream::answering(|seen| {
        if seen.request_line().contains("chunked") {
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n".to_vec()
        } else {
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()
        }
    })
    .await;
    let stage = Stage::towards(&upstream);

    let chunked = stage.get("/chunked").await;
    let sized = stage.exchange("PUT /sized HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc").await;

    assert_eq!(
        (chunked.header("transfer-encoding"), chunked.header("content-length")),
        (vec!["chunked"], vec![])
    );
    assert_eq!((sized.header("transfer-encoding"), sized.header("content-length")), (vec![], vec!["2"]));
    let seen = upstream.seen();
    assert!(seen[0].header("content-length").is_empty() && seen[0].header("transfer-encoding").is_empty());
    assert_eq!(seen[1].header("content-length"), ["3"]);
    assert_eq!(seen[1].body, b"abc");
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let upstream =
        Upstream::answering(|_| b"HTTP/1.1 204 No Content\r\nX-Request-Id: spoofed\r\n\r\n".to_vec()).await;
    let stage = Stage::serving([Proxy::new("p", "/api", upstream.addr)]);
    let mut ids = std::collections::HashSet::new();
    for path in ["/api", "/api", "/nowhere", "/api/../x"] {
        let answer = stage.get(path).await;
        let id = answer.header("x-request-id");
        assert_eq!(id.len(), 1, "{path}");
        assert!(id[0].len() == 24 && id[0].bytes().all(|byte| byte.is_ascii_hexdigit()), "{id:?}");
        assert!(ids.insert(id[0].to_owned()));
    }
}

#[tokio::test]
async fn the_client_is_named_when_the_proxy_says_so() {
    let upstream = Upstream::ok().await;
    let stage = Stage::serving([Proxy::new("p", "/", upstream.addr).property("X-Forwarded-For", "true")]);

    stage.exchange("GET / HTTP/1.1\r\nHost: api.test\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n\r\n").await;

    let seen = &upstream.seen()[0];
    assert_eq!(seen.header("x-forwarded-for"), ["1.2.3.4, 127.0.0.1"]);
    assert_eq!(seen.header("x-forwarded-proto"), ["http"]);
    assert_eq!(seen.header("x-forwarded-host"), ["api.test"]);
}

#[tokio::test]
async fn too_many_nominated_headers_are_refused() {
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);
    let answer =
        stage.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: a,b,c,d,e,f,g,h,i,j,k\r\n\r\n").await;
    assert_eq!(answer.status, 400);
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn continue_is_sent_by_us_once_the_body_is_wanted() {
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);
    let mut client = stage.client().await;

    client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 100);
    client.send("hello").await;

    assert_eq!(client.answer().await.status, 200);
    let seen = &upstream.seen()[0];
    assert_eq!(seen.body, b"hello");
    assert!(seen.header("expect").is_empty());
}

#[tokio::test]
async fn a_refused_request_is_not_told_to_continue() {
    let upstream = Upstream::ok().await;
    let stage = Stage::serving([Proxy::new("p", "/api", upstream.addr)]);
    let request = "PUT /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    assert_eq!(stage.exchange(request).await.status, 404);
    let odd = "PUT /api HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: something\r\n\r\nhello";
    assert_eq!(stage.exchange(odd).await.status, 400);
}

#[tokio::test]
async fn ten_headers_may_be_nominated_over_all_lines_and_who_somebody_is_never() {
    let upstream = Upstream::ok().await;
    let stage = Stage::towards(&upstream);
    let identity = [
        "Authorization: User u, Organization o, Element e",
        "Cookie: a=b",
        "X-Api-Key: k",
        "X-Forwarded-For: 192.0.2.1",
        "Forwarded: for=192.0.2.1",
    ];
    let names: Vec<&str> = identity.iter().filter_map(|line| line.split(':').next()).collect();
    let request = |extra: &str| {
        format!(
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: {}\r\nConnection: x-1, x-2, x-3, x-4, x-5{extra}\r\n{}\r\nX-1: 1\r\n\r\n",
            names.join(", "),
            identity.join("\r\n")
        )
    };

    let ten = stage.exchange(request("")).await;
    let eleven = stage.exchange(request(", x-6")).await;

    assert_eq!((ten.status, eleven.status), (200, 400));
    let seen = upstream.seen();
    assert_eq!(seen.len(), 1);
    for line in identity {
        let (name, value) = line.split_once(": ").expect("a header");
        assert_eq!(seen[0].header(name), [value]);
    }
    assert!(seen[0].header("x-1").is_empty());
}
