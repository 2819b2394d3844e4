//! `GET|POST /o/oauth2/v2/auth`: the consent page and its decision.

use std::sync::Arc;

use axum::extract::{Form, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use url::Url;

use super::super::drive::tree::Person;
use super::super::params::Params;
use super::super::state::{App, Shared};
use super::{Asked, Challenge, page, scope};

/// Why an authorization request gets Google's error page instead of a redirect.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadAuthorization {
    #[error("invalid_client: the OAuth client was not found")]
    UnknownClient,
    #[error("redirect_uri_mismatch: {0:?} is neither registered nor a loopback address")]
    RedirectMismatch(String),
    #[error("invalid_request: missing required parameter: {0}")]
    Missing(&'static str),
    #[error("invalid_request: {0}")]
    Invalid(&'static str),
    #[error("unsupported_response_type: only response_type=code is served")]
    ResponseType,
    #[error("invalid_scope: some requested scopes were invalid: {0:?}")]
    Scopes(Vec<String>),
    #[error("access_denied: nobody has the account {0:?} here")]
    UnknownAccount(String),
    #[error("invalid_request: this page was used already or is older than ten minutes")]
    PageGone,
}

impl BadAuthorization {
    fn status(&self) -> StatusCode {
        match self {
            Self::UnknownClient => StatusCode::UNAUTHORIZED,
            Self::RedirectMismatch(_)
            | Self::Missing(_)
            | Self::Invalid(_)
            | Self::ResponseType
            | Self::Scopes(_)
            | Self::UnknownAccount(_)
            | Self::PageGone => StatusCode::BAD_REQUEST,
        }
    }
}

impl IntoResponse for BadAuthorization {
    fn into_response(self) -> Response {
        let status = self.status();
        page::html(status, page::refusal(status.as_u16(), &self.to_string()))
    }
}

/// Shows the consent page. A grant that already covers the request is not asked for again unless
/// `prompt=consent`; `prompt=none` never shows a page.
pub(crate) async fn show(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Response, BadAuthorization> {
    let asked = read(&app, query.as_deref())?;
    let person = hinted(&app, &asked);
    let covered = app.oauth().covering_grant(person, &asked.scopes).is_some();
    if covered && !asked.force_consent {
        return Ok(found(&allow(&app, asked, person, false)));
    }
    if asked.silent {
        let refused = redirect(&asked, &[("error", "interaction_required")]);
        return Ok(found(&refused));
    }
    let id = app.token("", 24);
    let body = page::consent(&id, &asked, &app.options.users, person);
    app.oauth().open_page(id, asked, app.now());
    Ok(page::html(StatusCode::OK, body))
}

/// What the consent page posts.
#[derive(Deserialize)]
pub(crate) struct Decision {
    /// The page's own id: nobody else can decide in the person's place.
    request: String,
    /// `allow`; anything else denies.
    #[serde(default)]
    decision: String,
    /// The address of the person who decides.
    #[serde(default)]
    account: Option<String>,
}

pub(crate) async fn decide(
    State(app): State<Shared>,
    Form(decision): Form<Decision>,
) -> Result<Response, BadAuthorization> {
    let asked = app.oauth().close_page(&decision.request, app.now()).ok_or(BadAuthorization::PageGone)?;
    let person = match decision.account.as_deref().filter(|email| !email.is_empty()) {
        Some(email) => find(&app, email)?,
        None => hinted(&app, &asked),
    };
    let location = if decision.decision == "allow" {
        allow(&app, asked, person, true)
    } else {
        redirect(&asked, &[("error", "access_denied")])
    };
    Ok(found(&location))
}

/// Reads an authorization request and decides it as if the page had been shown.
pub(crate) fn decide_at_once(
    app: &Arc<App>,
    query: Option<&str>,
    agreed: bool,
    account: Option<&str>,
) -> Result<String, BadAuthorization> {
    let asked = read(app, query)?;
    let person = match account {
        Some(email) => find(app, email)?,
        None => hinted(app, &asked),
    };
    Ok(if agreed { allow(app, asked, person, true) } else { redirect(&asked, &[("error", "access_denied")]) })
}

fn allow(app: &App, asked: Asked, person: Person, shown: bool) -> String {
    let scope = asked.scopes.join(" ");
    let code = app.oauth().allow(app, asked.clone(), person, shown);
    redirect(&asked, &[("code", &code), ("scope", &scope)])
}

/// Google answers 302, where axum's own redirect would say 303.
fn found(location: &str) -> Response {
    (StatusCode::FOUND, [(http::header::LOCATION, location.to_owned())]).into_response()
}

fn redirect(asked: &Asked, answer: &[(&str, &str)]) -> String {
    // The URI was parsed when the request was read.
    let Ok(mut url) = Url::parse(&asked.redirect_uri) else { return asked.redirect_uri.clone() };
    {
        let mut pairs = url.query_pairs_mut();
        if let Some(state) = &asked.state {
            pairs.append_pair("state", state);
        }
        pairs.extend_pairs(answer);
    }
    url.into()
}

fn read(app: &App, query: Option<&str>) -> Result<Asked, BadAuthorization> {
    let params = Params::parse(query);
    let needed = |name: &'static str| params.filled(name).ok_or(BadAuthorization::Missing(name));

    if needed("client_id")? != app.options.client_id {
        return Err(BadAuthorization::UnknownClient);
    }
    let redirect_uri = needed("redirect_uri")?;
    if !redirect_allowed(&app.options.redirect_uris, redirect_uri) {
        return Err(BadAuthorization::RedirectMismatch(redirect_uri.to_owned()));
    }
    if needed("response_type")? != "code" {
        return Err(BadAuthorization::ResponseType);
    }
    let scopes: Vec<String> = needed("scope")?.split_whitespace().map(str::to_owned).collect();
    let unknown: Vec<String> =
        scopes.iter().filter(|scope| scope::explain(scope).is_none()).cloned().collect();
    if scopes.is_empty() || !unknown.is_empty() {
        return Err(BadAuthorization::Scopes(unknown));
    }
    let offline = match params.filled("access_type") {
        None | Some("online") => false,
        Some("offline") => true,
        Some(_) => return Err(BadAuthorization::Invalid("access_type must be online or offline")),
    };
    let prompts: Vec<&str> = params.get("prompt").unwrap_or_default().split_whitespace().collect();
    if prompts.iter().any(|prompt| !matches!(*prompt, "none" | "consent" | "select_account")) {
        return Err(BadAuthorization::Invalid("prompt must be none, consent or select_account"));
    }
    Ok(Asked {
        redirect_uri: redirect_uri.to_owned(),
        scopes,
        state: params.get("state").map(str::to_owned),
        offline,
        force_consent: prompts.contains(&"consent") || params.get("approval_prompt") == Some("force"),
        silent: prompts.contains(&"none"),
        login_hint: params.filled("login_hint").map(str::to_owned),
        challenge: challenge(&params)?,
    })
}

fn challenge(params: &Params) -> Result<Option<Challenge>, BadAuthorization> {
    let Some(text) = params.filled("code_challenge") else { return Ok(None) };
    // RFC 7636 §4.2: 43 to 128 unreserved characters.
    let sound = (43..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    if !sound {
        return Err(BadAuthorization::Invalid("code_challenge must be 43 to 128 unreserved characters"));
    }
    let sha256 = match params.filled("code_challenge_method") {
        None | Some("plain") => false,
        Some("S256") => true,
        Some(_) => return Err(BadAuthorization::Invalid("code_challenge_method must be S256 or plain")),
    };
    Ok(Some(Challenge { text: text.to_owned(), sha256 }))
}

fn redirect_allowed(registered: &[String], uri: &str) -> bool {
    if registered.iter().any(|known| known == uri) {
        return true;
    }
    let Ok(url) = Url::parse(uri) else { return false };
    let loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    loopback
        && matches!(url.scheme(), "http" | "https")
        && url.fragment().is_none()
        && url.username().is_empty()
}

fn find(app: &App, email: &str) -> Result<Person, BadAuthorization> {
    app.tree().person(email).ok_or_else(|| BadAuthorization::UnknownAccount(email.to_owned()))
}

fn hinted(app: &App, asked: &Asked) -> Person {
    let hint = asked.login_hint.as_deref();
    hint.and_then(|email| app.tree().person(email)).unwrap_or(Person::FIRST)
}

#[cfg(test)]
mod tests {
    use super::redirect_allowed;

    #[test]
    fn only_registered_and_loopback_redirects_are_allowed() {
        let registered = ["https://app.example.com/back".to_owned()];
        for good in [
            "https://app.example.com/back",
            "http://127.0.0.1:5000/x",
            "http://localhost/x?y=1",
            "http://[::1]:9/",
        ] {
            assert!(redirect_allowed(&registered, good), "{good}");
        }
        for bad in [
            "https://app.example.com/back2",
            "https://localhost.example.com/",
            "http://127.0.0.1/#fragment",
            "ftp://127.0.0.1/",
            "http://127.0.0.1@example.com/",
            "urn:ietf:wg:oauth:2.0:oob",
        ] {
            assert!(!redirect_allowed(&registered, bad), "{bad}");
        }
    }
}
