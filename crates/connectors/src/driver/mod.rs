//! Transport drivers, named by protocol and never by vendor.

mod outbound;

pub use outbound::{CallTimes, Outbound, OutboundProblem};
