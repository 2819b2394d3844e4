//! A server that answers every request as it was told to, or else with what it got.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::mock::{Mock, Seen, Stand};

/// What of a body comes back.
const MOST_BODY: usize = 1 << 20;

/// An echo on a loopback port of its own. Dropping it ends it.
pub(super) struct Echo {
    addr: SocketAddr,
    stand: Arc<Stand>,
    task: JoinHandle<()>,
}

impl Echo {
    pub(super) async fn start(mocks: Vec<Mock>) -> io::Result<Self> {
        let stand = Arc::new(Stand::new(mocks));
        let answers = Arc::clone(&stand);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let task = tokio::spawn(async move {
            loop {
                // A connection that could not be taken is its client's loss only.
                if let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(answer_all(stream, Arc::clone(&answers)));
                }
            }
        });
        Ok(Self { addr, stand, task })
    }

    pub(super) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The calls since the last time this was asked.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.stand.seen()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer_all(stream: TcpStream, stand: Arc<Stand>) {
    let answer = service_fn(|request| answer(request, &stand));
    // Whoever broke off needs no answer.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
}

async fn answer(request: Request<Incoming>, stand: &Stand) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, MOST_BODY).collect().await {
        Ok(body) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        Err(_) => format!("(more than {MOST_BODY} bytes, or broken off)"),
    };
    let host = head.headers.get(HOST).map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
    let call = Seen {
        method: head.method,
        host: host.unwrap_or_default(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
    };
    let echoed = echo(&call);
    let mut response = Response::new(Full::default());
    match stand.take(call) {
        Some(mock) => {
            *response.status_mut() = mock.status();
            *response.headers_mut() = mock.headers();
            *response.body_mut() = mock.body.clone().into();
        }
        None => {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *response.body_mut() = echoed.into();
        }
    }
    Ok(response)
}

/// `{"method","host","path","query","headers","body"}`.
fn echo(call: &Seen) -> String {
    let mut headers = Map::new();
    for (name, value) in &call.headers {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        match headers.get_mut(name.as_str()) {
            Some(Value::String(earlier)) => {
                earlier.push_str(", ");
                earlier.push_str(&text);
            }
            _ => {
                headers.insert(name.as_str().to_owned(), text.into());
            }
        }
    }
    let said = json!({
        "method": call.method.as_str(),
        "host": call.host,
        "path": call.path,
        "query": call.query,
        "headers": headers,
        "body": call.body,
    });
    said.to_string()
}
