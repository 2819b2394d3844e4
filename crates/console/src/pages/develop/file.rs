//! Resource files of a revision: scripts, stylesheets, schemas.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use super::policy::unix_lines;
use super::{Open, Revision, Subject, landing};
use crate::Console;
use crate::fields::{Fields, Mistakes};
use crate::interrupted::Interrupted;
use crate::pages::confirm::SurePage;
use crate::posted::Posted;
use crate::shell::{Shell, html};
use crate::visit::Visit;
use crate::wire::{Payload, Violation, escape};

pub(super) fn routes(of: Subject) -> Router<Arc<Console>> {
    let at = format!("{}/{{name}}/revisions/{{revision}}", of.pages());
    Router::new()
        .route(&format!("{at}/new-file"), get(new).post(add))
        .route(&format!("{at}/files/{{kind}}/{{file}}"), get(show).post(save))
        .route(&format!("{at}/files/{{kind}}/{{file}}/delete"), get(ask).post(delete))
}

/// Types of files that a person writes, with what they hold.
const TYPES: &[(&str, &str)] = &[
    ("jsc", "JavaScript"),
    ("py", "Python script"),
    ("xsl", "XSL stylesheet"),
    ("xsd", "XML Schema"),
    ("wsdl", "WSDL"),
    ("oas", "OpenAPI description"),
    ("properties", "Property set"),
];

#[derive(Template)]
#[template(path = "pages/file.html")]
struct FilePage {
    shell: Shell,
    at: Revision,
    /// Empty for a new one.
    name: String,
    kind: String,
    /// `None` when it is not text.
    content: Option<String>,
    typed: Fields,
    mistakes: Mistakes,
    violations: Vec<Violation>,
}

impl FilePage {
    fn lines(&self) -> String {
        landing::lines(&self.violations)
    }

    fn types(&self) -> &'static [(&'static str, &'static str)] {
        TYPES
    }

    fn page_of_file(&self) -> String {
        page_of(&self.at, &self.kind, &self.name)
    }
}

fn page_of(at: &Revision, kind: &str, name: &str) -> String {
    format!("{}/files/{}/{}", at.href(), escape(kind), escape(name))
}

fn piece(kind: &str, name: &str) -> String {
    format!("resourcefiles/{}/{}", escape(kind), escape(name))
}

fn page(
    visit: &Visit,
    at: Revision,
    (kind, name): (String, String),
    content: Option<String>,
    typed: Fields,
    (mistakes, violations): (Mistakes, Vec<Violation>),
) -> Result<Response, Interrupted> {
    let shell = at.shell(visit, if name.is_empty() { "Add a file" } else { &name });
    html(&FilePage { shell, at, name, kind, content, typed, mistakes, violations })
}

fn nothing() -> (Mistakes, Vec<Violation>) {
    (Mistakes::default(), Vec::new())
}

async fn show(open: Open, State(console): State<Arc<Console>>) -> Result<Response, Interrupted> {
    let kind = open.part("kind");
    let file = open.part("file");
    let Open { visit, wire, at, .. } = open;
    let path = at.path(&console);
    let answer = wire.send(Method::GET, &format!("{path}/{}", piece(&kind, &file)), None).await?;
    let content = String::from_utf8(answer.body.to_vec()).ok();
    page(&visit, at, (kind, file), content, Fields::default(), nothing())
}

async fn new(open: Open) -> Result<Response, Interrupted> {
    let Open { visit, at, .. } = open;
    page(&visit, at, (String::new(), String::new()), Some(String::new()), Fields::default(), nothing())
}

async fn add(
    open: Open,
    State(console): State<Arc<Console>>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let Open { visit, wire, at, .. } = open;
    let (kind, file) = (typed.trimmed("type").to_owned(), typed.trimmed("name").to_owned());
    let content = unix_lines(typed.get("content"));
    let mut said = nothing();
    said.0.needs(&typed, "name", "Give the file a name, with its extension.");
    if said.0.none() {
        let payload = Payload { content_type: "application/octet-stream", bytes: content.clone().into() };
        let piece = format!("resourcefiles?type={}&name={}", escape(&kind), escape(&file));
        match at.save_bytes(&console, &wire, Method::POST, &piece, payload).await {
            Ok(landed) => {
                let to = format!("{}?done=created", at.href_of(&landed));
                return Ok(Redirect::to(&to).into_response());
            }
            Err(problem) if problem.is_signed_out() => return Err(Interrupted::SignIn),
            Err(problem) if problem.violations.is_empty() => {
                problem.onto(&mut said.0, &[("exists already", "name"), ("type", "type"), ("name", "name")]);
            }
            Err(problem) => said = landing::refused(problem),
        }
    }
    let page = page(&visit, at, (kind, String::new()), Some(content), typed, said)?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}

async fn save(
    open: Open,
    State(console): State<Arc<Console>>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let kind = open.part("kind");
    let file = open.part("file");
    let Open { visit, wire, at, .. } = open;
    let content = unix_lines(typed.get("content"));
    let payload = Payload { content_type: "application/octet-stream", bytes: content.clone().into() };
    match at.save_bytes(&console, &wire, Method::PUT, &piece(&kind, &file), payload).await {
        Ok(landed) => {
            let landed = Revision { number: landed, ..at };
            Ok(Redirect::to(&format!("{}?done=saved", page_of(&landed, &kind, &file))).into_response())
        }
        Err(problem) if problem.is_signed_out() => Err(Interrupted::SignIn),
        Err(problem) => {
            let said = landing::refused(problem);
            let page = page(&visit, at, (kind, file), Some(content), typed, said)?;
            Ok((StatusCode::BAD_REQUEST, page).into_response())
        }
    }
}

async fn ask(open: Open) -> Result<Response, Interrupted> {
    let (kind, file) = (open.part("kind"), open.part("file"));
    let Open { visit, wire, at, .. } = open;
    let back = page_of(&at, &kind, &file);
    html(&SurePage {
        shell: at.shell(&visit, "Delete").crumb(&file, &back).behind(&wire),
        question: format!("Delete the file {kind}://{file}?"),
        sentence: format!("Policies that refer to it keep it from going. {}", at.landing()),
        used_by: Vec::new(),
        verb: "Delete",
        back,
        danger: true,
    })
}

async fn delete(
    open: Open,
    State(console): State<Arc<Console>>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let kind = open.part("kind");
    let file = open.part("file");
    let Open { visit, wire, at, .. } = open;
    match at.remove(&console, &wire, &piece(&kind, &file)).await {
        Ok(landed) => Ok(Redirect::to(&format!("{}?done=deleted", at.href_of(&landed))).into_response()),
        Err(problem) if problem.is_signed_out() => Err(Interrupted::SignIn),
        Err(problem) => {
            let path = at.path(&console);
            let answer = wire.send(Method::GET, &format!("{path}/{}", piece(&kind, &file)), None).await?;
            let content = String::from_utf8(answer.body.to_vec()).ok();
            let page = page(&visit, at, (kind, file), content, typed, landing::refused(problem))?;
            Ok((StatusCode::BAD_REQUEST, page).into_response())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Browser, bundles};

    #[tokio::test]
    async fn a_script_is_added_edited_and_deleted() {
        let (browser, _) = Browser::before_management().await;
        browser.import(&bundles::whole(), "Whole", false).await;
        let at = "/console/proxies/Whole/revisions/1";
        let page = browser.get(&format!("{at}/files/jsc/a.js")).await;
        page.expect(200).has("var a = 1;").has("not deployed");
        let path = format!("{at}/files/jsc/a.js");
        let refused = browser.submit(&page, &path, &[("content", "var = (")]).await;
        refused.expect(400).has("Nothing was saved").has("var = (");
        let done = browser.submit(&page, &path, &[("content", "var a = 2;\r\n")]).await;
        browser.get(done.redirect()).await.has("var a = 2;").has("Saved");

        let form = browser.get(&format!("{at}/new-file")).await;
        let typed = [("type", "jsc"), ("name", "b.js"), ("content", "var b;")];
        let done = browser.submit(&form, &format!("{at}/new-file"), &typed).await;
        browser.get(done.redirect()).await.has("files/jsc/b.js");
        browser.submit(&form, &format!("{at}/new-file"), &typed).await.expect(400).has("exists already");
        let done = browser.submit(&form, &format!("{at}/files/jsc/b.js/delete"), &[]).await;
        browser.get(done.redirect()).await.has_not("files/jsc/b.js");
        browser.submit(&form, &format!("{path}/delete"), &[]).await.expect(400).has("Nothing was saved");
        browser.get(&format!("{at}/files/jsc/none.js")).await.expect(404);
    }
}
