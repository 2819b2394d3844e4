//! What `pierhead run` says: text for people, or one JSON object a line.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use pierhead_bundle::{BadBundle, Report};
use pierhead_gateway::{AccessLog, AccessRecord};
use serde::Serialize;
use serde_json::json;

use crate::commands::say;
use crate::wiring::access_log::{access_log, append, status, took_us};

/// How it speaks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Voice {
    json: bool,
}

impl Voice {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    pub(super) fn serving(self, report: &Report, addr: SocketAddr, base_paths: &[String]) {
        let urls: Vec<String> = base_paths.iter().map(|path| format!("http://{addr}{path}")).collect();
        if self.json {
            return say(&json!({"event": "serving", "urls": urls, "report": report}).to_string());
        }
        say(report.to_string().trim_end());
        for url in urls {
            say(&format!("serving {url}"));
        }
    }

    pub(super) fn refused(self, report: &Report, serves_before: bool) {
        if self.json {
            let said = json!({"event": "refused", "last_good_one_serves": serves_before, "report": report});
            return say(&said.to_string());
        }
        say(report.to_string().trim_end());
        say(after(serves_before));
    }

    pub(super) fn unreadable(self, why: &BadBundle, serves_before: bool) {
        if self.json {
            let said =
                json!({"event": "unreadable", "last_good_one_serves": serves_before, "why": why.to_string()});
            return say(&said.to_string());
        }
        say(&format!("the bundle cannot be read: {why}"));
        say(after(serves_before));
    }

    /// One line for each request.
    pub(super) fn access_log(self) -> Arc<dyn AccessLog> {
        access_log(if self.json { request_as_json } else { request_for_people })
    }
}

const fn after(serves_before: bool) -> &'static str {
    if serves_before {
        "not served: the last good one goes on"
    } else {
        "not served: nothing is served until it is mended"
    }
}

/// One request, for programs.
#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    method: &'a str,
    path: &'a str,
    status: u16,
    took_us: u64,
    body_bytes: u64,
    request_id: &'a str,
}

fn request_as_json(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    let line = Line {
        event: "request",
        method: record.method.as_str(),
        path: record.path,
        status: status(record),
        took_us: took_us(record),
        body_bytes: record.body_bytes,
        request_id: record.request_id,
    };
    append(&line, out);
}

fn request_for_people(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    let (whole, tenth) = (took_us(record) / 1000, took_us(record) % 1000 / 100);
    let (method, path, status) = (record.method, record.path, status(record));
    // Memory takes whatever is written.
    let _ = write!(out, "{method} {path} {status} {whole}.{tenth} ms");
}
