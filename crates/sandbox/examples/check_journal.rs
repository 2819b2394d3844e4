//! Holds a running double's journal against a discovery document.
//!
//! `check_journal drive.v3.json < journal.json`, the journal being the answer of `GET /sandbox/journal`.
//! Prints every request that the description does not allow; fails if there is any, or nothing to judge.

use std::error::Error;
use std::io::{Read as _, Write as _};

use pierhead_sandbox::check::Description;
use pierhead_sandbox::google::JournalEntry;

#[derive(serde::Deserialize)]
struct Journal {
    requests: Vec<JournalEntry>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("the path of a discovery document is needed")?;
    let description = Description::load(path)?;
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let journal: Journal = serde_json::from_str(&text)?;
    let mut out = std::io::stdout().lock();
    let mut bad = 0;
    for request in &journal.requests {
        for violation in description.violations(request) {
            bad += 1;
            writeln!(out, "{} {} {}: {violation}", request.sequence, request.method, request.path)?;
        }
    }
    writeln!(out, "{} requests, {bad} violations", journal.requests.len())?;
    if bad > 0 || journal.requests.is_empty() { Err("the journal is not sound".into()) } else { Ok(()) }
}
