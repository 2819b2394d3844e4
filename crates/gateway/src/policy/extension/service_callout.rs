//! `ServiceCallout`: a call to somebody else in the middle of a flow (api-management §9.6).

mod connection;

use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;

use self::connection::{Connection, Place};
use super::callout::{self, Made, NotMade, Outgoing};
use crate::balancer::Balancing;
use crate::callout::{Callout, LocalFuture};
use crate::condition::Lookup as _;
use crate::exchange::{Exchange, Message};
use crate::fault::{EngineFault, Fault};
use crate::flow::call_local;
use crate::policy::blueprint::Blueprint;
use crate::policy::edits::EditProblem;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::template::RenderProblem;
use crate::variable::{Stored, Variable};

/// Builds a request, sends it and keeps the answer. Without a `Response` nobody waits for the answer.
///
/// Faults, all 500: `steps.servicecallout.ExecutionFailed` when there is no answer, or one whose status is an
/// error; `steps.servicecallout.RequestVariableNotMessageType`,
/// `steps.servicecallout.RequestVariableNotRequestMessageType`.
#[derive(Debug)]
pub(super) struct ServiceCallout {
    name: Arc<str>,
    outgoing: Outgoing,
    connection: Connection,
    response: Option<Arc<str>>,
    within: Duration,
    target_url: Variable,
    /// What [`Self::target_url`] was set to by the policy itself; another value is a step's wish.
    sent_url: Variable,
    expected_name: Variable,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    let children = ["Request", "Response", "Timeout", "HTTPTargetConnection", "LocalTargetConnection"];
    policy.only_in_root(&[], &children);
    let within = callout::timeout(policy);
    let response = callout::response_variable(policy);
    let connection = connection::read(policy);
    let verb = connection.as_ref().and_then(|(_, verb)| verb.clone());
    let outgoing = Outgoing::read(policy, verb);
    let own = |field: &str| Variable::new(&format!("servicecallout.{}.{field}", policy.name));
    let (connection, _) = connection?;
    Some(Box::new(ServiceCallout {
        name: policy.name.clone(),
        target_url: own("target.url"),
        sent_url: own("~sent.url"),
        expected_name: own("expectedcn"),
        outgoing,
        within: within.min(connection.timeouts.io),
        connection,
        response,
    }))
}

impl Policy for ServiceCallout {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        let call = match self.begin(cx) {
            Ok(call) => call,
            Err(fault) => return PolicyRun::Done(Err(fault)),
        };
        let Some(response) = &self.response else {
            // It goes on by itself, whatever becomes of this exchange.
            if tokio::runtime::Handle::try_current().is_ok() {
                let policy = self.name.clone();
                tokio::task::spawn_local(async move {
                    if let Err(fault) = call.await {
                        let fault = fault.fault();
                        tracing::debug!(%policy, "ServiceCallout {policy}: nobody waited, and it failed: {}", fault.text());
                    }
                });
            }
            return PolicyRun::Done(Ok(Next::Continue));
        };
        PolicyRun::Wait(Box::pin(async move {
            let answered = tokio::time::timeout(self.within, call).await;
            let answer = answered
                .unwrap_or(Err(EngineFault::GatewayTimeout))
                .map_err(|fault| self.failed(&reason(&fault, &self.name)))?;
            let status = answer.status();
            callout::keep(cx, response, answer);
            if self.connection.success.holds(status) {
                return Ok(Next::Continue);
            }
            Err(self.failed(&format!("ResponseCode {} is treated as error", status.as_u16())))
        }))
    }
}

type Call = LocalFuture<Result<Message, EngineFault>>;

impl ServiceCallout {
    fn begin(&self, cx: &mut Exchange) -> Result<Call, Fault> {
        let made = self.outgoing.make(cx).map_err(|problem| self.not_made(&problem))?;
        let (wished, sent) = (cx.value(&self.target_url), cx.value(&self.sent_url));
        let instead = if wished == sent { None } else { wished.into_text().map(String::from) };
        let place = self.connection.place(cx, instead.as_deref()).map_err(|why| self.failed(&why))?;
        let call = self.address(cx, made, place).ok_or_else(|| self.failed("the path is no path"))?;
        let call = call.map_err(|fault| self.failed(&reason(&fault, &self.name)))?;
        self.outgoing.sent(cx);
        Ok(call)
    }

    /// `None` when path and query of address and request are none together.
    fn address(&self, cx: &mut Exchange, made: Made, place: Place) -> Option<Result<Call, EngineFault>> {
        match place {
            Place::Server(endpoint, address) => {
                let target = made.target(&address)?;
                let scheme = if endpoint.tls { "https" } else { "http" };
                let url = format!("{scheme}://{}:{}{target}", endpoint.host, endpoint.port);
                let expected = endpoint.identity.as_ref().and_then(|identity| identity.expected_name());
                let expected = expected.unwrap_or(&endpoint.host).to_owned();
                self.show(cx, &target, &url, endpoint.tls.then_some(expected));
                let bare = endpoint.url(target.path());
                let callout = self.callout(cx, endpoint, made.addressed(target));
                let outbound = cx.services.outbound.clone();
                Some(self.authorized(cx, &bare, callout, move |callout| outbound.call(callout)))
            }
            Place::Local(address, path) => {
                let target = made.target(&path)?;
                self.show(cx, &target, target.as_str(), None);
                Some(Ok(call_local(cx, &address, made.addressed(target))))
            }
            Place::Balanced(balancer, path) => {
                let target = made.target(&path)?;
                self.show(cx, &target, target.as_str(), None);
                let mut balancing = match Balancing::begin(&balancer, cx.now()) {
                    Some(balancing) => balancing,
                    None => return Some(Err(EngineFault::NoActiveTargets)),
                };
                let first = balancing.present()?.endpoint.clone();
                let bare = first.url(target.path());
                let request = made.addressed(target);
                let sample = self.callout(cx, first, request);
                let (clock, outbound) = (Arc::clone(&cx.services.clock), cx.services.outbound.clone());
                let trust_all = self.connection.tls.trust_all;
                let identity = match self.connection.tls.identity(cx) {
                    Ok(identity) => identity,
                    Err(why) => {
                        tracing::debug!(policy = %self.name, "TLS of a callout cannot be made: {why}");
                        return Some(Err(EngineFault::SslHandshakeFailed));
                    }
                };
                let call = move |sample: Callout| -> Call {
                    Box::pin(async move {
                        loop {
                            let Some(server) = balancing.present() else {
                                return Err(EngineFault::NoActiveTargets);
                            };
                            let mut callout = sample.clone();
                            callout.endpoint = server.endpoint.clone();
                            callout.endpoint.trust_all |= trust_all;
                            if callout.endpoint.tls && callout.endpoint.identity.is_none() {
                                callout.endpoint.identity.clone_from(&identity);
                            }
                            with_prefix(&mut callout)?;
                            let answered = outbound.call(callout).await;
                            let failed = answered.as_ref().err().is_some_and(EngineFault::is_of_target);
                            balancing.learn(failed, clock.now());
                            if !failed || !balancing.balancer.retries || !balancing.go_on(clock.now()) {
                                return answered;
                            }
                        }
                    })
                };
                Some(self.authorized(cx, &bare, sample, call))
            }
        }
    }

    /// The call with the credentials that go along, once they are there.
    fn authorized(
        &self,
        cx: &Exchange,
        url: &str,
        mut callout: Callout,
        call: impl FnOnce(Callout) -> Call + 'static,
    ) -> Result<Call, EngineFault> {
        let Some(authentication) = &self.connection.authentication else { return Ok(call(callout)) };
        let credential = authentication.credential(cx, Some(url))?;
        Ok(Box::pin(async move {
            credential.write(&mut callout.request.headers).await?;
            call(callout).await
        }))
    }

    fn callout(&self, cx: &Exchange, endpoint: crate::compile::Endpoint, request: Message) -> Callout {
        Callout {
            endpoint,
            request,
            timeouts: self.connection.timeouts,
            within: self.within,
            answer_limit: cx.proxy().buffered_body_bytes,
        }
    }

    /// What steps can read of the call.
    fn show(&self, cx: &mut Exchange, target: &PathAndQuery, url: &str, name: Option<String>) {
        let request_uri = Variable::new("servicecallout.requesturi");
        // These variables are nobody's but ours, so setting them cannot fail.
        let _ = cx.set(&request_uri, Some(Stored::from(target.as_str())));
        let _ = cx.set(&self.target_url, Some(Stored::from(url)));
        let _ = cx.set(&self.sent_url, Some(Stored::from(url)));
        if let Some(name) = name {
            let _ = cx.set(&self.expected_name, Some(Stored::from(name)));
        }
    }

    fn failed(&self, reason: &str) -> Fault {
        let text = format!("Execution of ServiceCallout {} failed. Reason: {reason}", self.name);
        Fault::internal("steps.servicecallout.ExecutionFailed", text)
    }

    fn not_made(&self, problem: &NotMade) -> Fault {
        let code = match problem {
            NotMade::NotAMessage(_) => "steps.servicecallout.RequestVariableNotMessageType",
            NotMade::NotARequest(_) => "steps.servicecallout.RequestVariableNotRequestMessageType",
            NotMade::Edit(EditProblem::Template(RenderProblem::Unresolved(name))) => {
                return self.failed(&format!("Unresolved variable : {name}"));
            }
            NotMade::Edit(_) | NotMade::Headers => return self.failed(&problem.to_string()),
        };
        Fault::internal(code, format!("ServiceCallout[{}]: {problem}", self.name))
    }
}

/// The path of a server before the path that is asked for.
fn with_prefix(callout: &mut Callout) -> Result<(), EngineFault> {
    let prefix = callout.endpoint.path_prefix.clone();
    if let Some(head) = callout.request.as_request_mut()
        && !prefix.is_empty()
    {
        let whole = format!("{prefix}{}", head.uri);
        head.uri = whole.parse().map_err(|_| EngineFault::BadPath("the path is no path".into()))?;
    }
    Ok(())
}

/// The cause as the originals say it.
pub(super) fn reason(fault: &EngineFault, policy: &str) -> String {
    match fault {
        EngineFault::GatewayTimeout | EngineFault::TargetWriteTimeOut => {
            format!("timeout occurred in {policy}")
        }
        EngineFault::ServiceUnavailable => "Host not reachable".to_owned(),
        other => other.fault().text().to_owned(),
    }
}

#[cfg(test)]
mod tests;
