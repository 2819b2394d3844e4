//! The steps of one flow: attached, removed, put in order, each with its condition.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::{Revision, landing};
use crate::Console;
use crate::fields::{Fields, Mistakes};
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Shell, html};
use crate::visit::{SignedIn, Visit};
use crate::wire::{Violation, Wire, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/proxies/{name}/revisions/{revision}/steps", get(show).post(act))
}

/// Which list of steps.
pub(super) struct Spot {
    /// `proxy` or `target`.
    pub(super) kind: String,
    pub(super) endpoint: String,
    flow: String,
    way: String,
}

impl Spot {
    pub(super) fn read(query: &Fields) -> Self {
        let said = |name: &str| query.get(name).to_owned();
        Self { kind: said("kind"), endpoint: said("endpoint"), flow: said("flow"), way: said("way") }
    }

    /// The endpoint below its revision.
    pub(super) fn piece(&self) -> Result<String, Interrupted> {
        let kind = match self.kind.as_str() {
            "proxy" => "proxies",
            "target" => "targets",
            _ => return Err(Interrupted::Missing("such endpoint".into())),
        };
        Ok(format!("{kind}/{}", escape(&self.endpoint)))
    }

    /// The field of the endpoint that holds the flow, and the flow inside it.
    fn pointers(&self) -> Option<(&'static str, String)> {
        let number = |text: &str| text.parse::<usize>().ok();
        Some(match self.flow.split_once('-') {
            None if self.flow == "pre" => ("preFlow", "/preFlow".into()),
            None if self.flow == "post" => ("postFlow", "/postFlow".into()),
            None if self.flow == "post_client" => ("postClientFlow", "/postClientFlow".into()),
            Some(("flow", at)) => ("flows", format!("/flows/{}", number(at)?)),
            Some(("fault", "default")) => ("defaultFaultRule", "/defaultFaultRule".into()),
            Some(("fault", at)) => ("faultRules", format!("/faultRules/{}", number(at)?)),
            _ => return None,
        })
    }

    fn children(&self, flow: &str) -> String {
        match self.way.as_str() {
            "request" | "response" if !self.flow.starts_with("fault") => {
                format!("{flow}/{}/children", self.way)
            }
            _ => format!("{flow}/children"),
        }
    }

    /// Whether it has a name and a condition of its own.
    fn named(&self) -> bool {
        self.flow.starts_with("flow-") || self.flow.starts_with("fault-")
    }

    fn removable(&self) -> bool {
        self.flow.starts_with("flow-")
    }

    fn title(&self, flow_name: &str) -> String {
        let flow = match self.flow.as_str() {
            "pre" => "PreFlow",
            "post" => "PostFlow",
            "post_client" => "PostClientFlow",
            "fault-default" => "Default fault rule",
            _ => flow_name,
        };
        match self.way.as_str() {
            "request" | "response" => format!("{flow}, {}", self.way),
            _ => flow.to_owned(),
        }
    }
}

struct StepRow {
    policy: String,
    condition: String,
}

/// The flow as the form has it.
struct Draft {
    name: String,
    condition: String,
    rows: Vec<StepRow>,
}

#[derive(Template)]
#[template(path = "pages/steps.html")]
struct StepsPage {
    shell: Shell,
    at: Revision,
    spot: Spot,
    title: String,
    draft: Draft,
    policies: Vec<String>,
    mistakes: Mistakes,
    violations: Vec<Violation>,
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

impl Draft {
    fn of_wire(flow: &Value, children: &Value) -> Self {
        let rows = children.as_array().into_iter().flatten().map(|child| StepRow {
            policy: text(&child["step"], "name"),
            condition: text(&child["step"], "condition"),
        });
        Self { name: text(flow, "name"), condition: text(flow, "condition"), rows: rows.collect() }
    }

    fn of_form(fields: &Fields) -> Self {
        let rows = fields.all("policy").into_iter().zip(fields.all("condition"));
        let rows = rows
            .map(|(policy, condition)| StepRow { policy: policy.into(), condition: condition.trim().into() });
        Self {
            name: fields.trimmed("flow_name").to_owned(),
            condition: fields.trimmed("flow_condition").to_owned(),
            rows: rows.collect(),
        }
    }

    /// Moves, removes or adds a row, as the pressed button says.
    fn turn(&mut self, fields: &Fields) {
        let (verb, at) = fields.get("act").split_once('-').unwrap_or((fields.get("act"), ""));
        let at = at.parse::<usize>().ok().filter(|at| *at < self.rows.len());
        match (verb, at) {
            ("up", Some(at)) if at > 0 => self.rows.swap(at, at - 1),
            ("down", Some(at)) if at + 1 < self.rows.len() => self.rows.swap(at, at + 1),
            ("remove", Some(at)) => drop(self.rows.remove(at)),
            _ => {}
        }
        let added = fields.trimmed("new_policy");
        if !added.is_empty() {
            self.rows
                .push(StepRow { policy: added.into(), condition: fields.trimmed("new_condition").into() });
        }
    }

    fn children(&self) -> Value {
        let step = |row: &StepRow| match row.condition.as_str() {
            "" => json!({"step": {"name": row.policy}}),
            condition => json!({"step": {"name": row.policy, "condition": condition}}),
        };
        self.rows.iter().map(step).collect()
    }
}

async fn endpoint(console: &Console, wire: &Wire, at: &Revision, spot: &Spot) -> Result<Value, Interrupted> {
    let path = console.gateway.revision("apis", &at.proxy, &at.number);
    Ok(wire.get(&format!("{path}/{}", spot.piece()?)).await?)
}

/// The flow inside its endpoint, or that there is none.
fn find<'e>(endpoint: &'e Value, spot: &Spot) -> Result<(&'static str, String, &'e Value), Interrupted> {
    let found = spot.pointers().and_then(|(field, flow)| Some((field, endpoint.pointer(&flow)?, flow)));
    let missing = || Interrupted::Missing("such flow any more: it may have been changed meanwhile".into());
    found.map(|(field, value, flow)| (field, flow, value)).ok_or_else(missing)
}

async fn show(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path((name, number)): Path<(String, String)>,
) -> Result<Response, Interrupted> {
    let at = Revision::read(&console, &wire, &name, &number).await?;
    let spot = Spot::read(&visit.query);
    let endpoint = endpoint(&console, &wire, &at, &spot).await?;
    let (_, pointer, flow) = find(&endpoint, &spot)?;
    let none = Value::Null;
    let draft = Draft::of_wire(flow, endpoint.pointer(&spot.children(&pointer)).unwrap_or(&none));
    page(&console, &visit, &wire, at, spot, draft, (Mistakes::default(), Vec::new())).await
}

async fn page(
    console: &Console,
    visit: &Visit,
    wire: &Wire,
    at: Revision,
    spot: Spot,
    draft: Draft,
    (mistakes, violations): (Mistakes, Vec<Violation>),
) -> Result<Response, Interrupted> {
    let path = console.gateway.revision("apis", &at.proxy, &at.number);
    let policies: Vec<String> = wire.get(&format!("{path}/policies")).await?;
    let title = spot.title(&draft.name);
    let shell = at.shell(visit, &title).behind(wire);
    html(&StepsPage { shell, at, spot, title, draft, policies, mistakes, violations })
}

async fn act(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path((name, number)): Path<(String, String)>,
    Posted(fields): Posted,
) -> Result<Response, Interrupted> {
    let at = Revision::read(&console, &wire, &name, &number).await?;
    let spot = Spot::read(&visit.query);
    let mut endpoint = endpoint(&console, &wire, &at, &spot).await?;
    let (field, pointer, _) = find(&endpoint, &spot)?;
    let mut draft = Draft::of_form(&fields);
    draft.turn(&fields);
    if !matches!(fields.get("act"), "save" | "delete") {
        return page(&console, &visit, &wire, at, spot, draft, (Mistakes::default(), Vec::new())).await;
    }
    if fields.get("act") == "delete" && spot.removable() {
        let index = pointer.rsplit('/').next().and_then(|index| index.parse::<usize>().ok());
        if let (Some(flows), Some(index)) = (endpoint["flows"].as_array_mut(), index) {
            flows.remove(index);
        }
    } else {
        write(&mut endpoint, &spot, &pointer, &draft);
    }
    let body = json!({ field: endpoint[field] });
    match at.save_json(&console, &wire, &spot.piece()?, &body).await {
        Ok(landed) => {
            let to = format!(
                "{}?done=saved&{}={}",
                super::href(&name, &landed),
                spot.kind,
                escape(&spot.endpoint)
            );
            Ok(Redirect::to(&to).into_response())
        }
        Err(problem) if problem.is_signed_out() => Err(Interrupted::SignIn),
        Err(problem) => {
            let said = landing::refused(problem);
            let page = page(&console, &visit, &wire, at, spot, draft, said).await?;
            Ok((StatusCode::BAD_REQUEST, page).into_response())
        }
    }
}

fn write(endpoint: &mut Value, spot: &Spot, pointer: &str, draft: &Draft) {
    let way = spot.children(pointer);
    if let Some(flow) = endpoint.pointer_mut(pointer) {
        if spot.named() {
            flow["condition"] = draft.condition.clone().into();
            if !draft.name.is_empty() {
                flow["name"] = draft.name.clone().into();
            }
        }
        let parts: Vec<&str> = way[pointer.len()..].split('/').filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            [way, children] => flow[*way][*children] = draft.children(),
            _ => flow["children"] = draft.children(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Browser, bundles};

    const PRE: &str = "kind=proxy&endpoint=default&flow=pre&way=request";

    #[tokio::test]
    async fn steps_are_added_moved_conditioned_and_removed() {
        let (browser, _) = Browser::before_management().await;
        browser.import(&bundles::whole(), "Whole", false).await;
        let path = format!("/console/proxies/Whole/revisions/1/steps?{PRE}");
        let form = browser.get(&path).await;
        form.expect(200).has("value=\"Verify\"").has("not deployed");
        let typed = [
            ("policy", "Verify"),
            ("condition", ""),
            ("new_policy", "Log"),
            ("new_condition", "request.verb = \"PUT\""),
            ("act", "add"),
        ];
        let added = browser.submit(&form, &path, &typed).await;
        added.expect(200).in_order(&["value=\"Verify\"", "value=\"Log\""]);
        let typed = [
            ("policy", "Verify"),
            ("condition", ""),
            ("policy", "Log"),
            ("condition", "request.verb = \"PUT\""),
            ("act", "up-1"),
        ];
        browser
            .submit(&form, &path, &typed)
            .await
            .expect(200)
            .in_order(&["value=\"Log\"", "value=\"Verify\""]);
        let typed = [
            ("policy", "Log"),
            ("condition", "request.verb = \"PUT\""),
            ("policy", "Verify"),
            ("condition", ""),
            ("act", "save"),
        ];
        let done = browser.submit(&form, &path, &typed).await;
        assert_eq!(done.redirect(), "/console/proxies/Whole/revisions/1?done=saved&proxy=default");
        browser.get(done.redirect()).await.in_order(&[
            "Request",
            "Log",
            "request.verb = &#34;PUT&#34;",
            "Verify",
        ]);

        let typed = [("policy", "Log"), ("condition", "(("), ("act", "save")];
        let refused = browser.submit(&form, &path, &typed).await;
        refused.expect(400).has("Nothing was saved").has("value=\"((\"").has("default.xml");
        let typed = [("policy", "Log"), ("condition", ""), ("act", "remove-0")];
        browser.submit(&form, &path, &typed).await.expect(200).has("No step yet");
    }

    #[tokio::test]
    async fn what_is_deployed_stays_and_saving_makes_a_new_revision() {
        let (browser, real) = Browser::before_management().await;
        browser.import(&bundles::whole(), "Whole", true).await;
        let path = format!("/console/proxies/Whole/revisions/1/steps?{PRE}");
        let form = browser.get(&path).await;
        form.has("saving makes a new revision");
        let done = browser.submit(&form, &path, &[("act", "save")]).await;
        assert!(done.redirect().starts_with("/console/proxies/Whole/revisions/2?done=saved"));
        assert_eq!(&*real.snapshots.load().proxy("Whole").unwrap().revision, "1");
        browser.get("/console/proxies/Whole/revisions/1").await.has("policies/Verify\"");
    }

    #[tokio::test]
    async fn a_conditional_flow_is_added_renamed_and_deleted() {
        let (browser, _) = Browser::before_management().await;
        browser.import(&bundles::whole(), "Whole", false).await;
        let path = "/console/proxies/Whole/revisions/1/flows/new?kind=proxy&endpoint=default&way=request";
        let form = browser.get(path).await;
        let typed = [("name", "Writes"), ("flow_condition", "request.verb = \"POST\"")];
        let done = browser.submit(&form, path, &typed).await;
        browser.get(done.redirect()).await.in_order(&["Reads", "Writes"]);
        browser
            .submit(&form, path, &[("name", ""), ("flow_condition", "")])
            .await
            .expect(400)
            .has("Give the flow a name");

        let path =
            "/console/proxies/Whole/revisions/1/steps?kind=proxy&endpoint=default&flow=flow-1&way=request";
        let form = browser.get(path).await;
        form.expect(200).has("value=\"Writes\"");
        let typed = [("flow_name", "Edits"), ("flow_condition", "request.verb = \"PUT\""), ("act", "save")];
        let done = browser.submit(&form, path, &typed).await;
        browser.get(done.redirect()).await.has("Edits").has_not("Writes");
        let done = browser.submit(&form, path, &[("act", "delete")]).await;
        browser.get(done.redirect()).await.has_not("Edits");
        browser.get(path).await.expect(404);
        browser.get(&path.replace("kind=proxy", "kind=x")).await.expect(404);
    }
}
