//! `pierhead trace`: debug sessions of a running server, over its public wire.

mod server;
mod text;

use anyhow::{Context, bail};
use http::Method;
use pierhead_gateway::trace::{Difference, Transaction};
use serde_json::{Value, json};

use crate::cli::trace::{Export, Import, List, Recorded, Replay, Start, Stop, Trace, TraceCommand};
use crate::commands::say;
use server::{Server, escape};

/// `Ok(false)` when a replay differs.
pub(super) async fn run(arguments: Trace) -> anyhow::Result<bool> {
    let server = Server::open(&arguments.server)?;
    let out = Out { json: arguments.json };
    match &arguments.command {
        TraceCommand::Start(flags) => start(&server, out, flags).await,
        TraceCommand::List(flags) => list(&server, out, flags).await,
        TraceCommand::Show(flags) => show(&server, out, flags).await,
        TraceCommand::Export(flags) => export(&server, flags).await,
        TraceCommand::Import(flags) => import(&server, out, flags).await,
        TraceCommand::Replay(flags) => replay(&server, out, flags).await,
        TraceCommand::Stop(flags) => stop(&server, out, flags).await,
    }
}

/// Text for people, or the server's own JSON.
#[derive(Clone, Copy)]
struct Out {
    json: bool,
}

impl Out {
    fn say(self, answer: &Value, text: impl FnOnce() -> String) {
        say(&if self.json { answer.to_string() } else { text() });
    }
}

fn sessions_of(server: &Server, proxy: &str, revision: &str) -> String {
    server.environment(&format!("/apis/{}/revisions/{}/debugsessions", escape(proxy), escape(revision)))
}

/// The deployed revision.
async fn live(server: &Server, proxy: &str) -> anyhow::Result<Option<String>> {
    let path = server.organization(&format!("/apis/{}/deployments", escape(proxy)));
    let deployments = server.call(Method::GET, &path, None).await?;
    let live = deployments.pointer("/environment/0/revision/0/name").and_then(Value::as_str);
    Ok(live.map(str::to_owned))
}

/// Where a session is, whatever its revision.
async fn find(server: &Server, proxy: &str, session: &str) -> anyhow::Result<String> {
    let path = server.environment(&format!("/apis/{}/debugsessions", escape(proxy)));
    let all = server.call(Method::GET, &path, None).await?;
    let found = all.as_array().into_iter().flatten().find(|one| one["name"] == session);
    let found = found
        .with_context(|| format!("{proxy} has no session {session}: see pierhead trace list {proxy}"))?;
    let revision = found["revision"].as_str().context("a session without a revision")?;
    Ok(format!("{}/{}", sessions_of(server, proxy, revision), escape(session)))
}

async fn start(server: &Server, out: Out, flags: &Start) -> anyhow::Result<bool> {
    let proxy = &flags.proxy;
    let revision = match &flags.revision {
        Some(revision) => revision.clone(),
        None => live(server, proxy)
            .await?
            .with_context(|| format!("{proxy} is not deployed: nothing runs that could be traced"))?,
    };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("timeout", &flags.timeout.to_string());
    if let Some(session) = &flags.session {
        query.append_pair("session", session);
    }
    for (prefix, pairs) in [("header_", &flags.header), ("qparam_", &flags.query)] {
        for (name, value) in pairs {
            query.append_pair(&format!("{prefix}{name}"), value);
        }
    }
    if let Some(condition) = &flags.when {
        query.append_pair("filter", condition);
    }
    let path = format!("{}?{}", sessions_of(server, proxy, &revision), query.finish());
    let made = server.call(Method::POST, &path, None).await?;
    out.say(&made, || {
        let name = made["name"].as_str().unwrap_or_default();
        format!(
            "Session {name} records requests to {proxy}, revision {revision}, for {} seconds.\n\
             See them: pierhead trace list {proxy} {name}",
            flags.timeout
        )
    });
    Ok(true)
}

async fn list(server: &Server, out: Out, flags: &List) -> anyhow::Result<bool> {
    let Some(proxy) = &flags.proxy else {
        let all = server.call(Method::GET, &server.environment("/debugsessions"), None).await?;
        out.say(&all, || text::sessions(&all));
        return Ok(true);
    };
    let Some(session) = &flags.session else {
        let path = server.environment(&format!("/apis/{}/debugsessions", escape(proxy)));
        let all = server.call(Method::GET, &path, None).await?;
        out.say(&all, || text::sessions(&all));
        return Ok(true);
    };
    let mut path = format!("{}/data?expand=true", find(server, proxy, session).await?);
    for (name, value) in [("status", &flags.status), ("path", &flags.path)] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", escape(value)));
        }
    }
    let all = server.call(Method::GET, &path, None).await?;
    out.say(&all, || text::requests(&all));
    Ok(true)
}

async fn show(server: &Server, out: Out, flags: &Recorded) -> anyhow::Result<bool> {
    let at = find(server, &flags.proxy, &flags.session).await?;
    let path = format!("{at}/data/{}?format=pierhead", escape(&flags.id));
    let shown = server.call(Method::GET, &path, None).await?;
    let transaction: Transaction =
        serde_json::from_value(shown.clone()).context("the server speaks another version of this record")?;
    out.say(&shown, || text::transaction(&transaction));
    Ok(true)
}

async fn export(server: &Server, flags: &Export) -> anyhow::Result<bool> {
    let at = find(server, &flags.proxy, &flags.session).await?;
    let format = if flags.har { "har" } else { "export" };
    let file = server.bytes(Method::GET, &format!("{at}?format={format}"), None).await?;
    match &flags.out {
        Some(out) => {
            std::fs::write(out, &file).with_context(|| format!("writing {}", out.display()))?;
            say(&format!("{} bytes written to {}", file.len(), out.display()));
        }
        None => say(&String::from_utf8(file).context("the export is no text")?),
    }
    Ok(true)
}

async fn import(server: &Server, out: Out, flags: &Import) -> anyhow::Result<bool> {
    let file = std::fs::read(&flags.file).with_context(|| format!("reading {}", flags.file.display()))?;
    let stem = flags.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = stem.trim_end_matches(".json").trim_end_matches(".trace").to_owned();
    let session = flags.session.clone().unwrap_or(stem);
    if session.is_empty() {
        bail!("give the session a name with --session");
    }
    let revision = match live(server, &flags.proxy).await? {
        Some(revision) => revision,
        None => {
            let path = server.organization(&format!("/apis/{}/revisions", escape(&flags.proxy)));
            let all = server.call(Method::GET, &path, None).await?;
            let newest = all.as_array().and_then(|all| all.last()?.as_str());
            newest.context("the proxy has no revision")?.to_owned()
        }
    };
    let at = sessions_of(server, &flags.proxy, &revision);
    let path = format!("{at}?session={}&action=import", escape(&session));
    let made = server.call(Method::POST, &path, Some(file)).await?;
    out.say(&made, || {
        format!("Session {session} of {} shows {} requests.", flags.proxy, made["transactions"])
    });
    Ok(true)
}

async fn replay(server: &Server, out: Out, flags: &Replay) -> anyhow::Result<bool> {
    let Recorded { proxy, session, id } = &flags.recorded;
    let at = find(server, proxy, session).await?;
    let targets = if flags.live { "live" } else { "recorded" };
    let path =
        format!("{at}/data/{}/replay?revision={}&targets={targets}", escape(id), escape(&flags.revision));
    let headers: serde_json::Map<String, Value> =
        flags.header.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let body = json!({"headers": headers}).to_string().into_bytes();
    let answer = server.call(Method::POST, &path, Some(body)).await?;
    let found: Vec<Difference> = serde_json::from_value(answer["differences"].clone())
        .context("the server speaks another version of this record")?;
    out.say(&answer, || text::differences(&found));
    Ok(found.is_empty())
}

async fn stop(server: &Server, out: Out, flags: &Stop) -> anyhow::Result<bool> {
    let at = find(server, &flags.proxy, &flags.session).await?;
    let (method, query) = if flags.delete { (Method::DELETE, "") } else { (Method::POST, "?action=stop") };
    let answer = server.call(method, &format!("{at}{query}"), None).await?;
    out.say(&answer, || {
        let rest = if flags.delete { "is discarded" } else { "stays for an hour" };
        format!(
            "Session {} ended; what it recorded ({} requests) {rest}.",
            flags.session, answer["transactions"]
        )
    });
    Ok(true)
}
