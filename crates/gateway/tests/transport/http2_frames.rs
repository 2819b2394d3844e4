//! A client that writes HTTP/2 frame by frame, also those that no library would write.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

const PATIENCE: Duration = Duration::from_secs(60);

/// One frame as it came.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn ends_stream(&self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & END_STREAM != 0
    }
}

/// A connection of a client.
pub(crate) struct Frames {
    pub(crate) stream: TcpStream,
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("small").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Fields as literals that no table remembers (RFC 7541 §6.2.2).
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).expect("short")], text.as_bytes()].concat();
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

/// A whole request; what is not said is as usual.
pub(crate) fn request_block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut all: Vec<(&str, &str)> =
        fields.iter().copied().filter(|(name, _)| name.starts_with(':')).collect();
    let is_connect = all.contains(&(":method", "CONNECT"));
    for (name, value) in [(":scheme", "http"), (":authority", "api.test")] {
        let is_known = all.iter().any(|(known, _)| *known == name);
        if !(is_known || is_connect && name == ":scheme") {
            all.push((name, value));
        }
    }
    all.extend(fields.iter().copied().filter(|(name, _)| !name.starts_with(':')));
    block(&all)
}

/// What the server says about the first stream: its status, or why there is none.
pub(crate) async fn told(frames: &mut Frames) -> Frame {
    frames.next_of(1).await
}

impl Frames {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.expect("connects");
        let mut frames = Self { stream };
        let mut first = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        first.extend(frame(SETTINGS, 0, 0, &[]));
        frames.send(&first).await;
        frames
    }

    /// Sends; a server that has hung up is no mistake of the test's.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    pub(crate) async fn headers(&mut self, stream: u32, block: &[u8], ends: bool) {
        let flags = END_HEADERS | if ends { END_STREAM } else { 0 };
        self.send(&frame(HEADERS, flags, stream, block)).await;
    }

    pub(crate) async fn data(&mut self, stream: u32, part: &[u8], ends: bool) {
        self.send(&frame(DATA, u8::from(ends), stream, part)).await;
    }

    /// The next frame; `None` when the server has hung up.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let reading = async {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            self.stream.read_exact(&mut payload).await.ok()?;
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            Some(Frame { kind: head[3], flags: head[4], stream, payload })
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("a frame or an end in time")
    }

    /// The next frame of a stream.
    pub(crate) async fn next_of(&mut self, stream: u32) -> Frame {
        loop {
            let frame = self.next().await.expect("the server is there");
            if frame.stream == stream && frame.kind != WINDOW_UPDATE {
                return frame;
            }
        }
    }

    /// The next frame of a kind; its payload.
    pub(crate) async fn until(&mut self, kind: u8) -> Vec<u8> {
        loop {
            let frame = self.next().await.expect("the server is there");
            if frame.kind == kind {
                return frame.payload;
            }
        }
    }

    /// All data of a stream up to its end.
    pub(crate) async fn body_of(&mut self, stream: u32) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let frame = self.next_of(stream).await;
            assert_ne!(frame.kind, RST_STREAM, "{frame:?}");
            let ends = frame.ends_stream();
            if frame.kind == DATA {
                all.extend(frame.payload);
            }
            if ends {
                return all;
            }
        }
    }
}
