//! One policy: where it is attached, its document, and what is wrong with it.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

use super::{Open, Revision, Subject, landing};
use crate::Console;
use crate::fields::Mistakes;
use crate::interrupted::Interrupted;
use crate::pages::confirm::SurePage;
use crate::posted::Posted;
use crate::shell::{Shell, html};
use crate::visit::Visit;
use crate::wire::{Payload, Report, StepReport, Violation, Wire, escape};

pub(super) fn routes(of: Subject) -> Router<Arc<Console>> {
    let at = format!("{}/{{name}}/revisions/{{revision}}", of.pages());
    Router::new()
        .route(&format!("{at}/policies/{{policy}}"), get(show).post(save))
        .route(&format!("{at}/policies/{{policy}}/delete"), get(ask).post(delete))
}

/// A policy on the wire.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct PolicyDocument {
    name: String,
    #[serde(rename = "policyType")]
    kind: String,
    fixed: bool,
    xml: String,
}

#[derive(Template)]
#[template(path = "pages/policy.html")]
struct PolicyPage {
    shell: Shell,
    at: Revision,
    policy: PolicyDocument,
    /// Where it is attached.
    steps: Vec<StepReport>,
    /// Why it does not run here.
    why: String,
    mistakes: Mistakes,
    violations: Vec<Violation>,
}

impl PolicyPage {
    fn lines(&self) -> String {
        landing::lines(&self.violations)
    }
}

async fn read(
    console: &Console,
    wire: &Wire,
    at: &Revision,
    policy: &str,
) -> Result<(PolicyDocument, Report), Interrupted> {
    let path = at.path(console);
    let document = wire.get(&format!("{path}/policies/{}", escape(policy))).await?;
    Ok((document, wire.get(&format!("{path}/report")).await?))
}

async fn show(open: Open, State(console): State<Arc<Console>>) -> Result<Response, Interrupted> {
    let policy = open.part("policy");
    let Open { visit, wire, at, .. } = open;
    let (policy, report) = read(&console, &wire, &at, &policy).await?;
    let found = violations(&report, &policy);
    page(&visit, &wire, at, policy, &report, (Mistakes::default(), found))
}

/// What the report says about the policy's own file.
fn violations(report: &Report, policy: &PolicyDocument) -> Vec<Violation> {
    let file =
        report.policies.iter().find(|known| known.name == policy.name).map(|known| known.file.as_str());
    let own = report.findings.iter().filter(|finding| Some(finding.file.as_str()) == file);
    own.map(|finding| Violation {
        file: finding.file.clone(),
        line: finding.line,
        rule: finding.rule.clone(),
        message: finding.message.clone(),
    })
    .collect()
}

fn page(
    visit: &Visit,
    wire: &Wire,
    at: Revision,
    policy: PolicyDocument,
    report: &Report,
    (mistakes, violations): (Mistakes, Vec<Violation>),
) -> Result<Response, Interrupted> {
    let steps = report.steps.iter().filter(|step| step.policy == policy.name).cloned().collect();
    let known = report.policies.iter().find(|known| known.name == policy.name);
    let why = known.map_or_else(String::new, |known| known.why.clone());
    let shell = at.shell(visit, &policy.name).behind(wire);
    html(&PolicyPage { shell, at, policy, steps, why, mistakes, violations })
}

async fn save(
    open: Open,
    State(console): State<Arc<Console>>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let policy = open.part("policy");
    let Open { visit, wire, at, .. } = open;
    let xml = unix_lines(typed.get("content"));
    let payload = Payload { content_type: "application/xml", bytes: xml.clone().into() };
    let piece = format!("policies/{}", escape(&policy));
    match at.save_bytes(&console, &wire, Method::PUT, &piece, payload).await {
        Ok(landed) => {
            let to = format!("{}/policies/{}?done=saved", at.href_of(&landed), escape(&policy));
            Ok(Redirect::to(&to).into_response())
        }
        Err(problem) if problem.is_signed_out() => Err(Interrupted::SignIn),
        Err(problem) => {
            let (mut document, report) = read(&console, &wire, &at, &policy).await?;
            document.xml = xml;
            let page = page(&visit, &wire, at, document, &report, landing::refused(problem))?;
            Ok((StatusCode::BAD_REQUEST, page).into_response())
        }
    }
}

/// Browsers send line breaks as CR LF, which would make every line of the document a change.
pub(super) fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

async fn ask(open: Open, State(console): State<Arc<Console>>) -> Result<Response, Interrupted> {
    let policy = open.part("policy");
    let Open { visit, wire, at, .. } = open;
    let (policy, report) = read(&console, &wire, &at, &policy).await?;
    let back = format!("{}/policies/{}", at.href(), escape(&policy.name));
    let used = report.steps.iter().filter(|step| step.policy == policy.name);
    html(&SurePage {
        shell: at.shell(&visit, "Delete").crumb(&policy.name, &back).behind(&wire),
        question: format!("Delete the policy {}?", policy.name),
        sentence: format!("Its document goes. {}", at.landing()),
        used_by: used.map(|step| format!("{} of {}", step.spot(), step.endpoint)).collect(),
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
    let policy = open.part("policy");
    let Open { visit, wire, at, .. } = open;
    match at.remove(&console, &wire, &format!("policies/{}", escape(&policy))).await {
        Ok(landed) => Ok(Redirect::to(&format!("{}?done=deleted", at.href_of(&landed))).into_response()),
        Err(problem) if problem.is_signed_out() => Err(Interrupted::SignIn),
        Err(problem) => {
            let (document, report) = read(&console, &wire, &at, &policy).await?;
            let page = page(&visit, &wire, at, document, &report, landing::refused(problem))?;
            Ok((StatusCode::BAD_REQUEST, page).into_response())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Browser, bundles};

    #[tokio::test]
    async fn a_policy_is_edited_and_a_broken_one_is_refused_at_its_line() {
        let (browser, real) = Browser::before_management().await;
        browser.import(&bundles::hello("A"), "Hello", true).await;
        let path = "/console/proxies/Hello/revisions/1/policies/Greet";
        let form = browser.get(path).await;
        form.expect(200).has("AssignVariable").has("PreFlow, request").has("saving makes a new revision");
        let broken = "<AssignMessage name=\"Greet\">\r\n\r\n<Colour/>\r\n</AssignMessage>";
        let refused = browser.submit(&form, path, &[("content", broken)]).await;
        refused.expect(400).has("one mistake").has("Line 3").has("&#60;Colour/&#62;").has("data-lines=\"3\"");
        browser.get("/console/proxies/Hello/revisions").await.has_not("revisions/2/");

        let good = "<AssignMessage name=\"Greet\">\r\n<AssignVariable><Name>b</Name><Value>B</Value></AssignVariable>\r\n</AssignMessage>";
        let done = browser.submit(&form, path, &[("content", good)]).await;
        assert_eq!(done.redirect(), "/console/proxies/Hello/revisions/2/policies/Greet?done=saved");
        browser.get(done.redirect()).await.has("Saved").has("&#60;Value&#62;B&#60;").has_not("\r");
        assert_eq!(&*real.snapshots.load().proxy("Hello").unwrap().revision, "1");
        browser.get("/console/proxies/Hello/revisions/2/policies/None").await.expect(404);
    }

    #[tokio::test]
    async fn the_policy_of_a_providers_type_is_shown_and_not_edited() {
        let (browser, _) = Browser::before_management().await;
        let form = browser.get("/console/providers/new").await;
        let typed = [("kind", "OPENCONNECTORS"), ("name", "oc"), ("region", "here"), ("own_secrets", "on")];
        browser.submit(&form, "/console/providers/new", &typed).await.redirect();
        let form = browser.get("/console/proxies/new").await;
        let typed = [("name", "Files"), ("provider", "oc"), ("base_path", "/files")];
        browser.submit(&form, "/console/proxies/new", &typed).await.redirect();
        let to = browser.get("/console/proxies/Files/flows").await;
        assert_eq!(to.redirect(), "/console/proxies/Files/revisions/1");
        let page = browser.get(to.redirect()).await;
        page.expect(200).has("API provider oc").has("policies/OpenConnectors");
        let page = browser.get("/console/proxies/Files/revisions/1/policies/OpenConnectors").await;
        page.expect(200).has("cannot be edited").has("readonly").has_not("policies/OpenConnectors/delete");
    }

    #[tokio::test]
    async fn a_policy_is_deleted_only_when_no_step_names_it() {
        let (browser, _) = Browser::before_management().await;
        browser.import(&bundles::whole(), "Whole", false).await;
        let at = "/console/proxies/Whole/revisions/1";
        let form = browser.get(&format!("{at}/policies/Verify")).await;
        browser
            .submit(&form, &format!("{at}/policies/Verify/delete"), &[])
            .await
            .expect(400)
            .has("Nothing was saved");
        let form = browser.get(&format!("{at}/policies/Spare")).await;
        form.has("No step names it");
        let done = browser.submit(&form, &format!("{at}/policies/Spare/delete"), &[]).await;
        browser.get(done.redirect()).await.has_not("policies/Spare");
    }
}
