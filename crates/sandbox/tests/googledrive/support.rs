//! A double on a free port, and a client that is as plain as possible.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use pierhead_domain::{EpochMillis, SeededRng, StoppedClock};
use pierhead_sandbox::google::{GoogleDrive, GoogleDriveOptions, Handle};
use serde_json::Value;
use tokio::net::TcpListener;

pub(crate) const REDIRECT: &str = "http://127.0.0.1:9/back";
pub(crate) const DRIVE: &str = "https://www.googleapis.com/auth/drive";
pub(crate) const FOLDER: &str = "application/vnd.google-apps.folder";
pub(crate) const BRAM: &str = "bram.ostler@example.com";

/// A double whose clock stands still, with somebody signed in.
pub(crate) struct Double {
    pub(crate) handle: Handle,
    pub(crate) clock: StoppedClock,
    pub(crate) token: String,
    http: Client<HttpConnector, Full<Bytes>>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.bytes)))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.bytes));
        self.json()
    }

    #[track_caller]
    pub(crate) fn refused(self, status: u16, reason: &str) -> Value {
        let error = self.json()["error"].clone();
        assert_eq!(
            (self.status.as_u16(), error["errors"][0]["reason"].as_str()),
            (status, Some(reason)),
            "{error}"
        );
        assert_eq!(error["code"], status);
        error
    }
}

impl Double {
    pub(crate) async fn start() -> Self {
        Self::with(GoogleDriveOptions::default()).await
    }

    pub(crate) async fn with(options: GoogleDriveOptions) -> Self {
        let clock = StoppedClock::at(EpochMillis::new(1_790_000_000_123));
        let double = GoogleDrive::new(options, Arc::new(clock.clone()), Arc::new(SeededRng::new(7))).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let handle = double.handle(listener.local_addr().unwrap());
        tokio::spawn(double.serve(listener, std::future::pending()));
        let http = Client::builder(TokioExecutor::new()).build_http();
        let mut started = Self { handle, clock, token: String::new(), http };
        started.token = started.sign_in(DRIVE, None).await["access_token"].as_str().unwrap().to_owned();
        started
    }

    pub(crate) fn authorize_url(&self, scope: &str, more: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", self.handle.client_id())
            .append_pair("redirect_uri", REDIRECT)
            .append_pair("response_type", "code")
            .append_pair("scope", scope)
            .append_pair("state", "s t&te")
            .finish();
        format!("{}/o/oauth2/v2/auth?{query}{more}", self.handle.base_url())
    }

    /// A new grant of `scope` by an account; the token answer.
    pub(crate) async fn sign_in(&self, scope: &str, account: Option<&str>) -> Value {
        let url = self.authorize_url(scope, "&access_type=offline&prompt=consent");
        let location = self.handle.consent(&url, true, account).unwrap();
        let code = query_of(&location, "code").unwrap();
        self.token_call(&[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT)])
            .await
            .ok()
    }

    /// The same double seen by another account or with another scope.
    pub(crate) async fn seen_by(&self, scope: &str, account: Option<&str>) -> Self {
        let token = self.sign_in(scope, account).await["access_token"].as_str().unwrap().to_owned();
        Self { handle: self.handle.clone(), clock: self.clock.clone(), token, http: self.http.clone() }
    }

    pub(crate) async fn token_call(&self, form: &[(&str, &str)]) -> Answer {
        let mut all = vec![
            ("client_id", self.handle.client_id()),
            ("client_secret", self.handle.client_secret().expose()),
        ];
        all.extend(form);
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", "/token", &headers, body).await
    }

    /// Sends a request with exactly these headers.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let url = if path.starts_with("http") { path.to_owned() } else { self.handle.base_url() + path };
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = self.http.request(request.body(Full::new(body.into())).unwrap());
        let response = tokio::time::timeout(Duration::from_secs(30), sent).await.unwrap().unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[("authorization", &self.bearer())], "").await
    }

    pub(crate) async fn get_with(&self, path: &str, name: &str, value: &str) -> Answer {
        self.send("GET", path, &[("authorization", &self.bearer()), (name, value)], "").await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[("authorization", &self.bearer())], "").await
    }

    pub(crate) async fn json(&self, method: &str, path: &str, body: Value) -> Answer {
        let headers = [("authorization", self.bearer()), ("content-type", "application/json".to_owned())];
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.send(method, path, &headers, body.to_string()).await
    }

    /// Uploads by `uploadType=media`, then names the file; answers its id.
    pub(crate) async fn upload(&self, name: &str, content: &[u8]) -> String {
        let headers = [("authorization", self.bearer()), ("content-type", "text/plain".to_owned())];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let path = "/upload/drive/v3/files?uploadType=media";
        let made = self.send("POST", path, &headers, content.to_vec()).await.ok();
        let id = made["id"].as_str().unwrap().to_owned();
        self.json("PATCH", &format!("/drive/v3/files/{id}"), serde_json::json!({"name": name})).await.ok();
        id
    }

    /// A folder in `parent`.
    pub(crate) async fn folder(&self, name: &str, parent: &str) -> String {
        let body = serde_json::json!({"name": name, "mimeType": FOLDER, "parents": [parent]});
        self.json("POST", "/drive/v3/files", body).await.ok()["id"].as_str().unwrap().to_owned()
    }

    /// The sorted names that a query finds.
    pub(crate) async fn names(&self, q: &str) -> Vec<String> {
        let q = form_urlencoded::byte_serialize(q.as_bytes()).collect::<String>();
        let found = self.get(&format!("/drive/v3/files?pageSize=1000&fields=files/name&q={q}")).await.ok();
        let files = found["files"].as_array().cloned().unwrap_or_default();
        let mut names: Vec<String> =
            files.iter().map(|file| file["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }
}

pub(crate) fn query_of(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
