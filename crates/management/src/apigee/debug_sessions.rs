//! `…/apis/{name}/revisions/{number}/debugsessions`: what happens in a proxy, step by step (api-management
//! §8.9, §8.10; decision 057).

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use pierhead_gateway::trace::{
    CannotTrace, Recorded, TraceExport, TraceSettings, TraceSummary, Transaction, differences,
};
use serde_json::{Map, Value, json};

use super::apis::stored;
use super::problem::ApigeeProblem;
use super::proxy_call::{ProxyCall, number};
use super::trace_filter::TraceFilter;
use super::{mask_configs, replay, trace_har, trace_json};
use crate::names::check_name;

/// A session ends after this many seconds when nothing else is said, as in the originals.
const TIMEOUT: u64 = 600;
/// The longest that may be asked for.
const LONGEST: u64 = 24 * 3600;

/// Answers what lies below `/debugsessions`. What a session shows is for those who may change the proxy.
pub(super) async fn answer(
    call: &ProxyCall<'_>,
    proxy: &str,
    revision: &str,
    below: &[&str],
) -> Result<Response<Body>, ApigeeProblem> {
    if !call.caller.may_design_apis() {
        return Err(ApigeeProblem::Forbidden);
    }
    stored(call, proxy).await?;
    let sessions = DebugSessions { call, proxy, revision: Some(number(revision)?) };
    let (status, value) = match (below, &call.method) {
        ([], &Method::GET) => (StatusCode::OK, sessions.names()),
        ([], &Method::POST) => (StatusCode::CREATED, sessions.start().await?),
        ([session], &Method::GET) => return sessions.one(session),
        ([session], &Method::POST) => (StatusCode::OK, sessions.act(session)?),
        ([session], &Method::DELETE) => (StatusCode::OK, sessions.remove(session)?),
        ([session, "data"], &Method::GET) => (StatusCode::OK, sessions.ids(session)?),
        ([session, "data", id], &Method::GET) => (StatusCode::OK, sessions.transaction(session, id)?),
        ([session, "data", id, "compare"], &Method::GET) => (StatusCode::OK, sessions.compare(session, id)?),
        ([session, "data", id, "replay"], &Method::POST) => {
            let recorded = sessions.recorded(session, id)?;
            (StatusCode::OK, replay::run(call, proxy, recorded).await?)
        }
        ([] | [_] | [_, "data"] | [_, "data", _] | [_, "data", _, "replay" | "compare"], other) => {
            return Err(ApigeeProblem::Method(other.to_string()));
        }
        _ => {
            let path = below.join("/");
            return Err(ApigeeProblem::missing("messaging.config.beans.NotFound", "Resource", &path));
        }
    };
    Ok((status, axum::Json(value)).into_response())
}

/// `…/apis/{name}/debugsessions`: the sessions of all revisions. Not the originals'.
pub(super) async fn of_proxy(call: &ProxyCall<'_>, proxy: &str) -> Result<Response<Body>, ApigeeProblem> {
    if !call.caller.may_design_apis() {
        return Err(ApigeeProblem::Forbidden);
    }
    if call.method != Method::GET {
        return Err(ApigeeProblem::Method(call.method.to_string()));
    }
    stored(call, proxy).await?;
    let sessions = DebugSessions { call, proxy, revision: None };
    let all: Value = sessions.all().iter().map(|session| shown(call, session)).collect();
    Ok(axum::Json(all).into_response())
}

/// `…/environments/{env}/debugsessions`: the sessions of all proxies. Not the originals'.
pub(super) fn of_environment(call: &ProxyCall<'_>) -> Result<Response<Body>, ApigeeProblem> {
    if !call.caller.may_design_apis() {
        return Err(ApigeeProblem::Forbidden);
    }
    if call.method != Method::GET {
        return Err(ApigeeProblem::Method(call.method.to_string()));
    }
    let all: Value = visible(call).iter().map(|session| shown(call, session)).collect();
    Ok(axum::Json(all).into_response())
}

/// Sessions of the caller's account, or all for the organization's administrator.
fn visible(call: &ProxyCall<'_>) -> Vec<TraceSummary> {
    let account = call.caller.account.as_i64().to_string();
    let mut all = call.parts.traces.list(call.parts.clock.now());
    all.retain(|session| session.settings.account == account || call.caller.is_org_admin());
    all
}

/// The sessions of one revision, or of all.
struct DebugSessions<'c> {
    call: &'c ProxyCall<'c>,
    proxy: &'c str,
    revision: Option<i64>,
}

impl DebugSessions<'_> {
    fn now(&self) -> pierhead_domain::EpochMillis {
        self.call.parts.clock.now()
    }

    fn all(&self) -> Vec<TraceSummary> {
        let mut all = visible(self.call);
        all.retain(|session| {
            let settings = &session.settings;
            settings.proxy == self.proxy
                && self.revision.is_none_or(|one| settings.revision.as_deref() == Some(&*one.to_string()))
        });
        all
    }

    fn find(&self, name: &str) -> Result<TraceSummary, ApigeeProblem> {
        let found = self.all().into_iter().find(|session| session.settings.name == name);
        found.ok_or_else(|| {
            ApigeeProblem::missing("messaging.runtime.DebugSessionDoesNotExist", "Debug session", name)
        })
    }

    fn names(&self) -> Value {
        match self.call.query("expand").as_deref() {
            Some("true") => self.all().iter().map(|session| shown(self.call, session)).collect(),
            _ => self.all().into_iter().map(|session| session.settings.name).collect(),
        }
    }

    /// `?session=…&timeout=…&header_X=…&qparam_y=…&filter=<condition>`; the body may say `name`, `timeout` and
    /// `filter`. With `action=import` the body is a session that was exported.
    async fn start(&self) -> Result<Value, ApigeeProblem> {
        let importing = self.call.query("action").as_deref() == Some("import");
        let body = if self.call.body.trim_ascii().is_empty() || self.is_form() {
            Map::new()
        } else {
            self.call.json()?
        };
        let said = |name: &str| -> Option<String> {
            let value = body.get(name).filter(|_| !importing)?;
            value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()))
        };
        let now = self.now();
        let name = self.call.query("session").or_else(|| self.call.query("name")).or_else(|| said("name"));
        let name = name.unwrap_or_else(|| {
            pierhead_domain::RequestId::new(now, self.call.parts.rng.as_ref()).as_str().to_owned()
        });
        check_name("session", &name, 255)?;
        if self.find(&name).is_ok() {
            let message = format!("Debug session {name} exists already");
            return Err(ApigeeProblem::conflict("messaging.runtime.DebugSessionAlreadyExists", message));
        }
        let timeout = match self.call.query("timeout").or_else(|| said("timeout")) {
            None => TIMEOUT,
            Some(text) => {
                text.parse().ok().filter(|seconds| (1..=LONGEST).contains(seconds)).ok_or_else(|| {
                    ApigeeProblem::Bad(format!("timeout must be a number of seconds from 1 to {LONGEST}"))
                })?
            }
        };
        let filters = |prefix: &str| -> Vec<(String, String)> {
            let query = self.call.query.iter();
            query
                .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?.into(), value.clone())))
                .collect()
        };
        let settings = TraceSettings {
            name: name.clone(),
            account: self.call.caller.account.as_i64().to_string(),
            started_by: self.call.caller.name.clone(),
            proxy: self.proxy.to_owned(),
            revision: self.revision.map(|number| number.to_string()),
            headers: filters("header_"),
            query: filters("qparam_"),
            condition: self.call.query("filter").or_else(|| said("filter")).unwrap_or_default(),
            masks: mask_configs::masks_of(self.call, self.proxy).await?,
            until: Some(now.plus(Duration::from_secs(timeout))),
            ..TraceSettings::default()
        };
        let traces = &self.call.parts.traces;
        let started = if importing {
            let file: TraceExport = serde_json::from_value(Value::Object(body))
                .map_err(|why| ApigeeProblem::Bad(format!("the body is no exported session: {why}")))?;
            if file.format != TraceExport::FORMAT {
                let known = TraceExport::FORMAT;
                return Err(ApigeeProblem::Bad(format!("format must be {known}, not {}", file.format)));
            }
            traces.import(settings, file.transactions, now)
        } else {
            traces.start(settings, now)
        };
        started.map_err(|why| match why {
            CannotTrace::TooMany => {
                ApigeeProblem::conflict("messaging.runtime.TooManyDebugSessions", why.to_string())
            }
            why => ApigeeProblem::Bad(why.to_string()),
        })?;
        Ok(shown(self.call, &self.find(&name)?))
    }

    /// The original's own tools send an empty form.
    fn is_form(&self) -> bool {
        self.call.json().is_err()
            && std::str::from_utf8(&self.call.body).is_ok_and(|body| !body.contains('{'))
    }

    fn one(&self, name: &str) -> Result<Response<Body>, ApigeeProblem> {
        let session = self.find(name)?;
        let format = self.call.query("format").unwrap_or_default();
        if format.is_empty() {
            return Ok(axum::Json(shown(self.call, &session)).into_response());
        }
        let gone =
            || ApigeeProblem::missing("messaging.runtime.DebugSessionDoesNotExist", "Debug session", name);
        let file = self.call.parts.traces.export(session.id, self.now()).ok_or_else(gone)?;
        let (text, extension) = match format.as_str() {
            "export" => (serde_json::to_string(&file), "trace.json"),
            "har" => (serde_json::to_string(&trace_har::archive(&file.transactions)), "har"),
            _ => return Err(ApigeeProblem::bad("format must be export or har")),
        };
        let text = text.map_err(|why| ApigeeProblem::Internal(why.into()))?;
        let disposition = format!("attachment; filename=\"{}.{extension}\"", ascii(&session.settings.name));
        let disposition =
            HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment"));
        let kind = HeaderValue::from_static("application/json");
        Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, disposition)], text).into_response())
    }

    fn act(&self, name: &str) -> Result<Value, ApigeeProblem> {
        let session = self.find(name)?;
        if self.call.query("action").as_deref() != Some("stop") {
            return Err(ApigeeProblem::bad("action must be stop"));
        }
        self.call.parts.traces.stop(session.id, self.now());
        Ok(shown(self.call, &self.find(name)?))
    }

    fn remove(&self, name: &str) -> Result<Value, ApigeeProblem> {
        let session = self.find(name)?;
        self.call.parts.traces.remove(session.id, self.now());
        Ok(shown(self.call, &session))
    }

    fn kept(&self, name: &str) -> Result<Vec<Recorded>, ApigeeProblem> {
        let session = self.find(name)?;
        Ok(self.call.parts.traces.recorded(session.id).unwrap_or_default())
    }

    fn ids(&self, name: &str) -> Result<Value, ApigeeProblem> {
        let filter = TraceFilter::read(self.call)?;
        let mut kept = self.kept(name)?;
        kept.retain(|one| filter.fits(&one.transaction));
        Ok(match self.call.query("expand").as_deref() {
            Some("true") => kept.iter().map(row).collect(),
            _ => kept.iter().map(|one| Value::from(one.transaction.id.as_str())).collect(),
        })
    }

    fn recorded(&self, name: &str, id: &str) -> Result<Recorded, ApigeeProblem> {
        let found = self.kept(name)?.into_iter().find(|one| one.transaction.id == id);
        found.ok_or_else(|| {
            ApigeeProblem::missing("messaging.runtime.DebugTransactionDoesNotExist", "Transaction", id)
        })
    }

    fn transaction(&self, name: &str, id: &str) -> Result<Value, ApigeeProblem> {
        let recorded = self.recorded(name, id)?;
        match self.call.query("format").as_deref() {
            None | Some("apigee") => Ok(trace_json::transaction(&recorded.transaction)),
            Some("pierhead") => serde_json::to_value(Transaction::clone(&recorded.transaction))
                .map_err(|why| ApigeeProblem::Internal(why.into())),
            Some(_) => Err(ApigeeProblem::bad("format must be apigee or pierhead")),
        }
    }

    /// `?with=<id>&session=<name>&revision=<number>`: what differs between two recorded exchanges of the proxy; the
    /// other is of the same session and revision when nothing else is said.
    fn compare(&self, name: &str, id: &str) -> Result<Value, ApigeeProblem> {
        let other = self.call.query("with").ok_or_else(|| ApigeeProblem::bad("with must be given"))?;
        let revision = match self.call.query("revision") {
            Some(text) => Some(number(&text)?),
            None => self.revision,
        };
        let elsewhere = DebugSessions { revision, ..*self };
        let session = self.call.query("session").unwrap_or_else(|| name.to_owned());
        let (one, other) = (self.recorded(name, id)?, elsewhere.recorded(&session, &other)?);
        let found = differences(&one.transaction, &other.transaction);
        Ok(json!({
            "same": found.is_empty(), "differences": found,
            "recorded": Transaction::clone(&one.transaction), "other": Transaction::clone(&other.transaction),
        }))
    }
}

fn shown(call: &ProxyCall<'_>, session: &TraceSummary) -> Value {
    let TraceSummary { settings, started, recording, transactions, dropped, bytes, .. } = session;
    let until = settings.until.map(pierhead_domain::EpochMillis::as_i64);
    let timeout = settings.until.map(|until| until.since(*started).as_secs().to_string());
    json!({
        "name": settings.name, "session": settings.name,
        "organization": call.organization,
        "environment": call.parts.snapshots.peek().environment(),
        "apiProxy": settings.proxy, "revision": settings.revision,
        "timeout": timeout, "count": settings.max_transactions, "tracesize": settings.max_bytes / 1024,
        "filter": {"headers": pairs(&settings.headers), "queryParams": pairs(&settings.query),
            "condition": settings.condition},
        "recording": recording, "startedAt": started.as_i64(), "startedBy": settings.started_by,
        "endsAt": until, "transactions": transactions, "dropped": dropped, "bytes": bytes,
    })
}

fn pairs(filter: &[(String, String)]) -> Value {
    filter.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

/// One line of a list.
fn row(recorded: &Recorded) -> Value {
    let Transaction { id, began, took_us, status, truncated, .. } = &*recorded.transaction;
    let line = recorded.transaction.request().map(|request| request.line.clone());
    let failed = recorded.transaction.fault().map(|fault| fault.code.clone());
    json!({
        "id": id, "began": began.as_i64(), "tookMicros": took_us, "status": status, "request": line,
        "fault": failed, "truncated": truncated, "whole": recorded.is_whole(),
    })
}

fn ascii(name: &str) -> String {
    name.chars().map(|char| if char.is_ascii_alphanumeric() || char == '-' { char } else { '_' }).collect()
}
