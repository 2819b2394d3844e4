//! One call out.

use std::fmt;
use std::sync::{Arc, PoisonError};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use crate::body::{LimitedDownload, UploadWatch, WatchedUpload};
use crate::connector::Connector;
use crate::{AddressGuard, BadSettings, Body, CallLimits, Cause, EgressError, EgressSettings, Resolve};

/// The outbound client. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Egress {
    client: Client<Connector, WatchedUpload>,
    guard: AddressGuard,
    user_agent: HeaderValue,
    max_response_head: usize,
}

/// Headers of one connection, never of the next; both HTTP versions make their own.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl Egress {
    /// A client that asks `resolver` for names (in production [`crate::SystemResolver`]).
    pub fn new(settings: &EgressSettings, resolver: Arc<dyn Resolve>) -> Result<Self, BadSettings> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(|error| BadSettings::Tls(error.to_string()))?
            .with_root_certificates(settings.roots()?)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let guard = AddressGuard::new(settings.allow.iter().copied());
        let connector = Connector {
            guard: guard.clone(),
            resolver,
            tls: TlsConnector::from(Arc::new(tls)),
            timeout: settings.connect_timeout,
            connections: Arc::new(Semaphore::new(settings.max_connections)),
        };
        let max_response_head = settings.max_response_head.max(8192);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(settings.pool_idle_timeout)
            .pool_max_idle_per_host(settings.pool_max_idle_per_origin)
            .http1_max_buf_size(max_response_head)
            .http2_max_header_list_size(u32::try_from(max_response_head).unwrap_or(u32::MAX))
            .http2_adaptive_window(true)
            .build(connector);
        let user_agent = HeaderValue::from_str(&settings.user_agent).map_err(|_| BadSettings::UserAgent)?;
        Ok(Self { client, guard, user_agent, max_response_head })
    }

    /// The guard that every connection passes.
    pub fn guard(&self) -> &AddressGuard {
        &self.guard
    }

    /// Sends one request and answers with the response's head; its body streams under the same limits.
    /// Redirects are answers like any other (see [`Egress::follow`]). A request that found its pooled
    /// connection closed before a byte left goes out again on another; nothing else is repeated.
    pub async fn send(
        &self,
        request: Request<Body>,
        limits: CallLimits,
    ) -> Result<Response<Body>, EgressError> {
        check_address(request.uri())?;
        let host = request.uri().host().unwrap_or_default().to_owned();
        let end = limits.total.map(|total| Instant::now() + total);
        let (mut parts, body) = request.into_parts();
        self.prepare(&mut parts.headers);
        parts.version = http::Version::HTTP_11;
        let (body, upload) = WatchedUpload::new(body);
        let mut request = Request::from_parts(parts, body);
        let connection = capture_connection(&mut request);
        let answer = self.client.request(request);
        let patience = Patience { host: &host, limits, end, upload };
        let answer = tokio::select! {
            biased;
            answer = answer => answer.map_err(|error| self.explain(&host, error))?,
            gone = patience.run_out(connection) => return Err(gone),
        };
        Ok(answer.map(|body| LimitedDownload::new(body, host, limits, end).boxed_unsync()))
    }

    fn prepare(&self, headers: &mut HeaderMap) {
        let named: Vec<HeaderName> = headers
            .get_all(header::CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|name| name.trim().parse().ok())
            .collect();
        for name in HOP_BY_HOP {
            headers.remove(*name);
        }
        for name in named {
            headers.remove(name);
        }
        headers.entry(header::USER_AGENT).or_insert_with(|| self.user_agent.clone());
    }

    /// What hyper's error means, found by what lies underneath.
    fn explain(&self, host: &str, error: hyper_util::client::legacy::Error) -> EgressError {
        if let Some(ours) = EgressError::find(&error) {
            return ours.clone();
        }
        let host = host.to_owned();
        let mut too_large = false;
        let mut from_caller = false;
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(error) = next {
            if let Some(hyper) = error.downcast_ref::<hyper::Error>() {
                too_large |= hyper.is_parse_too_large();
                from_caller |= hyper.is_user();
            }
            next = error.source();
        }
        if too_large {
            let limit = u64::try_from(self.max_response_head).unwrap_or(u64::MAX);
            EgressError::TooLarge { host, what: "response head", limit }
        } else if from_caller {
            EgressError::RequestBody { host, source: Cause::new(error) }
        } else if error.is_connect() {
            EgressError::Connect { host, source: Cause::new(error) }
        } else {
            EgressError::Protocol { host, source: Cause::new(error) }
        }
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").field("guard", &self.guard).finish_non_exhaustive()
    }
}

/// What can be said of an address before anything is looked up.
pub(crate) fn check_address(address: &Uri) -> Result<(), EgressError> {
    let bad = |rule| Err(EgressError::BadUrl { rule });
    if !matches!(address.scheme_str(), Some("http" | "https")) {
        return bad("it must begin with http:// or https://");
    }
    let Some(authority) = address.authority() else { return bad("it must name a host") };
    if authority.as_str().contains('@') {
        return bad("it must not hold a user name or password");
    }
    if authority.host().is_empty() {
        return bad("it must name a host");
    }
    Ok(())
}

/// Waits until one of a call's limits is reached; the answer, if it comes first, ends the wait.
struct Patience<'a> {
    host: &'a str,
    limits: CallLimits,
    end: Option<Instant>,
    upload: UploadWatch,
}

impl Patience<'_> {
    async fn run_out(self, mut connection: CaptureConnection) -> EgressError {
        let host = || self.host.to_owned();
        let limits = self.limits;
        let connect_by = Instant::now() + limits.connect;
        let connect_by_or_end = self.end.map_or(connect_by, |end| end.min(connect_by));
        let connected = async {
            drop(connection.wait_for_connection_metadata().await);
        };
        if tokio::time::timeout_at(connect_by_or_end, connected).await.is_err() {
            return match self.end {
                Some(end) if end < connect_by => self.out_of_total(false),
                _ => EgressError::ConnectTimeout { host: host(), after: limits.connect },
            };
        }
        let connected_at = Instant::now();
        loop {
            let upload = *self.upload.lock().unwrap_or_else(PoisonError::into_inner);
            let pause = if upload.done { limits.first_byte } else { limits.idle };
            let until = upload.moved_at.max(connected_at) + pause;
            let now = Instant::now();
            if self.end.is_some_and(|end| now >= end) {
                return self.out_of_total(true);
            }
            if now >= until {
                return if upload.done {
                    EgressError::FirstByteTimeout { host: host(), after: pause }
                } else {
                    EgressError::IdleTimeout { host: host(), which: "request", after: pause }
                };
            }
            tokio::time::sleep_until(self.end.map_or(until, |end| end.min(until))).await;
        }
    }

    fn out_of_total(&self, sent: bool) -> EgressError {
        let after = self.limits.total.unwrap_or_default();
        EgressError::TotalTimeout { host: self.host.to_owned(), after, sent }
    }
}
