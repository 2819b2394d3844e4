//! Steps for each server-sent event of an answer (`EventFlow`, decision 062).

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::header::CONTENT_TYPE;

use super::{faults, run_steps};
use crate::compile::StepPlan;
use crate::events::{self, Splitter};
use crate::exchange::{Exchange, Message, MessageBody, Segment};
use crate::policy::Next;
use crate::variable::Stored;

static CONTENT: LazyLock<Arc<str>> = LazyLock::new(|| "response.event.current.content".into());
static COUNT: LazyLock<Arc<str>> = LazyLock::new(|| "response.event.current.count".into());
static DATA: LazyLock<Arc<str>> = LazyLock::new(|| "response.event.current.data".into());

impl Exchange {
    /// Whether its target or proxy endpoint has steps for events.
    pub(crate) fn has_event_steps(&self) -> bool {
        self.target().is_some_and(|target| !target.flows.event.is_empty())
            || !self.endpoint().flows.event.is_empty()
    }

    /// Whether `answer` is a stream of events that are to be run through steps.
    pub(crate) fn runs_events_of(&self, answer: &Message) -> bool {
        self.has_event_steps() && self.error.is_none() && is_of_events(answer)
    }
}

fn is_of_events(answer: &Message) -> bool {
    answer.headers.get(CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.as_bytes().split(|&byte| byte == b';').next().unwrap_or_default();
        kind.trim_ascii().eq_ignore_ascii_case(b"text/event-stream")
    })
}

/// Runs the steps over one event. What is to be sent in its place; `None` when a step failed or raised a fault:
/// nothing follows.
pub(crate) async fn run_event(cx: &mut Exchange, event: Bytes, count: u32) -> Option<Bytes> {
    if !events::is_event(&event) {
        return Some(event);
    }
    let content = events::content(&event).into_owned();
    let data = events::data(&event);
    cx.variables.set(&CONTENT, Stored::from(&*content));
    cx.variables.set(&DATA, Stored::from(&*data));
    cx.variables.set(&COUNT, Stored::Integer(i32::try_from(count).unwrap_or(i32::MAX)));
    let proxy = cx.route.proxy.clone();
    let of_target = cx.target.map(|target| &*proxy.targets[target].flows.event).unwrap_or_default();
    let of_proxy = &*proxy.endpoints[cx.route.endpoint].flows.event;
    for (segment, steps) in [(Segment::TargetResponse, of_target), (Segment::ProxyResponse, of_proxy)] {
        if !run(cx, segment, steps).await {
            return None;
        }
    }
    let changed = cx.variables.get(&CONTENT).and_then(crate::variable::Value::into_text);
    Some(match changed {
        Some(text) if *text == *content => event,
        Some(text) => Bytes::from(events::written(&text)),
        None => Bytes::new(),
    })
}

/// False when the stream is over.
async fn run(cx: &mut Exchange, segment: Segment, steps: &[StepPlan]) -> bool {
    cx.position.segment = segment;
    match run_steps(cx, steps).await {
        Ok(next) => next == Next::Continue,
        Err(fault) => {
            // The head has gone out long ago; the rules may still write it down.
            faults::run(cx, fault).await;
            false
        }
    }
}

/// The same over an answer that is in memory.
pub(super) async fn run_in_memory(cx: &mut Exchange) {
    let Some(mut answer) = cx.response.take() else { return };
    if !matches!(answer.body, MessageBody::Replaced(_)) || !cx.runs_events_of(&answer) {
        cx.response = Some(answer);
        return;
    }
    let MessageBody::Replaced(mut left) = std::mem::take(&mut answer.body) else { return };
    cx.response = Some(answer.clone());
    let (mut splitter, mut out, mut count) = (Splitter::default(), Vec::new(), 0);
    while !left.is_empty() {
        let event = left.split_to(splitter.end(&left).unwrap_or(left.len()));
        count += u32::from(events::is_event(&event));
        match run_event(cx, event, count).await {
            Some(sent) => out.extend_from_slice(&sent),
            None => break,
        }
    }
    // What went before has its status; a fault has ended it.
    cx.error = None;
    answer.set_body(MessageBody::Replaced(Bytes::from(out)));
    cx.response = Some(answer);
}
