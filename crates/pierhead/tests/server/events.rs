//! Server-sent events through the whole server: one by one, and a client that leaves is felt at the target.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::Method;
use pierhead_testkit::Pierhead;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

const PATIENCE: Duration = Duration::from_secs(60);

/// A target that sends an event for each permit, until it is left.
async fn ticking() -> (u16, Arc<Semaphore>, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (permits, is_left) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicBool::new(false)));
    let (gate, left) = (Arc::clone(&permits), Arc::clone(&is_left));
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut request).await.unwrap();
        }
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        for number in 1.. {
            tokio::select! {
                permit = gate.acquire() => permit.unwrap().forget(),
                _ = stream.read_buf(&mut request) => break,
            }
            let event = format!("id: {number}\ndata: tick {number}\n\n");
            let chunk = format!("{:x}\r\n{event}\r\n", event.len());
            if stream.write_all(chunk.as_bytes()).await.is_err() {
                break;
            }
        }
        left.store(true, Ordering::SeqCst);
    });
    (port, permits, is_left)
}

#[tokio::test]
async fn events_arrive_one_by_one_and_a_client_that_leaves_closes_the_target() {
    let (port, permits, is_left) = ticking().await;
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let provider = json!({
        "name": "net", "title": "net", "destType": "Internet", "host": "127.0.0.1", "port": port, "useSSL": false,
    });
    admin.manage(Method::POST, "/APIProviders", Some(&provider)).await.expect_status(201);
    let proxy = json!({
        "name": "Ticks", "title": "Ticks", "service_code": "REST", "provider_name": "net",
        "proxyEndPoints": [{"name": "default", "isDefault": true, "base_path": "/ticks"}],
        "targetEndPoints": [{"name": "default", "provider_id": "net", "relativePath": "/"}],
    });
    admin.manage(Method::POST, "/APIProxies", Some(&proxy)).await.expect_status(201);
    admin.deploy("Ticks").await;
    let address = pierhead.gateway("").trim_start_matches("http://").to_owned();
    let mut client = TcpStream::connect(&address).await.unwrap();
    let request = format!("GET /ticks HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();

    let mut came = Vec::new();
    for number in 1..=3 {
        // The next event is made only when this one has arrived.
        permits.add_permits(1);
        let event = format!("id: {number}\ndata: tick {number}\n\n");
        let arriving = async {
            while !String::from_utf8_lossy(&came).contains(&event) {
                assert!(client.read_buf(&mut came).await.unwrap() > 0, "it has ended");
            }
        };
        tokio::time::timeout(PATIENCE, arriving).await.expect("the event arrives");
    }
    assert!(!is_left.load(Ordering::SeqCst));
    drop(client);

    let leaving = async {
        while !is_left.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, leaving).await.expect("the target is closed");
}
