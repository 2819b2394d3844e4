//! Revisions of an API proxy: which one runs, deploying another one, and every one as a zip of either dialect.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, Method};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use super::confirm::SurePage;
use crate::Console;
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::visit::SignedIn;
use crate::wire::{Revisions, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/proxies/{name}/revisions", get(list))
        .route("/console/proxies/{name}/revisions/{revision}/deploy", get(ask_deploy).post(deploy))
        .route("/console/proxies/{name}/revisions/{revision}/undeploy", get(ask_undeploy).post(undeploy))
        .route("/console/proxies/{name}/revisions/{revision}/delete", get(ask_delete).post(delete))
        .route("/console/proxies/{name}/revisions/{revision}/export", get(export))
}

#[derive(Template)]
#[template(path = "pages/revisions.html")]
struct RevisionsPage {
    shell: Shell,
    name: String,
    href: String,
    revisions: Revisions,
}

impl RevisionsPage {
    /// Whether deploying `revision` takes a newer one off.
    fn is_rollback(&self, revision: &str) -> bool {
        let number = |text: &str| text.parse::<u64>().unwrap_or(0);
        number(revision) < number(&self.revisions.live)
    }
}

async fn list(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
) -> Result<Response, Interrupted> {
    let revisions = wire.revisions(&console.gateway, "apis", &name).await?;
    let href = format!("/console/proxies/{}", escape(&name));
    let shell = Shell::new(&visit, "Revisions", Place::Proxies)
        .crumb("API proxies", "/console/proxies")
        .crumb(&name, &href)
        .behind(&wire);
    html(&RevisionsPage { shell, name, href, revisions })
}

async fn ask_deploy(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path((name, revision)): Path<(String, String)>,
) -> Result<Response, Interrupted> {
    let revisions = wire.revisions(&console.gateway, "apis", &name).await?;
    let sentence = match revisions.live.as_str() {
        "" => "The gateway begins to answer for it.".to_owned(),
        live if live == revision => {
            "It is deployed already; it is compiled again and put in place.".to_owned()
        }
        live => format!(
            "It takes the place of revision {live}. Requests under way finish with the old one; no request fails, and \
             revision {live} can be deployed again."
        ),
    };
    let question = format!("Deploy revision {revision} of {name}?");
    sure(&visit, &name, question, sentence, "Deploy", false)
}

async fn ask_undeploy(
    SignedIn { visit, .. }: SignedIn,
    Path((name, revision)): Path<(String, String)>,
) -> Result<Response, Interrupted> {
    let question = format!("Undeploy revision {revision} of {name}?");
    let sentence =
        "The gateway stops answering for it at once: clients get 404 until a revision is deployed again.";
    sure(&visit, &name, question, sentence.to_owned(), "Undeploy", true)
}

async fn ask_delete(
    SignedIn { visit, .. }: SignedIn,
    Path((name, revision)): Path<(String, String)>,
) -> Result<Response, Interrupted> {
    let question = format!("Delete revision {revision} of {name}?");
    let sentence = "It cannot be brought back. Save it as a zip first if it may be wanted again.";
    sure(&visit, &name, question, sentence.to_owned(), "Delete", true)
}

fn sure(
    visit: &crate::visit::Visit,
    name: &str,
    question: String,
    sentence: String,
    verb: &'static str,
    danger: bool,
) -> Result<Response, Interrupted> {
    let href = format!("/console/proxies/{}", escape(name));
    let shell =
        Shell::new(visit, verb, Place::Proxies).crumb("API proxies", "/console/proxies").crumb(name, &href);
    let (used_by, back) = (Vec::new(), format!("{href}/revisions"));
    html(&SurePage { shell, question, sentence, used_by, verb, back, danger })
}

async fn deploy(
    SignedIn { wire, .. }: SignedIn,
    State(console): State<Arc<Console>>,
    Path((name, revision)): Path<(String, String)>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    let path = format!("{}?override=true", console.gateway.deployment("apis", &name, &revision));
    wire.send(Method::POST, &path, None).await?;
    Ok(Redirect::to(&format!("/console/proxies/{}/revisions?done=rolled-back", escape(&name)))
        .into_response())
}

async fn undeploy(
    SignedIn { wire, .. }: SignedIn,
    State(console): State<Arc<Console>>,
    Path((name, revision)): Path<(String, String)>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    wire.send(Method::DELETE, &console.gateway.deployment("apis", &name, &revision), None).await?;
    Ok(Redirect::to(&format!("/console/proxies/{}/revisions?done=undeployed", escape(&name))).into_response())
}

async fn delete(
    SignedIn { wire, .. }: SignedIn,
    State(console): State<Arc<Console>>,
    Path((name, revision)): Path<(String, String)>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    wire.send(Method::DELETE, &console.gateway.revision("apis", &name, &revision), None).await?;
    Ok(Redirect::to(&format!("/console/proxies/{}/revisions?done=deleted", escape(&name))).into_response())
}

/// The zip of a revision, in the dialect of the query.
async fn export(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path((name, revision)): Path<(String, String)>,
) -> Result<Response, Interrupted> {
    let dialect = if visit.query.get("dialect") == "sap" { "sap" } else { "apigee" };
    let at = console.gateway.revision("apis", &name, &revision);
    zip(&wire, &format!("{at}?format=bundle&dialect={dialect}"), &format!("{name}-{revision}-{dialect}.zip"))
        .await
}

/// Passes a zip of the wire on, to be saved.
pub(super) async fn zip(wire: &crate::wire::Wire, path: &str, file: &str) -> Result<Response, Interrupted> {
    let answer = wire.send(Method::GET, path, None).await?;
    let mut response = answer.body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    let disposition = format!("attachment; filename*=UTF-8''{}", escape(file));
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use crate::testing::{Browser, bundles};

    async fn imported(browser: &Browser, value: &str) {
        let form = browser.get("/console/proxies/import").await;
        let to = browser.upload(&form, "/console/proxies/import", "h.zip", &bundles::hello(value)).await;
        let at = to.redirect().to_owned();
        let report = browser.get(&at).await;
        browser.submit(&report, &at, &[("name", "Hello"), ("deploy", "on")]).await.redirect();
    }

    #[tokio::test]
    async fn an_older_revision_is_deployed_again_after_a_question() {
        let (browser, real) = Browser::before_management().await;
        imported(&browser, "A").await;
        imported(&browser, "B").await;
        let live = || real.snapshots.load().proxy("Hello").map(|proxy| proxy.revision.to_string());
        assert_eq!(live().as_deref(), Some("2"));
        let page = browser.get("/console/proxies/Hello/revisions").await;
        page.expect(200).has("Roll back to it").has("revisions/1/export?dialect=sap");
        let ask = browser.get("/console/proxies/Hello/revisions/1/deploy").await;
        ask.expect(200).has("takes the place of revision 2");
        let done = browser.submit(&ask, "/console/proxies/Hello/revisions/1/deploy", &[]).await;
        browser.get(done.redirect()).await.has("the chosen revision now");
        assert_eq!(live().as_deref(), Some("1"));

        let ask = browser.get("/console/proxies/Hello/revisions/1/undeploy").await;
        browser.submit(&ask, "/console/proxies/Hello/revisions/1/undeploy", &[]).await.redirect();
        assert_eq!(live(), None);
        browser.submit(&ask, "/console/proxies/Hello/revisions/1/delete", &[]).await.redirect();
        browser.get("/console/proxies/Hello/revisions").await.has_not("revisions/1/export");
        browser.get("/console/proxies/None/revisions").await.expect(404);
    }

    #[tokio::test]
    async fn a_revision_is_saved_as_a_zip_of_either_dialect() {
        let (browser, _) = Browser::before_management().await;
        imported(&browser, "A").await;
        for (dialect, root) in [("sap", "APIProxy/"), ("apigee", "apiproxy/")] {
            let zip =
                browser.bytes(&format!("/console/proxies/Hello/revisions/1/export?dialect={dialect}")).await;
            let files = pierhead_bundle::read_archive(&zip, &pierhead_bundle::Limits::default()).unwrap();
            assert!(files.iter().all(|(path, _)| path.starts_with(root)), "{files:?}");
        }
    }
}
