//! HTTP/2 towards clients: its frames are read by `h2`, what they cost and what they ask for is judged here.
//!
//! A connection has one task, which moves its bytes, and one for each stream, which runs the exchange
//! (decision 049). Beyond the parser's own bounds a meter beneath it counts frames that ask for work and bring
//! none ([`meter`]), and cancelled requests are counted ([`connection`]).

mod answer;
mod body;
mod connection;
mod head;
mod meter;
mod stream;
mod websocket;

pub(crate) use self::body::BodyReader;
pub(in crate::server) use self::connection::drive;

/// Streams that are open at a time on one connection (Envoy's edge settings).
const STREAMS: u32 = 100;
/// Bytes of a request body that may come before anybody has read any.
const STREAM_WINDOW: u32 = 64 * 1024;
/// The same for all streams of a connection together.
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Bytes of an answer that wait for a client to take them.
const SEND_BUFFER: usize = 64 * 1024;
