//! Who asks for a page, and the frame around every answer.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use pierhead_domain::SecretString;
use pierhead_web::csrf::cookie;
use serde::{Deserialize, Serialize};

use crate::Console;
use crate::cookies;
use crate::fields::Fields;
use crate::interrupted::{self, Interrupted};
use crate::wire::{Authority, Wire};

/// The reader's choice of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system says.
    Auto,
    Light,
    Dark,
}

impl Theme {
    /// The word in the cookie and on `<html data-theme>`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// From the cookie's or form's word; anything unknown is [`Theme::Auto`].
    pub(crate) fn from_word(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Auto,
        }
    }
}

/// The signed-in person, for display only: what they may do is decided by the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Who {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) organization: String,
}

/// One request for a page, as its cookies and address tell it.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    /// The login token, if there is a session.
    pub(crate) session: Option<SecretString>,
    pub(crate) who: Who,
    pub(crate) theme: Theme,
    /// What this visitor's form tokens are bound to.
    pub(crate) form_seed: String,
    /// The form token itself.
    pub(crate) form_token: String,
    /// Path and query asked for.
    pub(crate) path: String,
    /// The query, decoded.
    pub(crate) query: Fields,
}

impl Visit {
    fn read(console: &Console, request: &Request) -> Self {
        let headers = request.headers();
        let session = cookie(headers, cookies::SESSION).and_then(cookies::decode);
        let form_seed = match &session {
            Some(token) => token.clone(),
            None => cookie(headers, cookies::FORM).map_or_else(|| random_word(console), str::to_owned),
        };
        let who = cookie(headers, cookies::WHO).and_then(|value| Who::verified(console, value));
        Self {
            form_token: console.signer.tag("form", &form_seed),
            form_seed,
            who: who.unwrap_or_default(),
            theme: Theme::from_word(cookie(headers, cookies::THEME).unwrap_or_default()),
            session: session.filter(|token| !token.is_empty()).map(SecretString::new),
            path: request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
            query: Fields::parse(request.uri().query().unwrap_or_default().as_bytes()),
        }
    }
}

impl Who {
    /// The cookie's value: the person as JSON and its tag.
    pub(crate) fn signed(&self, console: &Console) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("{}.{}", cookies::encode(&json), console.signer.tag("who", &json))
    }

    fn verified(console: &Console, value: &str) -> Option<Self> {
        let (json, tag) = value.split_once('.')?;
        let json = cookies::decode(json)?;
        console.signer.verifies("who", &json, tag).then(|| serde_json::from_str(&json).ok())?
    }
}

/// 24 random bytes as text.
pub(crate) fn random_word(console: &Console) -> String {
    let mut bytes = [0; 24];
    console.rng.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads who asks, lets the page answer, and turns an [`Interrupted`] into a page in the console's look.
pub(crate) async fn frame(State(console): State<Arc<Console>>, mut request: Request, next: Next) -> Response {
    let visit = Visit::read(&console, &request);
    let first_visit =
        visit.session.is_none() && cookie(request.headers(), cookies::FORM) != Some(visit.form_seed.as_str());
    request.extensions_mut().insert(visit.clone());
    let mut response = next.run(request).await;
    if let Some(why) = response.extensions_mut().remove::<Interrupted>() {
        response = interrupted::page(&console, &visit, why);
    }
    if first_visit {
        let line = cookies::write(cookies::FORM, &visit.form_seed, None, console.secure());
        if let Ok(line) = line.parse() {
            response.headers_mut().append(SET_COOKIE, line);
        }
    }
    response
}

impl Console {
    /// Whether cookies may travel over TLS only.
    pub(crate) fn secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// A line to the wire in nobody's name.
    pub(crate) fn anonymous(&self) -> Wire {
        Wire::new(self.api.clone(), Authority::Nobody, &self.public_url)
    }
}

impl FromRequestParts<Arc<Console>> for Visit {
    type Rejection = Interrupted;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Console>) -> Result<Self, Interrupted> {
        parts.extensions.get::<Self>().cloned().ok_or(Interrupted::Broken)
    }
}

/// A visit with a session and a line to the wire in its name. Whether the session still lives, the wire
/// says at the first request.
pub(crate) struct SignedIn {
    pub(crate) visit: Visit,
    pub(crate) wire: Wire,
}

impl FromRequestParts<Arc<Console>> for SignedIn {
    type Rejection = Interrupted;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Self, Interrupted> {
        let visit = Visit::from_request_parts(parts, console).await?;
        let token = visit.session.clone().ok_or(Interrupted::SignIn)?;
        let wire = Wire::new(console.api.clone(), Authority::Login(token), &console.public_url);
        Ok(Self { visit, wire })
    }
}
