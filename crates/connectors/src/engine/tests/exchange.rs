//! Recorded exchanges: how they are written and how they play a vendor.
//!
//! A file holds one story: hub calls in their order, for each the vendor requests it led to with their
//! answers, and the hub's answer. Playing it is strict: a request that does not match the next recorded one
//! fails the test.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::{Map, json};

use super::*;
use crate::definition::Node;

/// Request headers that belong to the exchange.
const KEPT: &[&str] = &[
    "depth",
    "destination",
    "overwrite",
    "content-range",
    "range",
    "content-type",
    "x-upload-content-type",
    "x-upload-content-length",
];

/// Answer headers that belong to the exchange.
const TOLD: &[&str] = &[
    "content-type",
    "content-range",
    "etag",
    "last-modified",
    "location",
    "range",
    "accept-ranges",
    "retry-after",
];

/// What every recorded file calls the vendor.
pub(super) const VENDOR: &str = "http://vendor.test";

/// Passes requests on and writes them down, with the server's own address replaced.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) inner: Arc<dyn Outbound>,
    pub(super) origin: String,
    pub(super) log: Mutex<Vec<Value>>,
}

/// Plays recorded exchanges.
#[derive(Debug, Default)]
pub(super) struct Player(pub(super) Mutex<VecDeque<Value>>);

async fn describe(request: Request<Body>, origin: &str) -> (Value, Request<Body>) {
    let (head, body) = request.into_parts();
    let bytes = answer::collect(body, usize::MAX).await.unwrap();
    let mut headers = Map::new();
    for name in KEPT {
        if let Some(value) = head.headers.get(*name) {
            headers.insert((*name).to_owned(), value.to_str().unwrap().replace(origin, VENDOR).into());
        }
    }
    let url = head.uri.to_string().replace(origin, VENDOR);
    let authorized = head.headers.contains_key(header::AUTHORIZATION);
    let value = json!({"method": head.method.as_str(), "url": url, "headers": headers, "body": text(&bytes),
        "authorized": authorized});
    (value, Request::from_parts(head, full_body(bytes)))
}

/// Bytes as text, or as their length and a mark when they are none.
fn text(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => format!("{} bytes", bytes.len()).into(),
    }
}

impl Outbound for Recorder {
    fn send(
        &self,
        request: Request<Body>,
        times: CallTimes,
    ) -> BoxFuture<'_, Result<Response<Body>, OutboundProblem>> {
        Box::pin(async move {
            let (asked, request) = describe(request, &self.origin).await;
            let (head, body) = self.inner.send(request, times).await?.into_parts();
            let bytes = answer::collect(body, usize::MAX).await.unwrap();
            let mut headers = Map::new();
            for name in TOLD {
                if let Some(value) = head.headers.get(*name) {
                    headers.insert(
                        (*name).to_owned(),
                        value.to_str().unwrap().replace(&self.origin, VENDOR).into(),
                    );
                }
            }
            let told = text(&bytes).as_str().unwrap().replace(&self.origin, VENDOR);
            let answer = json!({"status": head.status.as_u16(), "headers": headers, "body": told});
            self.log.lock().unwrap().push(json!({"request": asked, "answer": answer}));
            Ok(Response::from_parts(head, full_body(bytes)))
        })
    }
}

impl Outbound for Player {
    fn send(
        &self,
        request: Request<Body>,
        _: CallTimes,
    ) -> BoxFuture<'_, Result<Response<Body>, OutboundProblem>> {
        Box::pin(async move {
            let (asked, _) = describe(request, VENDOR).await;
            let next = self.0.lock().unwrap().pop_front();
            let next =
                next.unwrap_or_else(|| panic!("nothing more is recorded, but this was sent: {asked:#}"));
            assert_eq!(asked, next["request"], "the request differs from the recorded one");
            let mut response = Response::new(full_body(next["answer"]["body"].as_str().unwrap().to_owned()));
            *response.status_mut() =
                u16::try_from(next["answer"]["status"].as_u64().unwrap()).unwrap().try_into().unwrap();
            for (name, value) in next["answer"]["headers"].as_object().unwrap() {
                let name: http::HeaderName = name.parse().unwrap();
                response.headers_mut().insert(name, value.as_str().unwrap().parse().unwrap());
            }
            Ok(response)
        })
    }
}

/// A story: name, call, body and one header of each step.
pub(super) type Story =
    &'static [(&'static str, &'static str, Option<&'static str>, Option<(&'static str, &'static str)>)];

/// One step of a story: what it shows, the hub call, an optional body (`form:NAME:TYPE:CONTENT` or JSON),
/// and extra headers.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) call: String,
    pub(super) body: Option<String>,
    pub(super) headers: Vec<(String, String)>,
}

impl Step {
    pub(super) fn call(&self) -> HubCall {
        let body = self.body.as_ref().map(|body| match body.strip_prefix("form:") {
            Some(form_text) => {
                let mut parts = form_text.splitn(3, ':');
                let mut part = || parts.next().unwrap();
                form(part(), part(), part().as_bytes())
            }
            None => ("application/json", body.clone().into_bytes()),
        });
        let mut call = call(&self.call, body);
        for (name, value) in &self.headers {
            call.headers.insert(http::HeaderName::try_from(name.as_str()).unwrap(), value.parse().unwrap());
        }
        call
    }
}

/// The hub's answer as it is recorded.
pub(super) fn seen(seen: &Seen) -> Value {
    let mut answer = json!({"status": seen.status, "body": seen.json()});
    // The moment of a ping is that of the run.
    answer["body"].as_object_mut().map(|body| body.remove("dateTime"));
    if seen.next.is_some() {
        answer["next_page"] = true.into();
    }
    if !seen.header("content-disposition").is_empty() {
        answer["content_disposition"] = seen.header("content-disposition").into();
        answer["body"] = text(&seen.bytes);
    }
    answer
}

/// Runs a story for real and writes it down. `{id:NAME}` in a later step stands for the id that the step
/// NAME answered, `{next}` for the token of the step before.
async fn record(file: &Path, head: &str, recorder: Arc<Recorder>, connection: &TestConnection, steps: Story) {
    let engine = engine(recorder.clone(), vec![]);
    let mut text = format!("{head}exchanges:\n");
    let (mut ids, mut next): (BTreeMap<String, String>, String) = Default::default();
    for (name, line, body, header) in steps {
        let fill = |text: &str| {
            let mut text = text.replace("{next}", &next);
            for (known, id) in &ids {
                text = text.replace(&format!("{{id:{known}}}"), id);
            }
            text
        };
        let headers = header.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let step = Step { name: (*name).to_owned(), call: fill(line), body: body.map(fill), headers };
        let found = run(&engine, connection, step.call()).await;
        if let Some(id) = found.json()["id"].as_str() {
            ids.insert((*name).to_owned(), id.to_owned());
        }
        next = found.next.clone().unwrap_or_default();
        let vendor = std::mem::take(&mut *recorder.log.lock().unwrap());
        text.push_str(&format!("  - name: {}\n    call: {}\n", json!(step.name), json!(step.call)));
        if let Some(body) = &step.body {
            text.push_str(&format!("    body: {}\n", json!(body)));
        }
        if let Some((name, value)) = header {
            text.push_str(&format!("    headers: {}\n", json!({*name: value})));
        }
        text.push_str("    vendor:\n");
        for exchange in vendor {
            text.push_str(&format!(
                "      - request: {}\n        answer: {}\n",
                exchange["request"], exchange["answer"]
            ));
        }
        text.push_str(&format!("    answer: {}\n", seen(&found)).replace(&recorder.origin, VENDOR));
    }
    std::fs::write(file, text).unwrap();
}

/// Tells a story for real and insists that it goes as the catalogue's `file` has it. With `RECORD=1` the
/// file is written anew, `tidy` taking out what differs from run to run.
pub(super) async fn tell(
    file: &str,
    head: &str,
    recorder: Arc<Recorder>,
    connection: &TestConnection,
    steps: Story,
    tidy: fn(String) -> String,
) {
    let scratch = tempfile::tempdir().unwrap();
    let told = scratch.path().join("story.yaml");
    record(&told, head, recorder, connection, steps).await;
    let told = tidy(std::fs::read_to_string(told).unwrap());
    let kept = catalog().join(file);
    if std::env::var_os("RECORD").is_some() {
        std::fs::write(&kept, &told).unwrap();
    }
    assert_eq!(statuses(&told), statuses(&std::fs::read_to_string(kept).unwrap()), "{file}");
}

/// What each exchange of a story answered.
fn statuses(text: &str) -> Vec<(String, u64)> {
    let story = Node::read(text).unwrap_or_else(|bad| panic!("line {}: {}", bad.line, bad.message)).to_json();
    let exchanges = story["exchanges"].as_array().unwrap().clone();
    let pair = |exchange: &Value| {
        (exchange["name"].as_str().unwrap().to_owned(), exchange["answer"]["status"].as_u64().unwrap())
    };
    exchanges.iter().map(pair).collect()
}

pub(super) fn catalog() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog")
}
