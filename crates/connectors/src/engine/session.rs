//! Sends a definition's requests for one hub call: credentials, retries, one refresh, errors.

use std::time::Duration;

use futures_util::future::Either;
use http::{HeaderMap, Request, Response, StatusCode, header};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::answer::{Answer, Parsed, error_content};
use super::build::{Payload, Prepared, header_value, prepare, same_origin};
use super::failure::{Failure, judge};
use super::redirect;
use super::run::EngineParts;
use super::scope::{Scope, credential_value, definition_fault};
use super::{Body, CallProblem, Connection, Credential};
use crate::definition::{Connector, DriverKind, VendorRequest};
use crate::driver::{FileDriver, OutboundProblem};

/// The longest wait a retry is worth; beyond it the caller is told to come back.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// One hub call's view of the vendor.
pub(crate) struct Session<'c> {
    pub(crate) connection: &'c dyn Connection,
    pub(crate) parts: &'c EngineParts,
    pub(crate) scope: Scope,
    deadline: Option<Instant>,
    /// What paths are put behind; empty for drivers that are no URL.
    base: String,
    /// The directory of the `file` driver.
    root: String,
    credential: Mutex<Option<Credential>>,
}

/// How a request goes out, apart from what its definition says.
#[derive(Default)]
pub(crate) struct Sending<'a> {
    /// Instead of the definition's path: a page's or a session's whole URL.
    pub(crate) address: Option<&'a str>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Option<Payload>,
}

impl<'c> Session<'c> {
    pub(crate) fn new(
        connection: &'c dyn Connection,
        parts: &'c EngineParts,
        deadline: Option<Instant>,
    ) -> Result<Self, CallProblem> {
        let scope = Scope::of(connection);
        let transport = &connection.connector().transport;
        let named = match transport.driver {
            DriverKind::Http => connection.setting("base.url").filter(|url| !url.trim().is_empty()),
            DriverKind::File => None,
        };
        let base = match (named, &transport.base) {
            (Some(url), _) => Some(url.to_owned()),
            (None, Some(template)) => {
                scope.text(template).map_err(|error| definition_fault("transport", &error))?
            }
            (None, None) => None,
        };
        let base = base.ok_or_else(|| {
            CallProblem::bad_request("the instance does not say where the vendor is: base.url or root.path")
        })?;
        let (base, root) = match transport.driver {
            DriverKind::Http => (base.trim().trim_end_matches('/').to_owned(), String::new()),
            DriverKind::File => (String::new(), base),
        };
        Ok(Self { connection, parts, scope, deadline, base, root, credential: Mutex::new(None) })
    }

    pub(crate) fn connector(&self) -> &Connector {
        self.connection.connector()
    }

    /// Sends a request and reads its answer by the request's codec.
    pub(crate) async fn fetch(&self, request: &VendorRequest, scope: &Scope) -> Result<Parsed, CallProblem> {
        self.fetch_with(request, scope, Sending::default()).await
    }

    pub(crate) async fn fetch_with(
        &self,
        request: &VendorRequest,
        scope: &Scope,
        sending: Sending<'_>,
    ) -> Result<Parsed, CallProblem> {
        let answer = self.send(request, scope, sending).await?;
        answer.read(request, self.connector().transport.max_answer).await
    }

    /// Sends a request; the answer is a success or one the definition accepts, its body unread.
    pub(crate) async fn send(
        &self,
        request: &VendorRequest,
        scope: &Scope,
        sending: Sending<'_>,
    ) -> Result<Answer, CallProblem> {
        let prepared = self.prepared(request, scope, sending)?;
        self.send_prepared(request, prepared).await
    }

    /// A request with its credentials, to be sent later and by somebody else.
    pub(crate) async fn ready(
        &self,
        request: &VendorRequest,
        scope: &Scope,
    ) -> Result<Request<Body>, CallProblem> {
        let mut prepared = self.prepared(request, scope, Sending::default())?;
        self.apply(&self.credential().await?, &mut prepared)?;
        prepared.take()
    }

    fn prepared(
        &self,
        request: &VendorRequest,
        scope: &Scope,
        sending: Sending<'_>,
    ) -> Result<Prepared, CallProblem> {
        if let Some(address) = sending.address
            && !same_origin(address, &self.base)
        {
            return Err(CallProblem::bad_gateway(
                "the vendor leads to another server, which is not followed",
            ));
        }
        let payload = sending.payload.unwrap_or(Payload::None);
        let mut prepared = prepare(request, &self.base, sending.address, scope, &sending.query, payload)?;
        for (name, template) in &self.connector().transport.headers {
            let fault = |error| definition_fault("transport.headers", &error);
            if let Some(value) = scope.text(template).map_err(fault)?
                && !prepared.headers.iter().any(|(known, _)| known == name)
            {
                prepared.headers.push((name.clone(), header_value(name, &value)?));
            }
        }
        for (name, value) in &sending.headers {
            prepared.headers.push((name.clone(), value.clone()));
        }
        Ok(prepared)
    }

    async fn send_prepared(
        &self,
        request: &VendorRequest,
        mut prepared: Prepared,
    ) -> Result<Answer, CallProblem> {
        let (mut attempt, mut refreshed) = (0, false);
        let bare = (prepared.url.clone(), prepared.headers.clone());
        loop {
            (prepared.url, prepared.headers) = bare.clone();
            let credential = self.credential().await?;
            self.apply(&credential, &mut prepared)?;
            let first = prepared.take()?;
            let asked = prepared.url.clone();
            let outcome = self.arrive(first, &mut prepared, &request.accept).await;
            let may_repeat = prepared.repeatable() && attempt < self.connector().transport.retries;
            match outcome {
                Ok(response) => {
                    let (head, body) = response.into_parts();
                    let status = head.status;
                    let accepted = status.is_success() || request.accept.contains(&status.as_u16());
                    if accepted || status == StatusCode::NOT_MODIFIED {
                        // Without a credential in the query, unless the vendor itself led here.
                        let url = if asked == prepared.url { bare.0 } else { prepared.url };
                        return Ok(Answer { status, headers: head.headers, body, url });
                    }
                    let content = error_content(body, &head.headers).await;
                    let Failure { problem, refresh } =
                        judge(self.connector(), status, &head.headers, &content);
                    if refresh && !refreshed {
                        refreshed = true;
                        let fresh = self.connection.rejected(credential.generation).await?;
                        *self.credential.lock().await = Some(fresh);
                        if prepared.repeatable() {
                            continue;
                        }
                        return Err(CallProblem { retryable: true, ..problem });
                    }
                    // A 429 was not carried out; anything else may have been.
                    let safe = request.idempotent || problem.status == StatusCode::TOO_MANY_REQUESTS;
                    if !(may_repeat
                        && safe
                        && problem.retryable
                        && self.wait(attempt, problem.retry_after).await)
                    {
                        return Err(problem);
                    }
                }
                Err(problem) => {
                    let safe = request.idempotent || matches!(problem, OutboundProblem::Unreachable(_));
                    let transient = !matches!(problem, OutboundProblem::Refused(_));
                    if !(may_repeat && safe && transient && self.wait(attempt, None).await) {
                        return Err(transport_problem(&problem));
                    }
                }
            }
            attempt += 1;
        }
    }

    /// Sends `first`, then what the vendor leads on to, until it leads no further.
    async fn arrive(
        &self,
        first: Request<Body>,
        prepared: &mut Prepared,
        accept: &[u16],
    ) -> Result<Response<Body>, OutboundProblem> {
        let mut response = self.once(first).await?;
        for _ in 0..redirect::MAX_HOPS {
            if accept.contains(&response.status().as_u16()) || !redirect::lead_on(prepared, &response)? {
                return Ok(response);
            }
            let next = prepared.take().map_err(|problem| OutboundProblem::Refused(problem.message))?;
            response = self.once(next).await?;
        }
        Ok(response)
    }

    /// One exchange with the driver, ended by the call's deadline.
    async fn once(&self, request: Request<Body>) -> Result<Response<Body>, OutboundProblem> {
        let transport = &self.connector().transport;
        let files = self.file_driver();
        let sent = match transport.driver {
            DriverKind::Http => Either::Left(self.parts.outbound.send(request, transport.times)),
            DriverKind::File => Either::Right(files.send(&self.root, request)),
        };
        match self.deadline {
            None => sent.await,
            Some(deadline) => {
                let late = |_| OutboundProblem::TimedOut("the call's own time is over".to_owned());
                tokio::time::timeout_at(deadline, sent).await.map_err(late)?
            }
        }
    }

    fn file_driver(&self) -> FileDriver<'_> {
        FileDriver {
            forbidden: &self.parts.forbidden_directories,
            rng: &self.parts.rng,
            now: self.parts.clock.now(),
        }
    }

    async fn credential(&self) -> Result<Credential, CallProblem> {
        let mut kept = self.credential.lock().await;
        if let Some(credential) = &*kept {
            return Ok(credential.clone());
        }
        let credential = self.connection.credential().await?;
        *kept = Some(credential.clone());
        Ok(credential)
    }

    /// Puts the credential where the definition's `apply` block says, marked so that nothing logs it.
    fn apply(&self, credential: &Credential, prepared: &mut Prepared) -> Result<(), CallProblem> {
        let auth = &self.connector().auth;
        if auth.headers.is_empty() && auth.query.is_empty() {
            return Ok(());
        }
        let scope = self.scope.clone().with("credential", credential_value(credential));
        let fault = |error| definition_fault("auth.apply", &error);
        for (name, template) in &auth.headers {
            if let Some(value) = scope.text(template).map_err(fault)? {
                let mut value = header_value(name, &value)?;
                value.set_sensitive(true);
                prepared.headers.push((name.clone(), value));
            }
        }
        for (name, template) in &auth.query {
            if let Some(value) = scope.text(template).map_err(fault)? {
                prepared.add_query(name, &value);
            }
        }
        Ok(())
    }

    /// Waits before another attempt; false when the wait would be too long or beyond the deadline.
    pub(crate) async fn wait(&self, attempt: u32, asked: Option<Duration>) -> bool {
        let mut jitter = [0u8; 1];
        self.parts.rng.fill(&mut jitter);
        let grown = Duration::from_millis((200u64 << attempt.min(5)) + u64::from(jitter[0]));
        let wait = asked.map_or(grown, |asked| asked.max(Duration::from_millis(1)));
        let until = Instant::now() + wait;
        if wait > LONGEST_WAIT || self.deadline.is_some_and(|deadline| until >= deadline) {
            return false;
        }
        tokio::time::sleep_until(until).await;
        true
    }

    /// Runs one of the definition's expressions over a vendor record.
    pub(crate) fn eval(
        &self,
        program: &pierhead_script::Program,
        record: &Value,
        scope: &Scope,
        label: &str,
    ) -> Result<Value, CallProblem> {
        scope.value(program, record).map_err(|error| {
            let fault = definition_fault(label, &error);
            CallProblem::bad_gateway(format!(
                "the vendor's record has an unexpected shape: {}",
                fault.message
            ))
        })
    }
}

fn transport_problem(problem: &OutboundProblem) -> CallProblem {
    match problem {
        OutboundProblem::TimedOut(text) => {
            CallProblem::timeout(format!("the vendor did not answer in time: {text}"))
        }
        OutboundProblem::Refused(text) => CallProblem {
            retryable: false,
            address_refused: true,
            ..CallProblem::bad_gateway(format!("the vendor's address is not allowed: {text}"))
        },
        OutboundProblem::Unreachable(text) => {
            CallProblem::bad_gateway(format!("the vendor cannot be reached: {text}"))
        }
        OutboundProblem::Broken(text) => CallProblem::bad_gateway(format!("the vendor broke off: {text}")),
    }
}

/// The client's headers a download may pass on.
pub(crate) fn range_headers(headers: &HeaderMap) -> HeaderMap {
    let passed = [header::RANGE, header::IF_RANGE, header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE];
    passed.into_iter().filter_map(|name| headers.get(&name).map(|value| (name, value.clone()))).collect()
}
