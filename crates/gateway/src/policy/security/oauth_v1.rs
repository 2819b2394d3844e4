//! `OAuthV1`: tokens of OAuth 1.0a (RFC 5849; api-management §9.3, Apigee Edge only).

mod problem;
mod request;
mod settings;
pub(super) mod signature;
pub(super) mod variables;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use pierhead_domain::SecretString;

use super::oauth::{entitled, unavailable};
use super::oauth_v2::new_text;
use super::verify_api_key::Verified;
use crate::condition::Lookup as _;
use crate::exchange::{Exchange, Message, MessageBody};
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::snapshot::ApiKey;
use crate::tokens::{NewToken, Spent, Token, TokenAttribute, TokenKind};
use crate::variable::MessageName;
use problem::Problem;
use request::Signed;
use settings::{Operation, Settings};
use variables::{Found, SECRET};

/// Issues request and access tokens to signed requests, and verifies requests that are signed with them.
///
/// Faults: `steps.oauth.v1.` with the names of [`Problem`]; when an access token is verified also those of
/// API products that `OAuthV2` has.
#[derive(Debug)]
struct OAuthV1 {
    name: Arc<str>,
    settings: Settings,
}

/// How long a request token works, in milliseconds. Unsourced.
const REQUEST_TOKEN: i64 = 15 * 60 * 1000;
/// How long an access token works when the policy does not say, in milliseconds. Unsourced.
const ACCESS_TOKEN: i64 = 24 * 60 * 60 * 1000;

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    let settings = Settings::read(policy)?;
    // A form is signed too.
    if matches!(settings.operation, Operation::RequestToken | Operation::AccessToken | Operation::Verify) {
        policy.reads.note_message(MessageName::Request);
    }
    Some(Box::new(OAuthV1 { name: policy.name.clone(), settings }))
}

/// The name of a token in the store: no policy of OAuth 2.0 finds it.
pub(super) fn stored(token: &str) -> String {
    format!("oauth1:{token}")
}

/// The name of the permission that an end user gave for a request token.
fn permission(token: &str, verifier: &str) -> String {
    format!("oauth1:{token}:{verifier}")
}

/// What goes wrong: the request, or something that has a fault already.
enum Refused {
    Problem(Problem),
    Fault(Fault),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Policy for OAuthV1 {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Wait(Box::pin(async move {
            let done = match self.settings.operation {
                Operation::RequestToken => self.request_token(cx).await,
                Operation::Verifier => self.give_verifier(cx).await,
                Operation::AccessToken => self.access_token(cx).await,
                Operation::Verify => self.verify(cx).await,
                Operation::Validate => self.set_revoked(cx, false).await,
                Operation::Invalidate => self.set_revoked(cx, true).await,
            };
            done.map_err(|refused| match refused {
                Refused::Fault(fault) => fault,
                Refused::Problem(problem) => {
                    let realm = self.settings.manner.realm.as_ref().and_then(|realm| realm.text(cx));
                    problem.fault(&self.settings.manner, realm.as_deref())
                }
            })
        }))
    }
}

impl OAuthV1 {
    async fn request_token(&self, cx: &mut Exchange) -> Result<Next, Refused> {
        let signed = Signed::read(cx)?;
        let key = signed.client(cx)?;
        signed.verify(cx, self.settings.url.as_ref(), &key, "")?;
        let callback =
            signed.get("oauth_callback").ok_or(Problem::ParameterAbsent("oauth_callback"))?.to_owned();
        let (text, secret) = (new_text(cx, 28), new_text(cx, 32));
        let grant = new_text(cx, 24).expose().to_owned();
        let mut token = new_token(&signed.client_id, &key, grant, &secret, cx);
        token.expires_at = Some(cx.now().as_i64() + REQUEST_TOKEN);
        token.redirect_uri = Some(callback);
        token.attributes.extend(self.settings.attributes(cx));
        let kept = NewToken { kind: TokenKind::Code, text: named(&text), token: token.clone() };
        issue(cx, kept, None).await?;
        let answer = [
            ("oauth_token", text.expose().to_owned()),
            ("oauth_token_secret", secret.expose().to_owned()),
            ("oauth_callback_confirmed", "true".to_owned()),
        ];
        self.provide(cx, "oauthv1requesttoken", Arc::new(token), text, None);
        Ok(self.answer(cx, &answer))
    }

    /// The end user has agreed: the request token may be exchanged with the verifier.
    async fn give_verifier(&self, cx: &mut Exchange) -> Result<Next, Refused> {
        let said = |setting: &Option<crate::policy::setting::Setting>, cx: &Exchange| {
            setting.as_ref().and_then(|one| one.text(cx)).map(Cow::into_owned).filter(|text| !text.is_empty())
        };
        let text = said(&self.settings.request_token, cx).ok_or(Problem::ParameterAbsent("oauth_token"))?;
        let request = find(cx, TokenKind::Code, stored(&text)).await?;
        let verifier = match &self.settings.verifier {
            Some(_) => said(&self.settings.verifier, cx).ok_or(Problem::ParameterAbsent("oauth_verifier"))?,
            None => new_text(cx, 12).expose().to_owned(),
        };
        let mut token = (*request).clone();
        token.end_user = said(&self.settings.end_user, cx);
        let name = SecretString::new(permission(&text, &verifier));
        issue(cx, NewToken { kind: TokenKind::Code, text: name, token: token.clone() }, None).await?;
        let verifier = SecretString::new(verifier);
        self.provide(cx, "oauthv1verifier", Arc::new(token), SecretString::new(text), Some(verifier));
        Ok(Next::Continue)
    }

    async fn access_token(&self, cx: &mut Exchange) -> Result<Next, Refused> {
        let signed = Signed::read(cx)?;
        let key = signed.client(cx)?;
        let request = signed.get("oauth_token").ok_or(Problem::ParameterAbsent("oauth_token"))?.to_owned();
        let found = find(cx, TokenKind::Code, stored(&request)).await?;
        if found.client_id != signed.client_id {
            return Err(Problem::TokenRejected.into());
        }
        signed.verify(cx, self.settings.url.as_ref(), &key, found.attribute(SECRET).unwrap_or_default())?;
        let verifier = signed.get("oauth_verifier").ok_or(Problem::ParameterAbsent("oauth_verifier"))?;
        let permission = permission(&request, verifier);
        let permitted = find(cx, TokenKind::Code, permission.clone()).await;
        let permitted = permitted.map_err(|refused| match refused {
            Refused::Problem(_) => Problem::VerifierInvalid.into(),
            other => other,
        })?;
        let (text, secret) = (new_text(cx, 28), new_text(cx, 32));
        let mut token = new_token(&signed.client_id, &key, found.grant.clone(), &secret, cx);
        token.end_user = permitted.end_user.clone();
        let said = self.settings.expires_in.as_ref().and_then(|setting| setting.text(cx));
        let millis =
            said.and_then(|text| text.trim().parse().ok()).filter(|millis| *millis > 0 || *millis == -1);
        let millis = millis.unwrap_or(ACCESS_TOKEN);
        token.expires_at = (millis > 0).then(|| cx.now().as_i64().saturating_add(millis));
        token.attributes.extend(found.attributes.iter().filter(|one| one.name != SECRET).cloned());
        token.put_attributes(self.settings.attributes(cx));
        let spent = Spent { kind: TokenKind::Code, text: SecretString::new(permission), keep: false };
        let kept = NewToken { kind: TokenKind::Access, text: named(&text), token: token.clone() };
        issue(cx, kept, Some(spent)).await?;
        let mut answer = vec![
            ("oauth_token", text.expose().to_owned()),
            ("oauth_token_secret", secret.expose().to_owned()),
        ];
        let shown: Vec<_> = token.attributes.iter().filter(|one| one.display).cloned().collect();
        answer.extend(shown.iter().map(|one| (one.name.as_str(), one.value.clone())));
        self.provide(cx, "oauthv1accesstoken", Arc::new(token), text, None);
        Ok(self.answer(cx, &answer))
    }

    async fn verify(&self, cx: &mut Exchange) -> Result<Next, Refused> {
        let signed = Signed::read(cx)?;
        let key = signed.client(cx)?;
        let text = match &self.settings.access_token {
            Some(variable) => cx.value(variable).into_text().map(Cow::into_owned),
            None => signed.get("oauth_token").map(str::to_owned),
        };
        let text = text.ok_or(Problem::ParameterAbsent("oauth_token"))?;
        let token = match cx.services.ports.tokens.recall(TokenKind::Access, &stored(&text)) {
            Some(token) => usable(cx, token)?,
            None => find(cx, TokenKind::Access, stored(&text)).await?,
        };
        if token.client_id != signed.client_id {
            return Err(Problem::TokenRejected.into());
        }
        signed.verify(cx, self.settings.url.as_ref(), &key, token.attribute(SECRET).unwrap_or_default())?;
        let by = entitled(cx, &key)?;
        let client = Verified::new(key, by, &signed.client_id);
        let found =
            Arc::new(Found { token, text: SecretString::new(text), verifier: None, client: Some(client) });
        cx.variables.provide(&format!("oauthv1accesstoken.{}.", self.name).into(), found.clone());
        cx.variables.provide(&"".into(), Arc::new(variables::Global(found)));
        Ok(Next::Continue)
    }

    async fn set_revoked(&self, cx: &mut Exchange, revoked: bool) -> Result<Next, Refused> {
        for one in &self.settings.tokens {
            let text = cx.value(&one.variable).into_text().filter(|text| !text.is_empty());
            let text = stored(&text.ok_or(Problem::ParameterAbsent("oauth_token"))?);
            let found = cx.services.ports.tokens.set_revoked(one.kind, text, revoked, one.cascade).await;
            if !found.map_err(|why| unavailable(&why))? {
                return Err(Problem::TokenRejected.into());
            }
        }
        Ok(Next::Continue)
    }

    fn provide(
        &self,
        cx: &mut Exchange,
        prefix: &str,
        token: Arc<Token>,
        text: SecretString,
        verifier: Option<SecretString>,
    ) {
        let found = Found { token, text, verifier, client: None };
        cx.variables.provide(&format!("{prefix}.{}.", self.name).into(), Arc::new(found));
    }

    fn answer(&self, cx: &mut Exchange, parameters: &[(&str, String)]) -> Next {
        let Some(format) = self.settings.manner.tokens else { return Next::Continue };
        let parameters: Vec<(&str, &str)> =
            parameters.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, format.content_type());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let body = MessageBody::Replaced(Bytes::from(format.body("Response", &parameters)));
        cx.response = Some(Message::response(StatusCode::OK, headers, body));
        Next::Respond
    }
}

fn named(text: &SecretString) -> SecretString {
    SecretString::new(stored(text.expose()))
}

fn new_token(client_id: &str, key: &ApiKey, grant: String, secret: &SecretString, cx: &Exchange) -> Token {
    let secret =
        TokenAttribute { name: SECRET.to_owned(), value: secret.expose().to_owned(), display: false };
    Token {
        grant,
        client_id: client_id.to_owned(),
        app_id: key.app.id.to_string(),
        end_user: None,
        grant_type: "oauth1".to_owned(),
        scope: String::new(),
        issued_at: cx.now().as_i64(),
        expires_at: None,
        revoked: false,
        redirect_uri: None,
        refresh: None,
        attributes: vec![secret],
    }
}

/// A token that may be used.
async fn find(cx: &Exchange, kind: TokenKind, text: String) -> Result<Arc<Token>, Refused> {
    let found = cx.services.ports.tokens.find(kind, text).await.map_err(|why| unavailable(&why))?;
    usable(cx, found.ok_or(Problem::TokenRejected)?)
}

fn usable(cx: &Exchange, token: Arc<Token>) -> Result<Arc<Token>, Refused> {
    match &token {
        token if token.revoked => Err(Problem::TokenRevoked.into()),
        token if token.is_expired(cx.now()) => Err(Problem::TokenExpired.into()),
        _ => Ok(token),
    }
}

async fn issue(cx: &Exchange, new: NewToken, spent: Option<Spent>) -> Result<(), Refused> {
    let issued = cx.services.ports.tokens.issue(vec![new], spent).await.map_err(|why| unavailable(&why))?;
    if issued { Ok(()) } else { Err(Problem::VerifierInvalid.into()) }
}

#[cfg(test)]
pub(super) mod tests;
