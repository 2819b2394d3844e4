//! A proxy in a test: design, policies, one request, what became of it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use pierhead_domain::{EpochMillis, SecretString, SeededRng, StoppedClock};

use crate::analytics::RecentAnalytics;
use crate::callout::{Callout, LocalFuture, Outbound};
use crate::compile::{
    CompileProblem, CompiledProxy, CompiledSharedFlow, Endpoint, HubPlace, OpenConnectorsProvider, Provider,
    ProviderKind, World, compile, compile_shared_flow,
};
use crate::condition::Lookup as _;
use crate::design::{
    Destination, FaultRule, FileResource, Flow, PolicyText, ProxyDesign, ProxyEndpoint, RouteRule,
    SharedFlowDesign, Step, TargetEndpoint,
};
use crate::dialect::Dialect;
use crate::exchange::{Exchange, Incoming, Message, MessageBody, Node, Services};
use crate::fault::EngineFault;
use crate::flow::{self, ForwardTo, RequestOutcome, RouteMiss};
use crate::logging::LogLine;
use crate::ports::{Hub, KvmAddress, KvmScope, KvmUnavailable, KvmWriter, PortFuture, Ports};
use crate::snapshot::Snapshot;
use crate::state::RunState;
use crate::tokens::MemoryTokens;
use crate::trace::TraceSessions;
use crate::variable::Variable;

/// 2017-06-06T18:54:51.007Z.
pub(crate) const NOW: EpochMillis = EpochMillis::new(1_496_775_291_007);

/// A design against a provider `backend` (`https://backend.example:443`) with base path `/p`.
pub(crate) fn design() -> ProxyDesign {
    ProxyDesign {
        name: "P".into(),
        proxy_endpoints: vec![ProxyEndpoint {
            name: "default".into(),
            base_path: "/p".into(),
            routes: vec![RouteRule {
                name: "r".into(),
                target: Some("default".into()),
                ..RouteRule::default()
            }],
            ..ProxyEndpoint::default()
        }],
        target_endpoints: vec![TargetEndpoint {
            name: "default".into(),
            destination: Destination::Provider { name: "backend".into(), relative_path: "/api/".into() },
            ..TargetEndpoint::default()
        }],
        ..ProxyDesign::default()
    }
}

impl ProxyDesign {
    pub(crate) fn policy(mut self, name: &str, xml: &str) -> Self {
        let kind = xml.trim_start_matches('<').split([' ', '>', '/']).next().unwrap().to_owned();
        self.policies.push(PolicyText { name: name.into(), kind, xml: xml.into(), fixed: false });
        self
    }

    /// A file of the proxy.
    pub(crate) fn resource(mut self, kind: &str, name: &str, content: &str) -> Self {
        self.resources.push(FileResource {
            kind: kind.into(),
            name: name.into(),
            content: content.into(),
            ..FileResource::default()
        });
        self
    }

    /// A policy that is the only step of the proxy's PreFlow request so far.
    pub(crate) fn step(self, xml: &str) -> Self {
        let name = format!("s{}", self.policies.len());
        let mut design = self.policy(&name, xml);
        design.proxy_endpoints[0].flows.pre.request.push(step(&name));
        design
    }

    pub(crate) fn on_target(mut self, destination: Destination) -> Self {
        self.target_endpoints[0].destination = destination;
        self
    }

    pub(crate) fn proxy(&mut self) -> &mut ProxyEndpoint {
        &mut self.proxy_endpoints[0]
    }

    pub(crate) fn target(&mut self) -> &mut TargetEndpoint {
        &mut self.target_endpoints[0]
    }
}

pub(crate) fn step(policy: &str) -> Step {
    Step { policy: policy.into(), condition: String::new() }
}

pub(crate) fn step_if(policy: &str, condition: &str) -> Step {
    Step { policy: policy.into(), condition: condition.into() }
}

pub(crate) fn conditional(name: &str, condition: &str, request: &[&str], response: &[&str]) -> Flow {
    Flow {
        name: name.into(),
        condition: condition.into(),
        request: request.iter().map(|name| step(name)).collect(),
        response: response.iter().map(|name| step(name)).collect(),
        ..Flow::default()
    }
}

pub(crate) fn fault_rule(name: &str, condition: &str, steps: &[&str]) -> FaultRule {
    FaultRule {
        name: name.into(),
        condition: condition.into(),
        always_enforce: false,
        steps: steps.iter().map(|name| step(name)).collect(),
    }
}

/// A policy that adds `name` to the variable `trail`.
pub(crate) fn mark(name: &str) -> String {
    format!(
        "<AssignMessage><AssignVariable><Name>trail</Name><Template>{{trail}}{name},</Template></AssignVariable>\
         <IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables></AssignMessage>"
    )
}

pub(crate) fn endpoint(host: &str) -> Endpoint {
    Endpoint::new(true, host, 443)
}

pub(crate) fn hub(place: HubPlace) -> OpenConnectorsProvider {
    OpenConnectorsProvider {
        hub: place,
        organization_secret: "o-1".into(),
        user_secret: "u-1".into(),
        allowed_platform_roots: Vec::new(),
    }
}

pub(crate) fn world_on(running: Snapshot) -> World {
    let mut world = World::new(Arc::new(running));
    for (name, kind) in [
        ("backend", ProviderKind::Internet(endpoint("backend.example"))),
        ("oc", ProviderKind::OpenConnectors(hub(HubPlace::ThisInstallation))),
        ("oc-remote", ProviderKind::OpenConnectors(hub(HubPlace::Remote(endpoint("hub.example"))))),
    ] {
        world.providers.insert(name.into(), Arc::new(Provider { name: name.into(), kind }));
    }
    world
}

pub(crate) fn world() -> World {
    world_on(Snapshot::empty("acme", "test"))
}

/// A shared flow of policies, each a step, compiled on a snapshot.
pub(crate) fn shared_flow(name: &str, policies: &[&str], running: &Snapshot) -> CompiledSharedFlow {
    let named = |index: usize, xml: &&str| PolicyText {
        name: format!("{name}{index}"),
        xml: (*xml).into(),
        ..PolicyText::default()
    };
    let policies: Vec<_> = policies.iter().enumerate().map(|(index, xml)| named(index, xml)).collect();
    let steps = policies.iter().map(|policy| step(&policy.name)).collect();
    let design = SharedFlowDesign { name: name.into(), steps, policies, ..SharedFlowDesign::default() };
    compile_shared_flow(&design, "7", &world_on(running.clone()))
        .unwrap_or_else(|problems| panic!("{problems:#?}"))
}

pub(crate) fn compiled(design: &ProxyDesign) -> CompiledProxy {
    compile(design, "3", &world()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

pub(crate) fn problems(design: &ProxyDesign) -> Vec<CompileProblem> {
    compile(design, "3", &world()).err().unwrap_or_default()
}

/// The rule of the only problem of a policy.
pub(crate) fn problem_of(xml: &str) -> String {
    let problems = problems(&design().policy("X", xml));
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!(problems[0].part.to_string(), "policy X");
    assert!(problems[0].line > 0, "{problems:#?}");
    problems[0].rule.to_owned()
}

/// Remembers what was written.
#[derive(Debug, Default)]
pub(crate) struct WrittenKvm(pub(crate) Mutex<Vec<(KvmAddress, Option<String>, bool)>>, pub(crate) bool);

impl KvmWriter for WrittenKvm {
    fn put(&self, at: KvmAddress, value: String, replace: bool) -> PortFuture<Result<(), KvmUnavailable>> {
        self.0.lock().unwrap().push((at, Some(value), replace));
        let answer = if self.1 { Err(KvmUnavailable("down".into())) } else { Ok(()) };
        Box::pin(async { answer })
    }

    fn delete(&self, at: KvmAddress) -> PortFuture<Result<(), KvmUnavailable>> {
        self.0.lock().unwrap().push((at, None, true));
        Box::pin(async { Ok(()) })
    }
}

/// Answers callouts with what a test laid ready, and remembers them.
#[derive(Default)]
pub(crate) struct Outside {
    pub(crate) called: RefCell<Vec<Callout>>,
    pub(crate) answers: RefCell<Vec<Result<Message, EngineFault>>>,
    pub(crate) logged: RefCell<Vec<LogLine>>,
}

impl Outbound for Outside {
    fn log(&self, line: LogLine) -> bool {
        self.logged.borrow_mut().push(line);
        true
    }

    /// The answers in the order they were laid ready; without one the server cannot be reached.
    fn call(&self, callout: Callout) -> LocalFuture<Result<Message, EngineFault>> {
        self.called.borrow_mut().push(callout);
        let mut answers = self.answers.borrow_mut();
        let answer =
            if answers.is_empty() { Err(EngineFault::ServiceUnavailable) } else { answers.remove(0) };
        Box::pin(async { answer })
    }
}

/// A policy that does nothing in place of one whose kind `PIERHEAD_WITHOUT_POLICY` names: then its tests must
/// fail (`cargo xtask policies --mutate`).
pub(crate) fn unless_removed(kind: &str, policy: crate::policy::Compiled) -> crate::policy::Compiled {
    match std::env::var("PIERHEAD_WITHOUT_POLICY") {
        Ok(removed) if removed == kind => Box::new(Removed),
        _ => policy,
    }
}

#[derive(Debug)]
struct Removed;

impl crate::policy::Policy for Removed {
    fn run<'a>(&'a self, _: &'a mut Exchange) -> crate::policy::PolicyRun<'a> {
        crate::policy::PolicyRun::Done(Ok(crate::policy::Next::Continue))
    }
}

/// Runs requests through proxies.
pub(crate) struct Bench {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) written: Arc<WrittenKvm>,
    pub(crate) clock: StoppedClock,
    pub(crate) outside: Rc<Outside>,
    pub(crate) analytics: Arc<RecentAnalytics>,
    pub(crate) state: Arc<RunState>,
    pub(crate) key_sets: crate::policy::KeySets,
    pub(crate) google: crate::google::GoogleTokens,
    pub(crate) traces: Arc<TraceSessions>,
    pub(crate) tokens: Arc<MemoryTokens>,
    /// In place of one that begins anew with each request.
    pub(crate) rng: Option<pierhead_domain::SharedRng>,
}

impl Bench {
    pub(crate) fn new(design: &ProxyDesign) -> Self {
        Self::on(Snapshot::empty("acme", "test").with_proxy(compiled(design)).unwrap())
    }

    /// In an environment that behaves like this original.
    pub(crate) fn in_dialect(design: &ProxyDesign, dialect: Dialect) -> Self {
        Self::in_world(design, &World { dialect, ..world() })
    }

    /// In other surroundings.
    pub(crate) fn in_world(design: &ProxyDesign, world: &World) -> Self {
        let proxy = compile(design, "3", world).unwrap_or_else(|problems| panic!("{problems:#?}"));
        Self::on(Snapshot::empty("acme", "test").with_proxy(proxy).unwrap())
    }

    pub(crate) fn on(snapshot: Snapshot) -> Self {
        Self {
            snapshot: Arc::new(snapshot),
            written: Arc::default(),
            clock: StoppedClock::at(NOW),
            outside: Rc::default(),
            analytics: Arc::default(),
            state: Arc::default(),
            key_sets: crate::policy::KeySets::default(),
            google: crate::google::GoogleTokens::default(),
            traces: Arc::default(),
            tokens: Arc::new(MemoryTokens::new(&SeededRng::new(5))),
            rng: None,
        }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&Snapshot) -> Snapshot) -> Self {
        self.snapshot = Arc::new(change(&self.snapshot));
        self
    }

    pub(crate) fn kvm(self, map: &str, encrypted: bool, entries: &[(&str, &str)]) -> Self {
        let entries: Vec<_> =
            entries.iter().map(|(key, value)| ((*key).to_owned(), SecretString::from(*value))).collect();
        self.with(|old| old.with_kvm_map(KvmScope::Proxy("P".into()), map, entries, encrypted))
    }

    pub(crate) fn begin(&self, request: Message) -> Result<Exchange, RouteMiss> {
        let kvm = self.written.clone();
        let services = Rc::new(Services {
            ports: Ports { hub: None, kvm, analytics: self.analytics.clone(), tokens: self.tokens.clone() },
            state: self.state.clone(),
            clock: Arc::new(self.clock.clone()),
            rng: self.rng.clone().unwrap_or_else(|| Arc::new(SeededRng::new(7))),
            outbound: self.outside.clone(),
            key_sets: self.key_sets.clone(),
            google: self.google.clone(),
            node: Arc::new(Node {
                pod: "pod-1".into(),
                region: "eu".into(),
                uuid: "9-9".into(),
                interfaces: vec![("eth0".into(), "10.0.0.5".into())],
            }),
            traces: self.traces.clone(),
        });
        flow::begin(
            self.snapshot.clone(),
            &services,
            Incoming {
                request,
                client: "203.0.113.9:4711".parse().unwrap(),
                local: "127.0.0.1:8080".parse().unwrap(),
                tls: None,
                received: NOW,
            },
        )
        .map(|exchange| *exchange)
    }

    /// Runs the request part.
    pub(crate) fn send(&self, request: Message) -> Sent {
        let mut cx = self.begin(request).unwrap_or_else(|miss| panic!("{:?}", miss.fault));
        let outcome = flow::run_request(&mut cx).now_or_never().expect("nothing waits here");
        Sent {
            cx,
            to: match outcome {
                RequestOutcome::Forward(to) => Some(to),
                RequestOutcome::Answer => None,
            },
        }
    }

    /// Runs the request part on a runtime, for steps that wait.
    pub(crate) fn send_waiting(&self, request: Message) -> Sent {
        Self::finish_waiting(self.begin(request).unwrap_or_else(|miss| panic!("{:?}", miss.fault)))
    }

    /// The same with a hub in this process.
    pub(crate) fn send_waiting_with_hub(&self, request: Message, hub: Arc<dyn Hub>) -> Sent {
        let mut cx = self.begin(request).unwrap_or_else(|miss| panic!("{:?}", miss.fault));
        let mut services = (*cx.services).clone();
        services.ports.hub = Some(hub);
        cx.services = Rc::new(services);
        Self::finish_waiting(cx)
    }

    fn finish_waiting(mut cx: Exchange) -> Sent {
        let outcome = on_a_runtime(flow::run_request(&mut cx));
        let to = match outcome {
            RequestOutcome::Forward(to) => Some(to),
            RequestOutcome::Answer => None,
        };
        Sent { cx, to }
    }

    /// Runs the request part of `GET path`.
    pub(crate) fn get(&self, path: &str) -> Sent {
        self.send(get(path))
    }
}

pub(crate) fn get(path: &str) -> Message {
    request(Method::GET, path, &[("host", "api.example")], "")
}

pub(crate) fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Message {
    let body = match body {
        "" => MessageBody::Empty,
        body => MessageBody::Replaced(Bytes::copy_from_slice(body.as_bytes())),
    };
    Message::request(method, path.parse().unwrap(), Version::HTTP_11, header_map(headers), body)
}

pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Message {
    let body = MessageBody::Replaced(Bytes::copy_from_slice(body.as_bytes()));
    Message::response(StatusCode::from_u16(status).unwrap(), header_map(headers), body)
}

fn header_map(headers: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    map
}

/// Runs `future` as a worker of the gateway does.
pub(crate) fn on_a_runtime<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default())
        .unwrap()
        .block_on(future)
}

/// A request after its request part.
pub(crate) struct Sent {
    pub(crate) cx: Exchange,
    pub(crate) to: Option<ForwardTo>,
}

impl Sent {
    /// The target's URL, with `hub:` for this installation's hub.
    pub(crate) fn url(&self) -> String {
        match &self.to {
            Some(ForwardTo::Network { endpoint, path_and_query }) => {
                let scheme = if endpoint.tls { "https" } else { "http" };
                format!("{scheme}://{}:{}{path_and_query}", endpoint.host, endpoint.port)
            }
            Some(ForwardTo::Hub { path_and_query }) => format!("hub:{path_and_query}"),
            Some(ForwardTo::Local(local)) => {
                format!("local:{}:{}", local.route.proxy.name, local.path_and_query)
            }
            None => panic!("not forwarded: {} {}", self.status(), self.body()),
        }
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.to.is_none()
    }

    pub(crate) fn receive(mut self, response: Message) -> Self {
        assert!(self.to.is_some(), "not forwarded: {} {}", self.status(), self.body());
        self.cx.receive(response);
        flow::run_response(&mut self.cx).now_or_never().expect("nothing waits here");
        self
    }

    pub(crate) fn fail(mut self, fault: EngineFault) -> Self {
        flow::on_target_error(&mut self.cx, fault).now_or_never().expect("nothing waits here");
        self
    }

    pub(crate) fn var(&self, name: &str) -> String {
        self.cx.value(&Variable::new(name)).to_string()
    }

    pub(crate) fn status(&self) -> u16 {
        self.cx.response.as_ref().map_or(0, |response| response.status().as_u16())
    }

    pub(crate) fn body(&self) -> String {
        self.cx.response.as_ref().map_or_else(String::new, |response| response.content().into_owned())
    }

    pub(crate) fn code(&self) -> String {
        if let Some((_, code)) = self.body().split_once("<errorcode>") {
            return code.split('<').next().unwrap_or_default().to_owned();
        }
        let body: serde_json::Value = serde_json::from_str(&self.body()).unwrap_or_default();
        body["fault"]["detail"]["errorcode"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> String {
        let values = self.cx.request.headers.get_all(name);
        values.iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join("|")
    }

    pub(crate) fn response_header(&self, name: &str) -> String {
        let response = self.cx.response.as_ref().expect("a response");
        let values = response.headers.get_all(name);
        values.iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join("|")
    }
}
