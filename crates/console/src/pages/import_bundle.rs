//! Importing a bundle: choose a zip, read the report, then import it.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;

use crate::Console;
use crate::fields::{Fields, Mistakes};
use crate::interrupted::Interrupted;
use crate::pending_bundles::PendingBundle;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::uploaded::Uploaded;
use crate::visit::{SignedIn, Visit, random_word};
use crate::wire::{Payload, Report, Revisions, Wire, WireProblem, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/proxies/import", get(choose).post(look))
        .route("/console/proxies/import/{word}", get(report).post(import))
}

/// Where a bundle is read without being kept.
const VALIDATE: &str = "/apiportal/api/1.0/Transport.svc/APIProxies?validate=true";
const ZIP: &str = "application/octet-stream";

#[derive(Template)]
#[template(path = "pages/import.html")]
struct ChoosePage {
    shell: Shell,
    mistakes: Mistakes,
}

#[derive(Template)]
#[template(path = "pages/import_report.html")]
struct ReportPage {
    shell: Shell,
    report: Report,
    file: String,
    size_kib: usize,
    /// The name in the form.
    name: String,
    /// Revisions of what has this name already.
    known: Revisions,
    deploy: bool,
    mistakes: Mistakes,
}

impl ReportPage {
    /// The address of what would be made or changed.
    fn href(&self) -> String {
        object_page(&self.report, &self.name)
    }

    fn importable(&self) -> bool {
        !self.report.refused() && kind(&self.report).is_some()
    }
}

/// The collection that a bundle of this kind goes into.
fn kind(report: &Report) -> Option<&'static str> {
    match report.kind.as_str() {
        "API proxy" => Some("apis"),
        "shared flow" => Some("sharedflows"),
        _ => None,
    }
}

fn object_page(report: &Report, name: &str) -> String {
    match kind(report) {
        Some("sharedflows") => format!("/console/shared-flows/{}", escape(name)),
        _ => format!("/console/proxies/{}", escape(name)),
    }
}

fn shell(visit: &Visit, title: impl Into<String>) -> Shell {
    Shell::new(visit, title, Place::Proxies).crumb("API proxies", "/console/proxies")
}

async fn choose(SignedIn { visit, wire }: SignedIn) -> Result<Response, Interrupted> {
    choose_page(&visit, &wire, Mistakes::default())
}

fn choose_page(visit: &Visit, wire: &Wire, mistakes: Mistakes) -> Result<Response, Interrupted> {
    let sends = wire.shown_call(&Method::POST, VALIDATE, None).with_file(ZIP);
    html(&ChoosePage { shell: shell(visit, "Import a bundle").sends(sends), mistakes })
}

/// Reads the zip once, keeps it for the person, and leads to its report.
async fn look(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    upload: Uploaded,
) -> Result<Response, Interrupted> {
    let mut mistakes = Mistakes::default();
    if upload.bytes.is_empty() {
        mistakes.field("file", "Choose a zip file.");
    } else if let Err(problem) = examine(&wire, upload.stem(), upload.bytes.clone()).await {
        if problem.is_signed_out() {
            return Err(Interrupted::SignIn);
        }
        mistakes.field("file", problem.sentence());
    }
    if !mistakes.none() {
        let page = choose_page(&visit, &wire, mistakes)?;
        return Ok((StatusCode::BAD_REQUEST, page).into_response());
    }
    let word = random_word(&console);
    let bundle = PendingBundle {
        session: visit.form_token.clone(),
        stem: upload.stem().to_owned(),
        zip: upload.bytes,
        sent_at: console.clock.now(),
    };
    console.bundles.keep(&word, bundle);
    Ok(Redirect::to(&format!("/console/proxies/import/{word}")).into_response())
}

async fn examine(wire: &Wire, stem: &str, zip: Bytes) -> Result<Report, WireProblem> {
    let path = match stem {
        "" => VALIDATE.to_owned(),
        stem => format!("{VALIDATE}&name={}", escape(stem)),
    };
    wire.send_bytes(Method::POST, &path, Payload { content_type: ZIP, bytes: zip }).await?.json()
}

fn pending(console: &Console, visit: &Visit, word: &str) -> Result<PendingBundle, Interrupted> {
    let found = console.bundles.peek(word, &visit.form_token, console.clock.now());
    found.ok_or_else(|| Interrupted::Missing("such upload any more: send the file again".into()))
}

async fn report(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(word): Path<String>,
) -> Result<Response, Interrupted> {
    let bundle = pending(&console, &visit, &word)?;
    let report = examine(&wire, &bundle.stem, bundle.zip.clone()).await?;
    let name = report.name.clone();
    html(&page(&console, &visit, &wire, &bundle, report, name, true, Mistakes::default()).await?)
}

#[expect(clippy::too_many_arguments, reason = "one page, made in two places")]
async fn page(
    console: &Console,
    visit: &Visit,
    wire: &Wire,
    bundle: &PendingBundle,
    report: Report,
    name: String,
    deploy: bool,
    mistakes: Mistakes,
) -> Result<ReportPage, Interrupted> {
    let known = match kind(&report) {
        Some(_) if name.is_empty() => Ok(Revisions::default()),
        Some("apis") => wire.revisions(&console.gateway, "apis", &name).await,
        Some(_) => wire.revisions(&console.gateway, "sharedflows", &name).await,
        None => Ok(Revisions::default()),
    };
    let known = match known {
        Err(problem) if problem.status == 404 => Revisions::default(),
        known => known?,
    };
    let shell = shell(visit, format!("Import {}", report.name))
        .crumb("Import a bundle", "/console/proxies/import")
        .behind(wire);
    let (file, size_kib) = (format!("{}.zip", bundle.stem), bundle.zip.len().div_ceil(1024));
    Ok(ReportPage { shell, report, file, size_kib, name, known, deploy, mistakes })
}

async fn import(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(word): Path<String>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let bundle = pending(&console, &visit, &word)?;
    let report = examine(&wire, &bundle.stem, bundle.zip.clone()).await?;
    let name = typed.trimmed("name").to_owned();
    let mut mistakes = Mistakes::default();
    mistakes.needs(&typed, "name", "Give it a name.");
    if mistakes.none() {
        match keep(&console, &wire, &report, &bundle, &name, &typed).await {
            Ok(done) => {
                console.bundles.forget(&word);
                let to = format!("{}?done={done}", object_page(&report, &name));
                return Ok(Redirect::to(&to).into_response());
            }
            Err(problem) if problem.is_signed_out() => return Err(Interrupted::SignIn),
            Err(problem) => problem.onto(&mut mistakes, &[("name", "name")]),
        }
    }
    let deploy = typed.ticked("deploy");
    let page = page(&console, &visit, &wire, &bundle, report, name, deploy, mistakes).await?;
    Ok((StatusCode::BAD_REQUEST, html(&page)?).into_response())
}

/// Imports and perhaps deploys; the code of what was done.
async fn keep(
    console: &Console,
    wire: &Wire,
    report: &Report,
    bundle: &PendingBundle,
    name: &str,
    typed: &Fields,
) -> Result<&'static str, WireProblem> {
    let kind = kind(report).unwrap_or("apis");
    let path = console.gateway.below(&format!("/{kind}?action=import&name={}", escape(name)));
    let payload = Payload { content_type: ZIP, bytes: bundle.zip.clone() };
    let made: serde_json::Value = wire.send_bytes(Method::POST, &path, payload).await?.json()?;
    if !typed.ticked("deploy") {
        return Ok("imported");
    }
    let revision = made["revision"].as_str().unwrap_or_default();
    let path = format!("{}?override=true", console.gateway.deployment(kind, name, revision));
    match wire.send(Method::POST, &path, None).await {
        Ok(_) => Ok("deployed"),
        Err(mut problem) => {
            problem.message =
                format!("Imported as revision {revision}, but not deployed: {}", problem.message);
            Err(problem)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Browser, bundles};

    #[tokio::test]
    async fn a_bundle_is_reported_before_it_is_kept_and_imported_after() {
        let (browser, real) = Browser::before_management().await;
        let form = browser.get("/console/proxies/import").await;
        form.expect(200).has("multipart/form-data").has("validate=true");
        let to = browser.upload(&form, "/console/proxies/import", "hello.zip", &bundles::hello("A")).await;
        let at = to.redirect().to_owned();
        let report = browser.get(&at).await;
        report.expect(200).has("value=\"Hello\"").has("Runs").has("Greet").has("AssignMessage");
        report.has("apiproxy/proxies/default.xml:").has("first revision");
        browser.get("/console/proxies").await.has("No API proxy yet");

        let done = browser.submit(&report, &at, &[("name", "Greeter"), ("deploy", "on")]).await;
        assert_eq!(done.redirect(), "/console/proxies/Greeter?done=deployed");
        assert_eq!(&*real.snapshots.load().proxy("Greeter").unwrap().revision, "1");
        browser.get(&at).await.expect(404);

        let again =
            browser.upload(&form, "/console/proxies/import", "Greeter.zip", &bundles::hello("B")).await;
        let at = again.redirect().to_owned();
        let report = browser.get(&at).await;
        let done = browser.submit(&report, &at, &[("name", "Greeter")]).await;
        assert_eq!(done.redirect(), "/console/proxies/Greeter?done=imported");
        assert_eq!(&*real.snapshots.load().proxy("Greeter").unwrap().revision, "1", "what runs stays");
    }

    #[tokio::test]
    async fn a_broken_bundle_shows_file_line_and_rule_and_cannot_be_imported() {
        let (browser, _) = Browser::before_management().await;
        let form = browser.get("/console/proxies/import").await;
        let to = browser.upload(&form, "/console/proxies/import", "bad.zip", &bundles::broken()).await;
        let report = browser.get(to.redirect()).await;
        report.expect(200).has("Cannot be deployed").has("policies/Greet.xml:2").has("Colour");
        report.has_not("name=\"deploy\"");
    }

    #[tokio::test]
    async fn a_degraded_bundle_marks_its_step() {
        let (browser, _) = Browser::before_management().await;
        let form = browser.get("/console/proxies/import").await;
        let to = browser.upload(&form, "/console/proxies/import", "java.zip", &bundles::degraded()).await;
        browser
            .get(to.redirect())
            .await
            .expect(200)
            .has("Runs degraded")
            .has("JavaCallout")
            .has("Does not run");
    }

    #[tokio::test]
    async fn what_is_no_zip_is_said_beside_the_field_and_nobody_elses_upload_is_seen() {
        let (browser, _) = Browser::before_management().await;
        let form = browser.get("/console/proxies/import").await;
        let path = "/console/proxies/import";
        browser.upload(&form, path, "a.zip", b"hello").await.expect(400).has("inside the zip");
        browser.upload(&form, path, "", b"").await.expect(400).has("Choose a zip file");
        let to = browser.upload(&form, path, "hello.zip", &bundles::hello("A")).await;
        let other = browser.another_session().await;
        other.get(to.redirect()).await.expect(404);
        let stale = browser.upload_with("wrong", path, "a.zip", b"PK").await;
        stale.expect(403);
    }
}
