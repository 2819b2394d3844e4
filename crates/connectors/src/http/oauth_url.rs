//! `GET` and `POST /elements/{keyOrId}/oauth/url`: where to send a person for consent (open-connectors §8.3).

use axum::Json;
use axum::extract::State;
use pierhead_web::peer;
use serde::Serialize;
use serde_json::{Map, Value};
use url::Url;

use super::elements::element;
use super::extract::{HubJson, PathParams, Query};
use crate::engine::{AuthorizeAsk, OAuth};
use crate::hub::{Hub, HubProblem};
use crate::provision::ConsentClient;

/// No parameter of the call is longer.
const PARAMETER_CHARS: usize = 2000;

/// `OAuthRedirect` of appendix B.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OAuthRedirect {
    oauth_url: String,
    element: String,
}

pub(super) async fn get(
    State(hub): State<Hub>,
    path: PathParams,
    query: Query,
) -> Result<Json<OAuthRedirect>, HubProblem> {
    redirect(&hub, &path, &query).await
}

pub(super) async fn post(
    State(hub): State<Hub>,
    path: PathParams,
    query: Query,
    HubJson(body): HubJson<Map<String, Value>>,
) -> Result<Json<OAuthRedirect>, HubProblem> {
    let given = body.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
    let all = given.chain(query.0).collect();
    redirect(&hub, &path, &Query(all)).await
}

async fn redirect(hub: &Hub, path: &PathParams, given: &Query) -> Result<Json<OAuthRedirect>, HubProblem> {
    let connector = element(hub, path)?;
    let oauth = OAuth::of(connector).ok_or_else(|| {
        HubProblem::Bad(format!("'{}' does not use OAuth 2; there is nothing to consent to", connector.key))
    })?;
    if let Some((name, _)) = given.0.iter().find(|(_, value)| value.chars().count() > PARAMETER_CHARS) {
        return Err(HubProblem::Bad(format!("{name} must have at most {PARAMETER_CHARS} characters")));
    }
    let client_id = required(given, "apiKey")?;
    let redirect_uri = required(given, "callbackUrl")?;
    if !Url::parse(redirect_uri).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
        return Err(HubProblem::Bad("callbackUrl must be an absolute http or https URL".into()));
    }
    let state = given.get("state").filter(|state| !state.is_empty());
    let settings = |key: &str| given.get(key).map(str::to_owned);
    let ask = |state, verifier| AuthorizeAsk {
        client_id,
        redirect_uri,
        scope: given.get("scope"),
        state,
        verifier: oauth.pkce().then_some(verifier),
    };
    // Tried before anything is written: a wrong endpoint leaves no consent behind.
    oauth.authorize_url(&settings, &ask("", "")).map_err(|why| HubProblem::Bad(why.to_string()))?;
    hub.consents.count(peer::current(), hub.clock.now()).map_err(HubProblem::TooManyConsents)?;
    let client = ConsentClient { element: &connector.key, api_key: client_id, callback: redirect_uri };
    let begun = hub.begin_consent(client, state).await?;
    let url = oauth.authorize_url(&settings, &ask(&begun.state, &begun.verifier));
    let url = url.map_err(|why| HubProblem::Bad(why.to_string()))?;
    Ok(Json(OAuthRedirect { oauth_url: url.into(), element: connector.key.clone() }))
}

fn required<'q>(given: &'q Query, name: &str) -> Result<&'q str, HubProblem> {
    let value = given.get(name).filter(|value| !value.is_empty());
    value.ok_or_else(|| HubProblem::Bad(format!("{name} is required")))
}
