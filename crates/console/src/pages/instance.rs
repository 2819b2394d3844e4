//! One connector instance: facts, test, settings, switches.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::instances::InstanceRow;
use super::secrets::instance_wire;
use super::settings_form;
use crate::Console;
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::visit::{SignedIn, Visit};
use crate::wire::{Instance, StoredFile, Wire, WireProblem};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/instances/{id}", get(instance).post(rename))
        .route("/console/instances/{id}/test", post(test))
        .route("/console/instances/{id}/enable", post(enable))
        .route("/console/instances/{id}/disable", post(disable))
}

#[derive(Template)]
#[template(path = "pages/instance.html")]
struct InstancePage {
    shell: Shell,
    row: InstanceRow,
    disabled: bool,
    documents: bool,
    settings: Vec<Setting>,
    example: String,
    test: Option<TestResult>,
}

/// One row of `GET /instances/{id}/configuration`; secrets come masked from the wire.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Setting {
    key: String,
    name: String,
    property_value: Value,
    hide_from_console: bool,
}

impl Setting {
    fn text(&self) -> String {
        match &self.property_value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        }
    }
}

/// What a test of the instance found.
struct TestResult {
    good: bool,
    heading: String,
    text: String,
    request_id: String,
    found: Vec<StoredFile>,
}

/// Path of an instance on the wire. Ids are numbers; anything else is not found without asking.
pub(super) fn instance_path(id: &str) -> Result<String, Interrupted> {
    let id: u64 = id.parse().map_err(|_| Interrupted::Missing(format!("instance {id}")))?;
    Ok(format!("/elements/api-v2/instances/{id}"))
}

async fn instance(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
) -> Result<Response, Interrupted> {
    let instance: Instance = wire.get(&instance_path(&id)?).await?;
    page(&console, &visit, &wire, &instance, None).await
}

async fn page(
    console: &Console,
    visit: &Visit,
    wire: &Wire,
    instance: &Instance,
    test: Option<TestResult>,
) -> Result<Response, Interrupted> {
    let path = format!("/elements/api-v2/instances/{}/configuration", instance.id);
    let mut settings: Vec<Setting> = match wire.get(&path).await {
        Err(problem) if problem.status == 404 => Vec::new(),
        other => other?,
    };
    settings.retain(|setting| !setting.hide_from_console);
    let documents = instance.element.hub == "documents";
    let call = if documents { "hubs/documents/folders/contents?path=/" } else { "ping" };
    let view = InstancePage {
        shell: Shell::new(visit, &instance.name, Place::Instances)
            .crumb("Instances", "/console/instances")
            .behind(wire),
        row: InstanceRow::new(instance, console.clock.now()),
        disabled: instance.disabled,
        documents,
        settings,
        example: format!(
            "curl -H \"Authorization: User $USER_SECRET, Element $TOKEN\" \\\n  '{}/elements/api-v2/{call}'",
            console.public_url
        ),
        test,
    };
    html(&view)
}

async fn test(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    let instance: Instance = wire.get(&instance_path(&id)?).await?;
    let as_instance = instance_wire(&wire, &instance.token).await?;
    let result = match probe(&as_instance, instance.element.hub == "documents").await {
        Ok(found) => TestResult {
            good: true,
            heading: format!("{} answers", instance.element.name),
            text: match found.len() {
                0 => "The ping was answered.".into(),
                1 => "The ping was answered, and the top folder holds:".into(),
                n => format!("The ping was answered, and the top folder holds {n} entries:"),
            },
            request_id: String::new(),
            found,
        },
        Err(problem) => TestResult {
            good: false,
            heading: "The test failed".into(),
            text: problem.sentence(),
            request_id: problem.request_id,
            found: Vec::new(),
        },
    };
    // Read again: a refused refresh changes the state.
    let instance: Instance = wire.get(&instance_path(&id)?).await?;
    page(&console, &visit, &wire, &instance, Some(result)).await
}

async fn probe(as_instance: &Wire, documents: bool) -> Result<Vec<StoredFile>, WireProblem> {
    as_instance.send(Method::GET, "/elements/api-v2/ping", None).await?;
    if !documents {
        return Ok(Vec::new());
    }
    as_instance.get("/elements/api-v2/hubs/documents/folders/contents?path=%2F&pageSize=10").await
}

async fn rename(
    SignedIn { wire, .. }: SignedIn,
    Path(id): Path<String>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let body = json!({"name": typed.trimmed("name"), "tags": settings_form::tags(typed.get("tags"))});
    wire.send(Method::PATCH, &instance_path(&id)?, Some(&body)).await?;
    Ok(Redirect::to(&format!("/console/instances/{id}?done=saved")).into_response())
}

async fn enable(
    SignedIn { wire, .. }: SignedIn,
    Path(id): Path<String>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    wire.send(Method::PUT, &format!("{}/enabled", instance_path(&id)?), None).await?;
    Ok(Redirect::to(&format!("/console/instances/{id}?done=enabled")).into_response())
}

async fn disable(
    SignedIn { wire, .. }: SignedIn,
    Path(id): Path<String>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    wire.send(Method::DELETE, &format!("{}/enabled", instance_path(&id)?), None).await?;
    Ok(Redirect::to(&format!("/console/instances/{id}?done=disabled")).into_response())
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn an_instance_has_its_facts_on_one_page() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/instances/501").await;
        page.expect(200).has("Sales drive").has("Connected").has("oauth.api.secret").has("********");
        page.has("id=\"token\"").has("Element $TOKEN").has("/console/instances/501/files?path=%2F");
        browser.get("/console/instances/99999").await.expect(404);
        browser.get("/console/instances/x..y").await.expect(404);
    }

    #[tokio::test]
    async fn a_test_pings_and_lists_the_top_folder() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/instances/501").await;
        let tested = browser.submit(&page, "/console/instances/501/test", &[]).await;
        tested.expect(200).has("Google Drive answers").has("Contracts").has("/elements/api-v2/ping");
    }

    #[tokio::test]
    async fn a_failed_test_says_what_the_vendor_said() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/instances/503").await;
        page.has("Reconnect needed").has("/console/instances/503/reconnect");
        let tested = browser.submit(&page, "/console/instances/503/test", &[]).await;
        tested.has("The test failed").has("invalid_grant").has("Request id");
    }

    #[tokio::test]
    async fn disabling_and_enabling_change_the_state_and_say_so() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/instances/501").await;
        let off = browser.submit(&page, "/console/instances/501/disable", &[]).await;
        let page = browser.get(off.redirect()).await;
        page.has("Disabled").has("now answer 403").has("/console/instances/501/enable");
        let on = browser.submit(&page, "/console/instances/501/enable", &[]).await;
        browser.get(on.redirect()).await.has("Connected");
    }

    #[tokio::test]
    async fn name_and_tags_are_changed_in_place() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/instances/501").await;
        let saved =
            browser.submit(&page, "/console/instances/501", &[("name", "Sales"), ("tags", "x")]).await;
        browser.get(saved.redirect()).await.has("<h1>Sales").has("Saved").has("<span class=\"tag\">x</span>");
    }
}
