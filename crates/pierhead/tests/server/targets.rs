//! Targets that are not there, do not answer or break off: faults in the original's format.

use std::time::Duration;

use http::Method;
use pierhead_testkit::{Admin, Answer, Pierhead};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// An Internet provider at `port` of this machine and a deployed proxy at `/x`, with properties of the target.
async fn publish(admin: &Admin, port: u16, properties: &[(&str, &str)]) {
    let provider = json!({
        "name": "net", "title": "net", "destType": "Internet", "host": "127.0.0.1", "port": port, "useSSL": false,
    });
    admin.manage(Method::POST, "/APIProviders", Some(&provider)).await.expect_status(201);
    let properties: Vec<_> =
        properties.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let proxy = json!({
        "name": "X", "title": "X", "service_code": "REST", "provider_name": "net",
        "proxyEndPoints": [{"name": "default", "isDefault": true, "base_path": "/x"}],
        "targetEndPoints": [{
            "name": "default", "provider_id": "net", "relativePath": "/", "properties": properties,
        }],
    });
    admin.manage(Method::POST, "/APIProxies", Some(&proxy)).await.expect_status(201);
    admin.deploy("X").await;
}

#[track_caller]
fn assert_fault(answer: Answer, status: u16, code: &str) {
    let answer = answer.expect_status(status);
    assert_eq!(answer.header("content-type"), "application/json");
    let fault = answer.json();
    assert_eq!(fault["fault"]["detail"]["errorcode"], code, "{fault}");
    assert!(!fault["fault"]["faultstring"].as_str().unwrap().is_empty(), "{fault}");
}

async fn dead_port() -> u16 {
    // Bound and let go: nobody listens there now.
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

const UNAVAILABLE: &str = "messaging.adaptors.http.flow.ServiceUnavailable";

#[tokio::test]
async fn a_provider_that_refuses_connections_is_503() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    publish(&admin, dead_port().await, &[]).await;

    assert_fault(pierhead.client.get(pierhead.gateway("/x/a")).await, 503, UNAVAILABLE);
}

#[tokio::test]
async fn a_provider_whose_name_nobody_knows_is_503() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    publish(&admin, 9, &[]).await;
    let change = json!({"host": "nobody.invalid"});
    admin.manage(Method::PATCH, "/APIProviders('net')", Some(&change)).await.expect_status(204);

    assert_fault(pierhead.client.get(pierhead.gateway("/x/a")).await, 503, UNAVAILABLE);
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_is_503() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Fills the queue of connections that nobody accepts, until the system lets the next one wait.
    let mut queued = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
    {
        queued.push(stream);
        assert!(queued.len() < 50, "the queue never fills");
    }
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    publish(&admin, address.port(), &[("connect.timeout.millis", "200"), ("io.timeout.millis", "30000")])
        .await;

    assert_fault(pierhead.client.get(pierhead.gateway("/x/a")).await, 503, UNAVAILABLE);
}

#[tokio::test]
async fn a_provider_that_stays_silent_is_504() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    publish(&admin, silent.local_addr().unwrap().port(), &[("io.timeout.millis", "200")]).await;

    let answer = pierhead.client.get(pierhead.gateway("/x/a")).await;

    assert_fault(answer, 504, "messaging.adaptors.http.flow.GatewayTimeout");
    assert!(silent.accept().await.is_ok(), "the provider was reached");
}

#[tokio::test]
async fn a_provider_that_hangs_up_is_502() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let hangs_up = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await;
        }
    });
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    publish(&admin, port, &[]).await;

    let answer = pierhead.client.get(pierhead.gateway("/x/a")).await;

    assert_fault(answer, 502, "messaging.adaptors.http.flow.UnexpectedEOFAtTarget");
    hangs_up.abort();
}

#[tokio::test]
async fn a_provider_that_does_not_speak_http_is_502() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let babbles = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(b"220 mail.example ESMTP\r\n").await;
        }
    });
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    publish(&admin, port, &[]).await;

    let answer = pierhead.client.get(pierhead.gateway("/x/a")).await;

    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(answer.json()["fault"]["detail"]["errorcode"].is_string(), "{}", answer.text());
    babbles.abort();
}

#[tokio::test]
async fn a_hub_elsewhere_that_is_away_is_503_and_gets_no_secret_into_the_fault() {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let provider = json!({
        "name": "oc", "title": "oc", "destType": "OPENCONNECTORS", "host": "127.0.0.1",
        "port": dead_port().await, "useSSL": false,
        "organizationSecret": admin.organization, "userSecret": admin.user,
    });
    admin.manage(Method::POST, "/APIProviders", Some(&provider)).await.expect_status(201);
    admin.create_proxy("Remote", "oc", "/remote").await;
    admin.put_instance_token("Remote", "the-instance-token").await;
    admin.deploy("Remote").await;

    let answer = pierhead.client.get(pierhead.gateway("/remote/files?path=/a")).await;

    for secret in [admin.organization.as_str(), &admin.user, "the-instance-token"] {
        assert!(!answer.text().contains(secret), "{}", answer.text());
    }
    assert_fault(answer, 503, UNAVAILABLE);
}

#[tokio::test]
async fn a_vendor_that_is_away_is_the_hubs_502_and_the_instance_stays_valid() {
    let drive = pierhead_testkit::Drive::start().await;
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let token = admin.connect_drive(&drive).await;
    admin.publish("Googledrive", "/googledrive", &token).await;
    drive.stop().await;

    let answer = pierhead.client.get(pierhead.gateway("/googledrive/files?path=/a.txt")).await;

    assert!(matches!(answer.status.as_u16(), 502..=504), "{} {}", answer.status, answer.text());
    assert!(answer.json()["message"].is_string(), "{}", answer.text());
    let instances = admin.call(Method::GET, "/instances", None).await.expect_status(200).json();
    assert_eq!((&instances[0]["valid"], &instances[0]["disabled"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn a_wrong_time_out_is_refused_by_name_and_the_live_revision_stays() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answers = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        }
    });
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    publish(&admin, port, &[]).await;
    let change = json!({"properties": [{"name": "io.timeout.millis", "value": "soon"}]});
    let edit = admin.manage(Method::PATCH, "/APITargetEndPoints('X:target:default')", Some(&change)).await;
    let refused = if edit.status == 204 {
        admin.manage(Method::POST, "/APIProxies('X')/Deploy", None).await
    } else {
        edit
    };

    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(refused.text().contains("io.timeout.millis"), "{}", refused.text());
    assert_eq!(pierhead.client.get(pierhead.gateway("/x/a")).await.expect_status(200).text(), "ok");
    answers.abort();
}
