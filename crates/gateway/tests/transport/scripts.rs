//! Scripts, callouts and logs on the gateway's own threads.

use pierhead_gateway::design::{EndpointFlows, Flow, Step};
use tokio::net::UdpSocket;

use crate::stage::{Proxy, Stage, Upstream};

/// The policy runs on each request.
fn on_request(policy: &str) -> EndpointFlows {
    let step = Step { policy: policy.into(), ..Step::default() };
    EndpointFlows { pre: Flow { request: vec![step], ..Flow::default() }, ..EndpointFlows::default() }
}

fn staged(kind: &str, xml: &str, upstream: &Upstream) -> Stage {
    Stage::serving([Proxy::new("p", "/", upstream.addr).policy("S", kind, xml, on_request("S"))])
}

/// Answers with the path it was asked for.
async fn echo() -> Upstream {
    Upstream::answering(|seen| {
        let path = seen.request_line().split(' ').nth(1).unwrap_or_default().to_owned();
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{path}", path.len()).into_bytes()
    })
    .await
}

#[tokio::test]
async fn scripts_change_requests_one_after_the_other() {
    let upstream = echo().await;
    let xml = "<Javascript timeLimit='5000'><Source>request.headers['X-Seen'] = typeof leaked; leaked = 1;</Source></Javascript>";
    let stage = staged("Javascript", xml, &upstream);
    for _ in 0..20 {
        assert_eq!(stage.get("/x").await.text(), "/x");
    }
    assert!(upstream.seen().iter().all(|seen| seen.header("x-seen") == ["undefined"]));
}

#[tokio::test]
async fn a_script_that_waits_for_a_call_holds_nobody_else_up() {
    let upstream = echo().await;
    let xml = format!(
        "<Javascript timeLimit='10000'><Source>var call = httpClient.get('http://{}/called');\
         call.waitForComplete(); request.headers['X-Got'] = call.getResponse().content;</Source></Javascript>",
        upstream.addr
    );
    let stage = staged("Javascript", &xml, &upstream);
    let all = futures_util::future::join_all((0..20).map(|_| stage.get("/x"))).await;
    assert!(all.iter().all(|answer| answer.text() == "/x"), "{all:?}");
    let seen = upstream.seen();
    let (called, forwarded): (Vec<_>, Vec<_>) =
        seen.iter().partition(|seen| seen.request_line().starts_with("GET /called"));
    assert_eq!((called.len(), forwarded.len()), (20, 20));
    assert!(forwarded.iter().all(|seen| seen.header("x-got") == ["/called"]));
}

#[tokio::test]
async fn a_service_callout_leaves_over_a_real_connection() {
    let upstream = echo().await;
    let xml = format!(
        "<ServiceCallout><Request><Set><Path>/more</Path></Set></Request><Response>request</Response>\
         <HTTPTargetConnection><URL>http://{}/base?a=1</URL></HTTPTargetConnection></ServiceCallout>",
        upstream.addr
    );
    let stage = staged("ServiceCallout", &xml, &upstream);
    assert_eq!(stage.get("/x").await.text(), "/x");
    assert_eq!(upstream.seen()[1].body, b"/base/more?a=1");
}

#[tokio::test]
async fn a_line_reaches_a_log_server() {
    let (upstream, server) = (echo().await, UdpSocket::bind("127.0.0.1:0").await.expect("a port"));
    let xml = format!(
        "<MessageLogging><Syslog><Message>{{request.path}}</Message><Host>127.0.0.1</Host><Port>{}</Port>\
         <PayloadOnly>true</PayloadOnly></Syslog></MessageLogging>",
        server.local_addr().expect("bound").port()
    );
    let stage = staged("MessageLogging", &xml, &upstream);
    assert_eq!(stage.get("/x").await.text(), "/x");
    let mut line = [0; 100];
    let length = server.recv(&mut line).await.expect("a line");
    assert_eq!(&line[..length], b"/x");
}
