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
async fn a_script_that_loops_grows_recurses_or_throws_is_the_documented_fault_and_the_next_request_is_served()
{
    let upstream = echo().await;
    let xml = "<Javascript timeLimit='5000'><Source><![CDATA[
        var how = context.getVariable('request.queryparam.how');
        function deeper() { return 1 + deeper(); }
        if (how === 'loop') while (true) {}
        if (how === 'grow') { var all = []; while (true) all.push(new Array(100000).join('grow')); }
        if (how === 'text') { var text = 'x'; while (true) text += text; }
        if (how === 'deep') deeper();
        if (how === 'throw') throw new Error('not today');
    ]]></Source></Javascript>";
    let stage = staged("Javascript", xml, &upstream);
    for how in ["loop", "grow", "text", "deep", "throw"] {
        let failed = stage.get(&format!("/x?how={how}")).await;
        assert_eq!(failed.status, 500, "{how}: {}", failed.text());
        assert!(
            failed.error_code().starts_with("steps.javascript.ScriptExecutionFailed"),
            "{how}: {}",
            failed.text()
        );
        assert_eq!(stage.get("/x").await.text(), "/x", "after {how}");
    }
    assert_eq!(upstream.seen().len(), 5);
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
