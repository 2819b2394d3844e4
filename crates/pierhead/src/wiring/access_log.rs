//! The access log: one line per proxied request on standard output, written by a thread of its own.

use std::io::Write;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use pierhead_gateway::{AccessLog, AccessRecord};
use serde::Serialize;

/// Bytes that may wait; a full queue drops and counts, it never makes a request wait.
const QUEUE: usize = 8 << 20;

/// How long lines may gather before they are written. Waking the writer for each line would cost a request
/// more than making the line.
const GATHER: Duration = Duration::from_millis(50);

/// Appends what is written about a request, without the end of the line.
pub(crate) type LineOf = fn(&AccessRecord<'_>, &mut Vec<u8>);

#[derive(Debug)]
struct Lines {
    waiting: Mutex<Waiting>,
    /// There is something to write again.
    begun: Condvar,
    line_of: LineOf,
}

/// What is to be written. Serving threads make their lines in place: a line costs no allocation.
#[derive(Debug, Default)]
struct Waiting {
    text: Vec<u8>,
    dropped: u64,
}

/// Starts the writer.
pub(crate) fn access_log(line_of: LineOf) -> Arc<dyn AccessLog> {
    let lines = Arc::new(Lines { waiting: Mutex::default(), begun: Condvar::new(), line_of });
    let written = Arc::clone(&lines);
    std::thread::spawn(move || written.write_all());
    lines
}

impl AccessLog for Lines {
    fn record(&self, record: &AccessRecord<'_>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.text.len() >= QUEUE {
            waiting.dropped += 1;
            return;
        }
        let is_first = waiting.text.is_empty();
        (self.line_of)(record, &mut waiting.text);
        waiting.text.push(b'\n');
        drop(waiting);
        if is_first {
            self.begun.notify_one();
        }
    }
}

impl Lines {
    /// Writes until standard output is closed, which ends the log and not the server.
    fn write_all(&self) {
        let mut out = std::io::stdout();
        let mut text = Vec::new();
        loop {
            let begun = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            drop(self.begun.wait_while(begun, |waiting| waiting.text.is_empty()));
            std::thread::sleep(GATHER);
            let dropped = {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::swap(&mut waiting.text, &mut text);
                std::mem::take(&mut waiting.dropped)
            };
            if dropped > 0 {
                tracing::warn!(
                    dropped,
                    "{dropped} access log lines were dropped: standard output is too slow"
                );
            }
            if out.write_all(&text).and_then(|()| out.flush()).is_err() {
                return;
            }
            text.clear();
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
pub(crate) fn json_line(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
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
    append(&line, out);
}

/// Appends a record of strings and numbers, which always have a JSON form.
pub(crate) fn append(line: &impl Serialize, out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, line);
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

    fn line(record: &AccessRecord<'_>) -> String {
        let mut line = Vec::new();
        json_line(record, &mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn a_line_is_one_json_object_whatever_the_path_holds() {
        assert_eq!(
            line(&record("/a\"\n", Some(StatusCode::OK))),
            r#"{"at_ms":5,"took_us":1234,"client":"127.0.0.1","method":"GET","path":"/a\"\n","proxy":"orders","status":200,"body_bytes":7,"request_id":"r-1"}"#
        );
    }

    #[test]
    fn a_full_queue_drops_lines_and_counts_them() {
        let lines = Lines { waiting: Mutex::default(), begun: Condvar::new(), line_of: json_line };
        lines.waiting.lock().unwrap().text = vec![b'x'; QUEUE - 1];
        lines.record(&record("/last", Some(StatusCode::OK)));
        lines.record(&record("/lost", Some(StatusCode::OK)));

        let waiting = lines.waiting.lock().unwrap();
        let text = String::from_utf8_lossy(&waiting.text);
        assert!(text.contains("/last") && !text.contains("/lost"));
        assert_eq!(waiting.dropped, 1);
    }

    #[test]
    fn a_client_that_left_is_a_499() {
        assert!(line(&record("/", None)).contains("\"status\":499"));
    }
}
