//! How the demo shows its steps: for people, or one JSON object a line.

use std::io::{IsTerminal, Write};
use std::time::Instant;

use super::client::{Answer, Call};

/// Where the steps go. Every step is reported exactly once.
#[derive(Debug)]
pub(super) struct Report {
    json: bool,
    step: u32,
    name: &'static str,
    calls: Vec<String>,
    began: Instant,
    failed: Vec<u32>,
    drawn: Option<Instant>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    Skipped,
    Failed,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            step: 0,
            name: "",
            calls: Vec::new(),
            began: Instant::now(),
            failed: Vec::new(),
            drawn: None,
        }
    }

    /// Begins the next step.
    pub(super) fn begin(&mut self, name: &'static str, what: &str) {
        self.step += 1;
        (self.name, self.began, self.drawn) = (name, Instant::now(), None);
        self.calls.clear();
        if !self.json {
            self.line(&format!("\n{}  {what}", self.step));
        }
    }

    /// Shows a request before it is made.
    pub(super) fn call(&mut self, call: &Call) {
        let curl = call.curl();
        if !self.json {
            self.line(&format!("   $ {curl}"));
        }
        self.calls.push(curl);
    }

    /// Shows an answer: its status and the beginning of its body.
    pub(super) fn answer(&self, answer: &Answer) {
        self.note(&format!("{}  {}", answer.status.as_u16(), first_line(&answer.text())));
    }

    /// Shows a line of what happened.
    pub(super) fn note(&self, text: &str) {
        if !self.json {
            self.line(&format!("     {text}"));
        }
    }

    /// Draws how far a transfer is, at most ten times a second and only on a terminal.
    pub(super) fn progress(&mut self, done: u64, total: u64) {
        if self.json || !std::io::stdout().is_terminal() {
            return;
        }
        let due = self.drawn.is_none_or(|drawn| drawn.elapsed().as_millis() >= 100);
        if total > 1 << 20 && (due || done == total) {
            self.drawn = Some(Instant::now());
            let percent = done.saturating_mul(100) / total.max(1);
            let end = if done == total { "\n" } else { "" };
            self.raw(&format!("\r     {percent:>3} %  {} of {} MiB{end}", done >> 20, total >> 20));
        }
    }

    /// Ends the step well; `facts` go into its JSON line.
    pub(super) fn done(&mut self, facts: serde_json::Value) {
        self.end(End::Done, facts);
    }

    /// Ends a step that does not apply.
    pub(super) fn skipped(&mut self, why: &str) {
        self.note(&format!("skipped: {why}"));
        self.end(End::Skipped, serde_json::json!({"reason": why}));
    }

    /// Ends a step that failed.
    pub(super) fn failed(&mut self, error: &anyhow::Error) {
        self.failed.push(self.step);
        if !self.json {
            self.line(&format!("   ✗ step {} ({}) failed: {error:#}", self.step, self.name));
        }
        self.end(End::Failed, serde_json::json!({"error": format!("{error:#}")}));
    }

    fn end(&mut self, end: End, facts: serde_json::Value) {
        let took_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        if self.json {
            let mut line = serde_json::json!({"step": self.step, "name": self.name});
            match end {
                End::Done => line["ok"] = true.into(),
                End::Failed => line["ok"] = false.into(),
                End::Skipped => line["skipped"] = true.into(),
            }
            line["took_ms"] = took_ms.into();
            line["calls"] = self.calls.clone().into();
            if let (Some(line), Some(facts)) = (line.as_object_mut(), facts.as_object()) {
                line.extend(facts.clone());
            }
            self.line(&line.to_string());
        } else if end == End::Done {
            self.line(&format!("   ✓ {took_ms} ms"));
        }
    }

    /// The steps that failed.
    pub(super) fn failures(&self) -> &[u32] {
        &self.failed
    }

    /// A line for people, outside of any step.
    pub(super) fn line(&self, text: &str) {
        self.raw(&format!("{text}\n"));
    }

    fn raw(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        // A closed pipe is the reader's choice; the demo still runs to its end.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

fn first_line(text: &str) -> String {
    let line: String = text.lines().next().unwrap_or_default().chars().take(160).collect();
    if line.len() < text.trim_end().len() { format!("{line} …") } else { line }
}
