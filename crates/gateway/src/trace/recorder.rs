//! Writes down what happens in one exchange.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use ahash::AHashMap;

use super::mask::MASKED;
use super::shot::{MessageShot, cut};
use super::transaction::{Assignment, Point, Reading, TracedFault, Transaction};
use super::{Session, TraceSessions};
use crate::compile::StepPlan;
use crate::condition::Condition;
use crate::exchange::{Exchange, Message, Part, Segment};
use crate::fault::Fault;
use crate::policy::{Next, PolicyRun};
use crate::variable::{Stored, Value};

/// In an exchange that a session wants to see. What it wrote is handed in when the exchange is over, however
/// that comes about.
pub(crate) struct Recorder {
    session: Arc<Session>,
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
}

/// Shorter texts are too common to be taken for a secret that was copied.
const SHORTEST_SECRET: usize = 4;

impl Recorder {
    /// Begins to record when some session wants to see this exchange.
    pub(crate) fn begin(sessions: &TraceSessions, cx: &mut Exchange) {
        let Some(session) = sessions.session_for(cx) else { return };
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
        let notes = Notes { transaction, bytes: 0, read: Vec::new(), secrets: Vec::new() };
        let recorder = Self { session, began: Instant::now(), notes: RefCell::new(notes) };
        recorder.message("received", None, "request", &cx.request);
        cx.trace = Some(Box::new(recorder));
    }

    fn add(&self, size: usize, point: Point) {
        let mut notes = self.notes.borrow_mut();
        if notes.bytes + size > self.session.settings.max_transaction_bytes {
            notes.transaction.truncated = true;
            return;
        }
        notes.bytes += size + 64;
        notes.transaction.points.push(point);
    }

    fn shot(&self, name: &str, message: &Message) -> MessageShot {
        let settings = &self.session.settings;
        MessageShot::of(name, message, &settings.masks, settings.body_bytes)
    }

    pub(crate) fn message(&self, at: &'static str, url: Option<String>, name: &str, message: &Message) {
        let url = url.map(|url| match url.split_once('?') {
            Some((path, query)) => format!("{path}?{}", self.session.settings.masks.query(query)),
            None => url,
        });
        let message = self.shot(name, message);
        self.add(message.size(), Point::Message { at, url, message });
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

    fn take_read(&self) -> Vec<Reading> {
        std::mem::take(&mut self.notes.borrow_mut().read)
    }

    /// A value as it may be shown; remembers the one that may not.
    fn shown(&self, name: &str, value: Option<&str>) -> Option<String> {
        let value = value?;
        if self.session.settings.masks.hides_variable(name) {
            self.keep_secret(value);
            return Some(MASKED.to_owned());
        }
        Some(cut(&self.session.settings.masks.body(value), self.session.settings.body_bytes))
    }

    fn keep_secret(&self, value: &str) {
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

/// Runs a step with everything written down; `None` when it did not run.
pub(crate) async fn run_step(cx: &mut Exchange, step: &StepPlan) -> Option<Result<Next, Fault>> {
    let name = &step.policy.name;
    if !cx.asks(step.condition.as_ref(), || format!("step {name}")) || !step.policy.enabled {
        return None;
    }
    if let Some(trace) = &cx.trace {
        // What was looked at between the steps is nobody's.
        trace.take_read();
    }
    let at = place(cx);
    let before = Before::of(cx);
    let began = Instant::now();
    let ran = match step.policy.policy.run(cx) {
        PolicyRun::Done(ran) => ran,
        PolicyRun::Wait(running) => Box::pin(running).await,
    };
    let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let Some(trace) = cx.trace.as_deref() else { return Some(ran) };
    let read = trace.take_read();
    let (assigned, changed) = before.difference(trace, cx);
    let size = size_of(&read)
        + changed.iter().map(MessageShot::size).sum::<usize>()
        + assigned.iter().map(assignment_size).sum::<usize>();
    let point = Point::Step {
        at,
        policy: name.to_string(),
        kind: step.policy.kind.to_string(),
        took_us,
        read,
        assigned,
        changed,
        fault: ran.as_ref().err().map(traced),
        responded: matches!(ran, Ok(Next::Respond)),
    };
    trace.add(size, point);
    Some(ran)
}

/// The variables and messages before a step.
struct Before {
    variables: AHashMap<Arc<str>, Stored>,
    messages: Vec<MessageShot>,
}

impl Before {
    fn of(cx: &Exchange) -> Self {
        let messages = cx.trace.as_deref().map_or_else(Vec::new, |trace| messages(trace, cx));
        Self { variables: cx.variables.all().clone(), messages }
    }

    fn difference(self, trace: &Recorder, cx: &Exchange) -> (Vec<Assignment>, Vec<MessageShot>) {
        let now = cx.variables.all();
        let text =
            |value: Option<&Stored>| value.and_then(|value| value.view().into_text().map(String::from));
        let mut names: Vec<&Arc<str>> = now.keys().chain(self.variables.keys()).collect();
        names.sort();
        names.dedup();
        let assigned = names
            .into_iter()
            .filter(|name| text(self.variables.get(*name)) != text(now.get(*name)))
            .map(|name| Assignment {
                name: name.to_string(),
                before: trace.shown_stored(name, self.variables.get(name)),
                after: trace.shown_stored(name, now.get(name)),
            })
            .collect();
        let changed = messages(trace, cx).into_iter().filter(|shot| !self.messages.contains(shot)).collect();
        (assigned, changed)
    }
}

fn messages(trace: &Recorder, cx: &Exchange) -> Vec<MessageShot> {
    let own =
        [("request", Some(&cx.request)), ("response", cx.response.as_ref()), ("error", cx.error_message())];
    let own = own.into_iter().filter_map(|(name, message)| Some(trace.shot(name, message?)));
    own.chain(cx.variables.messages().map(|(name, message)| trace.shot(name, message))).collect()
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let notes = self.notes.get_mut();
        let empty = Transaction {
            id: String::new(),
            proxy: String::new(),
            revision: String::new(),
            endpoint: String::new(),
            points: Vec::new(),
            ..notes.transaction
        };
        let mut transaction = std::mem::replace(&mut notes.transaction, empty);
        transaction.took_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let secrets = std::mem::take(&mut notes.secrets);
        if !secrets.is_empty() {
            transaction.each_text(&mut |text| {
                for secret in
                    secrets.iter().filter(|secret| text.contains(secret.as_str())).collect::<Vec<_>>()
                {
                    *text = text.replace(secret.as_str(), MASKED);
                }
            });
        }
        self.session.keep(transaction, notes.bytes);
    }
}

fn traced(fault: &Fault) -> TracedFault {
    TracedFault {
        code: fault.code().to_owned(),
        text: fault.text().to_owned(),
        policy: fault.policy().map(str::to_owned),
    }
}

fn size_of(read: &[Reading]) -> usize {
    read.iter().map(|reading| reading.name.len() + reading.value.as_ref().map_or(0, String::len)).sum()
}

fn assignment_size(assignment: &Assignment) -> usize {
    let length = |value: &Option<String>| value.as_ref().map_or(0, String::len);
    assignment.name.len() + length(&assignment.before) + length(&assignment.after)
}

/// `ProxyRequest/PreFlow`, with the shared flows that are running.
fn place(cx: &Exchange) -> String {
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
