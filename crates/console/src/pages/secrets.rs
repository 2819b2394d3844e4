//! "View my organization secret" and "View my user secret": shown after an explicit click, never stored.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use pierhead_domain::SecretString;
use serde::Deserialize;

use crate::Console;
use crate::interrupted::Interrupted;
use crate::posted::Posted;
use crate::shell::{Place, Shell, html};
use crate::visit::{SignedIn, Visit};
use crate::wire::{Wire, WireProblem};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/secrets/{whose}", get(closed).post(revealed))
}

/// The answer of `GET /authentication/secrets`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Secrets {
    pub(super) user_secret: String,
    pub(super) organization_secret: String,
}

/// Reads the signed-in person's secrets.
pub(super) async fn read_secrets(wire: &Wire) -> Result<Secrets, WireProblem> {
    wire.get("/elements/api-v2/authentication/secrets").await
}

/// A line for hub calls of the instance with this token.
pub(super) async fn instance_wire(wire: &Wire, token: &str) -> Result<Wire, WireProblem> {
    let secrets = read_secrets(wire).await?;
    Ok(wire.as_instance(SecretString::new(secrets.user_secret), SecretString::new(token)))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Organization,
    User,
}

#[derive(Template)]
#[template(path = "pages/secrets.html")]
struct SecretsPage {
    shell: Shell,
    whose: Whose,
    secret: Option<String>,
}

impl Whose {
    fn from_path(word: &str) -> Result<Self, Interrupted> {
        match word {
            "organization" => Ok(Self::Organization),
            "user" => Ok(Self::User),
            _ => Err(Interrupted::Missing("secret of this kind".into())),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::User => "user",
        }
    }

    fn shell(self, visit: &Visit) -> Shell {
        Shell::new(visit, format!("My {} secret", self.word()), Place::Elsewhere)
            .crumb("Overview", "/console")
    }
}

async fn closed(
    SignedIn { visit, .. }: SignedIn,
    Path(whose): Path<String>,
) -> Result<Response, Interrupted> {
    let whose = Whose::from_path(&whose)?;
    html(&SecretsPage { shell: whose.shell(&visit), whose, secret: None })
}

async fn revealed(
    SignedIn { visit, wire }: SignedIn,
    Path(whose): Path<String>,
    Posted(_): Posted,
) -> Result<Response, Interrupted> {
    let whose = Whose::from_path(&whose)?;
    let secrets = read_secrets(&wire).await?;
    let secret = match whose {
        Whose::Organization => secrets.organization_secret,
        Whose::User => secrets.user_secret,
    };
    html(&SecretsPage { shell: whose.shell(&visit).behind(&wire), whose, secret: Some(secret) })
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn a_secret_is_shown_after_a_click_and_never_stored() {
        let browser = Browser::signed_in().await;
        for (whose, secret) in [
            ("organization", "ce7f1f9be0d2a8b1f37bcfa6d71eda20"),
            ("user", "7OpR4MRo7wnPoVKkKFXHhHBUPRzqutoem/d+WEnR1kY="),
        ] {
            let path = format!("/console/secrets/{whose}");
            let closed = browser.get(&path).await;
            closed.expect(200).has_not(secret);

            let open = browser.submit(&closed, &path, &[]).await;
            open.expect(200).has(&format!("<code id=\"the-secret\">{secret}</code>"));
            assert_eq!(open.header("cache-control"), "no-store");
        }
        browser.get("/console/secrets/element").await.expect(404);
    }
}
