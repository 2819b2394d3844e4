//! Transport drivers, named by protocol and never by vendor.

mod file;
mod http;
mod outbound;

pub use file::refuse_directory;
pub use outbound::{CallTimes, Outbound, OutboundProblem};

pub(crate) use file::FileDriver;
