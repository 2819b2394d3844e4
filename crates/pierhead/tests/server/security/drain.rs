//! Stopping in order, and changing what is served, with the real program (hostile-input §4.2 line 11).

use std::time::Duration;

use http::Method;
use pierhead_testkit::{Admin, Pierhead};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::process::{Home, Process};

const PATIENCE: Duration = Duration::from_secs(60);

/// Serves `/x`, with an event stream behind it.
async fn publish(admin: &Admin, port: u16) {
    let provider = json!({
        "name": "net", "title": "net", "destType": "Internet", "host": "127.0.0.1", "port": port, "useSSL": false,
    });
    admin.manage(Method::POST, "/APIProviders", Some(&provider)).await.expect_status(201);
    let proxy = json!({
        "name": "X", "title": "X", "service_code": "REST", "provider_name": "net",
        "proxyEndPoints": [{"name": "default", "isDefault": true, "base_path": "/x"}],
        "targetEndPoints": [{"name": "default", "provider_id": "net", "relativePath": "/"}],
    });
    admin.manage(Method::POST, "/APIProxies", Some(&proxy)).await.expect_status(201);
    admin.deploy("X").await;
}

/// A target whose answers are event streams: each is told to the test, which sends the events; dropping the sender
/// ends the stream. `/plain` is answered at once.
async fn events() -> (u16, UnboundedReceiver<UnboundedSender<&'static str>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (opened, streams) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, opened.clone()));
        }
    });
    (port, streams)
}

async fn answer(mut stream: TcpStream, opened: UnboundedSender<UnboundedSender<&'static str>>) {
    while let Some(head) = head_of(&mut stream).await {
        if head.starts_with("GET /plain") {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            continue;
        }
        let (send, mut events) = unbounded_channel();
        let start =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        let _ = stream.write_all(start.as_bytes()).await;
        let _ = opened.send(send);
        while let Some(event) = events.recv().await {
            let event = format!("data: {event}\n\n");
            let _ = stream.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).await;
        }
        let _ = stream.write_all(b"0\r\n\r\n").await;
    }
}

/// A head, byte by byte: nothing that follows it is taken.
async fn head_of(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

async fn asking(address: &str, path: &str) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    ask(&mut client, path).await;
    client
}

async fn ask(client: &mut TcpStream, path: &str) {
    client.write_all(format!("GET {path} HTTP/1.1\r\nHost: server\r\n\r\n").as_bytes()).await.unwrap();
}

/// Everything up to and with `last`; the connection must not end before.
async fn read_until(client: &mut TcpStream, last: &str) -> String {
    let mut seen = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&seen).contains(last) {
            seen.push(client.read_u8().await.unwrap_or_else(|why| {
                panic!("no {last:?}, but {why}: {:?}", String::from_utf8_lossy(&seen))
            }));
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("no {last:?}"));
    String::from_utf8_lossy(&seen).into_owned()
}

async fn ended(client: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let reading = client.read_to_end(&mut rest);
    // A connection that is cut may be reset.
    let _ = tokio::time::timeout(PATIENCE, reading).await.expect("the connection ends");
    rest
}

/// Where a URL's server listens.
fn address(url: &str) -> String {
    url.trim_start_matches("http://").split('/').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_takes_no_more_and_lets_what_runs_end() {
    let home = Home::embedded();
    let process = Process::start_draining(&home, 600);
    let (port, mut streams) = events().await;
    publish(&process.admin().await, port).await;
    let gateway = address(&process.gateway("/"));
    let mut idle = asking(&gateway, "/x/plain").await;
    read_until(&mut idle, "ok").await;
    let mut running = asking(&gateway, "/x/events").await;
    let stream = streams.recv().await.unwrap();
    stream.send("before").unwrap();
    read_until(&mut running, "data: before\n\n").await;

    process.terminate();

    assert!(ended(&mut idle).await.is_empty(), "an idle connection is closed without a word");
    while TcpStream::connect(&gateway).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stream.send("after").unwrap();
    read_until(&mut running, "data: after\n\n").await;
    drop(stream);
    assert!(
        ended(&mut running).await.ends_with(b"0\r\n\r\n"),
        "the stream ends in order, and its connection"
    );
    assert!(process.exited().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_runs_at_the_deadline_is_cut() {
    let home = Home::embedded();
    let process = Process::start_draining(&home, 1);
    let (port, mut streams) = events().await;
    publish(&process.admin().await, port).await;
    let mut running = asking(&address(&process.gateway("/")), "/x/events").await;
    let stream = streams.recv().await.unwrap();
    stream.send("only").unwrap();
    read_until(&mut running, "data: only\n\n").await;

    process.terminate();

    let rest = ended(&mut running).await;
    assert!(!rest.ends_with(b"0\r\n\r\n"), "cut, never ended: {:?}", String::from_utf8_lossy(&rest));
    assert!(process.exited().await.success());
    drop(stream);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_what_is_served_closes_no_connection() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let (port, mut streams) = events().await;
    publish(&admin, port).await;
    let gateway = address(&pierhead.gateway("/"));
    let mut kept = asking(&gateway, "/x/plain").await;
    read_until(&mut kept, "ok").await;
    let mut running = asking(&gateway, "/x/events").await;
    let stream = streams.recv().await.unwrap();
    stream.send("one").unwrap();
    read_until(&mut running, "data: one\n\n").await;

    let moved = json!({"base_path": "/moved"});
    let merge = Method::from_bytes(b"MERGE").unwrap();
    admin.manage(merge, "/APIProxyEndPoints('X:proxy:default')", Some(&moved)).await.expect_status(204);
    admin.deploy("X").await;

    stream.send("two").unwrap();
    read_until(&mut running, "data: two\n\n").await;
    ask(&mut kept, "/x/plain").await;
    assert!(read_until(&mut kept, "ApplicationNotFound").await.starts_with("HTTP/1.1 404"));
    read_until(&mut kept, "}").await;
    let mut rest = [0; 2];
    kept.read_exact(&mut rest).await.unwrap();
    assert_eq!(&rest, b"}}");
    ask(&mut kept, "/moved/plain").await;
    assert!(read_until(&mut kept, "ok").await.contains("HTTP/1.1 200"));
    drop(stream);
    read_until(&mut running, "0\r\n\r\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_while_the_gateway_is_full() {
    let pierhead = Pierhead::start_with(vec![("gateway.max_connections", 1.into())]).await;
    let gateway = address(&pierhead.gateway("/"));
    let mut first = asking(&gateway, "/nowhere").await;
    read_until(&mut first, "ApplicationNotFound").await;

    let mut second = TcpStream::connect(&gateway).await.unwrap();
    let refused = String::from_utf8(ended(&mut second).await).unwrap();

    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.to_ascii_lowercase().contains("retry-after: 1\r\n"), "{refused}");
    for path in ["/healthz", "/readyz", "/metrics"] {
        pierhead.client.get(pierhead.control(path)).await.expect_status(200);
    }
    drop(first);
}
