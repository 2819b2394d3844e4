//! Recorded exchanges as an HTTP archive (HAR 1.2): what came and what was answered, for the tools that read it.

use pierhead_gateway::trace::{BodyShot, MessageShot, Transaction};
use serde_json::{Value, json};

/// The archive.
pub(super) fn archive(transactions: &[Transaction]) -> Value {
    let entries: Vec<Value> = transactions.iter().filter_map(entry).collect();
    let creator = json!({"name": "Pierhead", "version": env!("CARGO_PKG_VERSION")});
    json!({"log": {"version": "1.2", "creator": creator, "entries": entries}})
}

/// What left before it was answered is no entry.
fn entry(transaction: &Transaction) -> Option<Value> {
    let (request, answer) = transaction.request().zip(transaction.answer())?;
    let (method, target) = request.line.split_once(' ').unwrap_or((&request.line, "/"));
    let (status, reason) = answer.line.split_once(' ').unwrap_or((&answer.line, ""));
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let query: Vec<Value> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let host = header(request, "host").unwrap_or("localhost");
    #[expect(clippy::cast_precision_loss, reason = "times of requests are short")]
    let took = transaction.took_us as f64 / 1000.0;
    let mut sent = json!({
        "method": method, "url": format!("http://{host}{target}"), "httpVersion": "HTTP/1.1",
        "cookies": [], "headers": headers(request), "queryString": query,
        "headersSize": -1, "bodySize": size(&request.body),
    });
    if let BodyShot::Text { text, .. } = &request.body {
        sent["postData"] = json!({"mimeType": kind(request), "text": text});
    }
    let mut content = json!({"size": size(&answer.body), "mimeType": kind(answer)});
    if let BodyShot::Text { text, .. } = &answer.body {
        content["text"] = text.as_str().into();
    }
    Some(json!({
        "startedDateTime": date(transaction.began), "time": took, "request": sent,
        "response": {
            "status": status.parse::<u16>().unwrap_or(0), "statusText": reason, "httpVersion": "HTTP/1.1",
            "cookies": [], "headers": headers(answer), "content": content,
            "redirectURL": header(answer, "location").unwrap_or_default(),
            "headersSize": -1, "bodySize": size(&answer.body),
        },
        "cache": {}, "timings": {"send": 0, "wait": took, "receive": 0},
        "comment": format!("{} revision {}, {}", transaction.proxy, transaction.revision, transaction.id),
    }))
}

fn headers(shot: &MessageShot) -> Value {
    shot.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

fn header<'s>(shot: &'s MessageShot, name: &str) -> Option<&'s str> {
    shot.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn kind(shot: &MessageShot) -> &str {
    header(shot, "content-type").unwrap_or_default()
}

fn size(body: &BodyShot) -> i64 {
    match body {
        BodyShot::Empty => 0,
        BodyShot::Streaming => -1,
        BodyShot::Text { bytes, .. } | BodyShot::Binary { bytes } => i64::try_from(*bytes).unwrap_or(-1),
    }
}

/// RFC 3339 with milliseconds.
fn date(at: pierhead_domain::EpochMillis) -> String {
    let seconds = at.rfc3339_seconds();
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), at.as_i64().rem_euclid(1000))
}
