//! Secrets go where they were meant to go: who moves an instance to another server gives them again.
//!
//! Everybody of an account may change its instances and nobody may read their secrets. Without this rule,
//! pointing an instance at a server of one's own would read them all the same.

use pierhead_script::{Template, Variables};
use serde_json::{Map, Value};
use url::{Origin, Url};

use super::draft::{Draft, MASK};
use crate::definition::{Connector, Scheme};
use crate::engine::OAuth;
use crate::hub::HubProblem;

/// Refuses settings that lead to another origin than before unless all the secrets come with them, and a new
/// grant (`renews`) where there is one.
pub(super) fn check(
    connector: &Connector,
    before: &Draft,
    after: &Draft,
    given: &Map<String, Value>,
    renews: bool,
) -> Result<(), HubProblem> {
    let (was, is) = (origins(connector, before), origins(connector, after));
    let Some((key, _)) = is.iter().zip(&was).find(|(is, was)| is != was).map(|(is, _)| is) else {
        return Ok(());
    };
    let comes_again = |secret: &str| {
        given.get(secret).is_some_and(|value| !value.is_null() && value.as_str() != Some(MASK))
    };
    let mut missing: Vec<String> = before
        .secret
        .keys()
        .filter(|secret| after.secret.contains_key(*secret) && !comes_again(secret))
        .map(|secret| format!("configuration['{secret}']"))
        .collect();
    if connector.auth.scheme == Scheme::OAuth2Code && !renews {
        missing.push("providerData.code of a new consent".into());
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(HubProblem::Bad(format!(
        "configuration['{key}'] leads to another server than before; with it must come again: {}",
        missing.join(", ")
    )))
}

/// Where secrets are sent, by the setting that decides it.
fn origins(connector: &Connector, draft: &Draft) -> [(&'static str, Option<Origin>); 3] {
    let settings = |key: &str| draft.get(key).map(str::to_owned);
    let given = |key: &str| draft.get(key).filter(|url| !url.trim().is_empty()).map(str::to_owned);
    let base = given("base.url").or_else(|| rendered(connector.transport.base.as_ref()?, connector, draft));
    let oauth = OAuth::of(connector);
    let token = oauth.and_then(|oauth| oauth.token_url(&settings).ok()).map(String::from);
    [
        ("base.url", base.as_deref().and_then(origin)),
        ("oauth.token.url", token.as_deref().and_then(origin)),
        ("oauth.token.revoke_url", given("oauth.token.revoke_url").as_deref().and_then(origin)),
    ]
}

fn origin(url: &str) -> Option<Origin> {
    Url::parse(url.trim()).ok().map(|url| url.origin()).filter(Origin::is_tuple)
}

fn rendered(base: &Template, connector: &Connector, draft: &Draft) -> Option<String> {
    let settings = connector.configuration.iter().filter_map(|setting| {
        let value = draft.get(&setting.key).or(setting.default.as_deref())?;
        Some((setting.key.clone(), Value::from(value)))
    });
    let connection = Value::Object(settings.collect());
    base.render(&Value::Null, &Variables::none().with("connection", &connection)).ok()
}
