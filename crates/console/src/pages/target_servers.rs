//! Target servers: named backends that load-balanced targets choose from.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::confirm::Deletion;
use super::matches;
use crate::Console;
use crate::fields::{Fields, Mistakes};
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::visit::{SignedIn, Visit};
use crate::wire::{Wire, WireProblem, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/target-servers", get(list))
        .route("/console/target-servers/new", get(new).post(create))
        .route("/console/target-servers/{name}", get(edit).post(change))
        .route("/console/target-servers/{name}/delete", get(ask).post(delete))
}

/// A target server on the wire.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Server {
    name: String,
    description: String,
    host: String,
    port: Value,
    #[serde(rename = "isEnabled")]
    enabled: bool,
    #[serde(rename = "sSLInfo")]
    tls: Tls,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Tls {
    enabled: Value,
    #[serde(rename = "ignoreValidationErrors")]
    trust_all: Value,
}

/// Flags come as booleans or as words.
fn is_on(flag: &Value) -> bool {
    flag.as_bool().unwrap_or_else(|| flag.as_str() == Some("true"))
}

impl Server {
    fn address(&self) -> String {
        let scheme = if is_on(&self.tls.enabled) { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host, self.port.to_string().trim_matches('"'))
    }

    fn searchable(&self) -> String {
        format!("{} {} {}", self.name, self.host, self.description)
    }

    fn as_fields(&self) -> Fields {
        let on = |flag: bool| if flag { "on" } else { "" };
        let port = self.port.to_string();
        Fields::of(&[
            ("name", &self.name),
            ("description", &self.description),
            ("host", &self.host),
            ("port", port.trim_matches('"')),
            ("tls", on(is_on(&self.tls.enabled))),
            ("trust_all", on(is_on(&self.tls.trust_all))),
            ("enabled", on(self.enabled)),
        ])
    }
}

#[derive(Template)]
#[template(path = "pages/target_servers.html")]
struct ListPage {
    shell: Shell,
    query: String,
    any: bool,
    rows: Vec<Server>,
}

#[derive(Template)]
#[template(path = "pages/target_server.html")]
struct EditPage {
    shell: Shell,
    /// Empty for a new one.
    name: String,
    typed: Fields,
    mistakes: Mistakes,
}

fn at(console: &Console, name: &str) -> String {
    console.gateway.in_environment(&format!("/targetservers/{}", escape(name)))
}

async fn list(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
) -> Result<Response, Interrupted> {
    let names: Vec<String> = wire.get(&console.gateway.in_environment("/targetservers")).await?;
    let query = visit.query.trimmed("q").to_owned();
    let (any, mut rows) = (!names.is_empty(), Vec::new());
    for name in names {
        let server: Server = wire.get(&at(&console, &name)).await?;
        if matches(&server.searchable(), &query) {
            rows.push(server);
        }
    }
    let shell = Shell::new(&visit, "Target servers", Place::TargetServers).behind(&wire);
    html(&ListPage { shell, query, any, rows })
}

fn edit_page(visit: &Visit, wire: &Wire, name: &str, typed: Fields, mistakes: Mistakes) -> EditPage {
    let title = if name.is_empty() { "Create a target server" } else { name };
    let shell = Shell::new(visit, title, Place::TargetServers)
        .crumb("Target servers", "/console/target-servers")
        .behind(wire);
    EditPage { shell, name: name.to_owned(), typed, mistakes }
}

async fn new(SignedIn { visit, wire }: SignedIn) -> Result<Response, Interrupted> {
    let typed = Fields::of(&[("port", "443"), ("tls", "on"), ("enabled", "on")]);
    html(&edit_page(&visit, &wire, "", typed, Mistakes::default()))
}

async fn edit(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
) -> Result<Response, Interrupted> {
    let server: Server = wire.get(&at(&console, &name)).await?;
    html(&edit_page(&visit, &wire, &name, server.as_fields(), Mistakes::default()))
}

fn body(name: &str, typed: &Fields) -> Value {
    let port = typed.trimmed("port");
    json!({
        "name": name, "description": typed.trimmed("description"), "host": typed.trimmed("host"),
        "port": port.parse::<u32>().map_or_else(|_| Value::from(port), Value::from),
        "isEnabled": typed.ticked("enabled"),
        "sSLInfo": {"enabled": typed.ticked("tls"), "ignoreValidationErrors": typed.ticked("trust_all")},
    })
}

async fn save(
    console: &Console,
    visit: &Visit,
    wire: &Wire,
    name: &str,
    typed: Fields,
) -> Result<Response, Interrupted> {
    let mut mistakes = Mistakes::default();
    mistakes.needs(&typed, "host", "Enter a host name or an IP address.");
    mistakes.needs(&typed, "port", "Enter a port.");
    let is_new = name.is_empty();
    let called = if is_new { typed.trimmed("name").to_owned() } else { name.to_owned() };
    if called.is_empty() {
        mistakes.field("name", "Give the server a name.");
    }
    if mistakes.none() {
        let body = body(&called, &typed);
        let sent = match is_new {
            true => {
                let path = console.gateway.in_environment("/targetservers");
                wire.send(Method::POST, &path, Some(&body)).await
            }
            false => wire.send(Method::PUT, &at(console, name), Some(&body)).await,
        };
        match sent {
            Ok(_) => {
                let done = if is_new { "created" } else { "saved" };
                return Ok(Redirect::to(&format!("/console/target-servers?done={done}")).into_response());
            }
            Err(problem) if problem.is_signed_out() => return Err(Interrupted::SignIn),
            Err(problem) => problem.onto(
                &mut mistakes,
                &[("exists already", "name"), ("port", "port"), ("host", "host"), ("name", "name")],
            ),
        }
    }
    let page = html(&edit_page(visit, wire, name, typed, mistakes))?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}

async fn create(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    save(&console, &visit, &wire, "", typed).await
}

async fn change(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    save(&console, &visit, &wire, &name, typed).await
}

async fn deletion(console: &Console, wire: &Wire, name: &str) -> Result<Deletion, WireProblem> {
    let server: Server = wire.get(&at(console, name)).await?;
    Ok(Deletion {
        kind: "target server",
        name: name.to_owned(),
        sentence: format!(
            "Load-balanced targets lose {}. One that a deployed proxy names stays.",
            server.address()
        ),
        breaks_heading: "",
        breaks: Vec::new(),
        back: format!("/console/target-servers/{}", escape(name)),
        place: Place::TargetServers,
        list: ("Target servers", "/console/target-servers"),
    })
}

async fn ask(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
) -> Result<Response, Interrupted> {
    deletion(&console, &wire, &name).await?.ask(&visit)
}

async fn delete(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let asked = deletion(&console, &wire, &name).await?;
    let mistakes = asked.check(&typed);
    if !mistakes.none() {
        return asked.again(&visit, &typed, mistakes);
    }
    match wire.send(Method::DELETE, &at(&console, &name), None).await {
        Ok(_) => Ok(Redirect::to("/console/target-servers?done=deleted").into_response()),
        Err(problem) => asked.refused(&visit, &typed, problem),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn a_target_server_is_made_changed_and_deleted() {
        let (browser, _) = Browser::before_management().await;
        browser.get("/console/target-servers").await.expect(200).has("No target server yet");
        let form = browser.get("/console/target-servers/new").await;
        let path = "/console/target-servers/new";
        let typed = [("name", "one"), ("host", "backend.example"), ("port", "many"), ("enabled", "on")];
        browser
            .submit(&form, path, &typed)
            .await
            .expect(400)
            .has("id=\"f-port-error\">port must be a number");
        let typed = [("name", "one"), ("host", "backend.example"), ("port", "8443"), ("tls", "on")];
        let done = browser.submit(&form, path, &typed).await;
        browser.get(done.redirect()).await.has("https://backend.example:8443").has("Switched off");
        browser
            .submit(&form, path, &typed)
            .await
            .expect(400)
            .has("id=\"f-name-error\">Target server one exists");

        let form = browser.get("/console/target-servers/one").await;
        form.expect(200).has("value=\"8443\"");
        let typed = [("host", "other.example"), ("port", "80"), ("enabled", "on")];
        let done = browser.submit(&form, "/console/target-servers/one", &typed).await;
        browser.get(done.redirect()).await.has("http://other.example:80").has("Takes requests");
        let ask = browser.get("/console/target-servers/one/delete").await;
        browser.submit(&ask, "/console/target-servers/one/delete", &[("confirm", "one")]).await.redirect();
        browser.get("/console/target-servers/one").await.expect(404);
    }
}
