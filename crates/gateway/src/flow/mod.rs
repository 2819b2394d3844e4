//! The flow engine: what runs when (api-management §4).
//!
//! The transport's part: [`begin`] when a request's head is there; the bodies that [`Exchange::reads`] names
//! put into memory (the request's before [`run_request`], the response's before [`run_response`]);
//! [`run_request`]; when it says `Forward`, the call, then [`Exchange::receive`] and [`run_response`], or
//! [`on_target_error`]; send [`Exchange::response`]; [`run_post_client`].

mod destination;
mod events;
mod faults;
mod local;
mod resume;
mod retain;
mod shared;

use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use crate::compile::{
    CompiledPolicy, DestinationPlan, FlowPlan, FlowsPlan, ProviderKind, StepPlan, TargetPlan,
};
use crate::exchange::{Exchange, Incoming, Message, Part, Segment, Services, normalise};
use crate::fault::{EngineFault, Fault, wants_xml};
use crate::policy::{Next, PolicyRun};
use crate::snapshot::{HookPoint, Snapshot};
use crate::trace::{self, Recorder};
use crate::variable::Stored;

pub use destination::ForwardTo;
pub(crate) use destination::{go_on, preview};
pub(crate) use events::run_event;
pub(crate) use local::run_whole;
pub use local::{LocalAddress, LocalTarget, call_local};
pub(crate) use shared::run_shared;

/// A request that no proxy serves.
#[derive(Debug, Clone)]
pub struct RouteMiss {
    /// Why: `BadPath` 400, `PlatformRouteForbidden` 403 or `ApplicationNotFound` 404.
    pub fault: EngineFault,
    xml: bool,
}

impl RouteMiss {
    /// What the client gets.
    pub fn answer(&self) -> Message {
        self.fault.fault().answer(self.xml)
    }
}

/// What to do after the request flows.
#[derive(Debug)]
pub enum RequestOutcome {
    /// Send [`Exchange::request`] there.
    Forward(ForwardTo),
    /// [`Exchange::response`] is final: a null route, or a fault that has been through the fault rules.
    Answer,
}

/// Finds the proxy for a request and pins the snapshot to it. No body is needed yet.
pub fn begin(
    snapshot: Arc<Snapshot>,
    services: &Rc<Services>,
    incoming: Incoming,
) -> Result<Box<Exchange>, RouteMiss> {
    let miss = |fault| RouteMiss { fault, xml: wants_xml(&incoming.request.headers) };
    let Some(head) = incoming.request.as_request() else {
        return Err(miss(EngineFault::BadRequest("not a request")));
    };
    let host = host_of(&incoming.request);
    let host = snapshot.virtual_host(host).unwrap_or(usize::MAX);
    let raw = head.uri.path();
    let path = normalise(raw).map_err(|bad| match leads_to_a_hub(&snapshot, host, raw) {
        true => miss(EngineFault::PlatformRouteForbidden),
        false => miss(EngineFault::BadPath(bad.to_string())),
    })?;
    let Some((route, base_end)) = snapshot.route(host, &path) else {
        let host = snapshot.host(host).map_or("default", |host| &host.name).to_owned();
        return Err(miss(EngineFault::ApplicationNotFound { host, path: path.into_owned() }));
    };
    let route = route.clone();
    let normalised = match path {
        std::borrow::Cow::Borrowed(_) => None,
        std::borrow::Cow::Owned(path) => Some(path.into_boxed_str()),
    };
    // In a box, so that handing it on copies nothing.
    let exchange = Exchange::new(snapshot, services.clone(), incoming, route, host, normalised, base_end);
    let mut exchange = Box::new(exchange);
    if services.traces.is_on() {
        Recorder::begin(&services.traces, &mut exchange);
    }
    Ok(exchange)
}

/// Whether a path that cannot be read begins like one of a proxy to an Open Connectors provider: there each
/// trick is a try at the platform's routes, and is answered as those are.
fn leads_to_a_hub(snapshot: &Snapshot, host: usize, raw: &str) -> bool {
    let is_hub = |target: &TargetPlan| {
        target.provider().is_some_and(|provider| matches!(provider.kind, ProviderKind::OpenConnectors(_)))
    };
    snapshot.route(host, raw).is_some_and(|(route, _)| route.proxy.targets.iter().any(is_hub))
}

/// The authority the client asked for: of an absolute request target, else the Host header.
fn host_of(request: &Message) -> &str {
    request.headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

/// Runs the request flows of the proxy endpoint, chooses the route, and runs the request flows of the target.
pub async fn run_request(cx: &mut Exchange) -> RequestOutcome {
    let outcome = run_request_flows(cx).await;
    if matches!(outcome, RequestOutcome::Answer) {
        finish_answer(cx);
    }
    outcome
}

async fn run_request_flows(cx: &mut Exchange) -> RequestOutcome {
    match request_flows(cx).await {
        Ok(Some(to)) => {
            if let Some(trace) = &cx.trace {
                trace.sent(to.url(), &cx.request);
            }
            cx.show_hub_authorization();
            RequestOutcome::Forward(to)
        }
        Ok(None) => {
            respond(cx).await;
            RequestOutcome::Answer
        }
        Err(fault) => {
            faults::run(cx, fault).await;
            RequestOutcome::Answer
        }
    }
}

async fn request_flows(cx: &mut Exchange) -> Result<Option<ForwardTo>, Fault> {
    let proxy = cx.route.proxy.clone();
    let plan = &proxy.endpoints[cx.route.endpoint];
    if shared::run_hook(cx, HookPoint::PreProxy).await? == Next::Respond
        || run_flows(cx, &plan.flows, Segment::ProxyRequest).await? == Next::Respond
    {
        return Ok(None);
    }
    let rule = plan
        .routes
        .iter()
        .position(|rule| cx.asks(rule.condition.as_ref(), || format!("route {}", rule.name)));
    cx.route_rule = Some(rule.ok_or(EngineFault::RouteFailed)?);
    cx.target = rule.and_then(|rule| plan.routes[rule].target);
    let Some(target) = cx.target else { return Ok(None) };
    let plan = &proxy.targets[target];
    cx.enter(Segment::TargetRequest, Part::Pre);
    retain::request(cx, plan);
    if shared::run_hook(cx, HookPoint::PreTarget).await? == Next::Respond
        || run_flows(cx, &plan.flows, Segment::TargetRequest).await? == Next::Respond
    {
        // What was found in a cache may go on in the target's response flows.
        if cx.traffic.resume_behind.is_none() {
            cx.target = None;
        }
        return Ok(None);
    }
    if let DestinationPlan::Script { policy, .. } = &plan.destination
        && cx.overrides.url.is_none()
    {
        return answer_by_script(cx, policy).await.map(|()| None);
    }
    let to = destination::choose(cx, plan)?;
    if let Some(authentication) = &plan.authentication {
        let credential = authentication.credential(cx, to.bare_url().as_deref())?;
        let (name, value) = credential.value().await?;
        cx.request.headers.insert(name, value);
    }
    Ok(Some(to))
}

/// A script in the place of a server: what it leaves as the response is the answer.
async fn answer_by_script(cx: &mut Exchange, script: &CompiledPolicy) -> Result<(), Fault> {
    cx.response = Some(Message::empty_response());
    match script.policy.run(cx) {
        PolicyRun::Done(done) => done?,
        PolicyRun::Wait(waits) => waits.await?,
    };
    target_response(cx).await
}

/// Runs the response flows of target and proxy endpoint over [`Exchange::response`]; afterwards it is final.
pub async fn run_response(cx: &mut Exchange) {
    cx.hide_hub_authorization();
    if let (Some(trace), Some(response)) = (&cx.trace, &cx.response) {
        trace.received(response);
    }
    match target_response(cx).await {
        Ok(()) => respond(cx).await,
        Err(fault) => faults::run(cx, fault).await,
    }
    finish_answer(cx);
    if cx.has_event_steps() {
        events::run_in_memory(cx).await;
    }
}

async fn target_response(cx: &mut Exchange) -> Result<(), Fault> {
    let Some(target) = cx.target else { return Ok(()) };
    let proxy = cx.route.proxy.clone();
    let plan = &proxy.targets[target];
    cx.position.segment = Segment::TargetResponse;
    retain::response(cx, plan);
    let status = cx.response.as_ref().map_or(http::StatusCode::OK, Message::status);
    if !plan.success.holds(status) {
        let answer = cx.response.take().unwrap_or_else(Message::empty_response);
        return Err(faults::error_response(status).with_answer(answer));
    }
    run_flows(cx, &plan.flows, Segment::TargetResponse).await?;
    shared::run_hook(cx, HookPoint::PostTarget).await.map(drop)
}

/// The response flows that are left, and their faults.
async fn respond(cx: &mut Exchange) {
    if cx.response.is_none() {
        cx.response = Some(unasked(&cx.request));
    }
    if let Err(fault) = resume::respond(cx).await {
        faults::run(cx, fault).await;
    }
}

/// The answer of a route without a target: 200, with the payload that a policy wrote into the request, if one did.
/// Nothing that the client sent is mirrored (decision 065).
fn unasked(request: &Message) -> Message {
    let mut answer = Message::empty_response();
    if request.written {
        answer.receive_body(request.body.clone());
        if let Some(kind) = request.headers.get(http::header::CONTENT_TYPE) {
            answer.headers.insert(http::header::CONTENT_TYPE, kind.clone());
        }
    }
    answer
}

/// The response flows of the proxy endpoint.
async fn respond_to(cx: &mut Exchange) -> Result<(), Fault> {
    let proxy = cx.route.proxy.clone();
    let plan = &proxy.endpoints[cx.route.endpoint];
    run_flows(cx, &plan.flows, Segment::ProxyResponse).await?;
    shared::run_hook(cx, HookPoint::PostProxy).await.map(drop)
}

/// The last change of every answer, an error's too: headers that no step and no target may lose.
fn finish_answer(cx: &mut Exchange) {
    let headers = std::mem::take(&mut cx.traffic.last_headers);
    if let Some(response) = &mut cx.response {
        for (name, value) in headers {
            // Others may have made the answer vary, too.
            if name == http::header::VARY {
                response.headers.append(name, value);
            } else {
                response.headers.insert(name, value);
            }
        }
    }
}

/// Puts the exchange into the error state because the call to the target, or reading a body, failed.
/// Afterwards [`Exchange::response`] is final.
pub async fn on_target_error(cx: &mut Exchange, fault: EngineFault) {
    cx.hide_hub_authorization();
    if cx.target.is_some() {
        cx.position.segment = Segment::TargetResponse;
    }
    faults::run(cx, fault.fault()).await;
    finish_answer(cx);
}

/// Runs the steps that follow the answer. What goes wrong there has no effect on anybody.
pub async fn run_post_client(cx: &mut Exchange) {
    if cx.endpoint().flows.post_client.is_empty() {
        return;
    }
    let proxy = cx.route.proxy.clone();
    cx.position.segment = Segment::PostClient;
    cx.position.proxy_part = Part::PostClient;
    let steps = &proxy.endpoints[cx.route.endpoint].flows.post_client;
    if let Err(fault) = run_steps(cx, steps).await {
        tracing::debug!(proxy = %proxy.name, code = fault.code(), "a PostClientFlow step failed");
    }
}

/// PreFlow, the first conditional flow whose condition holds, PostFlow.
async fn run_flows(cx: &mut Exchange, flows: &FlowsPlan, segment: Segment) -> Result<Next, Fault> {
    cx.enter(segment, Part::Pre);
    let is_request = segment.is_of_request();
    if run_steps(cx, flows.pre.steps(is_request)).await? == Next::Respond {
        return Ok(Next::Respond);
    }
    let holds = |flow: &FlowPlan| cx.asks(flow.condition.as_ref(), || format!("flow {}", flow.name));
    if let Some(chosen) = flows.conditional.iter().position(holds) {
        cx.enter(segment, Part::Conditional(chosen));
        if run_steps(cx, flows.conditional[chosen].steps(is_request)).await? == Next::Respond {
            return Ok(Next::Respond);
        }
    }
    cx.enter(segment, Part::Post);
    run_steps(cx, flows.post.steps(is_request)).await
}

/// Runs steps one after another. A failed step puts an end to them unless its policy says to go on.
async fn run_steps(cx: &mut Exchange, steps: &[StepPlan]) -> Result<Next, Fault> {
    for step in steps {
        let ran = if cx.trace.is_some() {
            match Box::pin(trace::run_step(cx, step)).await {
                Some(ran) => ran,
                None => continue,
            }
        } else if step.condition.as_ref().is_some_and(|when| !when.holds(cx)) || !step.policy.enabled {
            continue;
        } else {
            match step.policy.policy.run(cx) {
                PolicyRun::Done(ran) => ran,
                PolicyRun::Wait(running) => running.await,
            }
        };
        match ran {
            Ok(Next::Continue) => {}
            // In a response flow the target has been called already: there is nothing to skip.
            Ok(Next::Respond) if cx.position.segment.is_of_request() => return Ok(Next::Respond),
            Ok(Next::Respond) => {}
            Err(fault) => {
                cx.variables.set(&step.policy.failed_variable, Stored::Boolean(true));
                if !step.policy.continue_on_error {
                    return Err(fault.by(&step.policy.name));
                }
                cx.variables.set(&FAULT_NAME, Stored::from(fault.name()));
            }
        }
    }
    Ok(Next::Continue)
}

/// Also set when the flow goes on; in the error state the fault itself is read.
static FAULT_NAME: LazyLock<Arc<str>> = LazyLock::new(|| "fault.name".into());

impl Exchange {
    fn enter(&mut self, segment: Segment, part: Part) {
        self.position.segment = segment;
        if segment.is_of_target() {
            self.position.target_part = Some(part);
        } else {
            self.position.proxy_part = part;
        }
    }
}

#[cfg(test)]
mod segment_tests;
#[cfg(test)]
mod tests;
