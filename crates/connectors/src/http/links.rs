//! `GET /links/{token}`: a file by its signed link, with no `Authorization` at all (open-connectors §10).

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Method, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::Instant;

use super::answer::hub_answer;
use super::call::run;
use super::extract::PathParams;
use super::stream_limit::StreamLimit;
use crate::engine::{HubAnswer, HubCall, empty_body};
use crate::hub::{Hub, HubProblem};
use crate::links::BadLink;

pub(super) async fn download(
    State(hub): State<Hub>,
    path: PathParams,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, HubProblem> {
    let target = hub.links.open(path.get("token")).map_err(|why| match why {
        BadLink::Foreign => HubProblem::NotFound(why.to_string()),
        BadLink::Expired => HubProblem::Forbidden(why.to_string()),
    })?;
    let live = hub.directory.by_id(&hub.store, target.instance).await?;
    let live = live.ok_or_else(|| HubProblem::NotFound("The instance of this link was deleted".into()))?;
    if live.stored.disabled {
        return Err(HubProblem::Forbidden("The instance of this link is disabled".into()));
    }
    let limit = StreamLimit { bytes: hub.settings.stream_limit, time: hub.settings.stream_time };
    let kept = [header::RANGE, header::IF_RANGE, header::IF_NONE_MATCH];
    let kept = kept.into_iter().filter_map(|name| Some((name.clone(), headers.get(name)?.clone())));
    let call = HubCall {
        headers: kept.collect(),
        deadline: Some(Instant::now() + limit.time),
        ..HubCall::get(format!("/files/{}", utf8_percent_encode(&target.file, NON_ALPHANUMERIC)))
    };
    let answer = run(&hub, live, call, limit).await?;
    let answer = if method == Method::HEAD { HubAnswer { body: empty_body(), ..answer } } else { answer };
    Ok(hub_answer(answer, target.instance, limit))
}
