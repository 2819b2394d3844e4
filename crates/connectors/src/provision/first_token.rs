//! The first token of an instance: from a code, from the caller's own refresh token, or for the client.

use std::sync::Arc;

use http::StatusCode;
use pierhead_domain::SecretString;

use super::ask::InstanceAsk;
use super::consent::ConsentClient;
use super::draft::Draft;
use crate::credentials::{Issued, TokenFailure};
use crate::definition::{Connector, Scheme};
use crate::engine::{CallProblem, Grant, ProviderFault};
use crate::hub::{Hub, HubProblem};

impl Hub {
    /// Whether `ask` brings what a new credential is made from.
    pub(super) fn brings_grant(connector: &Connector, ask: &InstanceAsk) -> bool {
        connector.auth.scheme == Scheme::OAuth2Code
            && (["code", "error"].iter().any(|name| ask.provided(name).is_some())
                || own_refresh_token(ask).is_some())
    }

    /// Asks the vendor for the first token; `None` for connectors without a token endpoint.
    pub(super) async fn first_token(
        &self,
        connector: &Arc<Connector>,
        draft: &Draft,
        ask: &InstanceAsk,
    ) -> Result<Option<Issued>, HubProblem> {
        let settings = |key: &str| draft.get(key).map(str::to_owned);
        let endpoint = self.refresher.endpoint();
        let scope = draft.get("oauth.scope");
        let asked = match connector.auth.scheme {
            Scheme::OAuth2ClientCredentials => {
                endpoint.ask(connector, &settings, &Grant::ClientCredentials { scope }, None).await
            }
            Scheme::OAuth2Code => match own_refresh_token(ask) {
                Some(token) => {
                    let grant = Grant::Refresh { refresh_token: &token };
                    endpoint.ask(connector, &settings, &grant, Some(&token)).await
                }
                None => return self.token_for_code(connector, draft, ask).await.map(Some),
            },
            _ => return Ok(None),
        };
        asked.map(Some).map_err(|failure| refused(connector, failure))
    }

    async fn token_for_code(
        &self,
        connector: &Arc<Connector>,
        draft: &Draft,
        ask: &InstanceAsk,
    ) -> Result<Issued, HubProblem> {
        let key = &connector.key;
        if let Some(error) = ask.provided("error") {
            let said = ask.provided("error_description").unwrap_or_default();
            return Err(CallProblem {
                provider: Some(ProviderFault {
                    status: StatusCode::FORBIDDEN,
                    message: format!("{error} {said}").trim().chars().take(1000).collect(),
                }),
                ..CallProblem::bad_request(format!(
                    "Consent was not given; no instance was made. Ask again: GET /elements/{key}/oauth/url"
                ))
            }
            .into());
        }
        let code = ask.provided("code").ok_or_else(|| {
            HubProblem::Bad(format!(
                "providerData.code is required: ask for consent at GET /elements/{key}/oauth/url and pass on \
                 the code that comes back"
            ))
        })?;
        let redirect_uri = draft.get("oauth.callback.url").unwrap_or_default();
        let api_key = draft.get("oauth.api.key").unwrap_or_default();
        let client = ConsentClient { element: key, api_key, callback: redirect_uri };
        let state = ask.provided("state");
        let consent = self.end_consent(client, state.as_deref()).await?;
        let verifier = consent.as_ref().map(|consent| self.verifier(consent));
        let settings = |key: &str| draft.get(key).map(str::to_owned);
        let grant = Grant::Code { code: &code, redirect_uri, verifier: verifier.as_deref() };
        match self.refresher.endpoint().ask(connector, &settings, &grant, None).await {
            Ok(issued) => Ok(issued),
            Err(failure) => {
                // The code was not used up: the same state may come again.
                if let (TokenFailure::Unavailable { .. }, Some(consent)) = (&failure, &consent) {
                    self.restore_consent(consent).await?;
                }
                Err(refused(connector, failure))
            }
        }
    }
}

/// The caller's own refresh token (`externalAuthentication: "initial"`, open-connectors §8.3).
fn own_refresh_token(ask: &InstanceAsk) -> Option<SecretString> {
    let configured = ask.configuration.as_ref().and_then(|all| all.get("oauth.user.refresh_token"));
    let configured = configured.and_then(|value| value.as_str()).filter(|text| !text.is_empty());
    configured.map(SecretString::from).or_else(|| {
        // With a code the code wins: clients pass on all that came back.
        ask.provided("code")
            .is_none()
            .then(|| ask.provided("refresh_token"))
            .flatten()
            .map(SecretString::from)
    })
}

fn refused(connector: &Connector, failure: TokenFailure) -> HubProblem {
    let provider = |status, message| Some(ProviderFault { status, message });
    let problem = match failure {
        TokenFailure::Refused { reason, code } => {
            let what = match code.as_str() {
                "invalid_grant" => {
                    "The vendor refused the code or token: it was used before, has expired, or belongs to \
                     another client or callback URL"
                }
                "invalid_client" | "unauthorized_client" => {
                    "The vendor refused oauth.api.key and oauth.api.secret"
                }
                _ => "The vendor refused to issue a token",
            };
            CallProblem {
                provider: provider(StatusCode::BAD_REQUEST, reason),
                ..CallProblem::bad_request(format!(
                    "{what}. No instance was made or changed; ask for consent again: \
                     GET /elements/{}/oauth/url",
                    connector.key
                ))
            }
        }
        TokenFailure::Unavailable { reason } => CallProblem {
            provider: provider(StatusCode::BAD_GATEWAY, reason),
            ..CallProblem::bad_gateway("The vendor's token endpoint gave no token; try again")
        },
    };
    problem.into()
}
