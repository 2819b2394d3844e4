//! Connecting a service: the form that a connector's settings make.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::connector::read_element;
use super::consent;
use super::settings_form::{self, SettingField};
use crate::Console;
use crate::fields::{Fields, Mistakes};
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::visit::{SignedIn, Visit};
use crate::wire::{Element, Instance, ShownCall, Wire, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/instances/new/{key}", get(form).post(connect))
}

#[derive(Template)]
#[template(path = "pages/new_instance.html")]
struct NewInstancePage {
    shell: Shell,
    element: Element,
    name: String,
    tags: String,
    settings: Vec<SettingField>,
    server: Vec<SettingField>,
    callback: String,
    mistakes: Mistakes,
}

impl NewInstancePage {
    fn new(
        console: &Console,
        visit: &Visit,
        sends: ShownCall,
        element: Element,
        typed: Option<&Fields>,
        mistakes: Mistakes,
    ) -> Self {
        let key = escape(&element.key);
        let shell = Shell::new(visit, format!("Connect {}", element.name), Place::Catalogue)
            .crumb("Connectors", "/console/connectors")
            .crumb(&element.name, format!("/console/connectors/{key}"))
            .sends(sends);
        Self {
            shell,
            name: typed.map_or_else(|| element.name.clone(), |typed| typed.get("name").to_owned()),
            tags: typed.map_or_else(String::new, |typed| typed.get("tags").to_owned()),
            settings: settings_form::fields(&element, typed, &mistakes),
            server: settings_form::server_fields(&element, typed, &mistakes),
            callback: consent::callback_url(console),
            element,
            mistakes,
        }
    }

    fn server_open(&self) -> bool {
        self.server.iter().any(|field| !field.value.is_empty() || !field.error.is_empty())
    }
}

async fn form(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(key): Path<String>,
) -> Result<Response, Interrupted> {
    let element = read_element(&wire, &key).await?;
    let sends = example(&wire, &element, &Fields::default());
    html(&NewInstancePage::new(&console, &visit, sends, element, None, Mistakes::default()))
}

async fn connect(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(key): Path<String>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let element = read_element(&wire, &key).await?;
    let mut mistakes = Mistakes::default();
    mistakes.needs(&typed, "name", "Give the instance a name.");
    settings_form::check(&element, &typed, &mut mistakes);
    if mistakes.none() {
        let outcome = if element.by_consent() {
            consent::begin(&console, &visit, &wire, &element, &typed, None).await
        } else {
            create(&wire, &element, &typed).await
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
    let sends = example(&wire, &element, &typed);
    let page = NewInstancePage::new(&console, &visit, sends, element, Some(&typed), mistakes);
    Ok((StatusCode::BAD_REQUEST, html(&page)?).into_response())
}

async fn create(wire: &Wire, element: &Element, typed: &Fields) -> Result<String, crate::wire::WireProblem> {
    let answer = wire.send(Method::POST, "/elements/api-v2/instances", Some(&body(element, typed))).await?;
    let made: Instance = answer.json()?;
    Ok(format!("/console/instances/{}?done=connected", made.id))
}

fn body(element: &Element, typed: &Fields) -> Value {
    json!({
        "name": typed.trimmed("name"),
        "element": {"key": element.key},
        "configuration": settings_form::configuration(element, typed),
        "tags": settings_form::tags(typed.get("tags")),
    })
}

fn example(wire: &Wire, element: &Element, typed: &Fields) -> ShownCall {
    let mut body = body(element, typed);
    if element.by_consent() {
        body["providerData"] = json!({"code": "from the vendor"});
    }
    wire.shown_call(&Method::POST, "/elements/api-v2/instances", Some(&body))
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn the_form_is_made_from_the_connectors_settings() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/instances/new/webdav").await;
        page.expect(200).has("name=\"config.base.url\"").has("name=\"config.username\"");
        page.has("name=\"config.password\" type=\"password\"").has("autocomplete=\"new-password\"");
    }

    #[tokio::test]
    async fn a_mistake_stands_beside_its_field_and_nothing_typed_is_lost() {
        let browser = Browser::signed_in().await;
        let form = browser.get("/console/instances/new/webdav").await;
        let typed = [("name", "Files"), ("config.username", "ada"), ("config.password", "Hidden-1")];
        let answer = browser.submit(&form, "/console/instances/new/webdav", &typed).await;

        answer.expect(400).has("id=\"f-config.base.url-error\">Address is needed.");
        answer.has("value=\"Files\"").has("value=\"ada\"").has_not("Hidden-1");
    }

    #[tokio::test]
    async fn the_wires_refusal_stands_beside_the_setting_it_names() {
        let browser = Browser::signed_in().await;
        let form = browser.get("/console/instances/new/folder").await;
        let typed = [("name", "F"), ("config.root.path", "/etc")];
        let answer = browser.submit(&form, "/console/instances/new/folder", &typed).await;
        answer.expect(400).has("id=\"f-config.root.path-error\">root.path may not").has("value=\"/etc\"");
    }

    #[tokio::test]
    async fn an_instance_with_settings_only_is_made_at_once() {
        let browser = Browser::signed_in().await;
        let form = browser.get("/console/instances/new/folder").await;
        let typed = [("name", "Files"), ("tags", "a, b"), ("config.root.path", "/srv/files")];
        let answer = browser.submit(&form, "/console/instances/new/folder", &typed).await;

        let page = browser.get(answer.redirect()).await;
        page.expect(200).has("Files").has("role=\"status\"").has("Connected");
        assert_eq!(browser.control().last_body()["tags"], serde_json::json!(["a", "b"]));
    }
}
