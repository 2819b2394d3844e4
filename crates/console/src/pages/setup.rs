//! First start: the organization and its administrator, against a one-time setup code.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use super::login;
use crate::Console;
use crate::fields::{Fields, Mistakes};
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::visit::Visit;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/setup", get(setup_page).post(set_up))
}

#[derive(Template)]
#[template(path = "pages/setup.html")]
struct SetupPage {
    shell: Shell,
    typed: Fields,
    mistakes: Mistakes,
}

#[derive(Deserialize)]
struct SetupNeeded {
    needed: bool,
}

async fn setup_page(visit: Visit, State(console): State<Arc<Console>>) -> Result<Response, Interrupted> {
    let setup: SetupNeeded = console.anonymous().get("/api/v1/setup").await?;
    if !setup.needed {
        return Ok(Redirect::to("/console").into_response());
    }
    html(&SetupPage {
        shell: Shell::new(&visit, "Set up Pierhead", Place::Elsewhere),
        typed: Fields::default(),
        mistakes: Mistakes::default(),
    })
}

async fn set_up(
    visit: Visit,
    State(console): State<Arc<Console>>,
    Posted(typed): Posted,
) -> Result<Response, Interrupted> {
    let mut mistakes = Mistakes::default();
    mistakes.needs(&typed, "code", "Copy the setup code from the server's output.");
    mistakes.needs(&typed, "organization", "Give the organization a name.");
    mistakes.needs(&typed, "email", "Enter an email address.");
    mistakes.needs(&typed, "password", "Choose a password.");
    if mistakes.none() {
        let body = json!({
            "code": typed.trimmed("code"),
            "organization": typed.trimmed("organization"),
            "email": typed.trimmed("email"),
            "password": typed.get("password"),
        });
        match console.anonymous().send(Method::POST, "/api/v1/setup", Some(&body)).await {
            Ok(_) => {
                let user =
                    login::authenticate(&console, typed.trimmed("email"), typed.get("password")).await?;
                return Ok(login::signed_in(&console, &user, "/console"));
            }
            Err(problem) => {
                let fields = [
                    ("setup code", "code"),
                    ("code", "code"),
                    ("organization", "organization"),
                    ("email", "email"),
                    ("password", "password"),
                ];
                problem.onto(&mut mistakes, &fields);
            }
        }
    }
    let shell = Shell::new(&visit, "Set up Pierhead", Place::Elsewhere);
    Ok((StatusCode::BAD_REQUEST, html(&SetupPage { shell, typed, mistakes })?).into_response())
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    const TYPED: &[(&str, &str)] =
        &[("organization", "Harbour"), ("email", "ada@example.com"), ("password", "Right-1!")];

    #[tokio::test]
    async fn a_new_installation_asks_for_its_administrator_first() {
        let browser = Browser::visitor();
        browser.control().forget_administrator();
        assert_eq!(browser.get("/console/login").await.redirect(), "/console/setup");

        let form = browser.get("/console/setup").await;
        let wrong = browser.submit(&form, "/console/setup", &[TYPED, &[("code", "0000")]].concat()).await;
        wrong
            .expect(400)
            .has("id=\"f-code-error\">code is not the setup code")
            .has("value=\"Harbour\"")
            .has_not("Right-1!");

        let done =
            browser.submit(&form, "/console/setup", &[TYPED, &[("code", "setup-code")]].concat()).await;
        assert_eq!(done.redirect(), "/console");
        browser.get("/console").await.expect(200);
    }

    #[tokio::test]
    async fn setup_is_over_once_there_is_an_administrator() {
        assert_eq!(Browser::visitor().get("/console/setup").await.redirect(), "/console");
    }
}
