//! Why a page could not be made, and the page that says so.

use askama::Template;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{AppendHeaders, Html, IntoResponse, Redirect, Response};

use crate::Console;
use crate::cookies;
use crate::shell::{Place, Shell};
use crate::visit::Visit;
use crate::wire::{WireProblem, escape};

/// What ended a page early. The frame around the handlers turns it into a page.
#[derive(Debug, Clone)]
pub(crate) enum Interrupted {
    /// Nobody is signed in.
    SignIn,
    /// The wire refused.
    Refused(WireProblem),
    /// No such page or object; the text says what was looked for.
    Missing(String),
    /// The form token is missing, old or another session's.
    StaleForm,
    /// The form is larger than any of ours.
    FormTooLarge,
    /// The uploaded file is larger than any bundle.
    UploadTooLarge,
    /// Not two recorded requests of one proxy were chosen.
    NotTwo,
    /// Our own fault.
    Broken,
}

impl From<WireProblem> for Interrupted {
    fn from(problem: WireProblem) -> Self {
        if problem.is_signed_out() { Self::SignIn } else { Self::Refused(problem) }
    }
}

impl IntoResponse for Interrupted {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Template)]
#[template(path = "pages/interrupted.html")]
struct InterruptedPage {
    shell: Shell,
    status: u16,
    heading: &'static str,
    sentence: String,
    advice: &'static str,
    request_id: String,
}

impl Interrupted {
    fn status(&self) -> StatusCode {
        match self {
            Self::SignIn => StatusCode::SEE_OTHER,
            Self::Refused(problem) => problem.status,
            Self::Missing(_) => StatusCode::NOT_FOUND,
            Self::StaleForm => StatusCode::FORBIDDEN,
            Self::FormTooLarge | Self::UploadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotTwo => StatusCode::BAD_REQUEST,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn heading(&self) -> &'static str {
        match self.status().as_u16() {
            404 => "Not found",
            403 => "Not allowed",
            503 => "Not ready",
            500..=599 => "Something went wrong",
            _ => "Refused",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::SignIn => String::new(),
            Self::Refused(problem) => problem.sentence(),
            Self::Missing(what) => format!("There is no {what}."),
            Self::StaleForm => "This form was made for another session, so nothing was changed.".into(),
            Self::FormTooLarge => "The form is larger than 128 KiB, so nothing was changed.".into(),
            Self::UploadTooLarge => "The file is larger than 16 MiB, so nothing was read of it.".into(),
            Self::NotTwo => "Two requests to the same API proxy can be compared; others were chosen.".into(),
            Self::Broken => "The page could not be made. The server's log has the reason.".into(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::StaleForm => "Go back, reload the page and send the form again.",
            Self::Missing(_) => "It may have been deleted, or the address may be mistyped.",
            Self::NotTwo => "Go back and tick exactly two.",
            Self::UploadTooLarge => "Take what no policy reads out of the zip, and send it again.",
            Self::FormTooLarge => "Shorten the longest value and send it again.",
            _ => match self.status().as_u16() {
                403 => "Ask an administrator of your organization for a role that may do this.",
                404 => "It may have been deleted, or it may belong to another account.",
                500..=599 => {
                    "Try again in a moment. If it stays, look up the request id in the server's log."
                }
                _ => "Go back, change what is named above, and try again.",
            },
        }
    }
}

/// The answer for an interrupted page.
pub(crate) fn page(console: &Console, visit: &Visit, why: Interrupted) -> Response {
    if matches!(why, Interrupted::SignIn) {
        return sign_in(console, visit);
    }
    let view = InterruptedPage {
        shell: Shell::new(visit, why.heading(), Place::Elsewhere),
        status: why.status().as_u16(),
        heading: why.heading(),
        sentence: why.sentence(),
        advice: why.advice(),
        request_id: match &why {
            Interrupted::Refused(problem) => problem.request_id.clone(),
            _ => String::new(),
        },
    };
    match view.render() {
        Ok(text) => (why.status(), Html(text)).into_response(),
        Err(_) => (why.status(), why.sentence()).into_response(),
    }
}

/// To the login page and back; a dead session is forgotten on the way.
fn sign_in(console: &Console, visit: &Visit) -> Response {
    let to = Redirect::to(&format!("/console/login?return={}", escape(&visit.path)));
    let forget = |name| HeaderValue::from_str(&cookies::forget(name, console.secure())).ok();
    let lines = [forget(cookies::SESSION), forget(cookies::WHO)];
    (AppendHeaders(lines.into_iter().flatten().map(|line| (SET_COOKIE, line)).collect::<Vec<_>>()), to)
        .into_response()
}
