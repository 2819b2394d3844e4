//! A signed request: its parameters, who signed it, and whether the signature is right (RFC 5849, section 3).

use std::borrow::Cow;
use std::sync::Arc;

use http::header::{AUTHORIZATION, HOST};
use percent_encoding::percent_decode_str;
use pierhead_vault::jose::PublicKey;

use super::problem::Problem;
use super::signature::{Method, base_string, base_uri};
use crate::exchange::Exchange;
use crate::policy::security::oauth::key_of;
use crate::policy::security::verify_api_key::may_be_used;
use crate::policy::setting::Setting;
use crate::snapshot::{ApiKey, Standing};

/// How far a time stamp may be off, in seconds. Unsourced (decision 046).
const WINDOW: i64 = 300;

/// The attribute of a key or its app that holds the public key for RSA-SHA1, in PEM. Unsourced: the name.
const PUBLIC_KEY: &str = "oauth1.public_key";

/// The parameters of a request.
#[derive(Debug)]
pub(super) struct Signed {
    /// All, decoded, without `realm` and `oauth_signature`.
    parameters: Vec<(String, String)>,
    signature: String,
    method: Method,
    pub(super) client_id: String,
}

impl Signed {
    /// Reads the `Authorization` header, the query and a form.
    pub(super) fn read(cx: &Exchange) -> Result<Self, Problem> {
        let mut parameters = header(cx);
        let query = cx.request.as_request().and_then(|head| head.uri.query()).unwrap_or_default();
        let own = |(name, value): (Cow<'_, str>, Cow<'_, str>)| (name.into_owned(), value.into_owned());
        parameters.extend(form_urlencoded::parse(query.as_bytes()).map(own));
        let kind = cx.request.headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            parameters.extend(form_urlencoded::parse(cx.request.body.bytes()).map(own));
        }
        let mut signature = None;
        parameters.retain(|(name, value)| {
            let is_signature = name == "oauth_signature";
            if is_signature {
                signature.get_or_insert_with(|| value.clone());
            }
            !is_signature
        });
        let mut names: Vec<&str> = parameters
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| name.starts_with("oauth_"))
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        if names.len() < count {
            return Err(Problem::ParameterRejected);
        }
        let find = |name: &'static str| {
            let found = parameters.iter().find(|(known, value)| known == name && !value.is_empty());
            found.map(|(_, value)| value.clone()).ok_or(Problem::ParameterAbsent(name))
        };
        if find("oauth_version").is_ok_and(|version| version != "1.0") {
            return Err(Problem::VersionRejected);
        }
        let client_id = find("oauth_consumer_key")?;
        let method =
            Method::named(&find("oauth_signature_method")?).ok_or(Problem::SignatureMethodRejected)?;
        let signature = signature.ok_or(Problem::ParameterAbsent("oauth_signature"))?;
        Ok(Self { parameters, signature, method, client_id })
    }

    /// A parameter that has a value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, value)| known == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// The key of the client, which may be used.
    pub(super) fn client(&self, cx: &Exchange) -> Result<Arc<ApiKey>, Problem> {
        let usable = |key: &Arc<ApiKey>| {
            key.standing == Standing::Approved && key.expires_at.is_none_or(|expires| expires > cx.now())
        };
        let key = key_of(cx, &self.client_id).filter(usable).ok_or(Problem::ConsumerKeyUnknown)?;
        may_be_used(&key).map_err(|_| Problem::ConsumerKeyRefused)?;
        Ok(key)
    }

    /// Checks signature, time stamp and nonce, in this order: only who can sign may use up nonces.
    pub(super) fn verify(
        &self,
        cx: &Exchange,
        url: Option<&Setting>,
        key: &ApiKey,
        token_secret: &str,
    ) -> Result<(), Problem> {
        let uri = self.uri(cx, url)?;
        // Only the transport keeps the secrets secret then (section 3.4.4).
        if self.method == Method::Plaintext && !uri.starts_with("https:") {
            return Err(Problem::SignatureMethodRejected);
        }
        let verb = cx.request.as_request().map_or("", |head| head.method.as_str());
        let base = base_string(verb, &uri, &self.parameters);
        let secret = key.secret.as_ref().map_or("", |secret| secret.expose());
        let public = match self.method {
            Method::RsaSha1 => public_key(key),
            _ if secret.is_empty() => return Err(Problem::SignatureInvalid),
            _ => None,
        };
        if !self.method.verifies(&base, &self.signature, (secret, token_secret), public.as_ref()) {
            return Err(Problem::SignatureInvalid);
        }
        let (timestamp, nonce) = (self.get("oauth_timestamp"), self.get("oauth_nonce"));
        if self.method == Method::Plaintext && timestamp.is_none() && nonce.is_none() {
            return Ok(());
        }
        let timestamp = timestamp.ok_or(Problem::ParameterAbsent("oauth_timestamp"))?;
        let nonce = nonce.ok_or(Problem::ParameterAbsent("oauth_nonce"))?;
        let at: i64 = timestamp.parse().map_err(|_| Problem::TimestampRefused)?;
        if (cx.now().seconds() - at).abs() > WINDOW {
            return Err(Problem::TimestampRefused);
        }
        let token = self.get("oauth_token").unwrap_or_default();
        let whole = format!("{}\n{token}\n{timestamp}\n{nonce}", self.client_id);
        let until = (at + WINDOW + 1).saturating_mul(1000);
        if cx.services.state.nonces.is_new(&whole, cx.now().as_i64(), until) {
            Ok(())
        } else {
            Err(Problem::NonceUsed)
        }
    }

    fn uri(&self, cx: &Exchange, url: Option<&Setting>) -> Result<String, Problem> {
        if let Some(url) = url {
            let text = url.text(cx).ok_or(Problem::UrlUnresolved)?;
            let text = text.split(['?', '#']).next().unwrap_or_default();
            let (scheme, rest) = text.split_once("://").ok_or(Problem::UrlUnresolved)?;
            let (host, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
            return Ok(base_uri(scheme, host, path));
        }
        let host = cx.request.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let path = cx.request.as_request().map_or("/", |head| head.uri.path());
        Ok(base_uri(if cx.tls.is_some() { "https" } else { "http" }, host, path))
    }
}

fn public_key(key: &ApiKey) -> Option<PublicKey> {
    let text = key.attributes.get(PUBLIC_KEY).or_else(|| key.app.attributes.get(PUBLIC_KEY))?;
    PublicKey::read(text).ok()
}

/// The parameters of `Authorization: OAuth …` (section 3.5.1).
fn header(cx: &Exchange) -> Vec<(String, String)> {
    let value =
        cx.request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some((scheme, list)) = value.split_once(' ') else { return Vec::new() };
    if !scheme.eq_ignore_ascii_case("OAuth") {
        return Vec::new();
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    list.split(',')
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| (decoded(name.trim()), decoded(value.trim().trim_matches('"'))))
        .filter(|(name, _)| name != "realm")
        .collect()
}
