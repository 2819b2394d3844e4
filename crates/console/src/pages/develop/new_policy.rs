//! Adding a policy: choose a kind, start from its template.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use super::policy::unix_lines;
use super::templates::{Kind, kinds, template};
use super::{Open, Revision, Subject, landing};
use crate::Console;
use crate::fields::Mistakes;
use crate::interrupted::Interrupted;
use crate::pages::family::{Family, family};
use crate::posted::Posted;
use crate::shell::{Shell, html};
use crate::visit::Visit;
use crate::wire::{Payload, Violation, escape};

pub(super) fn routes(of: Subject) -> Router<Arc<Console>> {
    let at = format!("{}/{{name}}/revisions/{{revision}}", of.pages());
    Router::new()
        .route(&format!("{at}/new-policy"), get(choose))
        .route(&format!("{at}/new-policy/{{kind}}"), get(write).post(add))
}

#[derive(Template)]
#[template(path = "pages/policy_kinds.html")]
struct KindsPage {
    shell: Shell,
    at: Revision,
    groups: Vec<(Family, Vec<&'static Kind>)>,
}

#[derive(Template)]
#[template(path = "pages/new_policy.html")]
struct NewPolicyPage {
    shell: Shell,
    at: Revision,
    kind: &'static Kind,
    name: String,
    content: String,
    mistakes: Mistakes,
    violations: Vec<Violation>,
}

impl NewPolicyPage {
    fn lines(&self) -> String {
        landing::lines(&self.violations)
    }
}

async fn choose(open: Open) -> Result<Response, Interrupted> {
    let Open { visit, at, .. } = open;
    let mut groups: Vec<(Family, Vec<&'static Kind>)> = Vec::new();
    for kind in kinds() {
        let own = family(&kind.kind);
        match groups.iter_mut().find(|(known, _)| *known == own) {
            Some((_, list)) => list.push(kind),
            None => groups.push((own, vec![kind])),
        }
    }
    groups.sort_by_key(|(family, _)| family.label);
    let shell = at.shell(&visit, "Add a policy");
    html(&KindsPage { shell, at, groups })
}

fn known(kind: &str) -> Result<&'static Kind, Interrupted> {
    let found = kinds().iter().find(|known| known.kind == kind);
    found.ok_or_else(|| Interrupted::Missing(format!("kind of policy {kind}")))
}

fn page(
    visit: &Visit,
    at: Revision,
    kind: &'static Kind,
    name: String,
    content: String,
    (mistakes, violations): (Mistakes, Vec<Violation>),
) -> Result<Response, Interrupted> {
    let shell = at
        .shell(visit, format!("Add {}", kind.kind))
        .crumb("Add a policy", format!("{}/new-policy", at.href()));
    html(&NewPolicyPage { shell, at, kind, name, content, mistakes, violations })
}

async fn write(open: Open) -> Result<Response, Interrupted> {
    let kind = open.part("kind");
    let Open { visit, at, .. } = open;
    let kind = known(&kind)?;
    page(&visit, at, kind, String::new(), template(&kind.kind), (Mistakes::default(), Vec::new()))
}

async fn add(
    open: Open,
    State(console): State<Arc<Console>>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let kind = open.part("kind");
    let Open { visit, wire, at, .. } = open;
    let kind = known(&kind)?;
    let (called, content) = (typed.trimmed("name").to_owned(), unix_lines(typed.get("content")));
    let mut mistakes = Mistakes::default();
    mistakes.needs(&typed, "name", "Give the policy a name: steps refer to it.");
    let mut said = (mistakes, Vec::new());
    if said.0.none() {
        let payload = Payload { content_type: "application/xml", bytes: content.clone().into() };
        let piece = format!("policies?name={}", escape(&called));
        match at.save_bytes(&console, &wire, Method::POST, &piece, payload).await {
            Ok(landed) => {
                let to = format!("{}/policies/{}?done=created", at.href_of(&landed), escape(&called));
                return Ok(Redirect::to(&to).into_response());
            }
            Err(problem) if problem.is_signed_out() => return Err(Interrupted::SignIn),
            Err(problem) if problem.message.contains("exists already") => {
                said.0.field("name", problem.sentence());
            }
            Err(problem) => said = landing::refused(problem),
        }
    }
    let page = page(&visit, at, kind, called, content, said)?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}

#[cfg(test)]
mod tests {
    use crate::testing::{Browser, bundles};

    #[tokio::test]
    async fn a_policy_is_added_from_the_template_of_its_kind() {
        let (browser, _) = Browser::before_management().await;
        browser.import(&bundles::hello("A"), "Hello", false).await;
        let at = "/console/proxies/Hello/revisions/1";
        let kinds = browser.get(&format!("{at}/new-policy")).await;
        kinds.expect(200).has("new-policy/Quota").has("Security").has("Traffic").has("SpikeArrest");
        let path = format!("{at}/new-policy/SpikeArrest");
        let form = browser.get(&path).await;
        form.expect(200).has("&#60;Rate&#62;");
        let xml = "<SpikeArrest><Rate>30pm</Rate></SpikeArrest>";
        browser
            .submit(&form, &path, &[("name", ""), ("content", xml)])
            .await
            .expect(400)
            .has("Give the policy a name");
        let bad = "<SpikeArrest><Rate>often</Rate></SpikeArrest>";
        browser
            .submit(&form, &path, &[("name", "Slow"), ("content", bad)])
            .await
            .expect(400)
            .has("InvalidAllowedRate");
        let done = browser.submit(&form, &path, &[("name", "Slow"), ("content", xml)]).await;
        browser.get(done.redirect()).await.has("Created").has("No step names it");
        browser
            .submit(&form, &path, &[("name", "Slow"), ("content", xml)])
            .await
            .expect(400)
            .has("exists already");
        browser.get(&format!("{at}/new-policy/Nothing")).await.expect(404);
    }

    #[tokio::test]
    async fn every_template_is_a_policy_that_can_be_saved_once_what_it_names_is_there() {
        let (browser, _) = Browser::before_management().await;
        browser.import(&bundles::whole(), "Hello", false).await;
        let at = "/console/proxies/Hello/revisions/1";
        let form = browser.get(&format!("{at}/new-policy/Quota")).await;
        let mut failed = Vec::new();
        let own = |kind: &&super::Kind| super::super::templates::has_template(&kind.kind);
        for kind in super::kinds().iter().filter(own) {
            let path = format!("{at}/new-policy/{}", kind.kind);
            let xml = super::template(&kind.kind);
            let name = format!("New{}", kind.kind);
            let answer = browser.submit(&form, &path, &[("name", &name), ("content", &xml)]).await;
            if answer.header("location").is_empty() {
                failed.push((kind.kind.as_str(), answer.said()));
            }
        }
        failed.retain(|(kind, why)| match *kind {
            "FlowCallout" => !why.contains("there is no shared flow"),
            "OpenConnectorCallout" => !why.contains("needs an APIProvider"),
            "Script" | "XSL" | "OASValidation" => !why.contains("example."),
            _ => true,
        });
        assert!(failed.is_empty(), "{failed:#?}");
    }
}
