//! One endpoint of a proxy: where it is reached or leads, its routes, properties, and the order of its flows and rules.

mod draft;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::Value;

use super::properties::{self, Known};
use super::{Open, Revision, landing, names};
use crate::Console;
use crate::fields::Mistakes;
use crate::interrupted::Interrupted;
use crate::pages::confirm::SurePage;
use crate::posted::Posted;
use crate::shell::{Shell, html};
use crate::visit::Visit;
use crate::wire::{Listed, SERVICE, Violation, Wire, escape};
use draft::{EndpointDraft, RouteRow, ServerRow, WAYS};

const AT: &str = "/console/proxies/{name}/revisions/{revision}";

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route(&format!("{AT}/new-endpoint/{{kind}}"), get(new).post(add))
        .route(&format!("{AT}/endpoints/{{kind}}/{{endpoint}}"), get(show).post(act))
        .route(&format!("{AT}/endpoints/{{kind}}/{{endpoint}}/delete"), get(ask).post(delete))
}

/// `proxy` or `target`, and the endpoint's name; empty for a new one.
#[derive(Clone)]
struct Which {
    kind: String,
    name: String,
}

impl Which {
    fn of(open: &Open) -> Result<Self, Interrupted> {
        let which = Self { kind: open.part("kind"), name: open.part("endpoint") };
        match which.kind.as_str() {
            "proxy" | "target" => Ok(which),
            _ => Err(Interrupted::Missing("such endpoint".into())),
        }
    }

    fn collection(&self) -> &'static str {
        if self.kind == "proxy" { "proxies" } else { "targets" }
    }

    /// Below the revision.
    fn piece(&self) -> String {
        format!("{}/{}", self.collection(), escape(&self.name))
    }

    fn page(&self, at: &Revision, number: &str) -> String {
        format!("{}/endpoints/{}/{}", at.href_of(number), self.kind, escape(&self.name))
    }
}

/// A flow or rule in a list that can be put in order.
struct FlowLine {
    at: usize,
    name: String,
    condition: String,
    steps: usize,
}

/// What the form offers.
#[derive(Default)]
struct Choices {
    hosts: Vec<String>,
    targets: Vec<String>,
    servers: Vec<String>,
    providers: Vec<String>,
    proxies: Vec<String>,
}

#[derive(Template)]
#[template(path = "pages/endpoint.html")]
struct EndpointPage {
    shell: Shell,
    at: Revision,
    which: Which,
    draft: EndpointDraft,
    choices: Choices,
    flows: Vec<FlowLine>,
    faults: Vec<FlowLine>,
    default_fault: Option<FlowLine>,
    mistakes: Mistakes,
    violations: Vec<Violation>,
}

impl EndpointPage {
    fn known(&self) -> &'static [Known] {
        properties::of(&self.which.kind)
    }

    /// The destinations, and one that is kept although it cannot be edited.
    fn ways(&self) -> Vec<(String, String)> {
        let mut ways: Vec<_> =
            WAYS.iter().map(|(way, label)| ((*way).to_owned(), (*label).to_owned())).collect();
        if !ways.iter().any(|(way, _)| *way == self.draft.way) {
            ways.push((self.draft.way.clone(), format!("{}, as it was imported", self.draft.way)));
        }
        ways
    }

    /// The rows of the form: those there are, and an empty one.
    fn route_rows(&self) -> Vec<&RouteRow> {
        static EMPTY: RouteRow =
            RouteRow { name: String::new(), condition: String::new(), to: String::new(), url: String::new() };
        self.draft.routes.iter().chain([&EMPTY]).collect()
    }

    /// Whether a route names a target endpoint that is not there.
    fn leads_nowhere(&self, row: &RouteRow) -> bool {
        row.to.strip_prefix("target:").is_some_and(|to| !self.choices.targets.iter().any(|name| name == to))
    }

    fn server_rows(&self) -> Vec<&ServerRow> {
        static EMPTY: ServerRow =
            ServerRow { name: String::new(), weight: String::new(), role: String::new() };
        self.draft.servers.iter().chain([&EMPTY]).collect()
    }

    fn property_rows(&self) -> Vec<&(String, String)> {
        static EMPTY: (String, String) = (String::new(), String::new());
        self.draft.properties.iter().chain([&EMPTY]).collect()
    }

    /// The page of a flow's steps.
    fn steps(&self, flow: &str, way: &str) -> String {
        let endpoint = escape(&self.which.name);
        format!("{}/steps?kind={}&endpoint={endpoint}&flow={flow}&way={way}", self.at.href(), self.which.kind)
    }
}

async fn choices(console: &Console, wire: &Wire, at: &Revision, kind: &str) -> Result<Choices, Interrupted> {
    let list = |entity: &str| format!("{SERVICE}/{entity}?$format=json&$select=name");
    let of_list = |all: Listed<Value>| -> Vec<String> {
        all.all().iter().filter_map(|one| one["name"].as_str().map(str::to_owned)).collect()
    };
    if kind == "proxy" {
        let shown: Value = wire.get(&at.path(console)).await?;
        let hosts = of_list(wire.get(&list("VirtualHosts")).await?);
        return Ok(Choices { hosts, targets: names(&shown, "targetEndpoints"), ..Choices::default() });
    }
    Ok(Choices {
        servers: wire.get(&console.gateway.in_environment("/targetservers")).await?,
        providers: of_list(wire.get(&list("APIProviders")).await?),
        proxies: wire.get(&console.gateway.below("/apis")).await?,
        ..Choices::default()
    })
}

/// The endpoint as the wire has it; null for a new one.
async fn wanted(console: &Console, wire: &Wire, at: &Revision, which: &Which) -> Result<Value, Interrupted> {
    match which.name.as_str() {
        "" => Ok(Value::Null),
        _ => Ok(wire.get(&format!("{}/{}", at.path(console), which.piece())).await?),
    }
}

fn lines(all: &Value, order: &[usize]) -> Vec<FlowLine> {
    order.iter().filter_map(|at| Some(line(*at, all.get(at)?))).collect()
}

fn line(at: usize, flow: &Value) -> FlowLine {
    let text = |name: &str| flow[name].as_str().unwrap_or_default().to_owned();
    let count = |stream: &Value| stream["children"].as_array().map_or(0, Vec::len);
    let steps = count(flow) + count(&flow["request"]) + count(&flow["response"]);
    FlowLine { at, name: text("name"), condition: text("condition"), steps }
}

#[expect(clippy::too_many_arguments, reason = "one page, made in two places")]
async fn page(
    console: &Console,
    visit: &Visit,
    wire: &Wire,
    at: Revision,
    which: Which,
    draft: EndpointDraft,
    old: &Value,
    (mistakes, violations): (Mistakes, Vec<Violation>),
) -> Result<Response, Interrupted> {
    let mut choices = choices(console, wire, &at, &which.kind).await?;
    // What is chosen stays a choice, even when it is not here any more.
    choices
        .hosts
        .extend(draft.hosts.iter().filter(|host| !choices.hosts.contains(host)).cloned().collect::<Vec<_>>());
    let title = match which.name.as_str() {
        "" => format!("Add a {} endpoint", which.kind),
        name => format!("{} endpoint {name}", if which.kind == "proxy" { "Proxy" } else { "Target" }),
    };
    let default_fault = old["defaultFaultRule"].is_object().then(|| line(0, &old["defaultFaultRule"]));
    html(&EndpointPage {
        shell: at.shell(visit, title).behind(wire),
        flows: lines(&old["flows"], &draft.flows),
        faults: lines(&old["faultRules"], &draft.faults),
        default_fault,
        at,
        which,
        draft,
        choices,
        mistakes,
        violations,
    })
}

async fn show(open: Open, State(console): State<Arc<Console>>) -> Result<Response, Interrupted> {
    let which = Which::of(&open)?;
    let Open { visit, wire, at, .. } = open;
    let old = wanted(&console, &wire, &at, &which).await?;
    let draft = EndpointDraft::of_wire(&old);
    page(&console, &visit, &wire, at, which, draft, &old, (Mistakes::default(), Vec::new())).await
}

async fn new(open: Open, State(console): State<Arc<Console>>) -> Result<Response, Interrupted> {
    let which = Which::of(&open)?;
    let Open { visit, wire, at, .. } = open;
    let draft = EndpointDraft::new(&which.kind);
    page(&console, &visit, &wire, at, which, draft, &Value::Null, (Mistakes::default(), Vec::new())).await
}

async fn act(open: Open, console: State<Arc<Console>>, typed: Posted) -> Result<Response, Interrupted> {
    save(open, console, typed, Method::PUT).await
}

async fn add(open: Open, console: State<Arc<Console>>, typed: Posted) -> Result<Response, Interrupted> {
    save(open, console, typed, Method::POST).await
}

/// What is wrong with the form before the wire is asked.
fn check(draft: &EndpointDraft, which: &Which, old: &Value) -> Mistakes {
    let mut mistakes = Mistakes::default();
    let needs = |mistakes: &mut Mistakes, field: &str, text: &str, sentence: &str| {
        if text.is_empty() {
            mistakes.field(field, sentence);
        }
    };
    needs(&mut mistakes, "name", &draft.name, "Give the endpoint a name.");
    match (which.kind.as_str(), draft.way.as_str()) {
        ("proxy", _) => {
            needs(&mut mistakes, "base_path", &draft.base_path, "Enter a path that begins with /.")
        }
        (_, "url") => needs(&mut mistakes, "url", &draft.url, "Enter the address of the target."),
        (_, "provider") => needs(&mut mistakes, "provider", &draft.provider, "Choose an API provider."),
        (_, "proxy") => needs(&mut mistakes, "proxy", &draft.proxy, "Choose an API proxy."),
        (_, "path") => needs(&mut mistakes, "path", &draft.path, "Enter a path that begins with /."),
        (_, "servers") => {
            if draft.servers.is_empty() {
                mistakes.field("servers", "Name at least one target server.");
            }
            if !draft.max_failures.is_empty() && draft.max_failures.parse::<u32>().is_err() {
                mistakes.field("max_failures", "Enter a whole number.");
            }
            let weight = |row: &ServerRow| row.weight.is_empty() || row.weight.parse::<u32>().is_ok();
            if !draft.servers.iter().all(weight) {
                mistakes.field("servers", "A weight is a whole number.");
            }
        }
        _ => {}
    }
    let count = |field: &str| old[field].as_array().map_or(0, Vec::len);
    let outside = |order: &[usize], most: usize| order.iter().any(|at| *at >= most);
    if outside(&draft.flows, count("flows")) || outside(&draft.faults, count("faultRules")) {
        mistakes.field("name", "The endpoint was changed meanwhile: open it again.");
    }
    mistakes
}

async fn save(
    open: Open,
    State(console): State<Arc<Console>>,
    Posted(typed): Posted,
    method: Method,
) -> Result<Response, Interrupted> {
    let which = Which::of(&open)?;
    let Open { visit, wire, at, .. } = open;
    let old = wanted(&console, &wire, &at, &which).await?;
    let draft = EndpointDraft::of_form(&typed);
    let mut said = (Mistakes::default(), Vec::new());
    if typed.get("act") != "save" {
        return page(&console, &visit, &wire, at, which, draft, &old, said).await;
    }
    said.0 = check(&draft, &which, &old);
    if said.0.none() {
        let body = draft.change(&which.kind, &old);
        let piece = if method == Method::POST { which.collection().to_owned() } else { which.piece() };
        match at.save_json(&console, &wire, method, &piece, &body).await {
            Ok(landed) => {
                let which = Which { name: draft.name, ..which };
                return Ok(Redirect::to(&format!("{}?done=saved", which.page(&at, &landed))).into_response());
            }
            Err(problem) if problem.is_signed_out() => return Err(Interrupted::SignIn),
            Err(problem) if problem.violations.is_empty() => problem.onto(
                &mut said.0,
                &[
                    ("exists already", "name"),
                    ("property", "properties"),
                    ("properties", "properties"),
                    ("base_path", "base_path"),
                    ("servers", "servers"),
                    ("name", "name"),
                ],
            ),
            Err(problem) => said = landing::refused(problem),
        }
    }
    let page = page(&console, &visit, &wire, at, which, draft, &old, said).await?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}

/// Route rules that lead to a target endpoint.
async fn users(
    console: &Console,
    wire: &Wire,
    at: &Revision,
    which: &Which,
) -> Result<Vec<String>, Interrupted> {
    let mut users = Vec::new();
    if which.kind != "target" {
        return Ok(users);
    }
    let path = at.path(console);
    for name in wire.get::<Vec<String>>(&format!("{path}/proxies")).await? {
        let endpoint: Value = wire.get(&format!("{path}/proxies/{}", escape(&name))).await?;
        let routes = endpoint["routeRule"].as_array().into_iter().flatten();
        let leads = routes.filter(|route| route["targetEndpoint"] == which.name.as_str());
        let said = |route: &Value| route["name"].as_str().unwrap_or_default().to_owned();
        users.extend(leads.map(|route| format!("Route rule {} of the proxy endpoint {name}", said(route))));
    }
    Ok(users)
}

async fn ask(open: Open, State(console): State<Arc<Console>>) -> Result<Response, Interrupted> {
    let which = Which::of(&open)?;
    let Open { visit, wire, at, .. } = open;
    wanted(&console, &wire, &at, &which).await?;
    let used_by = users(&console, &wire, &at, &which).await?;
    sure(&visit, &wire, &at, &which, used_by)
}

fn sure(
    visit: &Visit,
    wire: &Wire,
    at: &Revision,
    which: &Which,
    used_by: Vec<String>,
) -> Result<Response, Interrupted> {
    let back = which.page(at, &at.number);
    html(&SurePage {
        shell: at.shell(visit, "Delete").crumb(&which.name, &back).behind(wire),
        question: format!("Delete the {} endpoint {}?", which.kind, which.name),
        sentence: format!("Its flows, rules and settings go with it; the policies stay. {}", at.landing()),
        used_by,
        verb: "Delete",
        back,
        danger: true,
    })
}

async fn delete(
    open: Open,
    State(console): State<Arc<Console>>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    let which = Which::of(&open)?;
    let Open { visit, wire, at, .. } = open;
    match at.remove(&console, &wire, &which.piece()).await {
        Ok(landed) => Ok(Redirect::to(&format!("{}?done=deleted", at.href_of(&landed))).into_response()),
        Err(problem) if problem.is_signed_out() => Err(Interrupted::SignIn),
        Err(problem) => {
            let mut used_by: Vec<String> = problem.violations.iter().map(|one| one.message.clone()).collect();
            if used_by.is_empty() {
                used_by.push(problem.sentence());
            }
            let page = sure(&visit, &wire, &at, &which, used_by)?;
            Ok((StatusCode::BAD_REQUEST, page).into_response())
        }
    }
}

#[cfg(test)]
mod tests;
