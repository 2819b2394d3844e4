//! HTTP/1.1 towards clients: one reader, strict where parsers are lenient, and one writer.
//!
//! A request is read once. Each line of its head is judged as it arrives ([`rules`]), the body's framing with
//! it ([`decoder`]); what breaks a rule is refused and closed, never repaired (hostile-input §4.2 line 1).
//! A connection has no task beside its driver ([`super::connection`]): whoever reads a body reads the socket.

mod answer_head;
mod decoder;
#[cfg(any(test, feature = "fuzzing"))]
mod fuzz;
mod head;
mod refusal;
mod rules;
mod wire;

pub(super) use answer_head::{AnswerHead, Asked, concerns_this_hop};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use fuzz::requests as fuzz_requests;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) use head::HeadLimits;
pub(super) use head::Heard;
pub(crate) use head::{Expects, RequestHead};
pub(super) use refusal::Refusal;
pub(super) use rules::is_host_and_port;
pub(crate) use wire::{BodyReader, Stream};
pub(super) use wire::{NoHead, Wire, Writer};

#[cfg(test)]
mod tests;
