//! The data plane as its clients and targets see it: raw bytes over real sockets.

mod framing;
mod headers;
mod hub;
mod lifecycle;
mod stage;
mod streaming;
mod targets;
