//! A recorded request, run again through some revision, out of everybody's sight (decision 058).

mod answers;
mod ports;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, Version};
use pierhead_domain::{EpochMillis, SharedClock, SharedRng};
use rustls::pki_types::CertificateDer;
use tokio::runtime::LocalOptions;

use self::answers::RecordedAnswers;
use super::kept::{Raw, RawBody, RawRequest, Recorded};
use super::settings::TraceSettings;
use super::shot::BodyShot;
use super::transaction::Transaction;
use super::{Masks, TraceSessions};
use crate::callout::Outbound;
use crate::exchange::{Incoming, Message, MessageBody, Node, Services};
use crate::flow;
use crate::limits::Limits;
use crate::ports::Ports;
use crate::server::GatewayConfig;
use crate::snapshot::Snapshot;
use crate::state::RunState;
use crate::target::{LogSinks, UpstreamOutbound};
use crate::upstream::Upstreams;

/// The longest a replay may take.
const WITHIN: Duration = Duration::from_secs(60);

/// What answers the calls that a replay makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Targets {
    /// What was recorded. Nobody is called.
    #[default]
    Recorded,
    /// The targets themselves: what they do, they do again.
    Live,
}

/// What to run again, and through what.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The environment, with the revision that is to be tried in place of the one that runs.
    pub snapshot: Arc<Snapshot>,
    /// What was recorded.
    pub recorded: Recorded,
    /// Who answers.
    pub targets: Targets,
    /// Headers to set on the request, for example a credential that is masked in what was imported.
    pub headers: Vec<(String, String)>,
    /// What is not shown.
    pub masks: Masks,
}

/// Why a request cannot be run again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayFailed {
    /// This node serves no proxies.
    #[error("this node has no gateway")]
    NoGateway,
    /// The body is needed whole.
    #[error("the body of the request was not recorded whole")]
    NoRequestBody,
    /// The body is needed whole.
    #[error("the body of an answer was not recorded whole; replay with targets=live")]
    NoAnswerBody,
    /// Nothing was recorded to send.
    #[error("the record holds no request")]
    NoRequest,
    /// A header to be set.
    #[error("headers: '{0}' is no header")]
    BadHeader(String),
    /// The revision does not serve the path.
    #[error("the revision does not serve this request: {0}")]
    NotServed(String),
    /// It was stopped.
    #[error("the replay took longer than {} seconds", WITHIN.as_secs())]
    TookTooLong,
    /// A thread or a runtime could not be made, or the masks not be read.
    #[error("the replay could not run: {0}")]
    Broken(String),
}

/// What a gateway lends to replays: its way out, its time, nothing that they could change.
pub(crate) struct Replayer {
    ports: Ports,
    clock: SharedClock,
    rng: SharedRng,
    node: Arc<Node>,
    limits: Limits,
    extra_roots: Vec<CertificateDer<'static>>,
    divert: Option<std::net::SocketAddr>,
}

impl Replayer {
    pub(crate) fn of(config: &GatewayConfig) -> Self {
        Self {
            ports: ports::read_only(&config.ports),
            clock: config.clock.clone(),
            rng: config.rng.clone(),
            node: Arc::clone(&config.node),
            limits: config.limits.clone(),
            extra_roots: config.extra_roots.clone(),
            divert: config.divert,
        }
    }

    /// Runs on a thread of its own: exchanges never leave theirs.
    pub(super) async fn run(&self, replay: Replay) -> Result<Transaction, ReplayFailed> {
        let run = self.prepare(replay)?;
        let ran = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build_local(LocalOptions::default())
                .map_err(|why| ReplayFailed::Broken(why.to_string()))?;
            runtime.block_on(async {
                tokio::time::timeout(WITHIN, run.run()).await.unwrap_or(Err(ReplayFailed::TookTooLong))
            })
        });
        ran.await.map_err(|why| ReplayFailed::Broken(why.to_string()))?
    }

    fn prepare(&self, replay: Replay) -> Result<Run, ReplayFailed> {
        let Replay { snapshot, recorded, targets, headers, masks } = replay;
        let mut request = match &recorded.raw {
            Some(raw) => raw.request.clone(),
            None => shown_request(&recorded.transaction)?,
        };
        for (name, value) in headers {
            let set = name.parse::<HeaderName>().ok().zip(HeaderValue::from_str(&value).ok());
            let (name, value) = set.ok_or(ReplayFailed::BadHeader(name))?;
            request.headers.insert(name, value);
        }
        let answers = match (targets, &recorded.raw) {
            (Targets::Live, _) => None,
            (Targets::Recorded, Some(raw)) => Some(Raw::answers_whole(raw)?),
            (Targets::Recorded, None) => Some(answers::shown(&recorded.transaction)?),
        };
        Ok(Run {
            snapshot,
            request,
            answers,
            masks,
            ports: self.ports.clone(),
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            node: Arc::clone(&self.node),
            limits: self.limits.clone(),
            extra_roots: self.extra_roots.clone(),
            divert: self.divert,
        })
    }
}

/// A replay that begins.
struct Run {
    snapshot: Arc<Snapshot>,
    request: RawRequest,
    /// `None` calls for real.
    answers: Option<Vec<super::kept::RawAnswer>>,
    masks: Masks,
    ports: Ports,
    clock: SharedClock,
    rng: SharedRng,
    node: Arc<Node>,
    limits: Limits,
    extra_roots: Vec<CertificateDer<'static>>,
    divert: Option<std::net::SocketAddr>,
}

impl Run {
    async fn run(self) -> Result<Transaction, ReplayFailed> {
        let now = self.clock.now();
        let traces = Arc::new(TraceSessions::default());
        let incoming = self.incoming(now)?;
        let services = Rc::new(self.services(Arc::clone(&traces)));
        let begun = |settings: TraceSettings| {
            traces.start(settings, now).map_err(|why| ReplayFailed::Broken(why.to_string()))
        };
        // Which proxy serves it is known once it has begun; the session wants whatever does.
        let probe = flow::begin(Arc::clone(&self.snapshot), &services, self.incoming(now)?)
            .map_err(|miss| ReplayFailed::NotServed(miss.fault.fault().text().to_owned()))?;
        let settings = TraceSettings {
            proxy: probe.proxy().name.to_string(),
            masks: self.masks.clone(),
            ..TraceSettings::default()
        };
        drop(probe);
        let session = begun(settings)?;
        let mut exchange = flow::begin(Arc::clone(&self.snapshot), &services, incoming)
            .map_err(|miss| ReplayFailed::NotServed(miss.fault.fault().text().to_owned()))?;
        flow::run_whole(&mut exchange).await;
        let answer = exchange.take_answer();
        flow::run_post_client(&mut exchange).await;
        drop((answer, exchange));
        let recorded = traces.recorded(session).unwrap_or_default();
        // A proxy that calls itself is recorded more than once; the outer exchange ends last.
        let last = recorded.last().ok_or_else(|| ReplayFailed::Broken("nothing was recorded".into()))?;
        Ok(Transaction::clone(&last.transaction))
    }

    fn incoming(&self, now: EpochMillis) -> Result<Incoming, ReplayFailed> {
        let raw = &self.request;
        let body = match &raw.body {
            RawBody::Empty => MessageBody::Empty,
            RawBody::Whole(bytes) => MessageBody::Replaced(bytes.clone()),
            RawBody::NotKept => return Err(ReplayFailed::NoRequestBody),
        };
        let request = Message::request(
            raw.method.clone(),
            raw.uri.clone(),
            Version::HTTP_11,
            raw.headers.clone(),
            body,
        );
        let tls = raw.tls.clone().map(Rc::new);
        Ok(Incoming { request, client: raw.client, local: raw.local, tls, received: now })
    }

    fn services(&self, traces: Arc<TraceSessions>) -> Services {
        let outbound: Rc<dyn Outbound> = match &self.answers {
            Some(answers) => Rc::new(RecordedAnswers::new(answers.clone())),
            None => {
                let counters = Arc::default();
                let upstreams =
                    Upstreams::new(&self.limits, Arc::clone(&counters), &self.extra_roots, self.divert);
                let upstreams = Rc::new(upstreams);
                let logs = LogSinks::new(Rc::clone(&upstreams), counters);
                Rc::new(answers::Unlogged(UpstreamOutbound { upstreams, logs }))
            }
        };
        let mut ports = self.ports.clone();
        if self.answers.is_some() {
            ports.hub = None;
        }
        Services {
            ports,
            // Counters and caches begin empty, and what is counted here counts nowhere else.
            state: Arc::new(RunState::default()),
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            outbound,
            key_sets: crate::policy::KeySets::default(),
            google: crate::google::GoogleTokens::default(),
            node: Arc::clone(&self.node),
            traces,
        }
    }
}

/// The request of an imported record: what is masked in it is sent as the mask.
fn shown_request(transaction: &Transaction) -> Result<RawRequest, ReplayFailed> {
    let shot = transaction.request().ok_or(ReplayFailed::NoRequest)?;
    let (method, target) = shot.line.split_once(' ').ok_or(ReplayFailed::NoRequest)?;
    let body = match &shot.body {
        BodyShot::Empty => RawBody::Empty,
        body => answers::shown_body(body).ok_or(ReplayFailed::NoRequestBody)?,
    };
    let nowhere = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    Ok(RawRequest {
        method: method.parse::<Method>().map_err(|_| ReplayFailed::NoRequest)?,
        uri: target.parse().map_err(|_| ReplayFailed::NoRequest)?,
        headers: answers::shown_headers(&shot.headers),
        body,
        client: nowhere,
        local: nowhere,
        tls: None,
    })
}

impl Raw {
    fn answers_whole(&self) -> Result<Vec<super::kept::RawAnswer>, ReplayFailed> {
        let is_whole = |body: &RawBody| !matches!(body, RawBody::NotKept);
        match self.answers.iter().all(|answer| is_whole(&answer.body)) {
            true => Ok(self.answers.clone()),
            false => Err(ReplayFailed::NoAnswerBody),
        }
    }
}

/// Headers without those that cannot be.
pub(super) fn header_map(headers: &[(String, String)]) -> HeaderMap {
    let pair = |(name, value): &(String, String)| {
        Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?))
    };
    headers.iter().filter_map(pair).collect()
}
