//! `POST …/data/{id}/replay?revision=…&targets=recorded|live`: a recorded request through some revision, and what
//! differs (decision 058).

use std::sync::Arc;

use pierhead_gateway::trace::{Recorded, Replay, ReplayFailed, Targets, Transaction, differences};
use serde_json::{Value, json};

use super::apis::stored;
use super::mask_configs;
use super::problem::ApigeeProblem;
use super::proxy_call::ProxyCall;

/// Runs it. `revision` is a number, or `draft` for the design as it stands; without one it is the design as it
/// stands. The body may say `headers` to set: `{"headers": {"x-api-key": "…"}}`.
pub(super) async fn run(
    call: &ProxyCall<'_>,
    proxy: &str,
    recorded: Recorded,
) -> Result<Value, ApigeeProblem> {
    let targets = match call.query("targets").as_deref() {
        None | Some("recorded") => Targets::Recorded,
        Some("live") => Targets::Live,
        Some(_) => return Err(ApigeeProblem::bad("targets must be recorded or live")),
    };
    let headers = headers(call)?;
    let revision = call.query("revision").unwrap_or_else(|| "draft".into());
    let (design, number) = design(call, proxy, &revision).await?;
    let snapshot = {
        let running = call.parts.snapshots.load();
        let alone = Arc::new(running.without_proxy(proxy));
        let world = call.parts.present_world(Arc::clone(&alone));
        let compiled = call.parts.compile(&design, number, &world);
        let compiled = compiled.map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            ApigeeProblem::Bad(format!("Revision {revision} cannot run: {}", lines.join("; ")))
        })?;
        Arc::new(alone.with_proxy(compiled).map_err(|taken| ApigeeProblem::Bad(taken.to_string()))?)
    };
    let masks = mask_configs::masks_of(call, proxy).await?;
    let replay = Replay { snapshot, recorded: recorded.clone(), targets, headers, masks };
    let replayed = call.parts.traces.replay(replay).await.map_err(|why| match why {
        ReplayFailed::Broken(_) | ReplayFailed::NoGateway => ApigeeProblem::Internal(why.into()),
        why => ApigeeProblem::Bad(why.to_string()),
    })?;
    let found = differences(&recorded.transaction, &replayed);
    Ok(json!({
        "revision": revision,
        "targets": if targets == Targets::Live { "live" } else { "recorded" },
        "same": found.is_empty(),
        "differences": found,
        "recorded": Transaction::clone(&recorded.transaction),
        "replayed": replayed,
    }))
}

async fn design(
    call: &ProxyCall<'_>,
    proxy: &str,
    revision: &str,
) -> Result<(pierhead_gateway::design::ProxyDesign, i64), ApigeeProblem> {
    let draft = stored(call, proxy).await?;
    let (text, number) = if revision == "draft" {
        (draft.design, draft.revision)
    } else {
        let number = super::proxy_call::number(revision)?;
        let found = call.parts.store.designs().revision(call.parts.organization(), proxy, number).await?;
        (found.ok_or_else(|| super::apis::no_revision(proxy, number))?.design, number)
    };
    let design = serde_json::from_str(&text).map_err(|why| ApigeeProblem::Internal(why.into()))?;
    Ok((design, number))
}

fn headers(call: &ProxyCall<'_>) -> Result<Vec<(String, String)>, ApigeeProblem> {
    if call.body.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let body = call.json()?;
    let rule = || ApigeeProblem::bad("headers must be an object of texts");
    match body.get("headers") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(headers)) => headers
            .iter()
            .map(|(name, value)| Ok((name.clone(), value.as_str().ok_or_else(rule)?.to_owned())))
            .collect(),
        Some(_) => Err(rule()),
    }
}
