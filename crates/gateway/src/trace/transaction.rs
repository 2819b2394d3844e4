//! What is recorded of one exchange.

use pierhead_domain::EpochMillis;
use serde::{Deserialize, Serialize};

use super::shot::MessageShot;

/// One exchange, from its first step to its last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// `messageid`; also in the answer's `X-Request-Id` and the access log.
    pub id: String,
    /// Name of the API proxy.
    pub proxy: String,
    /// Its revision.
    pub revision: String,
    /// Name of the proxy endpoint.
    pub endpoint: String,
    /// When the request arrived.
    pub began: EpochMillis,
    /// Until the end of the answer's body or of the last step, whichever is later, in microseconds.
    pub took_us: u64,
    /// What the client got; `None` when it left before.
    pub status: Option<u16>,
    /// What happened, in order.
    pub points: Vec<TimedPoint>,
    /// The end is missing: the exchange was longer than the session keeps.
    pub truncated: bool,
}

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedPoint {
    /// Since the exchange began, in microseconds.
    pub after_us: u64,
    /// What.
    #[serde(flatten)]
    pub point: Point,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "point", rename_all = "snake_case")]
pub enum Point {
    /// A message as it stands: `received`, `sent to target`, `received from target`, `answer`.
    Message {
        /// Which moment.
        at: String,
        /// Where a request goes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// The message.
        message: MessageShot,
    },
    /// A condition was asked.
    Condition {
        /// Where: `ProxyRequest/PreFlow`.
        at: String,
        /// Whose: `step Quota`, `flow orders`, `route default`, `fault rule r`.
        of: String,
        /// As it was understood.
        text: String,
        /// Whether it holds.
        held: bool,
        /// What it looked at.
        read: Vec<Reading>,
    },
    /// A policy ran.
    Step {
        /// Where.
        at: String,
        /// Name of the policy.
        policy: String,
        /// Its kind.
        kind: String,
        /// In microseconds.
        took_us: u64,
        /// Variables it looked at.
        read: Vec<Reading>,
        /// Variables it changed.
        assigned: Vec<Assignment>,
        /// Messages it changed, as they are afterwards.
        changed: Vec<MessageShot>,
        /// What went wrong.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fault: Option<TracedFault>,
        /// It answered instead of the target.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        responded: bool,
    },
    /// A step called somebody: a ServiceCallout, a script, a key set.
    Call {
        /// Where to.
        url: String,
        /// In microseconds.
        took_us: u64,
        /// What was asked.
        request: MessageShot,
        /// What was answered; `None` when nothing came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<MessageShot>,
        /// Why nothing came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fault: Option<TracedFault>,
    },
    /// The exchange went into the error state.
    Fault {
        /// Where.
        at: String,
        /// What.
        fault: TracedFault,
    },
}

/// A variable that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Its name.
    pub name: String,
    /// Its value; `None` is null.
    pub value: Option<String>,
}

/// A variable that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Its name.
    pub name: String,
    /// Before; `None` is null.
    pub before: Option<String>,
    /// Afterwards; `None` is null.
    pub after: Option<String>,
}

/// A fault as variables show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracedFault {
    /// The whole code; its last part is `fault.name`.
    pub code: String,
    /// For people.
    pub text: String,
    /// The policy that raised it.
    pub policy: Option<String>,
}

impl Transaction {
    /// The first request that came.
    pub fn request(&self) -> Option<&MessageShot> {
        self.message("received")
    }

    /// What the client got.
    pub fn answer(&self) -> Option<&MessageShot> {
        self.message("answer")
    }

    /// What went wrong, in the end.
    pub fn fault(&self) -> Option<&TracedFault> {
        self.points.iter().rev().find_map(|timed| match &timed.point {
            Point::Fault { fault, .. } => Some(fault),
            _ => None,
        })
    }

    fn message(&self, moment: &str) -> Option<&MessageShot> {
        self.points.iter().find_map(|timed| match &timed.point {
            Point::Message { at, message, .. } if at == moment => Some(message),
            _ => None,
        })
    }

    /// Every text that came from the exchange.
    pub(super) fn each_text(&mut self, visit: &mut dyn FnMut(&mut String)) {
        for timed in &mut self.points {
            match &mut timed.point {
                Point::Message { url, message, .. } => {
                    url.iter_mut().for_each(&mut *visit);
                    message.each_text(visit);
                }
                Point::Condition { read, text, .. } => {
                    visit(text);
                    read.iter_mut().filter_map(|reading| reading.value.as_mut()).for_each(&mut *visit);
                }
                Point::Step { read, assigned, changed, fault, .. } => {
                    read.iter_mut().filter_map(|reading| reading.value.as_mut()).for_each(&mut *visit);
                    for assignment in assigned {
                        assignment.before.iter_mut().chain(&mut assignment.after).for_each(&mut *visit);
                    }
                    changed.iter_mut().for_each(|message| message.each_text(visit));
                    fault.iter_mut().for_each(|fault| visit(&mut fault.text));
                }
                Point::Call { url, request, answer, fault, .. } => {
                    visit(url);
                    request.each_text(visit);
                    answer.iter_mut().for_each(|answer| answer.each_text(visit));
                    fault.iter_mut().for_each(|fault| visit(&mut fault.text));
                }
                Point::Fault { fault, .. } => visit(&mut fault.text),
            }
        }
    }
}
