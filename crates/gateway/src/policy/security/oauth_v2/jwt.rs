//! Access tokens that are JWTs: nothing of them is kept, so they cannot be revoked.

use std::sync::Arc;

use pierhead_domain::{SecretString, time_ordered_id};
use pierhead_vault::jose::{self, Header, Signed};
use serde_json::{Map, Value, json};

use super::request::Client;
use super::settings::{Operation, Settings};
use super::verify;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::Next;
use crate::policy::blueprint::Blueprint;
use crate::policy::security::jose::Family;
use crate::policy::security::jose::algorithms::Algorithms;
use crate::policy::security::jose::check;
use crate::policy::security::jose::keys::{KeySource, Ready, Resolved, Use};
use crate::policy::security::oauth::products;
use crate::tokens::Token;

const FAMILY: Family = Family::Jwt;

/// The algorithm and key of the policy.
#[derive(Debug)]
pub(super) struct JwtKey {
    algorithms: Algorithms,
    source: KeySource,
}

impl JwtKey {
    pub(super) fn of(policy: &mut Blueprint<'_>, operation: Operation) -> Option<Self> {
        let algorithms = Algorithms::of(policy, false, false)?;
        let purpose = if operation == Operation::VerifyJwt { Use::Verify } else { Use::Sign };
        let source = KeySource::of(policy, algorithms.key_kind(), purpose)?;
        if source.is_fetched() {
            let message = "OAuthV2 takes its key from a variable, not from an address";
            policy.problem(policy.root, "InvalidKeyConfiguration", message);
            return None;
        }
        Some(Self { algorithms, source })
    }

    fn key(&self, cx: &Exchange) -> Result<Arc<Resolved>, Fault> {
        match self.source.ready(cx, None, FAMILY)? {
            Ready::Now(key) => Ok(key),
            Ready::Fetch(_) => Err(FAMILY.fault("InvalidKeyConfiguration", "The key is not in a variable")),
        }
    }
}

/// A signed token that says what the stored one would know (RFC 9068 in shape; Unsourced: the original's claims).
pub(super) fn token(
    settings: &Settings,
    key: &JwtKey,
    cx: &Exchange,
    client: &Client,
    token: &Token,
) -> Result<String, Fault> {
    let resolved = key.key(cx)?;
    let (Resolved::One(private), Algorithms::Signed(all)) = (&*resolved, &key.algorithms) else {
        return Err(FAMILY.fault("InvalidKeyConfiguration", "A key set signs nothing"));
    };
    let algorithm = all.first().ok_or_else(|| FAMILY.fault("SigningFailed", "There is no algorithm"))?;
    let names: Vec<&str> = products(&client.key).map(|product| &*product.name).collect();
    let seconds = |millis: i64| millis.div_euclid(1000);
    let mut claims = Map::new();
    for attribute in &token.attributes {
        claims.insert(attribute.name.clone(), attribute.value.as_str().into());
    }
    for (name, value) in [
        ("iss", json!(cx.snapshot.organization())),
        ("client_id", json!(token.client_id)),
        ("application_name", json!(token.app_id)),
        ("api_product_list", json!(names)),
        ("scope", json!(token.scope)),
        ("grant_type", json!(token.grant_type)),
        ("iat", json!(seconds(token.issued_at))),
        ("nbf", json!(seconds(token.issued_at))),
        ("jti", json!(time_ordered_id(cx.now(), cx.services.rng.as_ref()))),
    ] {
        claims.insert(name.to_owned(), value);
    }
    if let Some(expires) = token.expires_at {
        claims.insert("exp".into(), seconds(expires).into());
    }
    if let Some(user) = &token.end_user {
        claims.insert("sub".into(), user.as_str().into());
    }
    let mut header = Header::new();
    header.insert("typ".into(), "at+jwt".into());
    header.insert("alg".into(), algorithm.name().into());
    if let Some(id) = key.source.id.as_ref().and_then(|id| id.text(cx)) {
        header.insert("kid".into(), id.into());
    }
    let payload = Value::Object(claims).to_string();
    jose::sign_compact(*algorithm, private, &header, payload.as_bytes())
        .map_err(|why| FAMILY.refusal(why, "SigningFailed", &settings.name))
}

/// `VerifyJWTAccessToken`: signature and time, then the same checks as for a stored token.
pub(super) fn verify(settings: &Settings, key: &JwtKey, cx: &mut Exchange) -> Result<Next, Fault> {
    let text = verify::sent(settings, cx)?.into_owned();
    let resolved = key.key(cx)?;
    let invalid = || verify::refused("keymanagement.service.invalid_access_token", "Invalid Access Token");
    let signed = Signed::parse(&text).map_err(|_| invalid())?;
    if signed.header.contains_key("crit") {
        return Err(FAMILY.fault("UnhandledCriticalHeader", "The token has a critical header"));
    }
    let input = signed.signing_input.as_bytes();
    check::signature(&signed, input, &key.algorithms, &resolved, FAMILY, &settings.name)?;
    let claims: Map<String, Value> = serde_json::from_slice(&signed.payload).map_err(|_| invalid())?;
    let token = record(&claims).ok_or_else(invalid)?;
    let not_before = claims.get("nbf").and_then(Value::as_i64);
    if not_before.is_some_and(|at| at > cx.now().seconds()) {
        return Err(FAMILY.fault("TokenNotYetValid", "The token is not valid yet"));
    }
    verify::check(settings, cx, SecretString::new(text), Arc::new(token))
}

fn record(claims: &Map<String, Value>) -> Option<Token> {
    const OWN: &[&str] = &[
        "iss",
        "client_id",
        "application_name",
        "api_product_list",
        "scope",
        "grant_type",
        "iat",
        "nbf",
        "jti",
        "exp",
        "sub",
    ];
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let millis = |name: &str| claims.get(name).map(|value| value.as_i64()?.checked_mul(1000));
    // A time that is no number must not be a token without an end.
    let expires_at = millis("exp").map_or(Some(None), |at| at.map(Some))?;
    let attributes =
        claims.iter().filter(|(name, _)| !OWN.contains(&name.as_str())).filter_map(|(name, value)| {
            let value = value.as_str()?.to_owned();
            Some(crate::tokens::TokenAttribute { name: name.clone(), value, display: true })
        });
    Some(Token {
        grant: text("jti"),
        client_id: Some(text("client_id")).filter(|id| !id.is_empty())?,
        app_id: text("application_name"),
        end_user: claims.get("sub").and_then(Value::as_str).map(str::to_owned),
        grant_type: text("grant_type"),
        scope: text("scope"),
        issued_at: millis("iat").flatten().unwrap_or_default(),
        expires_at,
        revoked: false,
        redirect_uri: None,
        refresh: None,
        attributes: attributes.collect(),
    })
}
