//! The vendor's consent: there, and back with a code.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::settings_form;
use crate::Console;
use crate::fields::Fields;
use crate::interrupted::Interrupted;
use crate::pending::PendingConsent;
use crate::shell::{Place, Shell, html};
use crate::visit::{SignedIn, Visit, random_word};
use crate::wire::{Element, Instance, Wire, WireProblem, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/consent", get(leaving)).route("/console/oauth/callback", get(back))
}

/// The address that vendors send people back to.
pub(super) fn callback_url(console: &Console) -> String {
    format!("{}/console/oauth/callback", console.public_url)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OauthUrl {
    oauth_url: String,
}

/// Settings that move the vendor's endpoints elsewhere; the consent page's address depends on them.
const SERVER_SETTINGS: [&str; 3] = ["base.url", "oauth.authorization.url", "oauth.token.url"];

/// Asks the wire for the vendor's consent page and keeps what was typed until its reader comes back.
/// `instance` names the instance to connect again. Answers the page to go to.
pub(super) async fn begin(
    console: &Console,
    visit: &Visit,
    wire: &Wire,
    element: &Element,
    typed: &Fields,
    instance: Option<u64>,
) -> Result<String, WireProblem> {
    let mut configuration = settings_form::configuration(element, typed);
    configuration.insert("oauth.callback.url".into(), Value::from(callback_url(console)));
    let state = random_word(console);
    // By POST: the OAuth client's secret has no business in an address.
    let mut ask = json!({
        "apiKey": configuration.get("oauth.api.key"),
        "apiSecret": configuration.get("oauth.api.secret"),
        "callbackUrl": callback_url(console),
        "state": state,
    });
    for (setting, parameter) in
        [("oauth.scope", "scope")].into_iter().chain(SERVER_SETTINGS.map(|key| (key, key)))
    {
        if let Some(value) = configuration.get(setting) {
            ask[parameter] = value.clone();
        }
    }
    let path = format!("/elements/api-v2/elements/{}/oauth/url", escape(&element.key));
    let OauthUrl { oauth_url } = wire.send(Method::POST, &path, Some(&ask)).await?.json()?;
    console.consents.keep(
        &state,
        PendingConsent {
            session: visit.form_token.clone(),
            element_key: element.key.clone(),
            element_name: element.name.clone(),
            url: oauth_url,
            instance,
            name: typed.trimmed("name").to_owned(),
            tags: settings_form::tags(typed.get("tags")),
            configuration,
            asked_at: console.clock.now(),
        },
    );
    Ok(format!("/console/consent?state={state}"))
}

#[derive(Template)]
#[template(path = "pages/leaving.html")]
struct LeavingPage {
    shell: Shell,
    name: String,
    url: String,
}

/// A page of ours that moves on to the vendor's: a form may not lead there by itself (see `security`).
async fn leaving(
    SignedIn { visit, .. }: SignedIn,
    State(console): State<Arc<Console>>,
) -> Result<Response, Interrupted> {
    let pending = console.consents.peek(visit.query.get("state"), &visit.form_token, console.clock.now());
    let Some(pending) = pending.filter(|pending| web_address(&pending.url)) else {
        return refused(&visit, Refusal::unknown());
    };
    let shell = Shell::new(&visit, format!("To {}", pending.element_name), Place::Elsewhere);
    html(&LeavingPage { shell, name: pending.element_name, url: pending.url })
}

/// Only web addresses are followed; never `javascript:` or `data:`.
fn web_address(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

#[derive(Template)]
#[template(path = "pages/consent_done.html")]
struct DonePage {
    shell: Shell,
    name: String,
    href: String,
}

#[derive(Template)]
#[template(path = "pages/consent_refused.html")]
struct RefusedPage {
    shell: Shell,
    refusal: Refusal,
}

/// Why no instance was made, and what to do.
struct Refusal {
    heading: &'static str,
    text: String,
    advice: &'static str,
    request_id: String,
    again: String,
}

impl Refusal {
    fn unknown() -> Self {
        Self {
            heading: "This consent cannot be used",
            text: "It was not asked for in this session, was used before, or is older than 15 minutes."
                .into(),
            advice: "No instance was made or changed. Begin again from the catalogue; each consent works once.",
            request_id: String::new(),
            again: "/console/connectors".into(),
        }
    }

    fn denied(pending: &PendingConsent, reason: &str) -> Self {
        let vendor = &pending.element_name;
        Self {
            heading: "Consent was not given",
            text: match reason {
                "access_denied" | "" => format!("{vendor} reports that access was denied."),
                other => format!("{vendor} reports: {other}."),
            },
            advice: "No instance was made or changed. Try again and allow access, or use another account.",
            request_id: String::new(),
            again: again(pending),
        }
    }

    fn by_wire(pending: &PendingConsent, problem: &WireProblem) -> Self {
        Self {
            heading: "The code was not accepted",
            text: problem.sentence(),
            advice: "No instance was made or changed. A code works once and for a short time: sign in at the \
                     vendor again, and check the OAuth client's key, secret and callback address.",
            request_id: problem.request_id.clone(),
            again: again(pending),
        }
    }
}

fn again(pending: &PendingConsent) -> String {
    match pending.instance {
        Some(id) => format!("/console/instances/{id}/reconnect"),
        None => format!("/console/instances/new/{}", escape(&pending.element_key)),
    }
}

async fn back(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
) -> Result<Response, Interrupted> {
    let taken = console.consents.take(visit.query.get("state"), &visit.form_token, console.clock.now());
    let Some(pending) = taken else { return refused(&visit, Refusal::unknown()) };
    let (code, error) = (visit.query.get("code"), visit.query.get("error"));
    if code.is_empty() || !error.is_empty() {
        let described = visit.query.get("error_description");
        return refused(
            &visit,
            Refusal::denied(&pending, if described.is_empty() { error } else { described }),
        );
    }
    match provision(&wire, &pending, code, visit.query.get("state")).await {
        Ok(made) => {
            let done = if pending.instance.is_some() { "reconnected" } else { "connected" };
            let href = format!("/console/instances/{}?done={done}", made.id);
            let shell = Shell::new(&visit, format!("{} connected", pending.element_name), Place::Elsewhere);
            html(&DonePage { shell, name: pending.element_name, href })
        }
        Err(problem) if problem.is_signed_out() => Err(Interrupted::SignIn),
        Err(problem) => refused(&visit, Refusal::by_wire(&pending, &problem)),
    }
}

async fn provision(
    wire: &Wire,
    pending: &PendingConsent,
    code: &str,
    state: &str,
) -> Result<Instance, WireProblem> {
    let mut body = json!({
        "element": {"key": pending.element_key},
        "providerData": {"code": code, "state": state},
        "configuration": pending.configuration,
    });
    let (method, path) = match pending.instance {
        Some(id) => (Method::PATCH, format!("/elements/api-v2/instances/{id}")),
        None => {
            body["name"] = Value::from(pending.name.as_str());
            body["tags"] = json!(pending.tags);
            (Method::POST, "/elements/api-v2/instances".to_owned())
        }
    };
    wire.send(method, &path, Some(&body)).await?.json()
}

fn refused(visit: &Visit, refusal: Refusal) -> Result<Response, Interrupted> {
    let shell = Shell::new(visit, refusal.heading, Place::Elsewhere);
    Ok((StatusCode::BAD_REQUEST, html(&RefusedPage { shell, refusal })?).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Browser;

    /// Fills in the form and answers the state that the vendor would send back.
    async fn asked(browser: &Browser) -> String {
        let form = browser.get("/console/instances/new/googledrive").await;
        let typed = [("name", "Drive"), ("config.oauth.api.key", "k-1"), ("config.oauth.api.secret", "s-1")];
        let answer = browser.submit(&form, "/console/instances/new/googledrive", &typed).await;
        let leaving = browser.get(answer.redirect()).await;
        leaving
            .expect(200)
            .has("http-equiv=\"refresh\"")
            .has("http://localhost:8081/vendor/consent")
            .has_not("s-1");
        answer.redirect().split("state=").nth(1).unwrap().to_owned()
    }

    #[tokio::test]
    async fn consent_and_code_make_an_instance() {
        let browser = Browser::signed_in().await;
        let state = asked(&browser).await;

        let done = browser.get(&format!("/console/oauth/callback?code=good&state={state}")).await;

        done.expect(200).has("data-consent-done=\"/console/instances/");
        let body = browser.control().last_body();
        assert_eq!(body["providerData"], json!({"code": "good", "state": state}));
        assert_eq!(
            body["configuration"]["oauth.callback.url"],
            "http://127.0.0.1:8081/console/oauth/callback"
        );
        assert_eq!(body["configuration"]["oauth.api.secret"], "s-1");
    }

    #[tokio::test]
    async fn a_state_works_once() {
        let browser = Browser::signed_in().await;
        let state = asked(&browser).await;
        let callback = format!("/console/oauth/callback?code=good&state={state}");
        browser.get(&callback).await.expect(200);
        let before = browser.control().instances();

        browser.get(&callback).await.expect(400).has("This consent cannot be used").has("Begin again");
        assert_eq!(browser.control().instances(), before, "no second instance");
    }

    #[tokio::test]
    async fn a_wrong_state_a_denial_and_a_bad_code_make_nothing_and_say_what_to_do() {
        let browser = Browser::signed_in().await;
        let before = browser.control().instances();

        browser
            .get("/console/oauth/callback?code=good&state=invented")
            .await
            .expect(400)
            .has("cannot be used");

        let state = asked(&browser).await;
        let denied = browser.get(&format!("/console/oauth/callback?error=access_denied&state={state}")).await;
        denied.expect(400).has("access was denied").has("/console/instances/new/googledrive");

        let state = asked(&browser).await;
        let expired = browser.get(&format!("/console/oauth/callback?code=expired&state={state}")).await;
        expired.expect(400).has("invalid_grant").has("Try again").has("Request id");

        assert_eq!(browser.control().instances(), before);
    }

    #[tokio::test]
    async fn another_sessions_state_is_refused() {
        let browser = Browser::signed_in().await;
        let state = asked(&browser).await;
        let other = browser.another_session().await;
        other.get(&format!("/console/oauth/callback?code=good&state={state}")).await.expect(400);
    }

    #[test]
    fn only_web_addresses_are_followed() {
        assert!(web_address("https://accounts.example/o/auth?x=1"));
        assert!(!web_address("javascript:alert(1)") && !web_address("data:text/html,x"));
    }
}
