//! One call in, one answer out.

use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use bytes::Bytes;
use pierhead_domain::EpochMillis;
use pierhead_web::Problem;
use serde_json::json;

use super::batch;
use super::json::{Writing, raw};
use super::options::{Options, format_of};
use super::path::{Resource, Tail, Target};
use super::query;
use super::{Action, Entity, Key, ODataError, Parsed, Service, metadata};

/// One request to the service, its body read.
#[derive(Debug)]
pub(crate) struct Call {
    /// `GET`, `HEAD`, `POST`, `PUT`, `MERGE`, `PATCH` or `DELETE`.
    pub(crate) method: Method,
    /// Raw path below the service root.
    pub(crate) path: String,
    /// Raw query.
    pub(crate) query: String,
    /// Headers.
    pub(crate) headers: HeaderMap,
    /// Body.
    pub(crate) body: Bytes,
}

/// Bounds and circumstances of a service.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Absolute address of the service, without a slash at the end.
    pub(crate) root: String,
    /// Entities on one page; the rest is behind `__next`.
    pub(crate) page: usize,
    /// Operations in one `$batch`.
    pub(crate) batch_operations: usize,
    /// The present moment, for `updated` in Atom.
    pub(crate) now: EpochMillis,
    /// Random text for boundaries.
    pub(crate) nonce: String,
}

/// Answers a call. Errors are answers, too.
pub(crate) async fn answer<S: Service>(service: &S, limits: &Limits, call: Call) -> Response<Bytes> {
    let batch = call.path.trim_matches('/') == "$batch";
    let answered = if batch {
        batch::answer(service, limits, &call).await
    } else {
        answer_one(service, limits, &call).await
    };
    answered.unwrap_or_else(|problem| failed(&problem))
}

/// Answers one call that is no batch, in a unit of work of its own.
pub(super) async fn answer_one<S: Service>(
    service: &S,
    limits: &Limits,
    call: &Call,
) -> Result<Response<Bytes>, ODataError> {
    if is_reading(&call.method) {
        return read(service, limits, call).await;
    }
    let mut work = service.begin().await?;
    let answer = modify(service, limits, &mut work, call).await?;
    service.commit(work).await?;
    Ok(answer.0)
}

pub(super) fn is_reading(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}

/// The answer for a failed call, logged when it is ours.
pub(super) fn failed(problem: &ODataError) -> Response<Bytes> {
    let (parts, _) = pierhead_web::odata::answer(problem).into_parts();
    // The dialect's own body is a stream; batches need its bytes.
    let message = if problem.status().is_server_error() {
        "The server failed to answer. Quote the request id to its operator.".to_owned()
    } else {
        problem.to_string()
    };
    let body = json!({"error": {"code": problem.code(), "message": {"lang": "en", "value": message}}});
    let mut response = Response::from_parts(parts, Bytes::from(body.to_string()));
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}

async fn read<S: Service>(service: &S, limits: &Limits, call: &Call) -> Result<Response<Bytes>, ODataError> {
    let schema = service.schema();
    let writing = Writing { schema, root: &limits.root, select: &[] };
    let target = match Resource::parse(schema, service.actions(), &call.path)? {
        Resource::Metadata => return Ok(xml(metadata::document(schema), "application/xml")),
        Resource::Batch => return Err(ODataError::unsupported("GET of $batch")),
        Resource::Root => {
            return Ok(if wants_json(call, format_of(&call.query).as_deref())? {
                json_answer(StatusCode::OK, &writing.service())
            } else {
                xml(writing.service_document(), "application/atomsvc+xml")
            });
        }
        Resource::Entities(target) => target,
    };
    let options = Options::parse(schema, target.last_set(), &call.query)?;
    let writing = Writing { select: &options.select, ..writing };
    let as_json = wants_json(call, options.format.as_deref())?;
    match &target.tail {
        Tail::Count => Ok(plain(query::count(service, &target, &options).await?.to_string())),
        Tail::Property { name, raw: as_text } => {
            let entity = query::reach_one(service, &target, &options.expand).await?;
            if *as_text {
                return Ok(plain(raw(entity.value(name))?));
            }
            Ok(json_answer(StatusCode::OK, &json!({"d": {name.as_str(): entity.value(name)}})))
        }
        Tail::Links { navigation, .. } => links(service, &writing, &target, navigation).await,
        Tail::Action(name) => Err(ODataError::unsupported(format_args!("GET of the action {name}"))),
        Tail::Entities if target.is_many() => {
            let listing = query::list(service, &target, &options, limits.page).await?;
            let count = options.counted.then_some(listing.total);
            let path = call.path.trim_start_matches('/');
            let next =
                listing.next.map(|shown| format!("{}/{path}?{}", limits.root, options.next_query(shown)));
            Ok(if as_json {
                json_answer(StatusCode::OK, &writing.list(&listing.entities, count, next))
            } else {
                let title = target.last_set().name;
                let document =
                    writing.feed_document(title, &listing.entities, count, next.as_deref(), limits.now);
                xml(document, "application/atom+xml;type=feed")
            })
        }
        Tail::Entities => {
            let entity = query::reach_one(service, &target, &options.expand).await?;
            Ok(entity_answer(StatusCode::OK, &writing, limits, as_json, &entity))
        }
    }
}

async fn links<S: Service>(
    service: &S,
    writing: &Writing<'_>,
    target: &Target,
    navigation: &'static str,
) -> Result<Response<Bytes>, ODataError> {
    let expand = super::Expand::only(navigation, super::Expand::default());
    let mut entity = query::reach_one(service, target, &expand).await?;
    let related = entity.take_related(navigation);
    let mut uris = related.iter().map(|related| json!({"uri": writing.uri(related)}));
    let many = entity.set.navigation(navigation).is_some_and(|navigation| navigation.many);
    let d = if many {
        json!({"results": uris.collect::<Vec<_>>()})
    } else {
        uris.next().ok_or_else(|| ODataError::not_found("The linked entity"))?
    };
    Ok(json_answer(StatusCode::OK, &json!({"d": d})))
}

/// Does one modifying call in `work`. Also answers the path of a created entity, for references to it from
/// later calls of the same change set.
pub(super) async fn modify<S: Service>(
    service: &S,
    limits: &Limits,
    work: &mut S::Work,
    call: &Call,
) -> Result<(Response<Bytes>, Option<String>), ODataError> {
    let schema = service.schema();
    let target = match Resource::parse(schema, service.actions(), &call.path)? {
        Resource::Entities(target) => target,
        _ => return Err(ODataError::unsupported(format_args!("{} of this path", call.method))),
    };
    let method = tunnelled(call)?;
    let refused = || ODataError::unsupported(format_args!("{method} of this path"));
    if let Tail::Action(name) = &target.tail {
        let Some(key) = target.key.clone().filter(|_| method == Method::POST) else { return Err(refused()) };
        let action = Action { name: name.clone(), set: target.set, key };
        let done = service.act(work, action).await?;
        return Ok((json_answer(StatusCode::OK, &json!({"d": {name.as_str(): done}})), None));
    }
    if target.tail != Tail::Entities {
        return Err(refused());
    }
    let set = target.last_set();
    if method == Method::POST {
        if !target.is_many() {
            return Err(refused());
        }
        let parent = parent(service, &target).await?;
        let body = Parsed::read(schema, set, json_body(call)?)?;
        let entity = service.create(work, body, parent).await?;
        let path = format!("{}{}", entity.set.name, entity.key().encoded());
        let writing = Writing { schema, root: &limits.root, select: &[] };
        let as_json = wants_json(call, format_of(&call.query).as_deref())?;
        let mut answer = entity_answer(StatusCode::CREATED, &writing, limits, as_json, &entity);
        if let Ok(location) = HeaderValue::from_str(&writing.uri(&entity)) {
            answer.headers_mut().insert(header::LOCATION, location);
        }
        return Ok((answer, Some(path)));
    }
    if target.is_many() {
        return Err(refused());
    }
    let key = match (&target.key, target.steps.is_empty()) {
        (Some(key), true) => key.clone(),
        _ => query::reach_one(service, &target, &super::Expand::default()).await?.key(),
    };
    match method.as_str() {
        "PUT" | "MERGE" | "PATCH" => {
            let body = Parsed::read(schema, set, json_body(call)?)?;
            service.update(work, &key, body, method != Method::PUT).await?;
        }
        "DELETE" => service.delete(work, set, &key).await?,
        _ => return Err(refused()),
    }
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    versioned(&mut answer);
    Ok((answer, None))
}

/// The entity whose navigation property a POST goes to.
async fn parent<S: Service>(
    service: &S,
    target: &Target,
) -> Result<Option<(&'static super::EntitySet, Key)>, ODataError> {
    let Some((_, before)) = target.steps.split_last() else { return Ok(None) };
    let Some(key) = target.key.clone() else { return Ok(None) };
    if before.is_empty() {
        return Ok(Some((target.set, key)));
    }
    let above = Target { steps: before.to_vec(), tail: Tail::Entities, set: target.set, key: Some(key) };
    let entity = query::reach_one(service, &above, &super::Expand::default()).await?;
    Ok(Some((entity.set, entity.key())))
}

/// The method, or the one that a POST carries in `X-HTTP-Method`.
fn tunnelled(call: &Call) -> Result<Method, ODataError> {
    match call.headers.get("x-http-method") {
        Some(name) if call.method == Method::POST => {
            Method::from_bytes(name.as_bytes()).map_err(|_| ODataError::bad("X-HTTP-Method is no method"))
        }
        _ => Ok(call.method.clone()),
    }
}

fn json_body(call: &Call) -> Result<&[u8], ODataError> {
    let kind = call.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.contains("xml") {
        return Err(ODataError::coded(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "the body must be JSON (Content-Type: application/json)",
        ));
    }
    Ok(&call.body)
}

/// `$format` decides, then `Accept`; where neither names a format, the answer is like the body, else Atom.
fn wants_json(call: &Call, format: Option<&str>) -> Result<bool, ODataError> {
    match format {
        Some("json" | "application/json") => return Ok(true),
        Some("atom" | "xml" | "application/atom+xml") => return Ok(false),
        Some(_) => return Err(ODataError::bad("$format must be 'json' or 'atom'")),
        None => {}
    }
    let header =
        |name| call.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    let accept = header(header::ACCEPT);
    if accept.contains("json") {
        return Ok(true);
    }
    Ok(!accept.contains("xml") && !is_reading(&call.method) && !call.body.is_empty())
}

fn entity_answer(
    status: StatusCode,
    writing: &Writing<'_>,
    limits: &Limits,
    as_json: bool,
    entity: &Entity,
) -> Response<Bytes> {
    if as_json {
        return json_answer(status, &json!({"d": writing.entity(entity)}));
    }
    let mut answer = xml(writing.entry_document(entity, limits.now), "application/atom+xml;type=entry");
    *answer.status_mut() = status;
    answer
}

fn json_answer(status: StatusCode, body: &serde_json::Value) -> Response<Bytes> {
    let mut answer = typed(body.to_string(), "application/json");
    *answer.status_mut() = status;
    answer
}

fn xml(body: String, kind: &'static str) -> Response<Bytes> {
    typed(body, kind)
}

fn plain(body: String) -> Response<Bytes> {
    typed(body, "text/plain;charset=utf-8")
}

fn typed(body: String, kind: &'static str) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(body));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    versioned(&mut answer);
    answer
}

fn versioned(answer: &mut Response<Bytes>) {
    answer.headers_mut().insert("dataserviceversion", HeaderValue::from_static("2.0"));
}
