//! Creating and changing an API provider: Open Connectors or Internet.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::secrets::read_secrets;
use crate::Console;
use crate::fields::{Fields, Mistakes};
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::visit::{SignedIn, Visit};
use crate::wire::{ApiProvider, SERVICE, ShownCall, Single, Wire, WireProblem, escape, quoted};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/providers/new", get(new).post(create))
        .route("/console/providers/{name}", get(edit).post(change))
}

/// The hub's regions; the host follows from the region (API management reference §8.6).
const REGIONS: &[(&str, &str)] = &[
    ("api.openconnectors.us2.ext.hana.ondemand.com", "US (us2)"),
    ("api.openconnectors.us1.ext.hana.ondemand.com", "US (us1)"),
    ("api.openconnectors.ext.hanatrial.ondemand.com", "Trial"),
    ("api.cloud-elements.com", "Cloud Elements, US"),
    ("api.cloud-elements.co.uk", "Cloud Elements, EU"),
];

#[derive(Template)]
#[template(path = "pages/edit_provider.html")]
struct EditProviderPage {
    shell: Shell,
    /// The name of the provider that is changed; nothing for a new one.
    existing: String,
    form: ProviderForm,
    mistakes: Mistakes,
}

/// What is typed.
#[derive(Default)]
struct ProviderForm {
    kind: String,
    name: String,
    title: String,
    description: String,
    /// `here`, one of [`REGIONS`], or `other`.
    region: String,
    host: String,
    port: String,
    tls: bool,
    path_prefix: String,
    /// Take the signed-in person's own secrets.
    own_secrets: bool,
}

impl ProviderForm {
    fn blank() -> Self {
        Self {
            kind: "OPENCONNECTORS".into(),
            region: "here".into(),
            port: "443".into(),
            tls: true,
            own_secrets: true,
            ..Self::default()
        }
    }

    fn of(provider: &ApiProvider) -> Self {
        let known = REGIONS.iter().any(|(host, _)| *host == provider.host);
        let region = match provider.host.as_str() {
            "" => "here",
            host if known => host,
            _ => "other",
        };
        Self {
            kind: if provider.is_open_connectors() { "OPENCONNECTORS".into() } else { "Internet".into() },
            name: provider.name.clone(),
            title: provider.title.clone(),
            description: provider.description.clone(),
            region: region.to_owned(),
            host: provider.host.clone(),
            port: provider.port_text(),
            tls: provider.use_ssl,
            path_prefix: provider.path_prefix.clone(),
            own_secrets: false,
        }
    }

    fn typed(fields: &Fields) -> Self {
        Self {
            kind: fields.trimmed("kind").to_owned(),
            name: fields.trimmed("name").to_owned(),
            title: fields.trimmed("title").to_owned(),
            description: fields.trimmed("description").to_owned(),
            region: fields.trimmed("region").to_owned(),
            host: fields.trimmed("host").to_owned(),
            port: fields.trimmed("port").to_owned(),
            tls: fields.ticked("tls"),
            path_prefix: fields.trimmed("path_prefix").to_owned(),
            own_secrets: fields.ticked("own_secrets"),
        }
    }

    fn open_connectors(&self) -> bool {
        self.kind == "OPENCONNECTORS"
    }

    /// The host on the wire; nothing means this installation.
    fn wire_host(&self) -> &str {
        match (self.open_connectors(), self.region.as_str()) {
            (true, "here") => "",
            (true, "other") | (false, _) => &self.host,
            (true, region) => region,
        }
    }

    fn check(&self, fields: &Fields, new: bool) -> Mistakes {
        let mut mistakes = Mistakes::default();
        if new {
            mistakes.needs(fields, "name", "Give the provider a name.");
        }
        let elsewhere = !self.open_connectors() || self.region == "other";
        if elsewhere {
            mistakes.needs(fields, "host", "Enter the host, without https:// and without a path.");
            if self.port.parse::<u16>().is_err_and(|_| !self.port.is_empty()) || self.port == "0" {
                mistakes.field("port", "A port is a number from 1 to 65535.");
            }
            if self.host.contains('/') {
                mistakes.field("host", "Enter the host alone, without https:// and without a path.");
            }
        }
        if new && self.open_connectors() && !self.own_secrets {
            mistakes.needs(fields, "organization_secret", "Enter the organization secret.");
            mistakes.needs(fields, "user_secret", "Enter the user secret.");
        }
        mistakes
    }

    /// The wire's entity; secrets left empty are left out, so that a change keeps them.
    fn body(&self, fields: &Fields) -> Value {
        let elsewhere = !self.open_connectors() || self.region == "other";
        let port = self.port.parse::<u16>().unwrap_or(if self.tls { 443 } else { 80 });
        let mut body = json!({
            "name": self.name,
            "title": if self.title.is_empty() { &self.name } else { &self.title },
            "description": self.description,
            "destType": self.kind,
            "host": self.wire_host(),
            "port": if elsewhere { port } else { 443 },
            "useSSL": if elsewhere { self.tls } else { true },
        });
        if self.open_connectors() {
            let typed = [("organizationSecret", "organization_secret"), ("userSecret", "user_secret")];
            for (wire_name, field) in typed.iter().filter(|(_, field)| !fields.trimmed(field).is_empty()) {
                body[*wire_name] = Value::from(fields.trimmed(field));
            }
        } else {
            body["pathPrefix"] = Value::from(self.path_prefix.as_str());
            body["authType"] = Value::from("NONE");
        }
        body
    }
}

impl EditProviderPage {
    fn new(visit: &Visit, existing: &str, form: ProviderForm, mistakes: Mistakes, sends: ShownCall) -> Self {
        let title = if existing.is_empty() { "Create an API provider" } else { existing };
        let shell = Shell::new(visit, title, Place::Providers)
            .crumb("API providers", "/console/providers")
            .sends(sends);
        Self { shell, existing: existing.to_owned(), form, mistakes }
    }
}

fn example(wire: &Wire, existing: &str, body: &Value) -> ShownCall {
    let mut body = body.clone();
    if body["destType"] == "OPENCONNECTORS" && existing.is_empty() {
        body["organizationSecret"] = Value::from("");
        body["userSecret"] = Value::from("");
    }
    match existing {
        "" => wire.shown_call(&Method::POST, &format!("{SERVICE}/APIProviders"), Some(&body)),
        name => wire.shown_call(&Method::PATCH, &provider_path(name), Some(&body)),
    }
}

/// Path of a provider on the wire.
pub(super) fn provider_path(name: &str) -> String {
    format!("{SERVICE}/APIProviders({})", quoted(name))
}

async fn new(SignedIn { visit, wire }: SignedIn) -> Result<Response, Interrupted> {
    let form = ProviderForm::blank();
    let sends = example(&wire, "", &form.body(&Fields::default()));
    html(&EditProviderPage::new(&visit, "", form, Mistakes::default(), sends))
}

async fn create(SignedIn { visit, wire }: SignedIn, Posted(fields): Posted) -> Result<Response, Interrupted> {
    save(&visit, &wire, "", &fields).await
}

async fn edit(SignedIn { visit, wire }: SignedIn, Path(name): Path<String>) -> Result<Response, Interrupted> {
    let provider: Single<ApiProvider> = wire.get(&provider_path(&name)).await?;
    let form = ProviderForm::of(&provider.d);
    let sends = example(&wire, &name, &form.body(&Fields::default()));
    let mut page = EditProviderPage::new(&visit, &name, form, Mistakes::default(), sends);
    page.shell = page.shell.behind(&wire);
    html(&page)
}

async fn change(
    SignedIn { visit, wire }: SignedIn,
    Path(name): Path<String>,
    Posted(fields): Posted,
) -> Result<Response, Interrupted> {
    save(&visit, &wire, &name, &fields).await
}

async fn save(visit: &Visit, wire: &Wire, existing: &str, fields: &Fields) -> Result<Response, Interrupted> {
    let mut form = ProviderForm::typed(fields);
    if !existing.is_empty() {
        form.name = existing.to_owned();
    }
    let mut mistakes = form.check(fields, existing.is_empty());
    let mut body = form.body(fields);
    let sends = example(wire, existing, &body);
    if mistakes.none() {
        match send(wire, existing, &form, &mut body).await {
            Ok(()) => {
                let done = if existing.is_empty() { "created" } else { "saved" };
                let to = format!("/console/providers/{}?done={done}", escape(&form.name));
                return Ok(Redirect::to(&to).into_response());
            }
            Err(problem) if problem.is_signed_out() => return Err(Interrupted::SignIn),
            Err(problem) => problem.onto(
                &mut mistakes,
                &[
                    ("exists already", "name"),
                    ("organizationSecret", "organization_secret"),
                    ("userSecret", "user_secret"),
                    ("pathPrefix", "path_prefix"),
                    ("host", "host"),
                    ("port", "port"),
                    ("title", "title"),
                    ("name", "name"),
                ],
            ),
        }
    }
    let page = EditProviderPage::new(visit, existing, form, mistakes, sends);
    Ok((StatusCode::BAD_REQUEST, html(&page)?).into_response())
}

async fn send(wire: &Wire, existing: &str, form: &ProviderForm, body: &mut Value) -> Result<(), WireProblem> {
    if form.open_connectors() && form.own_secrets {
        let secrets = read_secrets(wire).await?;
        body["organizationSecret"] = Value::from(secrets.organization_secret);
        body["userSecret"] = Value::from(secrets.user_secret);
    }
    let (method, path) = match existing {
        "" => (Method::POST, format!("{SERVICE}/APIProviders")),
        name => (Method::PATCH, provider_path(name)),
    };
    wire.send(method, &path, Some(body)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn a_provider_for_this_installation_takes_ones_own_secrets() {
        let browser = Browser::signed_in().await;
        let form = browser.get("/console/providers/new").await;
        form.expect(200).has("This installation").has("View my organization secret");
        let typed = [("kind", "OPENCONNECTORS"), ("name", "OC2"), ("region", "here"), ("own_secrets", "on")];
        let made = browser.submit(&form, "/console/providers/new", &typed).await;

        assert_eq!(made.redirect(), "/console/providers/OC2?done=created");
        let body = browser.control().last_body();
        assert_eq!((&body["host"], &body["destType"]), (&"".into(), &"OPENCONNECTORS".into()));
        assert_eq!(body["organizationSecret"], "ce7f1f9be0d2a8b1f37bcfa6d71eda20");
        let page = browser.get(made.redirect()).await;
        page.expect(200).has("Created").has_not("ce7f1f9be0d2a8b1f37bcfa6d71eda20");
    }

    #[tokio::test]
    async fn a_region_decides_the_host() {
        let browser = Browser::signed_in().await;
        let form = browser.get("/console/providers/new").await;
        let region = "api.openconnectors.us2.ext.hana.ondemand.com";
        let typed = [
            ("kind", "OPENCONNECTORS"),
            ("name", "US"),
            ("region", region),
            ("organization_secret", "o"),
            ("user_secret", "u"),
        ];
        browser.submit(&form, "/console/providers/new", &typed).await;
        assert_eq!(browser.control().last_body()["host"], region);
    }

    #[tokio::test]
    async fn mistakes_stand_beside_their_fields_and_secrets_do_not_come_back() {
        let browser = Browser::signed_in().await;
        let form = browser.get("/console/providers/new").await;
        let typed = [
            ("kind", "Internet"),
            ("name", "Shop"),
            ("host", "https://shop.example/x"),
            ("port", "99999"),
            ("user_secret", "hidden-1"),
        ];
        let answer = browser.submit(&form, "/console/providers/new", &typed).await;
        answer.expect(400).has("id=\"f-host-error\">Enter the host alone").has("A port is a number");
        answer.has("value=\"https://shop.example/x\"").has_not("hidden-1");
    }

    #[tokio::test]
    async fn a_taken_name_is_said_beside_the_name() {
        let browser = Browser::signed_in().await;
        let form = browser.get("/console/providers/new").await;
        let typed = [("kind", "Internet"), ("name", "Petstore"), ("host", "h.example"), ("port", "443")];
        let answer = browser.submit(&form, "/console/providers/new", &typed).await;
        answer.expect(400).has("id=\"f-name-error\">An API provider &#39;Petstore&#39; exists already.");
    }

    #[tokio::test]
    async fn a_change_without_secrets_keeps_them() {
        let browser = Browser::signed_in().await;
        let form = browser.get("/console/providers/OpenConnectors").await;
        let typed = [("kind", "OPENCONNECTORS"), ("title", "Hub"), ("region", "here")];
        let saved = browser.submit(&form, "/console/providers/OpenConnectors", &typed).await;
        assert_eq!(saved.redirect(), "/console/providers/OpenConnectors?done=saved");
        assert!(browser.control().last_body().get("userSecret").is_none());
    }
}
