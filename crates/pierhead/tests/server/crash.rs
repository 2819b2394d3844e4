//! `kill -9` at any point: on restart everything acknowledged is there and nothing is half there.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use http::Method;
use pierhead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Client, Request};
use serde_json::{Value, json};

/// The real program in a process of its own.
struct Process {
    child: Child,
    control: String,
}

impl Process {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pierhead"))
            .args([
                "serve",
                "--gateway",
                "127.0.0.1:0",
                "--control",
                "127.0.0.1:0",
                "--log",
                "error",
                "--data-dir",
            ])
            .arg(data)
            .env("PIERHEAD_ADMIN_EMAIL", ADMIN_EMAIL)
            .env("PIERHEAD_ADMIN_PASSWORD", ADMIN_PASSWORD)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let control = lines.find_map(|line| {
            let line = line.unwrap();
            line.strip_prefix("control  ").map(|rest| rest.split(' ').next().unwrap().to_owned())
        });
        Self { control: control.expect("the server says where it listens"), child }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn login(client: &Client, control: &str) -> String {
    let login = json!({"username": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
    let url = format!("{control}/elements/api-v2/authentication");
    client.send(Request::post(url).json(&login)).await.expect_status(200).json()["token"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn entries(client: &Client, control: &str, bearer: &str) -> Vec<String> {
    let url =
        format!("{control}/apiportal/api/1.0/Management.svc/KeyMapEntries('m')/keyMapEntryValues?$top=1000");
    let request = Request::get(url)
        .header("authorization", &format!("Bearer {bearer}"))
        .header("accept", "application/json");
    let answer = client.send(request).await;
    if answer.status == 404 {
        return Vec::new();
    }
    let answer = answer.expect_status(200).json();
    answer["d"]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_map_entry_survives_kill_9_and_a_map_is_never_half_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..4_usize {
        let process = Process::start(folder.path());
        let (client, control) = (Client::default(), process.control.clone());
        let bearer = login(&client, &control).await;
        let there = entries(&client, &control, &bearer).await;
        for name in &acknowledged {
            assert!(there.contains(name), "round {round}: {name} was acknowledged and is gone");
        }
        if round == 0 {
            // A deep insert is all or nothing: three entries or no map.
            let body = json!({"name": "m", "encrypted": true, "scope": "ENV", "keyMapEntryValues": three()});
            post(&client, &control, &bearer, "KeyMapEntries", &body).await;
            acknowledged.extend(["one", "two", "three"].map(str::to_owned));
        }
        let (count, mut counted) = tokio::sync::watch::channel(0);
        let writer = tokio::spawn({
            let (client, control, bearer) = (client.clone(), control.clone(), bearer.clone());
            async move {
                let mut written = Vec::new();
                for index in 0.. {
                    let name = format!("r{round}-{index}");
                    let body = json!({"name": name, "map_name": "m", "value": "v"});
                    if !try_post(&client, &control, &bearer, "KeyMapEntryValues", &body).await {
                        break;
                    }
                    written.push(name);
                    count.send_replace(written.len());
                }
                written
            }
        });
        // In the middle of the writing, wherever the next write then is.
        counted.wait_for(|written| *written >= 5 + 7 * round).await.unwrap();
        process.kill();
        acknowledged.extend(writer.await.unwrap());
    }
    assert!(acknowledged.len() > 6, "the writer wrote too little to prove anything: {}", acknowledged.len());
}

fn three() -> Value {
    ["one", "two", "three"].map(|name| json!({"name": name, "map_name": "m", "value": "v"})).to_vec().into()
}

fn request(
    control: &str,
    bearer: &str,
    set: &str,
    body: &Value,
) -> http::Request<http_body_util::Full<bytes::Bytes>> {
    http::Request::builder()
        .method(Method::POST)
        .uri(format!("{control}/apiportal/api/1.0/Management.svc/{set}"))
        .header("authorization", format!("Bearer {bearer}"))
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .body(http_body_util::Full::new(body.to_string().into()))
        .unwrap()
}

async fn post(client: &Client, control: &str, bearer: &str, set: &str, body: &Value) {
    let answer = client.try_send(request(control, bearer, set, body)).await.expect("an answer");
    assert_eq!(answer, 201);
}

/// Whether the write was acknowledged; `false` once the server is gone.
async fn try_post(client: &Client, control: &str, bearer: &str, set: &str, body: &Value) -> bool {
    client.try_send(request(control, bearer, set, body)).await.is_some_and(|status| status == 201)
}
