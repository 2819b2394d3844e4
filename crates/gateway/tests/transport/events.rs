//! Server-sent events: each as soon as it comes, and through the steps that a design has for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pierhead_gateway::design::{EndpointFlows, EventFlow, FaultRule, Flow, Step};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::sync::Semaphore;

use crate::stage::{Answer, Client, Proxy, Stage, Upstream, eventually, read_head};

/// A target that sends an event for each permit, and notes when it is left.
async fn ticking() -> (Upstream, Arc<Semaphore>, Arc<AtomicBool>) {
    let (permits, is_left) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicBool::new(false)));
    let (gate, left) = (Arc::clone(&permits), Arc::clone(&is_left));
    let upstream = Upstream::handling(move |mut stream, _| {
        let (gate, left) = (Arc::clone(&gate), Arc::clone(&left));
        async move {
            let mut buffer = Vec::new();
            let _ = read_head(&mut stream, &mut buffer).await;
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
            let _ = stream.write_all(head.as_bytes()).await;
            for number in 1.. {
                tokio::select! {
                    permit = gate.acquire() => permit.expect("open").forget(),
                    _ = stream.read_buf(&mut buffer) => break,
                }
                let event = format!("data: {number}\n\n");
                let chunk = format!("{:x}\r\n{event}\r\n", event.len());
                if stream.write_all(chunk.as_bytes()).await.is_err() {
                    break;
                }
            }
            left.store(true, Ordering::SeqCst);
        }
    })
    .await;
    (upstream, permits, is_left)
}

/// Reads until the text has come.
async fn read_until(client: &mut Client, text: &str) {
    let reading = async {
        while !String::from_utf8_lossy(&client.buffer).contains(text) {
            assert!(client.stream.read_buf(&mut client.buffer).await.expect("reads") > 0, "it has ended");
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), reading).await.expect("in time");
}

fn flow(steps: &[(&str, &str)]) -> EventFlow {
    let step = |(policy, condition): &(&str, &str)| Step {
        policy: (*policy).into(),
        condition: (*condition).into(),
    };
    EventFlow {
        name: "EventFlow".into(),
        content_type: "text/event-stream".into(),
        response: steps.iter().map(step).collect(),
    }
}

fn script(text: &str) -> String {
    format!("<Javascript timeLimit=\"5000\"><Source><![CDATA[{text}]]></Source></Javascript>")
}

/// One script for each event.
fn scripted(proxy: Proxy, text: &str) -> Proxy {
    let flows = EndpointFlows { event: Some(flow(&[("JS", "")])), ..EndpointFlows::default() };
    proxy.target_policy("JS", "Javascript", &script(text), flows)
}

/// A target that answers with these events.
async fn sending(events: &'static [u8], more: &'static str) -> Upstream {
    Upstream::answering(move |_| {
        let length = events.len();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nContent-Length: {length}\r\n{more}\r\n");
        [head.as_bytes(), events].concat()
    })
    .await
}

async fn told(upstream: &Upstream, text: &str) -> Answer {
    Stage::serving([scripted(Proxy::new("p", "/", upstream.addr), text)]).get("/").await
}

#[tokio::test]
async fn events_come_one_by_one_and_who_leaves_closes_the_target() {
    for steps in [
        "",
        "context.setVariable('response.event.current.content', 'data: <' + context.getVariable('response.event.current.data') + '>');",
    ] {
        let (upstream, permits, is_left) = ticking().await;
        let proxy = Proxy::new("p", "/", upstream.addr);
        let stage = Stage::serving([if steps.is_empty() { proxy } else { scripted(proxy, steps) }]);
        let mut client = stage.client().await;
        client.send("GET / HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n").await;

        for number in 1..=3 {
            // Nothing of the next one is sent before this one has come.
            permits.add_permits(1);
            let event = if steps.is_empty() {
                format!("data: {number}\n\n")
            } else {
                format!("data: <{number}>\n\n")
            };
            read_until(&mut client, &event).await;
        }
        assert!(!is_left.load(Ordering::SeqCst));
        drop(client);

        eventually("the target is closed", || is_left.load(Ordering::SeqCst)).await;
    }
}

#[tokio::test]
async fn steps_change_and_drop_events_and_leave_the_rest_as_it_came() {
    let upstream =
        sending(b"event: a\r\ndata: 1\r\n\r\n: still here\n\ndata: 2\n\ndata: 3\n\nid: 4", "").await;

    let answer = told(
        &upstream,
        "var n = context.getVariable('response.event.current.count');
         var d = context.getVariable('response.event.current.data');
         if (d == '2') { context.setVariable('response.event.current.content', ''); }
         if (d == '3') { context.setVariable('response.event.current.content', JSON.stringify({n: n, d: d})); }",
    )
    .await;

    assert_eq!(
        answer.text(),
        "event: a\r\ndata: 1\r\n\r\n: still here\n\ndata: {\"n\":3,\"d\":\"3\"}\n\nid: 4"
    );
    assert_eq!((answer.status, answer.header("transfer-encoding")), (200, vec!["chunked"]));
    assert!(upstream.seen()[0].header("accept-encoding").is_empty());
}

#[tokio::test]
async fn a_fault_ends_the_stream_and_its_rules_see_it() {
    let upstream = sending(b"data: 1\n\ndata: bad\n\ndata: 3\n\n", "").await;
    let log = UdpSocket::bind("127.0.0.1:0").await.expect("binds");
    let line = format!(
        "<MessageLogging><Syslog><Message>{{fault.name}} {{response.event.current.data}} {{response.header.content-type}}</Message>\
         <Host>127.0.0.1</Host><Port>{}</Port><PayloadOnly>true</PayloadOnly></Syslog></MessageLogging>",
        log.local_addr().expect("bound").port()
    );
    let steps = vec![Step { policy: "ML".into(), ..Step::default() }];
    let flows = EndpointFlows {
        event: Some(flow(&[("RF", "response.event.current.data = \"bad\"")])),
        fault_rules: vec![FaultRule { steps, ..FaultRule::default() }],
        ..EndpointFlows::default()
    };
    let proxy = Proxy::new("p", "/", upstream.addr)
        .target_policy("ML", "MessageLogging", &line, EndpointFlows::default())
        .target_policy("RF", "RaiseFault", "<RaiseFault/>", flows);
    let stage = Stage::serving([proxy]);

    let answer = stage.get("/").await;
    let mut logged = [0; 200];
    let receiving = tokio::time::timeout(std::time::Duration::from_secs(60), log.recv(&mut logged));
    let length = receiving.await.expect("in time").expect("a line");

    assert_eq!((answer.status, answer.text().as_str()), (200, "data: 1\n\n"));
    assert_eq!(&logged[..length], b"RaiseFault bad text/event-stream; charset=utf-8");
}

#[tokio::test]
async fn events_that_a_step_holds_in_memory_run_through_their_steps_too() {
    let upstream = sending(b"data: 1\n\ndata: 2\n\n", "").await;
    let xml = r#"<AssignMessage name="AM"><Set><Payload contentType="text/event-stream">{response.content}</Payload></Set></AssignMessage>"#;
    let double = "context.setVariable('response.event.current.content', 'data: ' + 2 * context.getVariable('response.event.current.data'));";
    let steps = vec![Step { policy: "AM".into(), ..Step::default() }];
    let flows = EndpointFlows {
        post: Flow { response: steps, ..Flow::default() },
        event: Some(flow(&[("JS", "")])),
        ..EndpointFlows::default()
    };
    let proxy = Proxy::new("p", "/", upstream.addr)
        .target_policy("AM", "AssignMessage", xml, EndpointFlows::default())
        .target_policy("JS", "Javascript", &script(double), flows);

    let answer = Stage::serving([proxy]).get("/").await;

    assert_eq!(
        (answer.text().as_str(), answer.header("content-length")),
        ("data: 2\n\ndata: 4\n\n", vec!["18"])
    );
}

#[tokio::test]
async fn answers_that_are_no_events_and_packed_ones_that_nobody_unpacks() {
    let plain = Upstream::ok().await;
    assert_eq!(told(&plain, "throw 'never';").await.text(), "ok");

    let packed = sending(b"data: 1\n\n", "Content-Encoding: br\r\n").await;
    let answer = told(&packed, "1;").await;
    assert_eq!(answer.status, 502, "unread they would be unchecked");
}

#[tokio::test]
async fn steps_after_the_answer_follow_its_last_event() {
    let upstream = sending(b"data: 1\n\ndata: 2\n\n", "").await;
    let log = UdpSocket::bind("127.0.0.1:0").await.expect("binds");
    let line = format!(
        "<MessageLogging><Syslog><Message>{{response.event.current.count}} {{seen}}</Message>\
         <Host>127.0.0.1</Host><Port>{}</Port><PayloadOnly>true</PayloadOnly></Syslog></MessageLogging>",
        log.local_addr().expect("bound").port()
    );
    let collect = "var all = context.getVariable('seen') || '';
        context.setVariable('seen', all + context.getVariable('response.event.current.data'));";
    let after = vec![Step { policy: "ML".into(), ..Step::default() }];
    let proxy = scripted(Proxy::new("p", "/", upstream.addr), collect).policy(
        "ML",
        "MessageLogging",
        &line,
        EndpointFlows { post_client: after, ..EndpointFlows::default() },
    );
    let stage = Stage::serving([proxy]);

    assert_eq!(stage.get("/").await.text(), "data: 1\n\ndata: 2\n\n");
    let mut logged = [0; 100];
    let receiving = tokio::time::timeout(std::time::Duration::from_secs(60), log.recv(&mut logged));
    let length = receiving.await.expect("in time").expect("a line");

    assert_eq!(&logged[..length], b"2 12");
}
