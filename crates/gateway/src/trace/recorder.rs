//! Writes down what happens in one exchange.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use http::Method;

use super::calls::TracedOutbound;
use super::kept::{Raw, RawAnswer, RawBody, RawRequest, Recorded};
use super::mask::{MASKED, Masks, PathMasks, Side};
use super::passing::Gone;
use super::shot::{BodyShot, MessageShot, cut};
use super::transaction::{Assignment, Point, Reading, TimedPoint, TracedFault, Transaction};
use super::{Session, TraceSessions};
use crate::condition::Condition;
use crate::exchange::{Exchange, Message, MessageBody, Part, Segment, Services};
use crate::fault::Fault;
use crate::variable::{Stored, Value};

/// In an exchange that a session wants to see. What it wrote is handed in when nobody holds it any more: the
/// exchange is over and its bodies have gone by, however that came about.
pub(crate) struct Recorder {
    session: Arc<Session>,
    /// Others that want the same, and hide the same.
    also: Vec<Arc<Session>>,
    began: Instant,
    notes: RefCell<Notes>,
}

struct Notes {
    transaction: Transaction,
    bytes: usize,
    /// Since the last point.
    read: Vec<Reading>,
    /// Values that must not show anywhere.
    secrets: Vec<String>,
    raw: Option<RawRequest>,
    answers: Vec<RawAnswer>,
    /// Method and URL of the call to the target that is under way.
    sent: Option<(Method, String)>,
}

/// Shorter texts are too common to be taken for a secret that was copied.
const SHORTEST_SECRET: usize = 4;

/// The size of a point without its texts, about.
const POINT_BYTES: usize = 64;

impl Recorder {
    /// Begins to record when some session wants to see this exchange.
    pub(crate) fn begin(sessions: &TraceSessions, cx: &mut Exchange) {
        let mut wanting = sessions.sessions_for(cx).into_iter();
        let Some(session) = wanting.next() else { return };
        let also = wanting.filter(|other| other.settings.masks == session.settings.masks).collect();
        let transaction = Transaction {
            id: cx.message_id().as_str().to_owned(),
            proxy: cx.proxy().name.to_string(),
            revision: cx.proxy().revision.to_string(),
            endpoint: cx.endpoint().name.to_string(),
            began: cx.times.client_received_start,
            took_us: 0,
            status: None,
            points: Vec::new(),
            truncated: false,
        };
        let raw = cx.request.as_request().map(|head| RawRequest {
            method: head.method.clone(),
            uri: head.uri.clone(),
            headers: cx.request.headers.clone(),
            body: RawBody::of(&cx.request.body),
            client: cx.client,
            local: cx.local,
            tls: cx.tls.as_deref().cloned(),
        });
        let notes = Notes {
            transaction,
            bytes: 0,
            read: Vec::new(),
            secrets: Vec::new(),
            raw,
            answers: Vec::new(),
            sent: None,
        };
        let recorder = Rc::new(Self { session, also, began: Instant::now(), notes: RefCell::new(notes) });
        recorder.message("received", None, "request", &cx.request);
        let outbound = TracedOutbound::new(cx.services.outbound.clone(), Rc::clone(&recorder));
        cx.services = Rc::new(Services { outbound: Rc::new(outbound), ..(*cx.services).clone() });
        cx.trace = Some(recorder);
    }

    /// How much of a body is kept.
    pub(super) fn body_bytes(&self) -> usize {
        self.session.settings.max_transaction_bytes / 4
    }

    pub(super) fn add(&self, size: usize, point: Point) {
        let mut notes = self.notes.borrow_mut();
        if notes.bytes + size > self.session.settings.max_transaction_bytes {
            notes.transaction.truncated = true;
            return;
        }
        notes.bytes += size + POINT_BYTES;
        let after_us = micros(self.began);
        notes.transaction.points.push(TimedPoint { after_us, point });
    }

    fn masks(&self) -> (&Masks, &PathMasks) {
        (&self.session.settings.masks, &self.session.paths)
    }

    pub(super) fn shot(&self, name: &str, message: &Message) -> MessageShot {
        let mut secrets = Vec::new();
        let shot =
            MessageShot::of(name, message, self.masks(), self.session.settings.body_bytes, &mut secrets);
        secrets.iter().for_each(|secret| self.keep_secret(secret));
        shot
    }

    /// A URL whose query may hold what is masked.
    pub(super) fn url(&self, url: String) -> String {
        match url.split_once('?') {
            Some((path, query)) => format!("{path}?{}", self.session.settings.masks.query(query)),
            None => url,
        }
    }

    fn message(&self, at: &str, url: Option<String>, name: &str, message: &Message) {
        let message = self.shot(name, message);
        self.add(message.size(), Point::Message { at: at.to_owned(), url, message });
    }

    /// The request leaves for its target.
    pub(crate) fn sent(&self, url: String, request: &Message) {
        let method = request.as_request().map_or(Method::GET, |head| head.method.clone());
        self.notes.borrow_mut().sent = Some((method, url.clone()));
        self.message("sent to target", Some(self.url(url)), "request", request);
    }

    /// The target has answered; its body may still have to pass by.
    pub(crate) fn received(&self, response: &Message) {
        let sent = self.notes.borrow_mut().sent.take();
        let (method, url) = sent.unwrap_or_default();
        self.keep_answer(true, method, url, response);
        self.message("received from target", None, "response", response);
    }

    pub(super) fn keep_answer(&self, of_target: bool, method: Method, url: String, answer: &Message) {
        let raw = RawAnswer {
            of_target,
            method,
            url,
            status: answer.status(),
            reason: answer.as_response().and_then(|head| head.reason.clone()),
            headers: answer.headers.clone(),
            body: RawBody::of(&answer.body),
        };
        self.notes.borrow_mut().answers.push(raw);
    }

    /// A body that nobody held has gone by.
    pub(super) fn gone_by(&self, of_request: bool, gone: Gone) {
        let mut secrets = Vec::new();
        let side = if of_request { Side::Request } else { Side::Answer };
        let most = self.session.settings.body_bytes;
        let body = BodyShot::of_passing(&gone.seen, gone.total, self.masks(), side, most, &mut secrets);
        secrets.iter().for_each(|secret| self.keep_secret(secret));
        let mut notes = self.notes.borrow_mut();
        let whole = gone.whole();
        if of_request {
            if let Some(request) = &mut notes.raw {
                request.body = whole;
            }
        } else if let Some(answer) = notes.answers.iter_mut().rev().find(|answer| answer.of_target) {
            answer.body = whole;
        }
        let name = if of_request { "request" } else { "response" };
        let shown: &mut usize = &mut 0;
        let streaming = |shot: &MessageShot| shot.name == name && shot.body == BodyShot::Streaming;
        for timed in &mut notes.transaction.points {
            match &mut timed.point {
                Point::Message { message, .. } if streaming(message) => {
                    message.body = body.clone();
                    *shown += 1;
                }
                Point::Step { changed, .. } => {
                    for shot in changed.iter_mut().filter(|shot| streaming(shot)) {
                        shot.body = body.clone();
                        *shown += 1;
                    }
                }
                _ => {}
            }
        }
        notes.bytes += *shown * body.size();
    }

    /// What the client gets.
    pub(crate) fn answer(&self, message: &Message) {
        self.notes.borrow_mut().transaction.status = Some(message.status().as_u16());
        self.message("answer", None, "response", message);
    }

    /// A variable was looked at.
    pub(crate) fn read(&self, name: &str, value: &Value<'_>) {
        let shown = self.shown(name, value.clone().into_text().as_deref());
        let mut notes = self.notes.borrow_mut();
        if !notes.read.iter().any(|reading| reading.name == name) {
            notes.read.push(Reading { name: name.to_owned(), value: shown });
        }
    }

    pub(super) fn take_read(&self) -> Vec<Reading> {
        std::mem::take(&mut self.notes.borrow_mut().read)
    }

    /// A value as it may be shown; remembers the one that may not.
    fn shown(&self, name: &str, value: Option<&str>) -> Option<String> {
        let value = value?;
        let masks = &self.session.settings.masks;
        if masks.hides_variable(name) {
            self.keep_secret(value);
            return Some(MASKED.to_owned());
        }
        let mut shown = masks.body(value);
        if let Some(side) = Side::of_variable(name) {
            let mut secrets = Vec::new();
            shown = self.session.paths.body(&shown, side, &mut secrets).into_owned().into();
            secrets.iter().for_each(|secret| self.keep_secret(secret));
        }
        Some(cut(&shown, self.session.settings.body_bytes))
    }

    pub(super) fn keep_secret(&self, value: &str) {
        let mut notes = self.notes.borrow_mut();
        if value.len() >= SHORTEST_SECRET && !notes.secrets.iter().any(|known| known == value) {
            notes.secrets.push(value.to_owned());
        }
    }

    fn shown_stored(&self, name: &str, value: Option<&Stored>) -> Option<String> {
        let value = value?;
        let view = value.view().into_text();
        if let (Stored::Secret(_), Some(text)) = (value, view.as_deref()) {
            self.keep_secret(text);
            return Some(MASKED.to_owned());
        }
        self.shown(name, view.as_deref())
    }

    pub(super) fn assignment(
        &self,
        name: &str,
        before: Option<&Stored>,
        after: Option<&Stored>,
    ) -> Assignment {
        let (before, after) = (self.shown_stored(name, before), self.shown_stored(name, after));
        Assignment { name: name.to_owned(), before, after }
    }

    pub(crate) fn condition(&self, cx: &Exchange, of: String, condition: &Condition, held: bool) {
        let read = self.take_read();
        let text = condition.to_string();
        let size = text.len() + of.len() + size_of(&read);
        self.add(size, Point::Condition { at: place(cx), of, text, held, read });
    }

    pub(crate) fn fault(&self, cx: &Exchange, fault: &Fault) {
        let fault = traced(fault);
        self.add(fault.text.len() + fault.code.len(), Point::Fault { at: place(cx), fault });
    }
}

impl RawBody {
    /// One that streams is filled in when it has gone by.
    fn of(body: &MessageBody) -> Self {
        match body {
            MessageBody::Empty => Self::Empty,
            MessageBody::Replaced(bytes) => Self::Whole(bytes.clone()),
            MessageBody::Streaming => Self::NotKept,
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let notes = self.notes.get_mut();
        let mut transaction = notes.transaction.clone();
        transaction.took_us = micros(self.began);
        let mut secrets = std::mem::take(&mut notes.secrets);
        // One that is part of another must not take it apart.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        if !secrets.is_empty() {
            transaction.each_text(&mut |text| {
                for secret in &secrets {
                    if text.contains(secret.as_str()) {
                        *text = text.replace(secret.as_str(), MASKED);
                    }
                }
            });
        }
        let answers = std::mem::take(&mut notes.answers);
        let raw = notes.raw.take().map(|request| Raw { request, answers });
        let bytes = notes.bytes + raw.as_ref().map_or(0, Raw::size);
        let recorded = Recorded { transaction: Arc::new(transaction), raw: raw.map(Arc::new) };
        for session in &self.also {
            session.keep(recorded.clone(), bytes);
        }
        self.session.keep(recorded, bytes);
    }
}

pub(super) fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

pub(super) fn traced(fault: &Fault) -> TracedFault {
    TracedFault {
        code: fault.code().to_owned(),
        text: fault.text().to_owned(),
        policy: fault.policy().map(str::to_owned),
    }
}

pub(super) fn size_of(read: &[Reading]) -> usize {
    read.iter().map(|reading| reading.name.len() + reading.value.as_ref().map_or(0, String::len)).sum()
}

/// `ProxyRequest/PreFlow`, with the shared flows that are running.
pub(super) fn place(cx: &Exchange) -> String {
    let segment = cx.position.segment;
    let part = if segment.is_of_target() { cx.position.target_part } else { Some(cx.position.proxy_part) };
    let flow = match (segment, part) {
        (Segment::Error, _) => "FaultRules",
        (_, Some(Part::Pre) | None) => "PreFlow",
        (_, Some(Part::Post)) => "PostFlow",
        (_, Some(Part::PostClient)) => "PostClientFlow",
        (_, Some(Part::Conditional(index))) => {
            let flows = match cx.target().filter(|_| segment.is_of_target()) {
                Some(target) => &target.flows,
                None => &cx.endpoint().flows,
            };
            flows.conditional.get(index).map_or("", |flow| &*flow.name)
        }
    };
    let mut place = format!("{segment:?}/{flow}");
    for shared in &cx.shared_flows {
        place.push('/');
        place.push_str(&shared.name);
    }
    place
}
