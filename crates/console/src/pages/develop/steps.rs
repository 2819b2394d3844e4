//! The steps of one flow: attached, removed, put in order, each with its condition.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::spot::{Draft, Spot};
use super::{Open, Revision, Subject, landing};
use crate::Console;
use crate::fields::{Fields, Mistakes};
use crate::interrupted::Interrupted;
use crate::pages::confirm::SurePage;
use crate::posted::Posted;
use crate::shell::{Shell, html};
use crate::visit::Visit;
use crate::wire::{Violation, Wire, escape};

pub(super) fn routes(of: Subject) -> Router<Arc<Console>> {
    let at = format!("{}/{{name}}/revisions/{{revision}}", of.pages());
    Router::new()
        .route(&format!("{at}/steps"), get(show).post(act))
        .route(&format!("{at}/steps/delete"), get(ask).post(delete))
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
    /// The page that deletes the flow.
    delete: String,
    back: String,
    mistakes: Mistakes,
    violations: Vec<Violation>,
}

fn spot(at: &Revision, query: &Fields) -> Spot {
    match at.of {
        Subject::Proxy => Spot::read(query),
        Subject::SharedFlow => Spot::of_shared_flow(),
    }
}

/// The revision's page, with the endpoint of the flow in the diagram.
fn back(at: &Revision, number: &str, spot: &Spot, done: &str) -> String {
    match at.of {
        Subject::Proxy => {
            format!("{}?{done}{}={}", at.href_of(number), spot.kind, escape(&spot.endpoint))
        }
        Subject::SharedFlow => format!("{}?{done}", at.href_of(number)),
    }
}

async fn endpoint(console: &Console, wire: &Wire, at: &Revision, spot: &Spot) -> Result<Value, Interrupted> {
    Ok(wire.get(&format!("{}/{}", at.path(console), spot.piece()?)).await?)
}

async fn show(open: Open, State(console): State<Arc<Console>>) -> Result<Response, Interrupted> {
    let Open { visit, wire, at, .. } = open;
    let spot = spot(&at, &visit.query);
    let draft = spot.find(&endpoint(&console, &wire, &at, &spot).await?)?;
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
    let policies: Vec<String> = wire.get(&format!("{}/policies", at.path(console))).await?;
    let title = spot.title(&draft.name);
    let shell = at.shell(visit, &title).behind(wire);
    let (_, query) = visit.path.split_once('?').unwrap_or_default();
    let delete = format!("{}/steps/delete?{query}", at.href());
    let back = back(&at, &at.number, &spot, "");
    html(&StepsPage { shell, at, spot, title, draft, policies, delete, back, mistakes, violations })
}

async fn act(
    open: Open,
    State(console): State<Arc<Console>>,
    Posted(fields): Posted,
) -> Result<Response, Interrupted> {
    let Open { visit, wire, at, .. } = open;
    let spot = spot(&at, &visit.query);
    let mut endpoint = endpoint(&console, &wire, &at, &spot).await?;
    // It is there, or about to be made.
    spot.find(&endpoint)?;
    let draft = Draft::of_form(&fields);
    let mut said = (Mistakes::default(), Vec::new());
    if fields.get("act") != "save" {
        return page(&console, &visit, &wire, at, spot, draft, said).await;
    }
    if spot.needs_name() && draft.name.is_empty() {
        said.0.field("flow_name", format!("Give the {} a name.", spot.noun()));
    }
    if said.0.none()
        && let Some(field) = spot.write(&mut endpoint, &draft)
    {
        let body = json!({ field: endpoint[field] });
        match at.save_json(&console, &wire, Method::PUT, &spot.piece()?, &body).await {
            Ok(landed) => {
                return Ok(Redirect::to(&back(&at, &landed, &spot, "done=saved&")).into_response());
            }
            Err(problem) if problem.is_signed_out() => return Err(Interrupted::SignIn),
            Err(problem) => said = landing::refused(problem),
        }
    }
    let page = page(&console, &visit, &wire, at, spot, draft, said).await?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}

async fn ask(open: Open, State(console): State<Arc<Console>>) -> Result<Response, Interrupted> {
    let Open { visit, wire, at, .. } = open;
    let spot = spot(&at, &visit.query);
    let endpoint = endpoint(&console, &wire, &at, &spot).await?;
    let draft = spot.find(&endpoint)?;
    if !(spot.removable() && spot.is_in(&endpoint)) {
        return Err(Interrupted::Missing("such flow that can be deleted".into()));
    }
    let named = if draft.name.is_empty() { spot.title("") } else { draft.name };
    html(&SurePage {
        shell: at.shell(&visit, "Delete").behind(&wire),
        question: format!("Delete the {} {named}?", spot.noun()),
        sentence: format!("Its steps go with it, both ways; the policies stay. {}", at.landing()),
        used_by: Vec::new(),
        verb: "Delete",
        back: back(&at, &at.number, &spot, ""),
        danger: true,
    })
}

async fn delete(
    open: Open,
    State(console): State<Arc<Console>>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    let Open { visit, wire, at, .. } = open;
    let spot = spot(&at, &visit.query);
    let mut endpoint = endpoint(&console, &wire, &at, &spot).await?;
    let draft = spot.find(&endpoint)?;
    let gone = || Interrupted::Missing("such flow any more: it may have been changed meanwhile".into());
    let field = Some(&spot).filter(|spot| spot.removable()).and_then(|spot| spot.remove(&mut endpoint));
    let field = field.ok_or_else(gone)?;
    let body = json!({ field: endpoint[field] });
    match at.save_json(&console, &wire, Method::PUT, &spot.piece()?, &body).await {
        Ok(landed) => Ok(Redirect::to(&back(&at, &landed, &spot, "done=deleted&")).into_response()),
        Err(problem) if problem.is_signed_out() => Err(Interrupted::SignIn),
        Err(problem) => {
            let page = page(&console, &visit, &wire, at, spot, draft, landing::refused(problem)).await?;
            Ok((StatusCode::BAD_REQUEST, page).into_response())
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
        let path =
            "/console/proxies/Whole/revisions/1/steps?kind=proxy&endpoint=default&flow=flow-new&way=request";
        let form = browser.get(path).await;
        let typed = [("flow_name", "Writes"), ("flow_condition", "request.verb = \"POST\""), ("act", "save")];
        let done = browser.submit(&form, path, &typed).await;
        browser.get(done.redirect()).await.in_order(&["Reads", "Writes"]);
        browser
            .submit(&form, path, &[("flow_name", ""), ("flow_condition", ""), ("act", "save")])
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
        let at = path.replace("/steps?", "/steps/delete?");
        let ask = browser.get(&at).await;
        ask.expect(200).has("Delete the flow Edits?");
        let done = browser.submit(&ask, &at, &[]).await;
        browser.get(done.redirect()).await.has_not("Edits");
        browser.get(path).await.expect(404);
        browser.get(&path.replace("kind=proxy", "kind=x")).await.expect(404);
    }
}
