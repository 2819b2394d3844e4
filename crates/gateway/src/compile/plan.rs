//! A proxy that runs: flat step lists with everything resolved.

use std::ops::BitOr;
use std::sync::Arc;
use std::time::Duration;

use http::Method;

use super::problem::{CompileProblem, Degradation};
use super::shared_flow::SharedCall;
use super::url::UrlPlan;
use super::world::{Http2, Provider, TargetTimeouts};
use crate::balancer::Balancer;
use crate::condition::Condition;
use crate::dialect::Dialect;
use crate::google::Authentication;
use crate::policy::Policy;
use crate::ports::KvmAddress;
use crate::property_set::PropertySets;
use crate::target_tls::TlsPlan;
use crate::template::Template;

/// An API proxy ready to run. Only [`super::compile`] makes one.
#[derive(Debug)]
pub struct CompiledProxy {
    /// Name, unique in the environment.
    pub name: Arc<str>,
    /// `apiproxy.revision`.
    pub revision: Arc<str>,
    /// Which original it behaves like.
    pub dialect: Dialect,
    /// Entrances.
    pub endpoints: Vec<ProxyPlan>,
    /// Exits.
    pub targets: Vec<TargetPlan>,
    /// Entries that its policies ask to be written when it is deployed, replacing those that are there
    /// (KeyValueMapOperations, `InitialEntries`).
    pub initial_entries: Vec<(KvmAddress, String)>,
    /// What an original runs and this gateway answers with 501 when a request reaches it.
    pub degradations: Vec<Degradation>,
    /// What is odd about the design and does no harm.
    pub warnings: Vec<CompileProblem>,
    /// The largest body, in bytes, that is read whole for a step.
    pub buffered_body_bytes: usize,
    /// `propertyset.` variables.
    pub(crate) property_sets: PropertySets,
}

/// A proxy endpoint.
#[derive(Debug)]
pub struct ProxyPlan {
    /// Its name.
    pub name: Arc<str>,
    /// Normalised; `/` or without a slash at the end.
    pub base_path: Arc<str>,
    /// Names of virtual hosts; empty means the default one.
    pub virtual_hosts: Vec<Arc<str>>,
    /// Add `X-Forwarded-For` and its kin to the target request.
    pub x_forwarded_for: bool,
    /// How answers to clients are coded, whatever they came in; `None` is as they came.
    pub(crate) compression: Option<Compression>,
    /// The whole exchange must be over by then.
    pub api_timeout: Option<Duration>,
    /// Bodies that some step of this endpoint or of a target it leads to reads.
    pub reads: BodyReads,
    /// Shared flows that some of these steps call; what they read comes on top.
    pub(crate) calls: Vec<SharedCall>,
    pub(crate) routes: Vec<RoutePlan>,
    pub(crate) flows: FlowsPlan,
}

/// A target endpoint.
#[derive(Debug)]
pub struct TargetPlan {
    /// Its name.
    pub name: Arc<str>,
    /// Times.
    pub timeouts: TargetTimeouts,
    /// A client that speaks HTTP/1.0 makes us speak it to the target.
    pub http10: bool,
    /// HTTP/1.1 may be spoken to the target at all.
    pub http11: bool,
    /// How long a WebSocket may be silent.
    pub(crate) websocket_idle: Duration,
    /// HTTP/2, where the server itself does not ask for it (`supports.http2`).
    pub(crate) http2: Http2,
    /// Any certificate will do (`IgnoreValidationErrors`).
    pub(crate) trust_all: bool,
    /// What its `SSLInfo` asks for beyond that.
    pub(crate) tls: Option<TlsPlan>,
    pub(crate) success: SuccessCodes,
    /// Verbs and what is sent instead of them (`enable.method.override`).
    pub(crate) overridden_verbs: Vec<(Method, Method)>,
    /// How requests to the target are coded; `None` is as they came.
    pub(crate) compression: Option<Compression>,
    /// What of the client's request goes on to the target endpoint.
    pub(crate) request_headers: Retained,
    pub(crate) query_params: Retained,
    /// What of the target's answer is kept.
    pub(crate) response_headers: Retained,
    pub(crate) destination: DestinationPlan,
    /// Whose credentials go along.
    pub(crate) authentication: Option<Authentication>,
    pub(crate) flows: FlowsPlan,
}

impl TargetPlan {
    /// The API provider it goes to.
    pub fn provider(&self) -> Option<&Arc<Provider>> {
        match &self.destination {
            DestinationPlan::Provider { provider, .. } => Some(provider),
            _ => None,
        }
    }

    /// The servers it has the choice of.
    pub(crate) const fn balancer(&self) -> Option<&Arc<Balancer>> {
        match &self.destination {
            DestinationPlan::Balanced(balancer) => Some(balancer),
            _ => None,
        }
    }
}

impl Default for TargetPlan {
    fn default() -> Self {
        Self {
            name: "".into(),
            timeouts: TargetTimeouts::default(),
            http10: true,
            http11: true,
            websocket_idle: crate::tunnel::IDLE,
            http2: Http2::default(),
            trust_all: false,
            tls: None,
            success: SuccessCodes::default(),
            overridden_verbs: Vec::new(),
            compression: None,
            request_headers: Retained::default(),
            query_params: Retained::default(),
            response_headers: Retained::default(),
            destination: DestinationPlan::None,
            authentication: None,
            flows: FlowsPlan::default(),
        }
    }
}

/// The coding that a body is brought into (`compression.algorithm`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Deflate,
    /// Unpacked.
    None,
}

/// Names that are kept; all are, unless the design says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Retained {
    /// `…enabled` is false.
    pub(crate) only_listed: bool,
    /// In lower case.
    pub(crate) names: Vec<Box<str>>,
}

impl Retained {
    pub(crate) fn keeps(&self, name: &str) -> bool {
        !self.only_listed || self.names.iter().any(|kept| kept.eq_ignore_ascii_case(name))
    }
}

impl CompiledProxy {
    /// Whether some request can reach what does not run here.
    pub fn is_degraded(&self) -> bool {
        self.degradations.iter().any(|degradation| degradation.attached)
    }
}

/// Which bodies must be in memory before the steps run; the others stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BodyReads {
    /// The client's request body.
    pub request: bool,
    /// The target's response body.
    pub response: bool,
}

impl BitOr for BodyReads {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self { request: self.request || other.request, response: self.response || other.response }
    }
}

#[derive(Debug)]
pub(crate) enum DestinationPlan {
    /// A request that gets here is answered 500: nothing to call.
    None,
    /// A request that gets here is answered 501.
    Unavailable {
        kind: Box<str>,
        reason: Box<str>,
    },
    Url(Box<UrlPlan>),
    Provider {
        provider: Arc<Provider>,
        relative_path: Box<str>,
    },
    Balanced(Arc<Balancer>),
    Local(LocalPlan),
    /// A script in the place of a server that cannot run here.
    Script {
        policy: Arc<CompiledPolicy>,
        reads_body: bool,
    },
}

/// Another proxy of the same environment.
#[derive(Debug, Clone)]
pub(crate) enum LocalPlan {
    Proxy {
        proxy: Arc<str>,
        endpoint: Arc<str>,
    },
    /// Whatever is served at this path.
    Path(Template),
}

impl DestinationPlan {
    /// What is rendered to find it.
    pub(crate) fn template(&self) -> Option<&Template> {
        match self {
            Self::Url(url) => Some(&url.template),
            Self::Local(LocalPlan::Path(template)) => Some(template),
            Self::Balanced(balancer) => Some(&balancer.path),
            _ => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct RoutePlan {
    pub(crate) name: Arc<str>,
    pub(crate) condition: Option<Condition>,
    /// Index of the target; `None` is the null route.
    pub(crate) target: Option<usize>,
}

#[derive(Debug, Default)]
pub(crate) struct FlowsPlan {
    pub(crate) pre: FlowPlan,
    pub(crate) conditional: Vec<FlowPlan>,
    pub(crate) post: FlowPlan,
    pub(crate) post_client: Vec<StepPlan>,
    /// For each server-sent event of an answer.
    pub(crate) event: Vec<StepPlan>,
    pub(crate) fault_rules: Vec<FaultRulePlan>,
    pub(crate) default_fault_rule: Option<FaultRulePlan>,
}

#[derive(Debug, Default)]
pub(crate) struct FlowPlan {
    pub(crate) name: Arc<str>,
    pub(crate) description: Arc<str>,
    pub(crate) condition: Option<Condition>,
    pub(crate) request: Vec<StepPlan>,
    pub(crate) response: Vec<StepPlan>,
}

impl FlowPlan {
    pub(crate) fn steps(&self, is_request: bool) -> &[StepPlan] {
        if is_request { &self.request } else { &self.response }
    }
}

#[derive(Debug)]
pub(crate) struct FaultRulePlan {
    /// For trace.
    pub(crate) name: Box<str>,
    pub(crate) condition: Option<Condition>,
    pub(crate) always_enforce: bool,
    pub(crate) steps: Vec<StepPlan>,
}

#[derive(Debug)]
pub(crate) struct StepPlan {
    pub(crate) policy: Arc<CompiledPolicy>,
    pub(crate) condition: Option<Condition>,
}

/// A policy ready to run, shared by all steps that name it.
#[derive(Debug)]
pub(crate) struct CompiledPolicy {
    pub(crate) name: Arc<str>,
    /// For trace.
    pub(crate) kind: Box<str>,
    pub(crate) enabled: bool,
    pub(crate) continue_on_error: bool,
    /// `<prefix>.<policy>.failed`.
    pub(crate) failed_variable: Arc<str>,
    pub(crate) policy: Box<dyn Policy>,
}

/// Which statuses of a target are no fault; `success.codes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SuccessCodes(Vec<(u16, u16)>);

impl Default for SuccessCodes {
    /// 1xx, 2xx and 3xx.
    fn default() -> Self {
        Self(vec![(100, 399)])
    }
}

impl SuccessCodes {
    pub(crate) fn holds(&self, status: http::StatusCode) -> bool {
        self.0.iter().any(|&(from, to)| (from..=to).contains(&status.as_u16()))
    }

    /// Reads `1xx,2xx,3xx,404`; `None` when an item is neither a status nor a class.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(Self::item)
            .collect::<Option<_>>()
            .map(Self)
    }

    fn item(item: &str) -> Option<(u16, u16)> {
        let class = item.strip_suffix("xx").or_else(|| item.strip_suffix("XX"));
        match class {
            Some(class) => {
                let class: u16 = class.parse().ok().filter(|class| (1..=5).contains(class))?;
                Some((class * 100, class * 100 + 99))
            }
            None => {
                item.parse().ok().filter(|status| (100..=599).contains(status)).map(|status| (status, status))
            }
        }
    }
}
