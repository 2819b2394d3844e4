//! The access log: one JSON line per proxied request on standard output, written by a thread of its own.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use pierhead_gateway::{AccessLog, AccessRecord};

/// Lines that may wait; a full queue drops and counts, it never makes a request wait.
const QUEUE: usize = 65_536;

#[derive(Debug)]
struct Lines {
    queue: SyncSender<String>,
    dropped: Arc<AtomicU64>,
}

/// Starts the writer.
pub(crate) fn access_log() -> Arc<dyn AccessLog> {
    let (queue, lines) = sync_channel(QUEUE);
    let dropped = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&dropped);
    std::thread::spawn(move || write_all(&lines, &counted));
    Arc::new(Lines { queue, dropped })
}

impl AccessLog for Lines {
    fn record(&self, record: &AccessRecord<'_>) {
        let line = serde_json::json!({
            "at_ms": record.at.as_i64(),
            "took_us": u64::try_from(record.took.as_micros()).unwrap_or(u64::MAX),
            "client": record.client.ip().to_string(),
            "method": record.method.as_str(),
            "path": record.path,
            "proxy": record.proxy,
            // 499: the client left before there was an answer.
            "status": record.status.map_or(499, |status| status.as_u16()),
            "body_bytes": record.body_bytes,
            "request_id": record.request_id,
        });
        if self.queue.try_send(line.to_string()).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn write_all(lines: &Receiver<String>, dropped: &AtomicU64) {
    let mut out = std::io::BufWriter::with_capacity(64 << 10, std::io::stdout());
    while let Ok(first) = lines.recv() {
        // A closed standard output ends the log, not the server.
        if writeln!(out, "{first}").is_err() {
            return;
        }
        while let Ok(line) = lines.try_recv() {
            if writeln!(out, "{line}").is_err() {
                return;
            }
        }
        let lost = dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            tracing::warn!(lost, "{lost} access log lines were dropped: standard output is too slow");
        }
        if out.flush().is_err() {
            return;
        }
    }
}
