//! Signing in and out.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;

use crate::Console;
use crate::cookies;
use crate::fields::Mistakes;
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::visit::{SignedIn, Visit, Who};
use crate::wire::{SignedInUser, WireProblem};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/login", get(login_page).post(sign_in))
        .route("/console/logout", post(sign_out))
}

#[derive(Template)]
#[template(path = "pages/login.html")]
struct LoginPage {
    shell: Shell,
    email: String,
    back: String,
    mistakes: Mistakes,
}

#[derive(Deserialize)]
struct SetupNeeded {
    needed: bool,
}

async fn login_page(visit: Visit, State(console): State<Arc<Console>>) -> Result<Response, Interrupted> {
    let setup = console.anonymous().get::<SetupNeeded>("/api/v1/setup").await;
    if setup.is_ok_and(|setup| setup.needed) {
        return Ok(Redirect::to("/console/setup").into_response());
    }
    html(&LoginPage {
        shell: Shell::new(&visit, "Sign in", Place::Elsewhere),
        email: String::new(),
        back: visit.query.get("return").to_owned(),
        mistakes: Mistakes::default(),
    })
}

async fn sign_in(
    visit: Visit,
    State(console): State<Arc<Console>>,
    Posted(fields): Posted,
) -> Result<Response, Interrupted> {
    let email = fields.trimmed("email");
    let mut mistakes = Mistakes::default();
    mistakes.needs(&fields, "email", "Enter the email address of your user.");
    if fields.get("password").is_empty() {
        mistakes.field("password", "Enter your password.");
    }
    let mut status = StatusCode::BAD_REQUEST;
    if mistakes.none() {
        match authenticate(&console, email, fields.get("password")).await {
            Ok(user) => return Ok(signed_in(&console, &user, fields.get("return"))),
            Err(problem) => {
                status = problem.status;
                let mut shown = problem;
                if shown.is_signed_out() {
                    shown.message = "The email or the password is not right.".into();
                }
                shown.onto(&mut mistakes, &[]);
            }
        }
    }
    let page = html(&LoginPage {
        shell: Shell::new(&visit, "Sign in", Place::Elsewhere),
        email: email.to_owned(),
        back: fields.get("return").to_owned(),
        mistakes,
    })?;
    Ok((status, page).into_response())
}

/// Logs in on the wire.
pub(super) async fn authenticate(
    console: &Console,
    email: &str,
    password: &str,
) -> Result<SignedInUser, WireProblem> {
    let body = json!({"username": email, "password": password});
    let answer =
        console.anonymous().send(Method::POST, "/elements/api-v2/authentication", Some(&body)).await?;
    let mut user: SignedInUser = answer.json()?;
    if user.username.is_empty() {
        user.username = email.to_owned();
    }
    Ok(user)
}

/// Starts the session and goes where the person wanted to go.
pub(super) fn signed_in(console: &Console, user: &SignedInUser, back: &str) -> Response {
    let name = format!("{} {}", user.first_name, user.last_name);
    let who = Who {
        name: if name.trim().is_empty() { user.username.clone() } else { name.trim().to_owned() },
        email: user.username.clone(),
        organization: user.organization_name.clone(),
    };
    let secure = console.secure();
    let lines = [
        cookies::write(cookies::SESSION, &cookies::encode(&user.token), None, secure),
        cookies::write(cookies::WHO, &who.signed(console), None, secure),
        cookies::forget(cookies::FORM, secure),
    ];
    (set(&lines), Redirect::to(own_page(back))).into_response()
}

/// Ends the login on the wire too. Were that to fail, the cookie is gone all the same.
async fn sign_out(
    SignedIn { wire, .. }: SignedIn,
    State(console): State<Arc<Console>>,
    Posted(_): Posted,
) -> Response {
    if let Err(problem) = wire.send(Method::DELETE, "/api/v1/session", None).await {
        tracing::warn!(%problem, "a login could not be ended");
    }
    let secure = console.secure();
    let lines = [cookies::forget(cookies::SESSION, secure), cookies::forget(cookies::WHO, secure)];
    (set(&lines), Redirect::to("/console/login?done=signed-out")).into_response()
}

fn set(lines: &[String]) -> AppendHeaders<Vec<(axum::http::HeaderName, HeaderValue)>> {
    AppendHeaders(lines.iter().filter_map(|line| Some((SET_COOKIE, line.parse().ok()?))).collect())
}

/// A return address, if it is a page of ours: nobody is sent elsewhere by a link to the login page.
pub(super) fn own_page(back: &str) -> &str {
    let path = back.split(['?', '#']).next().unwrap_or_default();
    let ours = path == "/console" || path.starts_with("/console/");
    let plain = back.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    if ours && plain && !path.starts_with("/console/log") { back } else { "/console" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Browser;

    #[tokio::test]
    async fn signing_in_leads_to_the_page_that_was_asked_for() {
        let browser = Browser::visitor();
        let asked = browser.get("/console/instances?q=a").await;
        assert_eq!(asked.redirect(), "/console/login?return=%2Fconsole%2Finstances%3Fq%3Da");

        let form = browser.get(asked.redirect()).await;
        form.has("name=\"return\" value=\"/console/instances?q=a\"");
        let typed =
            [("email", "ada@example.com"), ("password", "Right-1!"), ("return", "/console/instances?q=a")];
        let answer = browser.submit(&form, "/console/login", &typed).await;

        assert_eq!(answer.redirect(), "/console/instances?q=a");
        let session = browser.cookie(cookies::SESSION).expect("a session");
        assert!(!session.contains("login-token"), "the cookie is encoded");
        browser.get("/console/instances?q=a").await.expect(200);
    }

    #[tokio::test]
    async fn a_wrong_password_keeps_the_email_and_says_so() {
        let browser = Browser::visitor();
        let form = browser.get("/console/login").await;
        let answer = browser
            .submit(&form, "/console/login", &[("email", "ada@example.com"), ("password", "wrong")])
            .await;

        answer.expect(401).has("The email or the password is not right.").has("value=\"ada@example.com\"");
        answer.has_not("wrong");
        assert!(browser.cookie(cookies::SESSION).is_none());
    }

    #[tokio::test]
    async fn a_form_without_its_token_is_refused() {
        let browser = Browser::visitor();
        browser.get("/console/login").await;
        let answer = browser.post("/console/login", &[("email", "a"), ("password", "b")]).await;
        answer.expect(403).has("nothing was changed");
    }

    #[tokio::test]
    async fn signing_out_forgets_the_session() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console").await;
        let answer = browser.submit(&page, "/console/logout", &[]).await;
        assert_eq!(answer.redirect(), "/console/login?done=signed-out");
        assert!(browser.cookie(cookies::SESSION).is_none());
        assert_eq!(browser.control().world().logins_ended, 1);
    }

    #[test]
    fn nobody_is_sent_elsewhere() {
        assert_eq!(own_page("/console/maps?x=1"), "/console/maps?x=1");
        for elsewhere in [
            "https://evil.example",
            "//evil.example",
            "/consoles",
            "/console/\\evil",
            "",
            "/console/login",
            "/console/\r\nx",
        ] {
            assert_eq!(own_page(elsewhere), "/console", "{elsewhere}");
        }
    }
}
