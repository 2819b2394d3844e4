//! One request's state on the data plane, from its first byte to the last of its answer.

mod carried;
mod message;
mod params;
mod path;
mod script_memory;
mod store;
mod traffic;

use std::cell::OnceCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use http::HeaderValue;
use http::header::AUTHORIZATION;
use pierhead_domain::{EpochMillis, RequestId, SecretString, SharedClock, SharedRng};

use crate::analytics::Collecting;
use crate::balancer::Balancing;
use crate::body::ClientBodyState;
use crate::callout::Outbound;
use crate::compile::{BodyReads, CompiledProxy, CompiledSharedFlow, Provider, ProxyPlan, TargetPlan};
use crate::condition::Condition;
use crate::fault::Fault;
use crate::google::GoogleTokens;
use crate::policy::KeySets;
use crate::ports::{KvmAddress, KvmScope, Ports};
use crate::snapshot::{Route, Snapshot, VirtualHost};
use crate::state::RunState;
use crate::tls::{PeerCertificate, TlsSession};
use crate::trace::{Recorder, TraceSessions};
use crate::tunnel::Upgrade;

pub(crate) use carried::Carried;
pub use message::{Head, Message, MessageBody, RequestHead, ResponseHead};
pub use params::Params;
pub use path::{BadPath, normalise};
pub(crate) use path::{encode, hex};
pub(crate) use script_memory::{PendingCall, ScriptMemory};
pub use store::ComputedVariables;
pub(crate) use store::VariableStore;
pub(crate) use traffic::{Recording, Traffic};

/// What every exchange of one worker thread shares.
#[derive(Clone)]
pub struct Services {
    /// The way out to the rest of the program.
    pub ports: Ports,
    /// Counters and caches of this node.
    pub state: Arc<RunState>,
    /// Time.
    pub clock: SharedClock,
    /// Randomness.
    pub rng: SharedRng,
    /// Calls that steps make.
    pub outbound: Rc<dyn Outbound>,
    /// Key sets that steps fetched.
    pub key_sets: KeySets,
    /// Tokens of Google's that calls were made with.
    pub google: GoogleTokens,
    /// What this node is called.
    pub node: Arc<Node>,
    /// Debug sessions.
    pub traces: Arc<TraceSessions>,
}

/// What a node of the gateway is called; for variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// `system.pod.name`.
    pub pod: String,
    /// `system.region.name`.
    pub region: String,
    /// `system.uuid`.
    pub uuid: String,
    /// `system.interface.<name>`: name and address.
    pub interfaces: Vec<(String, String)>,
}

/// The request line and headers of a client, with what the listener knows about the connection.
#[derive(Debug)]
pub struct Incoming {
    /// The request; headers are still the client's. Its body is [`MessageBody::Streaming`] or `Empty`.
    pub request: Message,
    /// The other end.
    pub client: SocketAddr,
    /// This end.
    pub local: SocketAddr,
    /// What was agreed on with a client that speaks TLS.
    pub tls: Option<Rc<TlsSession>>,
    /// When the first byte of the request arrived.
    pub received: EpochMillis,
}

/// The state of one request. The transport and the flow engine work on it in turns.
pub struct Exchange {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) services: Rc<Services>,
    pub(crate) route: Route,
    pub(crate) host: usize,
    /// Index of the chosen target.
    pub(crate) target: Option<usize>,
    /// Index of the route rule that chose it.
    pub(crate) route_rule: Option<usize>,
    /// The client's request, as policies have changed it; what is forwarded.
    pub request: Message,
    /// The target's response, as policies have changed it; once an `Answer` was given, what the client gets.
    pub response: Option<Message>,
    /// Other end of the client's connection.
    pub client: SocketAddr,
    /// This end of the client's connection.
    pub local: SocketAddr,
    /// What was agreed on with a client that speaks TLS.
    pub tls: Option<Rc<TlsSession>>,
    /// Moments the transport saw.
    pub times: Times,
    /// The normalised request path, when it differs from the one received.
    pub(crate) normalised: Option<Box<str>>,
    /// Where the base path ends in the normalised path.
    pub(crate) base_end: usize,
    pub(crate) position: Position,
    pub(crate) overrides: TargetOverrides,
    /// Boxed: few exchanges have one, and all would carry the room for it.
    pub(crate) error: Option<Box<ErrorState>>,
    pub(crate) variables: VariableStore,
    /// Entries of key value maps that this exchange wrote; the snapshot has them a moment later.
    pub(crate) written_kvm: Vec<(KvmAddress, Option<Arc<SecretString>>)>,
    /// The server of the target, when it has several.
    pub(crate) balancing: Option<Box<Balancing>>,
    /// How many proxies called each other before this one.
    pub(crate) depth: u8,
    /// The shared flows that run now, each called by the one before it.
    pub(crate) shared_flows: Vec<Arc<CompiledSharedFlow>>,
    /// Writes down what happens, when a debug session wants to see it.
    pub(crate) trace: Option<Rc<Recorder>>,
    /// The address of the target's server, once it was called.
    pub(crate) target_ip: Option<std::net::IpAddr>,
    /// What it showed, when TLS is spoken with it.
    pub(crate) target_certificate: Option<Rc<PeerCertificate>>,
    /// The client's body, while it streams.
    pub(crate) client_body: Option<Rc<ClientBodyState>>,
    /// What steps collected for reports.
    pub(crate) collecting: Option<Box<Collecting>>,
    pub(crate) message_id: OnceCell<RequestId>,
    /// The `Authorization` that the hub is to see and no step of the flows: it stands in the request only
    /// while that is sent.
    pub(crate) hub_authorization: Option<HeaderValue>,
    /// What its scripts keep from one to the next; few exchanges run any.
    pub(crate) scripts: Option<Box<ScriptMemory>>,
    /// What traffic policies keep between their steps.
    pub(crate) traffic: Traffic,
    /// The client asks for another protocol.
    pub(crate) upgrade: Option<Upgrade>,
    /// The client reads what follows the body of the answer.
    pub(crate) takes_trailers: bool,
}

/// Moments of an exchange; `None` until they come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// First byte of the request arrived.
    pub client_received_start: EpochMillis,
    /// Last byte of the request arrived.
    pub client_received_end: Option<EpochMillis>,
    /// First byte of the answer left.
    pub client_sent_start: Option<EpochMillis>,
    /// Last byte of the answer left.
    pub client_sent_end: Option<EpochMillis>,
    /// First byte to the target left.
    pub target_sent_start: Option<EpochMillis>,
    /// Last byte to the target left.
    pub target_sent_end: Option<EpochMillis>,
    /// First byte of the target's response arrived.
    pub target_received_start: Option<EpochMillis>,
    /// Last byte of the target's response arrived.
    pub target_received_end: Option<EpochMillis>,
}

/// Where in the flows an exchange is; decides what `message` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Segment {
    #[default]
    ProxyRequest,
    TargetRequest,
    TargetResponse,
    ProxyResponse,
    Error,
    PostClient,
}

/// Which flow of a segment runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Part {
    #[default]
    Pre,
    Conditional(usize),
    Post,
    PostClient,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Position {
    pub(crate) segment: Segment,
    pub(crate) proxy_part: Part,
    pub(crate) target_part: Option<Part>,
}

/// What policies asked of the call to the target.
#[derive(Debug, Clone)]
pub(crate) struct TargetOverrides {
    /// `target.url`.
    pub(crate) url: Option<Box<str>>,
    /// `target.copy.pathsuffix`.
    pub(crate) copy_path_suffix: bool,
    /// `target.copy.queryparams`.
    pub(crate) copy_query_params: bool,
}

impl Default for TargetOverrides {
    fn default() -> Self {
        Self { url: None, copy_path_suffix: true, copy_query_params: true }
    }
}

/// An exchange in the error state.
#[derive(Debug)]
pub(crate) struct ErrorState {
    pub(crate) fault: Fault,
    /// The answer that fault rules may change.
    pub(crate) message: Message,
    pub(crate) origin: Segment,
}

impl Segment {
    pub(crate) const fn is_of_target(self) -> bool {
        matches!(self, Self::TargetRequest | Self::TargetResponse)
    }

    /// `error.state`. Unsourced: the numbers.
    pub(crate) const fn number(self) -> i32 {
        match self {
            Self::ProxyRequest => 1,
            Self::TargetRequest => 2,
            Self::TargetResponse => 3,
            Self::ProxyResponse => 4,
            Self::Error | Self::PostClient => 5,
        }
    }
}

impl Exchange {
    pub(crate) fn new(
        snapshot: Arc<Snapshot>,
        services: Rc<Services>,
        incoming: Incoming,
        route: Route,
        host: usize,
        normalised: Option<Box<str>>,
        base_end: usize,
    ) -> Self {
        Self {
            snapshot,
            services,
            route,
            host,
            target: None,
            route_rule: None,
            request: incoming.request,
            response: None,
            client: incoming.client,
            local: incoming.local,
            tls: incoming.tls,
            times: Times { client_received_start: incoming.received, ..Times::default() },
            normalised,
            base_end,
            position: Position::default(),
            overrides: TargetOverrides::default(),
            error: None,
            variables: VariableStore::default(),
            written_kvm: Vec::new(),
            balancing: None,
            depth: 0,
            shared_flows: Vec::new(),
            trace: None,
            target_ip: None,
            target_certificate: None,
            client_body: None,
            collecting: None,
            message_id: OnceCell::new(),
            hub_authorization: None,
            scripts: None,
            traffic: Traffic::default(),
            upgrade: None,
            takes_trailers: false,
        }
    }

    /// The moments that are known by now: a body that streams ends by itself.
    pub(crate) fn known_times(&self) -> Times {
        let mut times = self.times;
        let ended = self.client_body.as_ref().and_then(|body| body.ended_at());
        times.client_received_end = times.client_received_end.or(ended);
        times.target_sent_end = times.target_sent_end.or(ended.filter(|_| times.target_sent_start.is_some()));
        times
    }

    /// The last change before the request is sent.
    pub(crate) fn show_hub_authorization(&mut self) {
        if let Some(value) = &self.hub_authorization {
            self.request.headers.insert(AUTHORIZATION, value.clone());
        }
    }

    /// The first change after the request was sent.
    pub(crate) fn hide_hub_authorization(&mut self) {
        if self.hub_authorization.take().is_some() {
            self.request.headers.remove(AUTHORIZATION);
        }
    }

    /// The snapshot this request sees.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The proxy that serves the request.
    pub fn proxy(&self) -> &CompiledProxy {
        &self.route.proxy
    }

    /// The proxy endpoint that serves the request.
    pub fn endpoint(&self) -> &ProxyPlan {
        &self.route.proxy.endpoints[self.route.endpoint]
    }

    /// The target endpoint, once a route rule chose one.
    pub fn target(&self) -> Option<&TargetPlan> {
        self.target.and_then(|index| self.route.proxy.targets.get(index))
    }

    /// The API provider of the target.
    pub fn provider(&self) -> Option<&Arc<Provider>> {
        self.target().and_then(TargetPlan::provider)
    }

    /// The virtual host the request came to.
    pub fn virtual_host(&self) -> Option<&VirtualHost> {
        self.snapshot.host(self.host)
    }

    /// Which bodies must be in [`MessageBody::Replaced`] before the steps run.
    pub fn reads(&self) -> BodyReads {
        let endpoint = self.endpoint();
        endpoint.reads | self.snapshot.shared_reads(&endpoint.calls)
    }

    /// The normalised path of the client's request.
    pub fn path(&self) -> &str {
        match (&self.normalised, self.request.as_request()) {
            (Some(path), _) => path,
            (None, Some(head)) => head.uri.path(),
            (None, None) => "/",
        }
    }

    /// The part of [`Self::path`] that the base path covers; empty for the base path `/`.
    pub fn base_path(&self) -> &str {
        self.path().get(..self.base_end).unwrap_or_default()
    }

    /// What follows the base path: empty, or starting with a slash.
    pub fn path_suffix(&self) -> &str {
        self.path().get(self.base_end..).unwrap_or_default()
    }

    /// Names this request in logs; made when first asked for.
    pub fn message_id(&self) -> &RequestId {
        self.message_id
            .get_or_init(|| RequestId::new(self.times.client_received_start, self.services.rng.as_ref()))
    }

    /// The fault that put the exchange into the error state.
    pub fn fault(&self) -> Option<&Fault> {
        self.error.as_ref().map(|error| &error.fault)
    }

    /// Whether the client would rather read XML than JSON.
    pub(crate) fn wants_xml(&self) -> bool {
        crate::fault::wants_xml(&self.request.headers)
    }

    /// An entry of a key value map, as this exchange sees it.
    pub(crate) fn kvm_value(&self, scope: &KvmScope, map: &str, key: &str) -> Option<Arc<SecretString>> {
        let is_it = |at: &KvmAddress| at.key == key && at.map == map && at.scope == *scope;
        match self.written_kvm.iter().rev().find(|(at, _)| is_it(at)) {
            Some((_, value)) => value.clone(),
            None => self.snapshot.kvm(scope, map)?.entries.get(key).cloned(),
        }
    }

    /// Remembers what was written; `None` is deleted.
    pub(crate) fn remember_kvm(&mut self, at: KvmAddress, value: Option<String>) {
        self.written_kvm.push((at, value.map(|value| Arc::new(SecretString::new(value)))));
    }

    /// Takes the answer for sending. Its head stays readable for the steps that follow the answer.
    pub fn take_answer(&mut self) -> Option<Message> {
        let answer = self.response.take()?;
        if let Some(trace) = &self.trace {
            trace.answer(&answer);
        }
        if self.error.is_none() && !self.endpoint().flows.post_client.is_empty() {
            let body = match &answer.body {
                MessageBody::Streaming => MessageBody::Empty,
                body => body.clone(),
            };
            let mut kept = Message::response(answer.status(), answer.headers.clone(), body);
            kept.head.clone_from(&answer.head);
            self.response = Some(kept);
        }
        Some(answer)
    }

    /// Whether a condition holds; without one it does. `of` says whose it is.
    pub(crate) fn asks(&self, condition: Option<&Condition>, of: impl FnOnce() -> String) -> bool {
        let Some(condition) = condition else { return true };
        let held = condition.holds(self);
        if let Some(trace) = &self.trace {
            trace.condition(self, of(), condition, held);
        }
        held
    }

    /// Whether the server that answered so is to be thought ill.
    pub(crate) fn is_unhealthy(&self, status: http::StatusCode) -> bool {
        self.balancing.as_ref().is_some_and(|balancing| balancing.balancer.is_unhealthy(status.as_u16()))
    }

    pub(crate) fn now(&self) -> EpochMillis {
        self.services.clock.now()
    }
}
