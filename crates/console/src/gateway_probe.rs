//! "Try it": one GET through the gateway's own listener, as any client would send it.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::Url;

/// How much of a body is shown.
const PREVIEW_BYTES: usize = 16 * 1024;
/// How long the gateway may take for the whole exchange.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came back.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Preview,
    pub(crate) elapsed_ms: u128,
}

/// The beginning of a body.
#[derive(Debug)]
pub(crate) enum Preview {
    /// There was none.
    Empty,
    /// Text, and whether more follows.
    Text { text: String, cut: bool },
    /// Bytes that are no text; `bytes` of them were read.
    Binary { bytes: usize, cut: bool },
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("The path is not valid: it must begin with a slash and hold no blanks.")]
    BadPath,
    #[error(
        "The gateway listener speaks TLS; use the curl line to try this from where its certificate is trusted."
    )]
    Tls,
    #[error("The gateway at {0} cannot be reached. Is its listener running?")]
    Unreachable(String),
    #[error("The gateway did not answer within 60 seconds.")]
    TooSlow,
}

/// Sends `GET path` to the gateway at `gateway_url` and reads at most 16 KiB of the answer.
pub(crate) async fn get(gateway_url: &str, path: &str) -> Result<Seen, NoAnswer> {
    let url = Url::parse(gateway_url).map_err(|_| NoAnswer::Unreachable(gateway_url.to_owned()))?;
    if url.scheme() != "http" {
        return Err(NoAnswer::Tls);
    }
    tokio::time::timeout(PATIENCE, exchange(&url, path)).await.map_err(|_| NoAnswer::TooSlow)?
}

async fn exchange(gateway: &Url, path: &str) -> Result<Seen, NoAnswer> {
    let started = tokio::time::Instant::now();
    let unreachable = || NoAnswer::Unreachable(gateway.origin().ascii_serialization());
    let host = gateway.host_str().unwrap_or("127.0.0.1").trim_matches(['[', ']']);
    let port = gateway.port_or_known_default().unwrap_or(80);
    let authority = format!("{}:{port}", gateway.host_str().unwrap_or("127.0.0.1"));
    let request = Request::get(path)
        .header(HOST, authority)
        .header(ACCEPT, "*/*")
        .body(Empty::<Bytes>::new())
        .map_err(|_| NoAnswer::BadPath)?;
    if !path.starts_with('/') {
        return Err(NoAnswer::BadPath);
    }
    let stream = TcpStream::connect((host, port)).await.map_err(|_| unreachable())?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|_| unreachable())?;
    let driver = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(|_| unreachable())?;
    let seen = read(response, started).await;
    driver.abort();
    Ok(seen)
}

async fn read(response: Response<Incoming>, started: tokio::time::Instant) -> Seen {
    let (parts, mut body) = response.into_parts();
    let mut bytes = Vec::new();
    let mut cut = false;
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        let room = PREVIEW_BYTES.saturating_sub(bytes.len());
        bytes.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            cut = true;
            break;
        }
    }
    let content_type =
        parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    Seen {
        status: parts.status,
        headers,
        body: preview(bytes, cut, content_type),
        elapsed_ms: started.elapsed().as_millis(),
    }
}

fn preview(bytes: Vec<u8>, cut: bool, content_type: &str) -> Preview {
    if bytes.is_empty() {
        return Preview::Empty;
    }
    let length = bytes.len();
    // A cut may fall inside a character: up to three bytes of it are left out.
    let text = match String::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(why) if cut && why.utf8_error().valid_up_to() + 4 > length => {
            let valid = why.utf8_error().valid_up_to();
            String::from_utf8(why.into_bytes()[..valid].to_vec()).ok()
        }
        Err(_) => None,
    };
    let printable = |text: &String| !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    match text.filter(printable) {
        Some(text) if content_type.contains("json") && !cut => {
            let value = serde_json::from_str::<serde_json::Value>(&text);
            let pretty = value.ok().and_then(|value| serde_json::to_string_pretty(&value).ok());
            Preview::Text { text: pretty.unwrap_or(text), cut }
        }
        Some(text) => Preview::Text { text, cut },
        None => Preview::Binary { bytes: length, cut },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::routing::get as route;

    async fn gateway(router: Router) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        url
    }

    #[tokio::test]
    async fn a_text_answer_is_shown_with_its_status_and_headers() {
        let answer = || async { ([("content-type", "application/json")], "{\"a\":1}") };
        let url = gateway(Router::new().route("/p", route(answer))).await;

        let seen = get(&url, "/p?x=1").await.unwrap();

        assert_eq!(seen.status, StatusCode::OK);
        assert!(
            seen.headers.iter().any(|(name, value)| name == "content-type" && value == "application/json")
        );
        assert!(matches!(seen.body, Preview::Text { text, cut: false } if text == "{\n  \"a\": 1\n}"));
        assert_eq!(get(&url, "/none").await.unwrap().status, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn a_large_body_is_cut_and_a_binary_one_is_not_printed() {
        let router = Router::new()
            .route("/large", route(|| async { "é".repeat(100_000) }))
            .route("/binary", route(|| async { vec![0_u8, 159, 146, 150] }));
        let url = gateway(router).await;

        let large = get(&url, "/large").await.unwrap().body;
        assert!(matches!(large, Preview::Text { text, cut: true } if text.len() <= PREVIEW_BYTES));
        let binary = get(&url, "/binary").await.unwrap().body;
        assert!(matches!(binary, Preview::Binary { bytes: 4, cut: false }));
    }

    #[tokio::test]
    async fn what_cannot_be_tried_says_why() {
        assert!(matches!(get("http://127.0.0.1:1", "/p").await, Err(NoAnswer::Unreachable(_))));
        assert!(matches!(get("https://127.0.0.1:1", "/p").await, Err(NoAnswer::Tls)));
        assert!(matches!(get("http://127.0.0.1:1", "/a b").await, Err(NoAnswer::BadPath)));
    }
}
