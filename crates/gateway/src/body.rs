//! Bodies on their way through: frames pass with back-pressure, nothing is gathered unless a step reads it.

mod answer;
mod buffer;
mod events;
mod recoded;
mod recorded;
mod request;
mod traced;

pub(crate) use self::answer::{AnswerBody, Patient, Source, UpstreamBody};
pub(crate) use self::buffer::{ReadBodyError, read_whole};
pub(crate) use self::events::{EventBody, Resting};
pub(crate) use self::recoded::{Recoded, recoding};
use self::recorded::Recorded;
pub(crate) use self::request::{ClientBody, ClientBodyState, RequestBody};
use self::traced::Traced;

/// What the reader of a body is told when it ends too early.
pub(crate) type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// Why an answer's body was cut off; the client sees a closed connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CutOff {
    #[error("the target stopped sending in the middle of its answer")]
    TimedOut,
    #[error("the target's answer broke off: {0}")]
    Broken(#[source] BodyError),
}
