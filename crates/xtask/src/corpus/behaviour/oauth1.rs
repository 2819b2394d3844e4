//! Requests signed as OAuth 1.0a asks (RFC 5849, HMAC-SHA1), for the stories that need a client of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use pierhead_domain::{Clock, StoppedClock};
use sha1::Sha1;

use super::call::escaped;
use super::story::OAuth1;

/// The host that requests name.
pub(super) const HOST: &str = "gateway.test";

/// The `Authorization` header.
pub(super) fn signed(
    oauth: &OAuth1,
    method: &str,
    target: &str,
    form: &[(String, String)],
    clock: &StoppedClock,
    fill: &dyn Fn(&str) -> anyhow::Result<String>,
) -> anyhow::Result<String> {
    let now = clock.now();
    let mut own = vec![
        ("oauth_consumer_key".to_owned(), fill(&oauth.key)?),
        ("oauth_nonce".to_owned(), format!("n{now}")),
        ("oauth_signature_method".to_owned(), "HMAC-SHA1".to_owned()),
        ("oauth_timestamp".to_owned(), now.seconds().to_string()),
        ("oauth_version".to_owned(), "1.0".to_owned()),
    ];
    if !oauth.token.is_empty() {
        own.push(("oauth_token".to_owned(), fill(&oauth.token)?));
    }
    for (name, value) in &oauth.parameters {
        own.push((name.clone(), fill(value)?));
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let asked = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut all: Vec<(String, String)> =
        own.iter().chain(form).map(|(n, v)| (escaped(n), escaped(v))).collect();
    all.extend(asked.map(|(name, value)| (name.to_owned(), value.to_owned())));
    all.sort();
    let joined = all.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let base = format!("{method}&{}&{}", escaped(&format!("http://{HOST}{path}")), escaped(&joined));
    let key = format!("{}&{}", escaped(&fill(&oauth.secret)?), escaped(&fill(&oauth.token_secret)?));
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes())?;
    mac.update(base.as_bytes());
    own.push(("oauth_signature".to_owned(), BASE64.encode(mac.finalize().into_bytes())));
    let parts = own.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
    Ok(format!("OAuth {}", parts.collect::<Vec<_>>().join(", ")))
}
