//! A scenario played: a gateway, the bundles, call after call.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use pierhead_bundle::local::{LocalGateway, Options, Seen};
use pierhead_bundle::{Bundle, Content, Limits, read_path};
use pierhead_domain::{EpochMillis, StoppedClock};
use tokio::net::TcpStream;

use super::compare::{Message, check, check_seen};
use super::oauth1::signed;
use super::story::{Call, Pick, Scenario, Story};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// When every scenario begins: 2026-11-21 12:00 UTC.
const NOON: i64 = 1_795_262_400_000;

/// Values that calls kept, by name.
type Kept = BTreeMap<String, String>;

/// Plays the calls of a scenario; the first difference ends it.
pub(super) async fn play(story: &Story, scenario: &Scenario, root: &Path) -> anyhow::Result<()> {
    let clock = StoppedClock::at(EpochMillis::new(NOON));
    let mut settings = story.world.clone();
    settings.mocks = scenario.mocks.iter().chain(&settings.mocks).cloned().collect();
    let mut shared_flows = Vec::new();
    for at in &story.shared_flows {
        match bundle(root, at)?.content {
            Content::SharedFlow(design) => shared_flows.push(*design),
            other => bail!("{at} is no shared flow but a {}", other.noun()),
        }
    }
    let options = Options {
        mock_targets: true,
        threads: NonZeroUsize::new(1),
        settings,
        shared_flows,
        clock: Arc::new(clock.clone()),
        ..Options::default()
    };
    let gateway = LocalGateway::start(options).await.context("starting a gateway")?;
    let played = play_on(&gateway, &clock, story, scenario, root).await;
    gateway.stop().await;
    played
}

async fn play_on(
    gateway: &LocalGateway,
    clock: &StoppedClock,
    story: &Story,
    scenario: &Scenario,
    root: &Path,
) -> anyhow::Result<()> {
    for at in &story.bundles {
        let served = gateway.serve_beside(&bundle(root, at)?);
        served.map_err(|report| anyhow!("{at} is refused:\n{report}"))?;
    }
    let mut kept = Kept::new();
    for (index, call) in scenario.calls.iter().enumerate() {
        let what = || format!("call {}, {} {}", index + 1, call.method, call.path);
        clock.advance(Duration::from_secs(call.after_seconds));
        let request = Prepared::new(call, &kept, clock).with_context(what)?;
        let mut answers = Vec::new();
        for _ in 0..call.times {
            let answer = tokio::time::timeout(PATIENCE, request.send(gateway.addr()));
            answers.push(answer.await.context("no answer came").and_then(|sent| sent).with_context(what)?);
        }
        let seen: Vec<Message> = gateway.seen().into_iter().map(Message::from).collect();
        judge(call, &kept, &answers, &seen).with_context(what)?;
        for (name, pick) in &call.keep {
            let last = answers.last().context("a call that is made no time keeps nothing")?;
            let value = picked(pick, last).with_context(|| format!("keeping {name}")).with_context(what)?;
            kept.insert(name.clone(), value);
        }
    }
    Ok(())
}

fn judge(call: &Call, kept: &Kept, answers: &[Message], seen: &[Message]) -> anyhow::Result<()> {
    let fill = |text: &str| filled(text, kept);
    for (index, answer) in answers.iter().enumerate() {
        check(&call.expect, answer, &fill).with_context(|| format!("answer {}: {answer}", index + 1))?;
    }
    if let Some(some) = &call.some
        && !answers.iter().any(|answer| check(some, answer, &fill).is_ok())
    {
        let last = answers.last().map(ToString::to_string).unwrap_or_default();
        bail!("no answer is as one should be; the last: {last}");
    }
    match &call.seen {
        Some(expected) => check_seen(expected, seen, &fill),
        None => Ok(()),
    }
}

fn bundle(root: &Path, at: &str) -> anyhow::Result<Bundle> {
    read_path(&root.join(at), &Limits::default()).map_err(|why| anyhow!("{at}: {why}"))
}

/// A request with everything filled in.
struct Prepared {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Prepared {
    fn new(call: &Call, kept: &Kept, clock: &StoppedClock) -> anyhow::Result<Self> {
        let mut headers = Vec::new();
        for (name, value) in &call.headers {
            headers.push((name.clone(), filled(value, kept)?));
        }
        let mut form = Vec::new();
        for (name, value) in &call.form {
            form.push((name.clone(), filled(value, kept)?));
        }
        let body = match &call.body {
            Some(body) => filled(body, kept)?,
            None => form
                .iter()
                .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
                .collect::<Vec<_>>()
                .join("&"),
        };
        if !form.is_empty() {
            headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        }
        if let Some(basic) = &call.basic {
            headers
                .push(("authorization".to_owned(), format!("Basic {}", BASE64.encode(filled(basic, kept)?))));
        }
        let path = filled(&call.path, kept)?;
        if let Some(oauth) = &call.oauth1 {
            let fill = |text: &str| filled(text, kept);
            headers
                .push(("authorization".to_owned(), signed(oauth, &call.method, &path, &form, clock, &fill)?));
        }
        Ok(Self { method: call.method.clone(), path, headers, body })
    }

    async fn send(&self, gateway: SocketAddr) -> anyhow::Result<Message> {
        let stream = TcpStream::connect(gateway).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let mut request = Request::builder().method(self.method.as_str()).uri(self.path.as_str());
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            request = request.header("host", super::oauth1::HOST);
        }
        for (name, value) in &self.headers {
            request = request.header(name.as_str(), value.as_str());
        }
        // As clients do, which say also of no body how long it is.
        if matches!(self.method.as_str(), "POST" | "PUT" | "PATCH") && self.body.is_empty() {
            request = request.header("content-length", "0");
        }
        let body = Full::new(Bytes::from(self.body.clone()));
        let (head, body) = sender.send_request(request.body(body)?).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        connection.abort();
        Ok(Message {
            status: head.status.as_u16(),
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
            ..Message::default()
        })
    }
}

impl From<Seen> for Message {
    fn from(seen: Seen) -> Self {
        Self {
            status: 0,
            method: seen.method.to_string(),
            host: seen.host,
            path: seen.path,
            query: seen.query,
            headers: seen.headers,
            body: seen.body,
        }
    }
}

/// With `${name}` replaced by what was kept.
fn filled(text: &str, kept: &Kept) -> anyhow::Result<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').context("a ${ without its }")?;
        out.push_str(before);
        out.push_str(kept.get(name).with_context(|| format!("nothing was kept as '{name}'"))?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn picked(pick: &Pick, answer: &Message) -> anyhow::Result<String> {
    let mut value = match &pick.header {
        Some(name) => header(&answer.headers, name).with_context(|| format!("no header {name}"))?,
        None => answer.body.clone(),
    };
    if let Some(pointer) = &pick.json {
        let json: serde_json::Value = serde_json::from_str(&value).context("no JSON")?;
        value = match json.pointer(pointer).with_context(|| format!("nothing at {pointer}"))? {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
    }
    if let Some(name) = &pick.parameter {
        let pairs = value.rsplit(['?', '#']).next().unwrap_or_default().to_owned();
        let found = pairs.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| key == name);
        value = found.map(|(_, value)| value.to_owned()).with_context(|| format!("no parameter {name}"))?;
    }
    Ok(value)
}

/// All values of a header, joined by commas.
pub(super) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let joined = values.collect::<Vec<_>>().join(", ");
    headers.contains_key(name).then_some(joined)
}

/// Percent-encoded as RFC 3986 has it: everything but unreserved characters.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
