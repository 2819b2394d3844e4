//! The demo's own HTTP client: plain requests on loopback, shown as `curl` lines, bodies streamed and hashed.

use std::path::Path;

use anyhow::{Context, bail};
use bytes::Bytes;
use futures_util::TryStreamExt;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use sha2::{Digest, Sha256};
use tokio_util::io::ReaderStream;

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>;

/// An answer read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub(super) fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("the answer is no JSON: {}", self.text()))
    }

    /// The body as text, cut to what fits on a screen.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(600).collect()
    }

    /// A header as text; empty when absent.
    pub(super) fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }
}

/// What came down, without having been kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Download {
    pub(super) bytes: u64,
    pub(super) sha256: String,
    pub(super) content_type: String,
    pub(super) disposition: String,
}

/// One request, shown before it is made.
#[derive(Debug, Clone)]
pub(super) struct Call {
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    upload: Option<std::path::PathBuf>,
}

impl Call {
    pub(super) fn new(method: Method, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Vec::new(), body: None, upload: None }
    }

    pub(super) fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    pub(super) fn post(url: impl Into<String>) -> Self {
        Self::new(Method::POST, url)
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(super) fn json(self, body: &serde_json::Value) -> Self {
        let mut call = self.header("Content-Type", "application/json");
        call.body = Some(body.to_string());
        call
    }

    /// Sends a file as the multipart field `file`.
    pub(super) fn upload(mut self, file: &Path) -> Self {
        self.upload = Some(file.to_owned());
        self
    }

    /// The same request for a person at a shell; secrets are cut to their first characters.
    pub(super) fn curl(&self) -> String {
        let mut line = String::from("curl");
        if self.method == Method::HEAD {
            line.push_str(" -I");
        } else if self.method != Method::GET && self.upload.is_none() {
            line.push_str(&format!(" -X {}", self.method));
        }
        for (name, value) in &self.headers {
            line.push_str(&format!(" -H {}", quoted(&format!("{name}: {}", masked(name, value)))));
        }
        if let Some(body) = &self.body {
            line.push_str(&format!(" -d {}", quoted(&masked_body(body))));
        }
        if let Some(file) = &self.upload {
            line.push_str(&format!(" -F {}", quoted(&format!("file=@{}", file.display()))));
        }
        line.push_str(&format!(" {}", quoted(&self.url)));
        line
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn cut(secret: &str) -> String {
    let start: String = secret.chars().take(4).collect();
    if secret.chars().count() > 4 { format!("{start}…") } else { start }
}

fn masked(name: &str, value: &str) -> String {
    if !name.eq_ignore_ascii_case("authorization") && !name.eq_ignore_ascii_case("cookie") {
        return value.to_owned();
    }
    let part = |part: &str| match part.trim().split_once(' ') {
        Some((kind, secret)) => format!("{kind} {}", cut(secret)),
        None => cut(part.trim()),
    };
    value.split(',').map(part).collect::<Vec<_>>().join(", ")
}

fn masked_body(body: &str) -> String {
    let Ok(mut json) = serde_json::from_str::<serde_json::Value>(body) else { return body.to_owned() };
    mask_json(&mut json);
    json.to_string()
}

fn mask_json(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.to_ascii_lowercase();
                let secret = ["password", "secret", "code", "value"].iter().any(|word| name.ends_with(word));
                match value {
                    serde_json::Value::String(text) if secret && !text.is_empty() => *text = cut(text),
                    other => mask_json(other),
                }
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(mask_json),
        _ => {}
    }
}

/// The client. It follows no redirects.
#[derive(Debug, Clone)]
pub(super) struct DemoClient {
    client: Client<HttpConnector, Body>,
}

impl DemoClient {
    pub(super) fn new() -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Makes a call and reads the answer, of at most 8 MiB.
    pub(super) async fn call(&self, call: &Call) -> anyhow::Result<Answer> {
        let response = self.start(call).await?;
        let (parts, body) = response.into_parts();
        let body = http_body_util::Limited::new(body, 8 << 20)
            .collect()
            .await
            .map_err(|error| anyhow::anyhow!("reading the answer of {}: {error}", call.url))?
            .to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// Makes a call that must succeed.
    pub(super) async fn must(&self, call: &Call) -> anyhow::Result<Answer> {
        let answer = self.call(call).await?;
        if !answer.status.is_success() {
            bail!("{} {} answered {}: {}", call.method, call.url, answer.status, answer.text());
        }
        Ok(answer)
    }

    /// Makes a call that must succeed and hashes what comes, telling `progress` the bytes so far.
    pub(super) async fn download(
        &self,
        call: &Call,
        mut progress: impl FnMut(u64),
    ) -> anyhow::Result<Download> {
        let response = self.start(call).await?;
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (content_type, disposition) = (header("content-type"), header("content-disposition"));
        if !response.status().is_success() {
            let status = response.status();
            let body = http_body_util::Limited::new(response.into_body(), 1 << 16).collect().await;
            let text =
                body.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned()).unwrap_or_default();
            bail!("{} {} answered {status}: {text}", call.method, call.url);
        }
        let (mut body, mut hash, mut bytes) = (response.into_body(), Sha256::new(), 0);
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.context("the download broke off")?.into_data() {
                hash.update(&data);
                bytes += data.len() as u64;
                progress(bytes);
            }
        }
        Ok(Download {
            bytes,
            sha256: format!("{:x}", HexDigest(&hash.finalize())),
            content_type,
            disposition,
        })
    }

    async fn start(&self, call: &Call) -> anyhow::Result<Response<Incoming>> {
        let mut request = Request::builder().method(call.method.clone()).uri(&call.url);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let request = match (&call.upload, &call.body) {
            (Some(file), _) => multipart(request, file).await?,
            (None, Some(body)) => request.body(full(body.clone()))?,
            (None, None) => request.body(full(String::new()))?,
        };
        self.client
            .request(request)
            .await
            .with_context(|| format!("{} {} got no answer", call.method, call.url))
    }
}

struct HexDigest<'a>(&'a [u8]);

impl std::fmt::LowerHex for HexDigest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// SHA-256 of a file in hex, and its size.
pub(super) async fn fingerprint(file: &Path) -> anyhow::Result<(String, u64)> {
    let mut stream = ReaderStream::with_capacity(tokio::fs::File::open(file).await?, 1 << 18);
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    while let Some(chunk) = stream.try_next().await? {
        hash.update(&chunk);
        bytes += chunk.len() as u64;
    }
    Ok((format!("{:x}", HexDigest(&hash.finalize())), bytes))
}

fn full(text: String) -> Body {
    Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync()
}

async fn multipart(request: http::request::Builder, file: &Path) -> anyhow::Result<Request<Body>> {
    const BOUNDARY: &str = "pierhead-demo-boundary-7d1f";
    let name = file.file_name().context("the file has a name")?.to_string_lossy().replace('"', "%22");
    let kind = content_type(file);
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n"
    );
    let tail = format!("\r\n--{BOUNDARY}--\r\n");
    let source = tokio::fs::File::open(file).await.with_context(|| format!("opening {}", file.display()))?;
    let length = source.metadata().await?.len() + (head.len() + tail.len()) as u64;
    let once = |text: String| futures_util::stream::once(async move { Ok(Bytes::from(text)) });
    let content = futures_util::StreamExt::chain(once(head), ReaderStream::with_capacity(source, 1 << 17));
    let body = futures_util::StreamExt::chain(content, once(tail)).map_ok(Frame::data);
    Ok(request
        .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"))
        .header(header::CONTENT_LENGTH, length)
        .body(BodyExt::boxed_unsync(StreamBody::new(body)))?)
}

/// The media type of a file by its ending; the few that a demo meets.
fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("txt" | "md" | "log") => "text/plain",
        Some("pdf") => "application/pdf",
        Some("json") => "application/json",
        Some("csv") => "text/csv",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("zip") => "application/zip",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curl_line_shows_no_whole_secret() {
        let call = Call::post("http://127.0.0.1/x")
            .header("Authorization", "User abcdefgh, Element ijklmnop")
            .json(&serde_json::json!({"password": "hunter22", "values": [{"value": "topsecret"}]}));
        let line = call.curl();
        assert!(line.contains("User abcd…, Element ijkl…"), "{line}");
        assert!(!line.contains("hunter22") && !line.contains("topsecret"), "{line}");
    }
}
