//! What the server answers, for people at a terminal.

use std::fmt::Write;

use pierhead_domain::EpochMillis;
use pierhead_gateway::trace::{BodyShot, MessageShot, Part, Point, TracedFault, Transaction};
use serde_json::Value;

/// A table without lines: each column as wide as its widest cell.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
        cells.chain([head[at].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (cell, width) in cells.zip(&widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        line.trim_end().to_owned()
    };
    let mut lines = vec![line(&mut head.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

/// A list of sessions.
pub(super) fn sessions(all: &Value) -> String {
    let rows: Vec<Vec<String>> = items(all).map(session_row).collect();
    if rows.is_empty() {
        return "No session. Begin one: pierhead trace start PROXY".into();
    }
    table(&["SESSION", "PROXY", "REVISION", "STATE", "REQUESTS", "STARTED", "BY"], &rows)
}

fn session_row(session: &Value) -> Vec<String> {
    let text = |name: &str| session[name].as_str().unwrap_or_default().to_owned();
    let started = EpochMillis::new(session["startedAt"].as_i64().unwrap_or(0)).rfc3339_seconds();
    vec![
        text("name"),
        text("apiProxy"),
        text("revision"),
        if session["recording"] == true { "recording".into() } else { "stopped".into() },
        session["transactions"].to_string(),
        started,
        text("startedBy"),
    ]
}

/// What a session recorded.
pub(super) fn requests(all: &Value) -> String {
    let row = |one: &Value| {
        let began = EpochMillis::new(one["began"].as_i64().unwrap_or(0)).rfc3339_seconds();
        vec![
            one["id"].as_str().unwrap_or_default().to_owned(),
            began,
            one["status"].as_u64().map_or_else(|| "left".into(), |status| status.to_string()),
            micros(one["tookMicros"].as_u64().unwrap_or(0)),
            one["request"].as_str().unwrap_or_default().to_owned(),
            one["fault"].as_str().unwrap_or_default().to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = items(all).map(row).collect();
    match rows.len() {
        0 => "Nothing recorded that fits.".into(),
        _ => table(&["ID", "AT", "STATUS", "TOOK", "REQUEST", "FAULT"], &rows),
    }
}

fn items(all: &Value) -> impl Iterator<Item = &Value> {
    all.as_array().into_iter().flatten()
}

/// `1.2 ms`.
fn micros(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        _ => format!("{}.{:02} s", micros / 1_000_000, micros % 1_000_000 / 10_000),
    }
}

/// A recorded request, a line for each thing that happened.
pub(super) fn transaction(transaction: &Transaction) -> String {
    let mut out = String::new();
    let status = transaction.status.map_or_else(|| "the client left".into(), |status| status.to_string());
    let line = transaction.request().map_or("", |request| &request.line);
    let _ = writeln!(
        out,
        "{line}\n{status} after {}, {} revision {}, {}",
        micros(transaction.took_us),
        transaction.proxy,
        transaction.revision,
        transaction.began.rfc3339_seconds()
    );
    let mut place = String::new();
    for timed in &transaction.points {
        point(&mut out, &mut place, &timed.point);
    }
    if transaction.truncated {
        out.push_str("\nThe end is missing: it was longer than a session keeps.\n");
    }
    out.trim_end().to_owned()
}

fn point(out: &mut String, place: &mut String, point: &Point) {
    let at = match point {
        Point::Message { at, .. }
        | Point::Condition { at, .. }
        | Point::Step { at, .. }
        | Point::Fault { at, .. } => Some(at),
        // It belongs to the step that called.
        Point::Call { .. } => None,
    };
    if let Some(at) = at.filter(|at| *at != place) {
        let _ = writeln!(out, "\n{at}");
        at.clone_into(place);
    }
    match point {
        Point::Message { url, message, .. } => {
            if let Some(url) = url {
                let _ = writeln!(out, "  to {url}");
            }
            shot(out, message);
        }
        Point::Condition { of, text, held, .. } => {
            let _ = writeln!(out, "  {} {of}: {text}", if *held { "holds  " } else { "skipped" });
        }
        Point::Step { policy, kind, took_us, assigned, changed, fault: failed, .. } => {
            let state = if failed.is_some() { "FAILED " } else { "ran    " };
            let _ = writeln!(out, "  {state} {policy} ({kind}), {}", micros(*took_us));
            for one in assigned {
                let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".into());
                let _ =
                    writeln!(out, "          {}: {} -> {}", one.name, value(&one.before), value(&one.after));
            }
            for message in changed {
                let _ = writeln!(out, "          {}: {}", message.name, message.line);
            }
            fault(out, failed.as_ref());
        }
        Point::Call { url, took_us, answer, fault: failed, .. } => {
            let answer = answer.as_ref().map_or("no answer", |answer| &answer.line);
            let _ = writeln!(out, "  called  {url}: {answer}, {}", micros(*took_us));
            fault(out, failed.as_ref());
        }
        Point::Fault { fault: failed, .. } => {
            let _ = writeln!(out, "  fault   {}: {}", failed.code, failed.text);
        }
    }
}

fn fault(out: &mut String, fault: Option<&TracedFault>) {
    if let Some(fault) = fault {
        let _ = writeln!(out, "          {}: {}", fault.code, fault.text);
    }
}

fn shot(out: &mut String, shot: &MessageShot) {
    let _ = writeln!(out, "  {}", shot.line);
    for (name, value) in &shot.headers {
        let _ = writeln!(out, "    {name}: {value}");
    }
    match &shot.body {
        BodyShot::Empty => {}
        BodyShot::Streaming => out.push_str("    (the body passed by)\n"),
        BodyShot::Binary { bytes } => {
            let _ = writeln!(out, "    ({bytes} bytes that are no text)");
        }
        BodyShot::Text { text, .. } => {
            for line in text.lines() {
                let _ = writeln!(out, "    | {line}");
            }
        }
    }
}

/// What differs, a line each.
pub(super) fn differences(found: &[pierhead_gateway::trace::Difference]) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(not there)".into());
    let row = |one: &pierhead_gateway::trace::Difference| {
        let part = match one.part {
            Part::Status => "status",
            Part::Header => "header",
            Part::Body => "body",
            Part::Target => "target",
            Part::TargetHeader => "header to the target",
            Part::TargetBody => "body to the target",
            Part::Step => "step",
            Part::Variable => "variable",
        };
        vec![part.to_owned(), one.name.clone(), value(&one.recorded), value(&one.replayed)]
    };
    match found.len() {
        0 => "No difference.".into(),
        _ => table(&["WHERE", "NAME", "RECORDED", "REPLAYED"], &found.iter().map(row).collect::<Vec<_>>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![vec!["long name".into(), "1".into()], vec!["é".into(), "2".into()]];
        assert_eq!(table(&["A", "B"], &rows), "A          B\nlong name  1\né          2");
    }

    #[test]
    fn times_are_short() {
        assert_eq!([micros(7), micros(1_250), micros(3_210_000)], ["7 µs", "1.2 ms", "3.21 s"]);
    }
}
