//! The engine driven as the hub drives it: against a real directory, recorded exchanges and, where
//! the environment names them, real servers.

mod drive;
mod exchange;
mod folder;
mod invariants;
mod live;
mod odd_vendor;
mod redirect;
mod replay;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use pierhead_domain::{InstanceId, SeededRng, SystemClock};
use serde_json::Value;

use super::*;
use crate::catalogue::Catalogue;
use crate::definition::Connector;
use crate::driver::{CallTimes, Outbound, OutboundProblem};

/// An instance made of settings.
pub(super) struct TestConnection {
    connector: Arc<Connector>,
    settings: BTreeMap<String, String>,
    token: Mutex<(u64, String)>,
}

impl TestConnection {
    pub(super) fn new(key: &str, settings: &[(&str, &str)]) -> Self {
        let catalogue = Catalogue::load(&[]).unwrap_or_else(|bad| panic!("{}", list(&bad)));
        Self::of(catalogue.get(key).unwrap().clone(), settings)
    }

    pub(super) fn of(connector: Arc<Connector>, settings: &[(&str, &str)]) -> Self {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Self { connector, settings, token: Mutex::new((1, "token-1".to_owned())) }
    }

    fn current(&self) -> Credential {
        let (generation, token) = self.token.lock().unwrap().clone();
        let part = |key: &str| self.settings.get(key).cloned().unwrap_or_default();
        let token = self.settings.get("access_token").cloned().unwrap_or(token);
        Credential::bearer(token, generation)
            .with("username", part("username"))
            .with("password", part("password"))
    }
}

pub(super) fn list(bad: &[crate::definition::BadDefinition]) -> String {
    bad.iter().map(|mistake| format!("{mistake}\n")).collect()
}

impl Connection for TestConnection {
    fn instance_id(&self) -> InstanceId {
        InstanceId::new(1)
    }

    fn connector(&self) -> &Arc<Connector> {
        &self.connector
    }

    fn setting(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(String::as_str)
    }

    fn credential(&self) -> BoxFuture<'_, Result<Credential, CallProblem>> {
        Box::pin(async { Ok(self.current()) })
    }

    fn rejected(&self, generation: u64) -> BoxFuture<'_, Result<Credential, CallProblem>> {
        Box::pin(async move {
            let mut token = self.token.lock().unwrap();
            if token.0 == generation {
                *token = (generation + 1, format!("token-{}", generation + 1));
            }
            drop(token);
            Ok(self.current())
        })
    }

    fn download_link(&self, file_id: &str) -> Option<DownloadLink> {
        let expires = pierhead_domain::EpochMillis::new(1_800_000_000_000);
        Some(DownloadLink { url: format!("http://hub.test/link/{file_id}"), expires })
    }
}

/// No vendor at all.
#[derive(Debug)]
pub(super) struct Nowhere;

impl Outbound for Nowhere {
    fn send(&self, _: Request<Body>, _: CallTimes) -> BoxFuture<'_, Result<Response<Body>, OutboundProblem>> {
        Box::pin(async { Err(OutboundProblem::Refused("this test has no network".to_owned())) })
    }
}

pub(super) fn engine(outbound: Arc<dyn Outbound>, forbidden: Vec<PathBuf>) -> Engine {
    let rng = Arc::new(SeededRng::new(7));
    Engine::new(EngineParts { outbound, forbidden_directories: forbidden, clock: Arc::new(SystemClock), rng })
}

/// A hub call: `GET /files?path=/x`, with an optional body.
pub(super) fn call(line: &str, body: Option<(&str, Vec<u8>)>) -> HubCall {
    let (method, target) = line.split_once(' ').unwrap();
    let (resource, query) = target.split_once('?').unwrap_or((target, ""));
    let mut call = HubCall::get(resource);
    call.method = method.parse().unwrap();
    call.query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    if let Some((kind, bytes)) = body {
        call.headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        call.body = full_body(bytes);
    }
    call
}

/// A multipart body with one file.
pub(super) fn form(name: &str, media_type: &str, content: &[u8]) -> (&'static str, Vec<u8>) {
    let head = format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {media_type}\r\n\r\n"
    );
    ("multipart/form-data; boundary=b", [head.as_bytes(), content, b"\r\n--b--\r\n"].concat())
}

/// What a test looks at.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) headers: http::HeaderMap,
    pub(super) bytes: bytes::Bytes,
    pub(super) next: Option<String>,
    pub(super) total: Option<u64>,
    pub(super) local: Option<String>,
    pub(super) partial: Option<String>,
}

impl Seen {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| String::from_utf8_lossy(&self.bytes).into())
    }

    pub(super) fn names(&self) -> Vec<String> {
        let json = self.json();
        let items = json.as_array().unwrap_or_else(|| panic!("no list: {json}"));
        items.iter().map(|item| item["name"].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Makes a call; a problem is seen as its status and message.
pub(super) async fn run(engine: &Engine, connection: &TestConnection, call: HubCall) -> Seen {
    match engine.call(connection, call).await {
        Ok(answer) => {
            let (next, total) = (answer.next_page.clone(), answer.total_count);
            let (local, partial) = (answer.filtered_locally.clone(), answer.partial.clone());
            let bytes = answer::collect(answer.body, usize::MAX).await.unwrap();
            Seen {
                status: answer.status.as_u16(),
                headers: answer.headers,
                bytes,
                next,
                total,
                local,
                partial,
            }
        }
        Err(problem) => {
            let provider = problem.provider.as_ref().map(|fault| fault.message.clone());
            let json = serde_json::json!({"message": problem.message, "providerMessage": provider,
                "retryable": problem.retryable});
            Seen {
                status: problem.status.as_u16(),
                headers: http::HeaderMap::new(),
                bytes: json.to_string().into(),
                next: None,
                total: None,
                local: None,
                partial: None,
            }
        }
    }
}
