//! Who asks for a token, for how long, and for what.

use std::sync::Arc;

use pierhead_domain::SecretString;
use pierhead_vault::constant_time_eq;

use super::settings::Settings;
use crate::condition::Lookup as _;
use crate::exchange::Exchange;
use crate::policy::security::basic_authentication;
use crate::policy::security::oauth::problem::Problem;
use crate::policy::security::oauth::{key_of, products};
use crate::policy::security::verify_api_key::may_be_used;
use crate::policy::setting::Setting;
use crate::snapshot::{ApiKey, Standing};
use crate::variable::Variable;

/// A client that may be given tokens.
pub(super) struct Client {
    pub(super) id: String,
    pub(super) key: Arc<ApiKey>,
}

/// Where an external authorization says how it went.
const EXTERNAL_STATUS: &str = "oauth_external_authorization_status";

/// The client, by id and secret: from Basic, or from the form.
pub(super) fn client(settings: &Settings, cx: &Exchange) -> Result<Client, Problem> {
    let header = cx.request.headers.get(http::header::AUTHORIZATION);
    let basic = header.and_then(|value| value.to_str().ok()).and_then(basic_authentication::read);
    let basic = basic.as_deref().and_then(|pair| pair.split_once(':'));
    let id = settings.client_id.text(cx).or_else(|| basic.map(|(id, _)| id.to_owned()));
    let id = id.ok_or(Problem::Missing("client_id"))?;
    let key = usable(&id, cx).ok_or(Problem::BadClient)?;
    if settings.external_authorization {
        if !cx.value(&Variable::new(EXTERNAL_STATUS)).is_true() {
            return Err(Problem::External);
        }
    } else {
        let secret = match basic {
            Some((sent, secret)) if sent == id => Some(secret.to_owned()),
            // A Basic credential of somebody else is no reason to look further.
            Some(_) => None,
            None => settings.client_secret.text(cx),
        };
        let right = key.secret.as_ref().map(|secret| secret.expose());
        let same = secret
            .zip(right)
            .is_some_and(|(sent, right)| constant_time_eq(sent.as_bytes(), right.as_bytes()));
        if !same {
            return Err(Problem::BadClient);
        }
    }
    approved(&key)?;
    Ok(Client { id, key })
}

/// The client of an authorization request, which shows no secret.
pub(super) fn public_client(settings: &Settings, cx: &Exchange) -> Result<Client, Problem> {
    let id = settings.client_id.text(cx).ok_or(Problem::Missing("client_id"))?;
    let key = usable(&id, cx).ok_or_else(|| Problem::UnknownClient(id.clone()))?;
    approved(&key)?;
    Ok(Client { id, key })
}

fn usable(id: &str, cx: &Exchange) -> Option<Arc<ApiKey>> {
    key_of(cx, id).filter(|key| {
        key.standing == Standing::Approved && key.expires_at.is_none_or(|expires| expires > cx.now())
    })
}

fn approved(key: &ApiKey) -> Result<(), Problem> {
    may_be_used(key).map_err(|_| Problem::NotApproved)
}

/// The scopes that are given: of those asked for the ones that the client's products have; all of them when none is
/// asked for. Products without scopes give what is asked for to nobody and refuse nothing.
pub(super) fn scope(asked: Option<&str>, client: &Client) -> Result<String, Problem> {
    let mut has: Vec<&str> = Vec::new();
    for scope in products(&client.key).flat_map(|product| product.scopes.iter()) {
        if !has.contains(&&**scope) {
            has.push(scope);
        }
    }
    let asked: Vec<&str> =
        asked.unwrap_or_default().split([' ', ',']).filter(|one| !one.is_empty()).collect();
    if asked.is_empty() || has.is_empty() {
        return Ok(has.join(" "));
    }
    let given: Vec<&str> = has.into_iter().filter(|one| asked.contains(one)).collect();
    if given.is_empty() { Err(Problem::BadScope) } else { Ok(given.join(" ")) }
}

/// When something that lives for `setting` milliseconds ends; `-1` is never.
pub(super) fn expiry(setting: Option<&Setting>, default: i64, cx: &Exchange) -> Option<i64> {
    let said = setting.and_then(|setting| setting.text(cx)).and_then(|text| text.trim().parse::<i64>().ok());
    let millis = said.filter(|millis| *millis > 0 || *millis == -1).unwrap_or(default);
    (millis >= 0).then(|| cx.now().as_i64().saturating_add(millis))
}

/// A new token: `length` letters and digits, about 5.9 bits each.
pub(in crate::policy::security) fn new_text(cx: &Exchange, length: usize) -> SecretString {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0; 64];
        cx.services.rng.fill(&mut bytes);
        // 248 is the largest multiple of 62 in a byte: every digit is as likely as the others.
        let usable = bytes.iter().filter(|byte| **byte < 248);
        text.extend(usable.take(length - text.len()).map(|byte| char::from(DIGITS[usize::from(byte % 62)])));
    }
    SecretString::new(text)
}

/// A token that somebody else made, when the policy takes it from a variable.
pub(super) fn given(variable: Option<&Variable>, cx: &Exchange) -> Option<SecretString> {
    let text = cx.value(variable?).into_text()?;
    (!text.is_empty()).then(|| SecretString::new(text))
}
