//! A vendor in memory, behind the outbound port: an authorization server that rotates refresh tokens and
//! punishes their reuse, and one resource behind its bearer tokens.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use pierhead_domain::{EpochMillis, SharedClock};
use serde_json::{Value, json};
use sha2::Digest as _;
use tokio::sync::Notify;

use crate::driver::{CallTimes, Outbound, OutboundProblem};
use crate::engine::{Body, full_body};

/// The vendor; clones are the same one.
#[derive(Clone)]
pub(crate) struct Vendor {
    clock: SharedClock,
    state: Arc<Mutex<State>>,
    /// Held answers wait for it.
    release: Arc<Notify>,
}

#[derive(Default)]
struct State {
    issued: u64,
    /// Access tokens and when they end.
    access: HashMap<String, EpochMillis>,
    /// The one good refresh token of each grant is in here.
    refresh: HashSet<String>,
    used: HashSet<String>,
    codes: HashMap<String, Option<String>>,
    token_calls: Vec<HashMap<String, String>>,
    at_once: u64,
    most_at_once: u64,
    revoked: Vec<String>,
    habits: Habits,
}

/// How the vendor behaves.
#[derive(Debug, Clone)]
pub(crate) struct Habits {
    /// Seconds in `expires_in`; none leaves it out.
    pub(crate) lifetime: Option<u64>,
    /// A refresh brings a new refresh token, and the old one is spent.
    pub(crate) rotates: bool,
    /// A spent refresh token revokes the whole grant; otherwise it still works.
    pub(crate) punishes: bool,
    /// Answers of the token endpoint wait until they are released.
    pub(crate) holds: bool,
    /// Instead of an answer: status and body.
    pub(crate) fails: Option<(StatusCode, &'static str)>,
    /// Nothing answers at all.
    pub(crate) down: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self { lifetime: Some(3600), rotates: true, punishes: true, holds: false, fails: None, down: false }
    }
}

impl Vendor {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self { clock, state: Arc::default(), release: Arc::default() }
    }

    pub(crate) fn behave(&self, change: impl FnOnce(&mut Habits)) {
        change(&mut self.state.lock().unwrap().habits);
    }

    /// Lets held answers go.
    pub(crate) fn release(&self) {
        self.behave(|habits| habits.holds = false);
        self.release.notify_waiters();
    }

    /// A code as the consent page gives it, bound to the challenge in the authorize URL.
    pub(crate) fn consent(&self, authorize_url: &str) -> String {
        let url = url::Url::parse(authorize_url).unwrap();
        let challenge =
            url.query_pairs().find(|(name, _)| name == "code_challenge").map(|(_, v)| v.into_owned());
        let mut state = self.state.lock().unwrap();
        let code = format!("code-{}", state.codes.len());
        state.codes.insert(code.clone(), challenge);
        code
    }

    /// A grant that already exists: access and refresh token.
    pub(crate) fn grant(&self) -> (String, String) {
        let answer = self.state.lock().unwrap().issue(self.clock.now(), None);
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        (text("access_token"), text("refresh_token"))
    }

    pub(crate) fn end_access_tokens(&self) {
        self.state.lock().unwrap().access.clear();
    }

    pub(crate) fn token_calls(&self) -> usize {
        self.state.lock().unwrap().token_calls.len()
    }

    pub(crate) fn last_token_call(&self) -> HashMap<String, String> {
        self.state.lock().unwrap().token_calls.last().cloned().unwrap_or_default()
    }

    /// A call that was cut off is over.
    pub(crate) fn end_call(&self) {
        self.state.lock().unwrap().at_once = 0;
    }

    /// The most token calls that were ever under way together.
    pub(crate) fn most_at_once(&self) -> u64 {
        self.state.lock().unwrap().most_at_once
    }

    pub(crate) fn revoked(&self) -> Vec<String> {
        self.state.lock().unwrap().revoked.clone()
    }

    pub(crate) fn accepts(&self, access_token: &str) -> bool {
        let state = self.state.lock().unwrap();
        state.access.get(access_token).is_some_and(|end| *end > self.clock.now())
    }

    async fn token(&self, form: HashMap<String, String>) -> (StatusCode, String) {
        let (answer, holds) = {
            let mut state = self.state.lock().unwrap();
            state.at_once += 1;
            state.most_at_once = state.most_at_once.max(state.at_once);
            state.token_calls.push(form.clone());
            (state.decide(self.clock.now(), &form), state.habits.holds)
        };
        // The decision is made and the old token spent before the answer is on its way.
        if holds {
            self.release.notified().await;
        } else {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.state.lock().unwrap().at_once -= 1;
        answer
    }

    async fn answer(&self, request: Request<Body>) -> (StatusCode, String) {
        let path = request.uri().path().to_owned();
        let basic = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let basic = basic.unwrap_or_default().to_owned();
        let bearer = basic.strip_prefix("Bearer ").unwrap_or_default().to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
        match path.as_str() {
            "/token" => self.token(form).await,
            "/revoke" => {
                self.state.lock().unwrap().revoked.push(form["token"].clone());
                (StatusCode::OK, String::new())
            }
            "/open" => (StatusCode::OK, json!({"open": true}).to_string()),
            desk if desk.starts_with("/desk/") => match basic.as_str() {
                // ada:good
                "Basic YWRhOmdvb2Q=" => (StatusCode::OK, json!({"desk": true}).to_string()),
                _ => (StatusCode::UNAUTHORIZED, json!({"error": "wrong password"}).to_string()),
            },
            _ if !self.accepts(&bearer) => {
                (StatusCode::UNAUTHORIZED, json!({"error": "expired"}).to_string())
            }
            path => (StatusCode::OK, json!({"id": path.rsplit('/').next(), "token": bearer}).to_string()),
        }
    }
}

impl State {
    fn decide(&mut self, now: EpochMillis, form: &HashMap<String, String>) -> (StatusCode, String) {
        if let Some((status, body)) = self.habits.fails {
            return (status, body.to_owned());
        }
        let refused = || (StatusCode::BAD_REQUEST, json!({"error": "invalid_grant"}).to_string());
        let text = |name: &str| form.get(name).cloned().unwrap_or_default();
        match text("grant_type").as_str() {
            "authorization_code" => match self.codes.remove(&text("code")) {
                Some(Some(challenge)) if challenge != s256(&text("code_verifier")) => refused(),
                Some(_) => (StatusCode::OK, self.issue(now, None).to_string()),
                None => refused(),
            },
            "refresh_token" => {
                let token = text("refresh_token");
                if self.refresh.contains(&token) {
                    (StatusCode::OK, self.issue(now, Some(token)).to_string())
                } else if self.used.contains(&token) && !self.habits.punishes {
                    (StatusCode::OK, self.issue(now, None).to_string())
                } else {
                    self.refresh.clear();
                    self.access.clear();
                    refused()
                }
            }
            _ => refused(),
        }
    }

    fn issue(&mut self, now: EpochMillis, old: Option<String>) -> Value {
        self.issued += 1;
        let (access, refresh) = (format!("access-{}", self.issued), format!("refresh-{}", self.issued));
        let life = Duration::from_secs(self.habits.lifetime.unwrap_or(3600));
        self.access.insert(access.clone(), now.plus(life));
        let mut answer = json!({"access_token": access, "token_type": "Bearer"});
        if let Some(lifetime) = self.habits.lifetime {
            answer["expires_in"] = lifetime.into();
        }
        match old {
            Some(_) if !self.habits.rotates => {}
            old => {
                if let Some(old) = old {
                    self.refresh.remove(&old);
                    self.used.insert(old);
                }
                self.refresh.insert(refresh.clone());
                answer["refresh_token"] = refresh.into();
            }
        }
        answer
    }
}

impl Outbound for Vendor {
    fn send(
        &self,
        request: Request<Body>,
        _: CallTimes,
    ) -> BoxFuture<'_, Result<Response<Body>, OutboundProblem>> {
        Box::pin(async move {
            if self.state.lock().unwrap().habits.down {
                return Err(OutboundProblem::Unreachable("connection refused".into()));
            }
            let (status, body) = self.answer(request).await;
            let response =
                Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
            Ok(response.body(full_body(Bytes::from(body))).unwrap())
        })
    }
}

impl fmt::Debug for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vendor")
    }
}

fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(verifier.as_bytes()))
}
