//! Mask configurations: what debug sessions do not show, for all proxies or for one.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::trace_href;
use crate::Console;
use crate::fields::{Fields, Mistakes};
use crate::interrupted::Interrupted;
use crate::pages::confirm::SurePage;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::visit::{SignedIn, Visit};
use crate::wire::{Wire, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    let mut router = Router::new();
    for at in ["/console/traces/masks", "/console/proxies/{name}/trace/masks"] {
        router = router
            .route(at, get(list))
            .route(&format!("{at}/new"), get(new).post(add))
            .route(&format!("{at}/config/{{mask}}"), get(edit).post(save))
            .route(&format!("{at}/config/{{mask}}/delete"), get(ask).post(delete));
    }
    router
}

/// Lists of a configuration: the wire's field, its label, an example.
const LISTS: &[(&str, &str, &str)] = &[
    ("variables", "Variables", "request.formparam.password"),
    ("jSONPathsRequest", "JSON paths in requests", "$.card.number"),
    ("jSONPathsResponse", "JSON paths in responses", "$.customer.iban"),
    ("jSONPathsFault", "JSON paths in faults", "$.fault.detail"),
    ("xPathsRequest", "XPaths in requests", "/s:order/s:card"),
    ("xPathsResponse", "XPaths in responses", "/s:order/s:iban"),
    ("xPathsFault", "XPaths in faults", "/fault/detail"),
];

/// Whose configurations: of all proxies when there is no name.
struct Owner {
    proxy: Option<String>,
    mask: String,
}

impl Owner {
    fn read(path: &HashMap<String, String>) -> Self {
        Self { proxy: path.get("name").cloned(), mask: path.get("mask").cloned().unwrap_or_default() }
    }

    /// The list's page.
    fn page(&self) -> String {
        match &self.proxy {
            Some(name) => format!("{}/masks", trace_href(name)),
            None => "/console/traces/masks".into(),
        }
    }

    fn page_of(&self, mask: &str) -> String {
        format!("{}/config/{}", self.page(), escape(mask))
    }

    /// On the wire.
    fn path(&self, console: &Console) -> String {
        match &self.proxy {
            Some(name) => console.gateway.below(&format!("/apis/{}/maskconfigs", escape(name))),
            None => console.gateway.below("/maskconfigs"),
        }
    }

    fn path_of(&self, console: &Console) -> String {
        format!("{}/{}", self.path(console), escape(&self.mask))
    }

    fn shell(&self, visit: &Visit, title: &str, own: bool) -> Shell {
        let shell = match &self.proxy {
            Some(name) => super::shell(visit, title, name).crumb("Trace", trace_href(name)),
            None => Shell::new(visit, title, Place::Traces).crumb("Traces", "/console/traces"),
        };
        if own { shell } else { shell.crumb("Masks", self.page()) }
    }

    fn spoken(&self) -> String {
        self.proxy.as_ref().map_or_else(|| "every proxy".into(), |name| format!("the API proxy {name}"))
    }
}

struct MaskRow {
    name: String,
    href: String,
    hides: Vec<String>,
}

#[derive(Template)]
#[template(path = "pages/trace/masks.html")]
struct MasksPage {
    shell: Shell,
    owner: Owner,
    rows: Vec<MaskRow>,
}

#[derive(Template)]
#[template(path = "pages/trace/mask.html")]
struct MaskPage {
    shell: Shell,
    owner: Owner,
    typed: Fields,
    mistakes: Mistakes,
}

impl MaskPage {
    fn lists(&self) -> &'static [(&'static str, &'static str, &'static str)] {
        LISTS
    }
}

async fn list(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Response, Interrupted> {
    let owner = Owner::read(&path);
    let names: Vec<String> = wire.get(&owner.path(&console)).await?;
    let mut rows = Vec::new();
    for name in names {
        let config: Value = wire.get(&format!("{}/{}", owner.path(&console), escape(&name))).await?;
        let texts = |field: &str| config[field].as_array().cloned().unwrap_or_default();
        let hides = LISTS.iter().flat_map(|(field, ..)| texts(field));
        let hides = hides.filter_map(|one| one.as_str().map(str::to_owned)).collect();
        rows.push(MaskRow { href: owner.page_of(&name), name, hides });
    }
    html(&MasksPage { shell: owner.shell(&visit, "Masks", true).behind(&wire), owner, rows })
}

fn form(
    visit: &Visit,
    wire: &Wire,
    owner: Owner,
    typed: Fields,
    mistakes: Mistakes,
) -> Result<Response, Interrupted> {
    let title = if owner.mask.is_empty() { "Add a mask configuration" } else { &owner.mask };
    html(&MaskPage { shell: owner.shell(visit, title, false).behind(wire), owner, typed, mistakes })
}

async fn new(
    SignedIn { visit, wire }: SignedIn,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Response, Interrupted> {
    form(&visit, &wire, Owner::read(&path), Fields::default(), Mistakes::default())
}

async fn edit(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Response, Interrupted> {
    let owner = Owner::read(&path);
    let config: Value = wire.get(&owner.path_of(&console)).await?;
    let lines = |field: &str| {
        let all = config[field].as_array().into_iter().flatten().filter_map(Value::as_str);
        all.collect::<Vec<_>>().join("\n")
    };
    let namespaces = config["namespaces"].as_array().into_iter().flatten();
    let namespaces = namespaces
        .map(|one| {
            format!(
                "{}={}",
                one["prefix"].as_str().unwrap_or_default(),
                one["value"].as_str().unwrap_or_default()
            )
        })
        .collect::<Vec<_>>();
    let mut pairs: Vec<(&str, String)> = LISTS.iter().map(|(field, ..)| (*field, lines(field))).collect();
    pairs.push(("namespaces", namespaces.join("\n")));
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    form(&visit, &wire, owner, Fields::of(&pairs), Mistakes::default())
}

/// One entry a line.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

fn body(name: &str, typed: &Fields, mistakes: &mut Mistakes) -> Value {
    let mut body = Map::new();
    body.insert("name".into(), name.into());
    for (field, ..) in LISTS {
        body.insert((*field).into(), lines(typed.get(field)).collect());
    }
    let mut namespaces = Vec::new();
    for line in lines(typed.get("namespaces")) {
        match line.split_once('=') {
            Some((prefix, value)) => namespaces.push(json!({"prefix": prefix.trim(), "value": value.trim()})),
            None => mistakes.field("namespaces", "Each line is prefix=namespace."),
        }
    }
    body.insert("namespaces".into(), namespaces.into());
    Value::Object(body)
}

async fn add(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(path): Path<HashMap<String, String>>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let owner = Owner::read(&path);
    let mut mistakes = Mistakes::default();
    mistakes.needs(&typed, "name", "Give it a name.");
    let known: Vec<String> = wire.get(&owner.path(&console)).await?;
    if known.iter().any(|name| name == typed.trimmed("name")) {
        mistakes.field("name", "There is one of this name.");
    }
    let body = body(typed.trimmed("name"), &typed, &mut mistakes);
    put(&console, &visit, &wire, owner, typed, mistakes, body).await
}

async fn save(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(path): Path<HashMap<String, String>>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let owner = Owner::read(&path);
    let mut mistakes = Mistakes::default();
    let body = body(&owner.mask, &typed, &mut mistakes);
    put(&console, &visit, &wire, owner, typed, mistakes, body).await
}

async fn put(
    console: &Console,
    visit: &Visit,
    wire: &Wire,
    owner: Owner,
    typed: Fields,
    mut mistakes: Mistakes,
    body: Value,
) -> Result<Response, Interrupted> {
    if mistakes.none() {
        match wire.send(Method::POST, &owner.path(console), Some(&body)).await {
            Ok(_) => return Ok(Redirect::to(&format!("{}?done=saved", owner.page())).into_response()),
            Err(problem) if problem.is_signed_out() => return Err(Interrupted::SignIn),
            Err(problem) => problem.onto(&mut mistakes, &[("name", "name")]),
        }
    }
    Ok((StatusCode::BAD_REQUEST, form(visit, wire, owner, typed, mistakes)?).into_response())
}

async fn ask(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Response, Interrupted> {
    let owner = Owner::read(&path);
    wire.get::<Value>(&owner.path_of(&console)).await?;
    html(&SurePage {
        shell: owner.shell(&visit, "Delete", false).behind(&wire),
        question: format!("Delete the mask configuration {}?", owner.mask),
        sentence: "Sessions that start afterwards show what it hides. Those that record now still hide it."
            .into(),
        used_by: Vec::new(),
        verb: "Delete",
        back: owner.page_of(&owner.mask),
        danger: true,
    })
}

async fn delete(
    SignedIn { wire, .. }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(path): Path<HashMap<String, String>>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    let owner = Owner::read(&path);
    wire.send(Method::DELETE, &owner.path_of(&console), None).await?;
    Ok(Redirect::to(&format!("{}?done=deleted", owner.page())).into_response())
}
