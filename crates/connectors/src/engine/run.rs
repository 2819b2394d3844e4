//! The engine's door: one call in, one answer out.

use std::path::PathBuf;
use std::sync::Arc;

use http::StatusCode;
use percent_encoding::percent_decode_str;
use pierhead_domain::{SharedClock, SharedRng};
use serde_json::{Value, json};

use super::documents::Documents;
use super::session::Session;
use super::{CallHead, CallProblem, Connection, HubAnswer, HubCall, not_supported, resources};
use crate::driver::Outbound;

/// What the engine works with.
#[derive(Debug, Clone)]
pub struct EngineParts {
    /// The outbound client with its address guard (`Egress` implements it), or a test's recordings.
    pub outbound: Arc<dyn Outbound>,
    /// Directories no `file` connector may be, contain or lie in (the data directory).
    pub forbidden_directories: Vec<PathBuf>,
    /// Time.
    pub clock: SharedClock,
    /// Randomness, for names of unfinished uploads.
    pub rng: SharedRng,
}

/// Runs definitions. One for the whole process; clones share everything.
#[derive(Debug, Clone)]
pub struct Engine {
    parts: Arc<EngineParts>,
}

const MAX_SEGMENTS: usize = 32;

impl Engine {
    /// An engine with these parts.
    pub fn new(parts: EngineParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// Makes one hub call through `connection`. `/objects…` and the like are the hub's own; everything a
    /// definition answers, and `/ping`, is answered here.
    pub async fn call(&self, connection: &dyn Connection, call: HubCall) -> Result<HubAnswer, CallProblem> {
        let segments = segments(&call.resource)?;
        if call.method == http::Method::GET && segments == ["ping"] {
            return self.ping(connection).await;
        }
        let session = Session::new(connection, &self.parts, call.deadline)?;
        let connector = connection.connector();
        let (call, body) = call.split();
        match resources::find(connector, &call.method, &segments) {
            Ok(found) => return resources::answer(&session, found, &call, body).await,
            Err(known) => {
                let wrong_method = known || documented_otherwise(connector, &call.method, &segments);
                if connector.files.is_some() {
                    let documents = Documents::of(&session)?;
                    if let Some(answer) = documents.answer(&segments, call, body).await {
                        return answer;
                    }
                }
                if wrong_method {
                    let message = "this resource does not answer this method";
                    return Err(CallProblem::new(StatusCode::METHOD_NOT_ALLOWED, message));
                }
            }
        }
        Err(not_supported())
    }

    /// Checks with the vendor that the credentials work (`ping`, provisioning). Gives what the vendor calls
    /// the account, where the definition can ask.
    pub async fn verify(&self, connection: &dyn Connection) -> Result<Option<String>, CallProblem> {
        let session = Session::new(connection, &self.parts, None)?;
        let connector = connection.connector();
        if let Some(verify) = &connector.verify {
            let parsed = session.fetch(&verify.request, &session.scope).await?;
            let record = parsed.record(&verify.request, &session.scope)?;
            let identity = match &verify.identity {
                Some(program) => session.eval(program, &record, &session.scope, "verify.identity")?,
                None => Value::Null,
            };
            return Ok(identity.as_str().map(str::to_owned));
        }
        if connector.files.is_some() {
            Documents::of(&session)?.addressed(Some("root"), &CallHead::plain()).await?;
        }
        Ok(None)
    }

    /// `{dateTime, endpoint, valid}` (open-connectors §9).
    async fn ping(&self, connection: &dyn Connection) -> Result<HubAnswer, CallProblem> {
        self.verify(connection).await?;
        let now = self.parts.clock.now().rfc3339_seconds();
        let endpoint = connection.connector().key.as_str();
        Ok(HubAnswer::json(&json!({"dateTime": now, "endpoint": endpoint, "valid": true})))
    }
}

/// The decoded segments of a hub path.
fn segments(resource: &str) -> Result<Vec<String>, CallProblem> {
    let segments = resource.split('/').filter(|segment| !segment.is_empty()).map(|segment| {
        let decoded = percent_decode_str(segment).decode_utf8();
        let decoded = decoded.map_err(|_| CallProblem::bad_request("the path is not UTF-8"))?;
        if decoded.chars().any(|c| c.is_control()) || matches!(&*decoded, "." | "..") {
            return Err(CallProblem::bad_request("the path may hold neither control characters nor . or .."));
        }
        Ok(decoded.into_owned())
    });
    let segments: Vec<String> = segments.collect::<Result<_, _>>()?;
    if segments.len() > MAX_SEGMENTS {
        return Err(CallProblem::bad_request(format!("the path has at most {MAX_SEGMENTS} segments")));
    }
    Ok(segments)
}

/// Whether the connector answers this path, but with another method only.
fn documented_otherwise(
    connector: &crate::definition::Connector,
    method: &http::Method,
    segments: &[String],
) -> bool {
    let fits = |path: &str| {
        let wanted: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        wanted.len() == segments.len()
            && wanted.iter().zip(segments).all(|(wanted, given)| wanted.starts_with('{') || wanted == given)
    };
    let mut paths = connector.operations.iter().filter(|operation| fits(&operation.path)).peekable();
    paths.peek().is_some() && paths.all(|operation| operation.method != *method)
}
