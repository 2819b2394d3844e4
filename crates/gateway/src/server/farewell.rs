//! Last words on a connection: a fault, then a close that does not cut the fault off.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::fault::EngineFault;

/// Unread bytes would turn our close into a reset, which may overtake the answer: read them, to a point.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 256 * 1024;

/// Answers with a fault and closes.
pub(super) async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(mut io: S, fault: &EngineFault) {
    let _ = tokio::time::timeout(LINGER, io.write_all(&answer(fault))).await;
    linger(io).await;
}

/// Closes our side, then reads until the client closes, within bounds.
pub(super) async fn linger<S: AsyncRead + AsyncWrite + Unpin>(mut io: S) {
    let reading = async {
        if io.shutdown().await.is_err() {
            return;
        }
        let (mut left, mut buffer) = (LINGER_BYTES, [0; 4096]);
        while let Ok(count @ 1..) = io.read(&mut buffer).await {
            left = left.saturating_sub(count);
            if left == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(LINGER, reading).await;
}

/// A whole response; no text of the client's is in it.
fn answer(fault: &EngineFault) -> Vec<u8> {
    let message = fault.fault().answer(false);
    let (status, body) = (message.status(), message.body.bytes());
    let retry = if *fault == EngineFault::Overloaded { "retry-after: 1\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {} {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         {retry}connection: close\r\n\r\n",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default(),
        body.len(),
    );
    [head.as_bytes(), body].concat()
}
