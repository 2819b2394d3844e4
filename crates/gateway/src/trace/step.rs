//! One step with everything written down.

use std::sync::Arc;
use std::time::Instant;

use ahash::AHashMap;

use super::recorder::{Recorder, micros, place, size_of, traced};
use super::shot::MessageShot;
use super::transaction::{Assignment, Point};
use crate::compile::StepPlan;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::{Next, PolicyRun};
use crate::variable::Stored;

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
    let took_us = micros(began);
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
            .map(|name| trace.assignment(name, self.variables.get(name), now.get(name)))
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

fn assignment_size(assignment: &Assignment) -> usize {
    let length = |value: &Option<String>| value.as_ref().map_or(0, String::len);
    assignment.name.len() + length(&assignment.before) + length(&assignment.after)
}
