//! What handlers take: the caller, the instance a route names, path parameters, queries, JSON bodies.

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use http::request::Parts;
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;
use pierhead_domain::{Caller, InstanceId, InstanceToken};
use pierhead_web::auth::ConnectorAuth;
use pierhead_web::body::{self, BadBody};
use pierhead_web::{Credentials, problem::Problem};
use serde::de::DeserializeOwned;

use crate::hub::{Hub, HubProblem};

/// Most bytes of a JSON body of a platform route.
const JSON_BYTES: usize = 1 << 20;

/// The caller of a platform route: `User` and `Organization`, with or without `Element`, or a login's
/// `Bearer` (open-connectors §2.1).
pub(super) struct PlatformCaller {
    pub(super) caller: Caller,
    /// The instance token, where one was sent along.
    pub(super) element: Option<InstanceToken>,
}

impl FromRequestParts<Hub> for PlatformCaller {
    type Rejection = HubProblem;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, HubProblem> {
        match credentials(&parts.headers)? {
            Credentials::Connector(auth) if auth.organization.is_none() => Err(HubProblem::Unauthorized(
                "A platform call needs the User and the Organization part of the Authorization header".into(),
            )),
            Credentials::Connector(auth) => {
                let caller = hub.authenticator.connector_caller(&auth).await?;
                Ok(Self { caller, element: auth.element })
            }
            Credentials::Bearer(token) => {
                Ok(Self { caller: hub.authenticator.bearer_caller(&token).await?, element: None })
            }
            Credentials::Basic { .. } => Err(HubProblem::Unauthorized(
                "The hub takes 'User …, Organization …' or 'Bearer …' in the Authorization header".into(),
            )),
        }
    }
}

fn credentials(headers: &HeaderMap) -> Result<Credentials, HubProblem> {
    let header = headers
        .get(header::AUTHORIZATION)
        .ok_or_else(|| HubProblem::Unauthorized("The Authorization header is missing".into()))?;
    let text = header.to_str().map_err(|_| {
        HubProblem::Unauthorized("The Authorization header holds characters that no secret has".into())
    })?;
    text.parse()
        .map_err(|why: pierhead_web::auth::BadAuthorization| HubProblem::Unauthorized(why.to_string()))
}

/// The secrets of a hub call: `User` and `Element`, with or without `Organization`.
pub(super) fn element_auth(headers: &HeaderMap) -> Result<(ConnectorAuth, InstanceToken), HubProblem> {
    let needs = "A hub call needs the User and the Element part of the Authorization header";
    let Credentials::Connector(auth) = credentials(headers)? else {
        return Err(HubProblem::Unauthorized(needs.into()));
    };
    let token = auth.element.clone().ok_or_else(|| HubProblem::Unauthorized(needs.into()))?;
    Ok((auth, token))
}

/// The instance that a platform route is about: the one in the path, else the one of the token.
pub(super) struct Target {
    pub(super) caller: Caller,
    pub(super) id: InstanceId,
}

impl FromRequestParts<Hub> for Target {
    type Rejection = HubProblem;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, HubProblem> {
        let PlatformCaller { caller, element } = PlatformCaller::from_request_parts(parts, hub).await?;
        let params = PathParams::from_request_parts(parts, hub).await?;
        if let Some(text) = params.find("id") {
            let id = text.parse().map_err(|_| HubProblem::unknown_instance(text))?;
            return Ok(Self { caller, id });
        }
        let token = element.ok_or_else(|| {
            HubProblem::Bad("name an instance: by its id in the path, or by an Element part".into())
        })?;
        let id = token_instance(hub, &caller, &token).await?;
        Ok(Self { caller, id })
    }
}

/// The instance of a token that belongs to `caller`; one of somebody else is as unknown as none.
pub(super) async fn token_instance(
    hub: &Hub,
    caller: &Caller,
    token: &InstanceToken,
) -> Result<InstanceId, HubProblem> {
    let live = hub.directory.by_token(&hub.store, token, hub.clock.now()).await?;
    let live = live.filter(|live| live.belongs_to(caller)).ok_or_else(HubProblem::bad_token)?;
    Ok(live.stored.id)
}

/// The path's parameters, decoded.
pub(super) struct PathParams(Vec<(String, String)>);

impl PathParams {
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that the route certainly has.
    pub(super) fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }
}

impl FromRequestParts<Hub> for PathParams {
    type Rejection = HubProblem;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, HubProblem> {
        let raw = RawPathParams::from_request_parts(parts, hub).await;
        let raw = raw.map_err(|_| HubProblem::Bad("the path is not percent-encoded UTF-8".into()))?;
        Ok(Self(raw.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }
}

/// The query's parameters in their order, decoded.
pub(super) struct Query(pub(super) Vec<(String, String)>);

impl Query {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a list parameter, `name[]` or `name`.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let matches = |known: &str| known == name || known.strip_suffix("[]") == Some(name);
        self.0.iter().filter(|(known, _)| matches(known)).map(|(_, value)| value.clone()).collect()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

impl FromRequestParts<Hub> for Query {
    type Rejection = HubProblem;

    async fn from_request_parts(parts: &mut Parts, _: &Hub) -> Result<Self, HubProblem> {
        query_pairs(parts.uri.query()).map(Self)
    }
}

pub(super) fn query_pairs(query: Option<&str>) -> Result<Vec<(String, String)>, HubProblem> {
    let query = query.unwrap_or_default();
    // Read leniently, a path of other bytes would become the path of another file.
    percent_decode_str(query)
        .decode_utf8()
        .map_err(|_| HubProblem::Bad("the query is not percent-encoded UTF-8".into()))?;
    Ok(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

/// A JSON body of at most 1 MiB; none at all is the default.
pub(super) struct HubJson<T>(pub(super) T);

impl<T: DeserializeOwned + Default> FromRequest<Hub> for HubJson<T> {
    type Rejection = HubProblem;

    async fn from_request(request: Request, _: &Hub) -> Result<Self, HubProblem> {
        let bytes = body::read(request.into_body(), JSON_BYTES).await.map_err(refused_body)?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        let value = serde_json::from_slice(&bytes);
        value.map(Self).map_err(|why| refused_body(BadBody::Json(why.to_string())))
    }
}

fn refused_body(why: BadBody) -> HubProblem {
    match why {
        BadBody::TooLarge(_) => HubProblem::TooLarge(why.to_string()),
        BadBody::Broken | BadBody::Slow(_) | BadBody::Json(_) => HubProblem::Bad(why.to_string()),
    }
}

impl HubProblem {
    /// For the request log.
    pub(super) fn code(&self) -> u16 {
        self.status().as_u16()
    }
}
