//! A peer that does not do a case's work is not measured in it.

use std::process::Command;
use std::time::Duration;

use anyhow::bail;

use super::Peer;
use crate::bench::gateway::ground::{Ground, SEEN};
use crate::bench::gateway::requests::headers;
use crate::bench::gateway::work::Work;
use crate::run::output;

/// Times that a peer which has no route yet is asked again.
const TRIES: usize = 50;

/// Asks a peer what shows that it does its work.
pub(super) fn prove(peer: &Peer, work: Work, ground: &Ground) -> anyhow::Result<()> {
    let ask = |path: &str, headers: &[String]| answer(peer.port, path, headers, work, ground);
    let headers = headers(work, ground);
    let (mut status, mut body) = ask(work.path(), &headers)?;
    // Some listen before they have read which routes they serve.
    for _ in 0..TRIES {
        if status != "404" && status != "503" {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
        (status, body) = ask(work.path(), &headers)?;
    }
    if status != "200" || !body.contains(work.proof()) {
        bail!("{} in case {}: {status} {:.300}", peer.name, work.name(), body);
    }
    if work.checks_keys() && ask(work.path(), &["apikey: wrong".to_owned()])?.0 != "401" {
        bail!("{} lets a wrong key pass", peer.name);
    }
    if work.checks_tokens() {
        let wrong = format!("authorization: Bearer {}", ground.token.replacen('.', ".e", 1));
        if ask(work.path(), &[wrong])?.0 != "401" {
            bail!("{} lets a wrong token pass", peer.name);
        }
    }
    if work.sets_headers() {
        let seen = ask(SEEN, &headers)?.1;
        if seen.trim() != "eu|bench|" {
            bail!("{} sends other headers than the case asks for: {seen}", peer.name);
        }
    }
    Ok(())
}

/// Status and body of one request.
fn answer(
    port: u16,
    path: &str,
    headers: &[String],
    work: Work,
    ground: &Ground,
) -> anyhow::Result<(String, String)> {
    let mut curl = Command::new("curl");
    curl.args(["-s", "-m", "30", "-H", "Expect:", "-w", "\n%{http_code}"]);
    for header in headers {
        curl.args(["-H", header]);
    }
    if work.sends_a_body() {
        curl.arg("--data-binary").arg(format!("@{}", ground.file("1m").display()));
    }
    let said = output(curl.arg(format!("http://127.0.0.1:{port}{path}")))?;
    let (body, status) = said.rsplit_once('\n').unwrap_or(("", &said));
    Ok((status.to_owned(), body.to_owned()))
}
