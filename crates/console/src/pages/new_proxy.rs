//! Creating an API proxy against a provider.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::providers::list_providers;
use crate::Console;
use crate::fields::{Fields, Mistakes};
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::visit::{SignedIn, Visit};
use crate::wire::{ApiProvider, SERVICE, Wire, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/proxies/new", get(form).post(create))
}

/// What a proxy before the hub appends its own path to (seed 1, step 2).
const HUB_PATH: &str = "/elements/api-v2/";

#[derive(Template)]
#[template(path = "pages/new_proxy.html")]
struct NewProxyPage {
    shell: Shell,
    typed: Fields,
    providers: Vec<ApiProvider>,
    gateway_url: String,
    mistakes: Mistakes,
}

impl NewProxyPage {
    async fn new(
        console: &Console,
        visit: &Visit,
        wire: &Wire,
        typed: Fields,
        mistakes: Mistakes,
    ) -> Result<Self, Interrupted> {
        let providers = list_providers(wire).await?;
        let sends = wire.shown_call(
            &Method::POST,
            &format!("{SERVICE}/APIProxies"),
            Some(&body(&typed, is_hub(&providers, &typed))),
        );
        let shell = Shell::new(visit, "Create an API proxy", Place::Proxies)
            .crumb("API proxies", "/console/proxies")
            .sends(sends);
        Ok(Self { shell, typed, providers, gateway_url: console.gateway_url.clone(), mistakes })
    }

    fn chosen(&self, provider: &ApiProvider) -> bool {
        self.typed.get("provider") == provider.name
    }
}

fn is_hub(providers: &[ApiProvider], typed: &Fields) -> bool {
    let chosen = typed.trimmed("provider");
    providers.iter().any(|provider| provider.name == chosen && provider.is_open_connectors())
}

fn body(typed: &Fields, hub: bool) -> Value {
    let (name, title, provider) = (typed.trimmed("name"), typed.trimmed("title"), typed.trimmed("provider"));
    let relative_path = match typed.trimmed("relative_path") {
        "" if hub => HUB_PATH,
        path => path,
    };
    json!({
        "name": name,
        "title": if title.is_empty() { name } else { title },
        "service_code": "REST",
        "provider_name": provider,
        "proxyEndPoints": [{"name": "default", "isDefault": true, "base_path": typed.trimmed("base_path")}],
        "targetEndPoints": [{"name": "default", "provider_id": provider, "relativePath": relative_path}],
    })
}

async fn form(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
) -> Result<Response, Interrupted> {
    let typed = visit.query.clone();
    html(&NewProxyPage::new(&console, &visit, &wire, typed, Mistakes::default()).await?)
}

async fn create(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let mut mistakes = Mistakes::default();
    mistakes.needs(&typed, "name", "Give the proxy a name.");
    mistakes.needs(&typed, "provider", "Choose the provider that answers.");
    mistakes.needs(&typed, "base_path", "Enter the path that the gateway answers at, such as /googledrive.");
    if !typed.trimmed("base_path").starts_with('/') {
        mistakes.field("base_path", "A base path begins with a slash.");
    }
    if mistakes.none() {
        let hub = is_hub(&list_providers(&wire).await?, &typed);
        match wire.send(Method::POST, &format!("{SERVICE}/APIProxies"), Some(&body(&typed, hub))).await {
            Ok(_) => {
                let to = format!("/console/proxies/{}?done=created", escape(typed.trimmed("name")));
                return Ok(Redirect::to(&to).into_response());
            }
            Err(problem) if problem.is_signed_out() => return Err(Interrupted::SignIn),
            Err(problem) => problem.onto(
                &mut mistakes,
                &[
                    ("exists already", "name"),
                    ("relativePath", "relative_path"),
                    ("base_path", "base_path"),
                    ("base path", "base_path"),
                    ("provider_name", "provider"),
                    ("provider_id", "provider"),
                    ("title", "title"),
                    ("name", "name"),
                ],
            ),
        }
    }
    let page = NewProxyPage::new(&console, &visit, &wire, typed, mistakes).await?;
    Ok((StatusCode::BAD_REQUEST, html(&page)?).into_response())
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn a_proxy_before_the_hub_gets_the_hubs_path() {
        let browser = Browser::signed_in().await;
        let form = browser.get("/console/proxies/new").await;
        form.expect(200).has("<option value=\"OpenConnectors\"");
        let typed = [("name", "Files"), ("provider", "OpenConnectors"), ("base_path", "/files")];
        let made = browser.submit(&form, "/console/proxies/new", &typed).await;

        assert_eq!(made.redirect(), "/console/proxies/Files?done=created");
        let body = browser.control().last_body();
        assert_eq!(body["targetEndPoints"][0]["relativePath"], "/elements/api-v2/");
        assert_eq!(body["proxyEndPoints"][0]["base_path"], "/files");
    }

    #[tokio::test]
    async fn a_taken_base_path_is_said_beside_the_path() {
        let browser = Browser::signed_in().await;
        let form = browser.get("/console/proxies/new").await;
        let typed = [("name", "Other"), ("provider", "OpenConnectors"), ("base_path", "/googledrive")];
        let answer = browser.submit(&form, "/console/proxies/new", &typed).await;
        answer.expect(400).has("id=\"f-base_path-error\">APIProxyEndPoints.base_path").has("value=\"Other\"");

        let typed = [("name", "Other"), ("provider", "OpenConnectors"), ("base_path", "x")];
        let answer = browser.submit(&form, "/console/proxies/new", &typed).await;
        answer.expect(400).has("begins with a slash");
    }

    #[tokio::test]
    async fn without_a_provider_the_page_leads_to_making_one() {
        let browser = Browser::signed_in().await;
        browser.control().empty();
        browser.get("/console/proxies/new").await.has("/console/providers/new").has("first");
    }
}
