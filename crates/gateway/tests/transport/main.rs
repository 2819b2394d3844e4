//! The data plane as its clients and targets see it: raw bytes over real sockets.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, also in what it shares with others"
)]

mod balancing;
mod connections;
mod early_answers;
mod egress;
mod events;
mod framing;
mod headers;
mod http2;
mod http2_clients;
mod http2_floods;
mod http2_frames;
mod hub;
mod lifecycle;
mod local;
mod responses;
mod scripts;
mod slow_bodies;
mod stage;
mod streaming;
mod target_tls;
mod targets;
mod traffic;
mod trailers;
mod variables;
mod websocket;
mod websocket_http2;
