//! The access log: one line per proxied request on standard output, written by a thread of its own.

use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use pierhead_gateway::{AccessLog, AccessRecord};
use serde::Serialize;

/// Lines that may wait; a full queue drops and counts, it never makes a request wait.
const QUEUE: usize = 65_536;

/// How long lines may gather before they are written. Waking the writer for each line would cost a request
/// more than making the line.
const GATHER: Duration = Duration::from_millis(50);

/// What is written about a request, without the end of the line.
pub(crate) type LineOf = fn(&AccessRecord<'_>) -> String;

#[derive(Debug)]
struct Lines {
    queue: SyncSender<String>,
    dropped: Arc<AtomicU64>,
    line_of: LineOf,
}

/// Starts the writer.
pub(crate) fn access_log(line_of: LineOf) -> Arc<dyn AccessLog> {
    let (queue, lines) = sync_channel(QUEUE);
    let dropped = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&dropped);
    std::thread::spawn(move || write_all(&lines, &counted));
    Arc::new(Lines { queue, dropped, line_of })
}

impl AccessLog for Lines {
    fn record(&self, record: &AccessRecord<'_>) {
        let mut line = (self.line_of)(record);
        line.push('\n');
        if self.queue.try_send(line).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The status as logs say it: 499 is a client that left before there was an answer.
pub(crate) fn status(record: &AccessRecord<'_>) -> u16 {
    record.status.map_or(499, |status| status.as_u16())
}

/// How long it took, in microseconds.
pub(crate) fn took_us(record: &AccessRecord<'_>) -> u64 {
    u64::try_from(record.took.as_micros()).unwrap_or(u64::MAX)
}

/// What `serve` says about a request.
#[derive(Serialize)]
struct Line<'a> {
    at_ms: i64,
    took_us: u64,
    client: IpAddr,
    method: &'a str,
    path: &'a str,
    proxy: &'a str,
    status: u16,
    body_bytes: u64,
    request_id: &'a str,
}

/// One JSON object.
pub(crate) fn json_line(record: &AccessRecord<'_>) -> String {
    let line = Line {
        at_ms: record.at.as_i64(),
        took_us: took_us(record),
        client: record.client.ip(),
        method: record.method.as_str(),
        path: record.path,
        proxy: record.proxy,
        status: status(record),
        body_bytes: record.body_bytes,
        request_id: record.request_id,
    };
    // Strings and numbers always have a JSON form.
    serde_json::to_string(&line).unwrap_or_default()
}

fn write_all(lines: &Receiver<String>, dropped: &AtomicU64) {
    let mut out = std::io::BufWriter::with_capacity(64 << 10, std::io::stdout());
    while let Ok(first) = lines.recv() {
        std::thread::sleep(GATHER);
        // A closed standard output ends the log, not the server.
        if out.write_all(first.as_bytes()).is_err() {
            return;
        }
        while let Ok(line) = lines.try_recv() {
            if out.write_all(line.as_bytes()).is_err() {
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

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};
    use pierhead_domain::EpochMillis;

    use super::*;

    fn record(path: &str, status: Option<StatusCode>) -> AccessRecord<'_> {
        AccessRecord {
            at: EpochMillis::new(5),
            took: Duration::from_micros(1234),
            client: ([127, 0, 0, 1], 9).into(),
            method: &Method::GET,
            path,
            proxy: "orders",
            status,
            body_bytes: 7,
            request_id: "r-1",
        }
    }

    #[test]
    fn a_line_is_one_json_object_whatever_the_path_holds() {
        assert_eq!(
            json_line(&record("/a\"\n", Some(StatusCode::OK))),
            r#"{"at_ms":5,"took_us":1234,"client":"127.0.0.1","method":"GET","path":"/a\"\n","proxy":"orders","status":200,"body_bytes":7,"request_id":"r-1"}"#
        );
    }

    #[test]
    fn a_client_that_left_is_a_499() {
        assert!(json_line(&record("/", None)).contains("\"status\":499"));
    }
}
