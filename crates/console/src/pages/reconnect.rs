//! Connecting an instance again: new credentials, the same number and token.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::json;

use super::connector::read_element;
use super::consent;
use super::instance::instance_path;
use super::settings_form::{self, SettingField};
use crate::Console;
use crate::fields::{Fields, Mistakes};
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::visit::{SignedIn, Visit};
use crate::wire::{Element, Instance};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/instances/{id}/reconnect", get(form).post(reconnect))
}

#[derive(Template)]
#[template(path = "pages/reconnect.html")]
struct ReconnectPage {
    shell: Shell,
    id: u64,
    element: Element,
    settings: Vec<SettingField>,
    callback: String,
    mistakes: Mistakes,
}

impl ReconnectPage {
    fn new(
        console: &Console,
        visit: &Visit,
        instance: &Instance,
        element: Element,
        typed: Option<&Fields>,
        mistakes: Mistakes,
    ) -> Self {
        let shell = Shell::new(visit, "Reconnect", Place::Instances)
            .crumb("Instances", "/console/instances")
            .crumb(&instance.name, format!("/console/instances/{}", instance.id));
        let mut settings = settings_form::fields(&element, typed, &mistakes);
        if typed.is_none() {
            keep_what_can_be_read(&mut settings, instance);
        }
        let callback = consent::callback_url(console);
        Self { shell, id: instance.id, element, settings, callback, mistakes }
    }
}

/// Fills in what the wire shows of the settings; what it masks must be typed again.
fn keep_what_can_be_read(settings: &mut [SettingField], instance: &Instance) {
    for field in settings {
        let key = field.name.trim_start_matches("config.");
        let Some(text) = instance.configuration.get(key).and_then(|value| value.as_str()) else { continue };
        let masked = !text.is_empty() && text.chars().all(|c| c == '*');
        field.value = if masked { String::new() } else { text.to_owned() };
    }
}

async fn form(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
) -> Result<Response, Interrupted> {
    let instance: Instance = wire.get(&instance_path(&id)?).await?;
    let element = read_element(&wire, &instance.element.key).await?;
    html(&ReconnectPage::new(&console, &visit, &instance, element, None, Mistakes::default()))
}

async fn reconnect(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let path = instance_path(&id)?;
    let instance: Instance = wire.get(&path).await?;
    let element = read_element(&wire, &instance.element.key).await?;
    let mut mistakes = Mistakes::default();
    settings_form::check(&element, &typed, &mut mistakes);
    if mistakes.none() {
        let outcome = if element.by_consent() {
            consent::begin(&console, &visit, &wire, &element, &typed, Some(instance.id)).await
        } else {
            let body = json!({"configuration": settings_form::configuration(&element, &typed)});
            let saved = wire.send(Method::PATCH, &path, Some(&body)).await;
            saved.map(|_| format!("/console/instances/{}?done=reconnected", instance.id))
        };
        match outcome {
            Ok(next) => return Ok(Redirect::to(&next).into_response()),
            Err(problem) if problem.is_signed_out() => return Err(Interrupted::SignIn),
            Err(problem) => {
                let places = settings_form::error_places(&element);
                let places: Vec<_> =
                    places.iter().map(|(key, field)| (key.as_str(), field.as_str())).collect();
                problem.onto(&mut mistakes, &places);
            }
        }
    }
    let page = ReconnectPage::new(&console, &visit, &instance, element, Some(&typed), mistakes);
    Ok((StatusCode::BAD_REQUEST, html(&page)?).into_response())
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn what_the_wire_masks_must_be_typed_again() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/instances/503/reconnect").await;
        page.expect(200).has("name=\"config.oauth.api.secret\"").has_not("********");
    }

    #[tokio::test]
    async fn consent_connects_the_same_instance_again() {
        let browser = Browser::signed_in().await;
        let form = browser.get("/console/instances/503/reconnect").await;
        let typed = [("config.oauth.api.key", "k"), ("config.oauth.api.secret", "s")];
        let leaving = browser.submit(&form, "/console/instances/503/reconnect", &typed).await;
        let state = leaving.redirect().split("state=").nth(1).unwrap();
        let before = browser.control().instances();

        let done = browser.get(&format!("/console/oauth/callback?code=good&state={state}")).await;

        done.expect(200).has("/console/instances/503?done=reconnected");
        browser.get("/console/instances/503").await.has("Connected").has_not("Reconnect needed");
        assert_eq!(browser.control().instances(), before);
    }

    #[tokio::test]
    async fn an_instance_with_settings_only_is_changed_at_once() {
        let browser = Browser::signed_in().await;
        let form = browser.get("/console/instances/502/reconnect").await;
        form.has("value=\"/srv/share\"");
        let done = browser
            .submit(&form, "/console/instances/502/reconnect", &[("config.root.path", "/srv/other")])
            .await;
        assert_eq!(done.redirect(), "/console/instances/502?done=reconnected");
    }
}
