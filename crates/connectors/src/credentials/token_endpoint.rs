//! Asks a vendor's token endpoint.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use pierhead_domain::{EpochMillis, SecretString, SharedClock};

use super::material::refresh_window;
use super::{Material, TokenFailure};
use crate::definition::Connector;
use crate::driver::{CallTimes, Outbound};
use crate::engine::{Body, Grant, OAuth, OAuthClient, OAuthProblem, Settings, full_body};

/// A whole token call, with its answer's body, may take this long: well below a lease.
const CALL_TIME: Duration = Duration::from_secs(20);
/// No token answer is larger.
const ANSWER_BYTES: usize = 256 * 1024;

/// What a token endpoint issued.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) material: Material,
    pub(crate) expires: Option<EpochMillis>,
    /// When the scheduler refreshes it.
    pub(crate) refresh_at: Option<EpochMillis>,
    /// Values that the definition keeps as settings.
    pub(crate) captured: Vec<(String, String)>,
}

/// Asks token endpoints through the guarded client.
#[derive(Debug, Clone)]
pub(crate) struct TokenEndpoint {
    pub(crate) outbound: Arc<dyn Outbound>,
    pub(crate) clock: SharedClock,
}

impl TokenEndpoint {
    /// Asks for `grant`. `refresh_token` is kept when the answer brings no newer one.
    pub(crate) fn ask<'a>(
        &'a self,
        connector: &'a Connector,
        settings: Settings<'_>,
        grant: &Grant<'_>,
        refresh_token: Option<&SecretString>,
    ) -> impl Future<Output = Result<Issued, TokenFailure>> + Send + use<'a> {
        // Settings are read before anything is awaited: they need not be shared between threads.
        let oauth = OAuth::of(connector).ok_or(OAuthProblem::BadEndpoint("token"));
        let ready =
            oauth.and_then(|oauth| Ok((oauth, oauth.token_request(settings, &client(settings), grant)?)));
        let kept = refresh_token.cloned();
        async move {
            let (oauth, request) = ready?;
            // The life of the token is counted from the question, so that a slow answer never makes it longer.
            let issued = self.clock.now();
            let (status, body) = self.send(request).await?;
            let tokens = oauth.read_tokens(status, &body)?;
            let expires = tokens.expires_in.map(|life| issued.plus(life));
            let window = |at: EpochMillis| at.minus(refresh_window(oauth.refresh_before(), issued, at));
            Ok(Issued {
                refresh_at: expires.map(window),
                expires,
                material: Material {
                    access_token: tokens.access_token,
                    refresh_token: tokens.refresh_token.or(kept),
                    issued,
                },
                captured: tokens.captured,
            })
        }
    }

    /// Revokes a token where the vendor can, in a task of its own: nothing depends on the outcome.
    pub(crate) fn revoke(&self, connector: &Connector, settings: Settings<'_>, token: &SecretString) {
        if settings("oauth.token.url").is_some() && settings("oauth.token.revoke_url").is_none() {
            // Another server issued it: the definition's own must not see it.
            return;
        }
        let oauth = OAuth::of(connector);
        let request = oauth.and_then(|oauth| oauth.revoke_request(settings, &client(settings), token));
        let Some(request) = request else { return };
        let (endpoint, key) = (self.clone(), connector.key.clone());
        tokio::spawn(async move {
            if let Err(failure) = endpoint.send(request).await {
                tracing::info!(connector = key, "a token could not be revoked: {failure:?}");
            }
        });
    }

    async fn send(&self, request: Request<Bytes>) -> Result<(StatusCode, Bytes), TokenFailure> {
        let times = CallTimes { connect: CALL_TIME / 2, first_byte: CALL_TIME, idle: CALL_TIME };
        let exchange = async {
            let response = self.outbound.send(request.map(full_body), times).await?;
            let status = response.status();
            Ok((status, read_bounded(response.into_body()).await?))
        };
        match tokio::time::timeout(CALL_TIME, exchange).await {
            Ok(answer) => answer,
            Err(_) => {
                Err(TokenFailure::Unavailable { reason: "the vendor's token endpoint is too slow".into() })
            }
        }
    }
}

async fn read_bounded(mut body: Body) -> Result<Bytes, TokenFailure> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| OAuthProblem::BadAnswer("its body broke off"))?;
        whole.extend_from_slice(frame.data_ref().map_or(&[], |data| data.as_ref()));
        if whole.len() > ANSWER_BYTES {
            return Err(OAuthProblem::BadAnswer("its body is too long").into());
        }
    }
    Ok(whole.freeze())
}

fn client(settings: Settings<'_>) -> OAuthClient {
    let given = |key: &str| settings(key).filter(|value| !value.is_empty());
    OAuthClient {
        id: given("oauth.api.key").unwrap_or_default(),
        secret: given("oauth.api.secret").map(SecretString::from),
    }
}
