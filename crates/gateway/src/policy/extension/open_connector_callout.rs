//! `OpenConnectorCallout`: a call of a connector instance in the middle of a flow (api-management §9.2).

use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt as _, Full};

use super::callout::{self, Made, Outgoing};
use super::open_connectors::{InstanceSecret, instance_secret};
use super::service_callout::reason;
use crate::body::{ReadBodyError, read_whole};
use crate::callout::{Callout, LocalFuture};
use crate::compile::{
    HubPlace, OpenConnectorsProvider, Provider, ProviderKind, SuccessCodes, TargetTimeouts,
};
use crate::door::{self, HUB_ROOT};
use crate::exchange::{Exchange, Message, MessageBody, encode};
use crate::fault::{EngineFault, Fault};
use crate::policy::blueprint::Blueprint;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::ports::HubBody;

/// Calls the hub of an Open Connectors provider with the three secrets, which stand in no message that steps
/// see. Only hub calls pass, as through a target of such a provider (design, "No open door").
///
/// Faults: `steps.openconnectorcallout.ExecutionFailed` 500 (the original's name is not known);
/// `oc.PlatformRouteForbidden` 403; `oc.NoInstanceToken`, `oc.BadInstanceToken` 500.
#[derive(Debug)]
pub(super) struct OpenConnectorCallout {
    name: Arc<str>,
    outgoing: Outgoing,
    provider: Arc<Provider>,
    secret: InstanceSecret,
    response: Option<Arc<str>>,
    within: Duration,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    let children =
        ["Request", "Response", "Timeout", "APIProvider", "HTTPTargetConnection", "InstanceSecret"];
    policy.only_in_root(&[], &children);
    let within = callout::timeout(policy);
    let response = callout::response_variable(policy);
    let secret = instance_secret(policy);
    let outgoing = Outgoing::read(policy, None);
    let root = policy.root;
    let inner = root.child("HTTPTargetConnection");
    if let Some(inner) = inner {
        policy.only(inner, &[], &["APIProvider"]);
    }
    let named = root.child("APIProvider").or_else(|| inner.and_then(|inner| inner.child("APIProvider")));
    let Some(named) = named.filter(|named| !named.text().is_empty()) else {
        policy.problem(root, "ConnectionInfoMissing", "OpenConnectorCallout needs an APIProvider");
        return None;
    };
    let provider = match policy.world.providers.get(named.text()) {
        Some(found) if matches!(found.kind, ProviderKind::OpenConnectors(_)) => Arc::clone(found),
        Some(_) => {
            let message = format!("API provider '{}' is not of type Open Connectors", named.text());
            policy.problem(named, "NotAnOpenConnectorsProvider", message);
            return None;
        }
        None => {
            policy.problem(named, "UnknownProvider", format!("there is no API provider '{}'", named.text()));
            return None;
        }
    };
    let secret = secret?;
    let name = policy.name.clone();
    Some(Box::new(OpenConnectorCallout { name, outgoing, provider, secret, response, within }))
}

impl Policy for OpenConnectorCallout {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        let call = match self.begin(cx) {
            Ok(call) => call,
            Err(fault) => return PolicyRun::Done(Err(fault)),
        };
        PolicyRun::Wait(Box::pin(async move {
            let answered = tokio::time::timeout(self.within, call).await;
            let answer = answered
                .unwrap_or(Err(EngineFault::GatewayTimeout))
                .map_err(|fault| self.failed(&reason(&fault, &self.name)))?;
            let status = answer.status();
            if let Some(response) = &self.response {
                callout::keep(cx, response, answer);
            }
            if SuccessCodes::default().holds(status) {
                return Ok(Next::Continue);
            }
            Err(self.failed(&format!("ResponseCode {} is treated as error", status.as_u16())))
        }))
    }
}

impl OpenConnectorCallout {
    fn begin(&self, cx: &mut Exchange) -> Result<LocalFuture<Result<Message, EngineFault>>, Fault> {
        let ProviderKind::OpenConnectors(hub) = &self.provider.kind else {
            return Err(self.failed("the provider is not of type Open Connectors"));
        };
        let made = self.outgoing.make(cx).map_err(|problem| self.failed(&problem.to_string()))?;
        let below = hub_path(&made, hub)?;
        let secrets = self.secret.authorization(cx, hub)?;
        self.outgoing.sent(cx);
        self.call(cx, hub, made, &below, secrets).ok_or_else(|| self.failed("the path is no path"))
    }

    fn call(
        &self,
        cx: &Exchange,
        hub: &OpenConnectorsProvider,
        mut made: Made,
        below: &str,
        secrets: HeaderValue,
    ) -> Option<LocalFuture<Result<Message, EngineFault>>> {
        made.path = None;
        made.message.headers.insert(AUTHORIZATION, secrets);
        let answer_limit = cx.proxy().buffered_body_bytes;
        match &hub.hub {
            HubPlace::Remote(endpoint) => {
                let address = format!("{}{HUB_ROOT}{}", endpoint.path_prefix, encode(below)).parse().ok()?;
                let target = made.target(&address)?;
                let timeouts = TargetTimeouts::default();
                let (endpoint, request) = (endpoint.clone(), made.addressed(target));
                let callout = Callout { endpoint, request, timeouts, within: self.within, answer_limit };
                Some(cx.services.outbound.call(callout))
            }
            HubPlace::ThisInstallation => {
                let target = made.target(&encode(below).parse().ok()?)?;
                let Some(port) = cx.services.ports.hub.clone() else {
                    return Some(Box::pin(async { Err(EngineFault::ServiceUnavailable) }));
                };
                let request = to_hub(made.addressed(target), cx);
                Some(Box::pin(async move {
                    let (head, mut body) = port.call(request).await.into_parts();
                    let bytes = read_whole(&mut body, answer_limit).await.map_err(|error| match error {
                        ReadBodyError::TooBig(limit) => EngineFault::TooBigTargetBody(limit),
                        ReadBodyError::Broken(_) => EngineFault::UnexpectedEofAtTarget,
                    })?;
                    Ok(Message::response(head.status, head.headers, MessageBody::Replaced(bytes)))
                }))
            }
        }
    }

    fn failed(&self, reason: &str) -> Fault {
        let text = format!("Execution of OpenConnectorCallout {} failed. Reason: {reason}", self.name);
        Fault::internal("steps.openconnectorcallout.ExecutionFailed", text)
    }
}

/// The path below the hub's root, if it is a hub call.
fn hub_path(made: &Made, hub: &OpenConnectorsProvider) -> Result<String, Fault> {
    let path = made.path.as_deref().unwrap_or("/");
    let below = path.strip_prefix(HUB_ROOT).unwrap_or(path).to_owned();
    door::pass(&below, &hub.allowed_platform_roots).map_err(|_| EngineFault::PlatformRouteForbidden)?;
    Ok(below)
}

fn to_hub(message: Message, cx: &Exchange) -> Request<HubBody> {
    let bytes = bytes::Bytes::copy_from_slice(message.body.bytes());
    let length = bytes.len();
    let mut request = Request::new(HubBody::new(Full::new(bytes).map_err(|never| match never {})));
    if let Some(head) = message.as_request() {
        request.method_mut().clone_from(&head.method);
        *request.uri_mut() = head.uri.clone().into();
    }
    *request.headers_mut() = message.headers;
    if length > 0 {
        request.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
    }
    request.extensions_mut().insert(*cx.message_id());
    request
}

#[cfg(test)]
mod tests;
