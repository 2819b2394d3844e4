//! The element `Authentication` of target endpoints, ServiceCallout and AssignMessage.

use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::tokens::Token;
use super::{GoogleAccount, Purpose};
use crate::condition::Lookup as _;
use crate::exchange::Exchange;
use crate::fault::EngineFault;
use crate::policy::Element;
use crate::template::Template;
use crate::variable::Variable;

/// Puts a token of Google's into a header of a call.
///
/// Fault: `messaging.adaptors.http.filter.GoogleTokenGenerationFailure` 500, when there is no token. Unsourced:
/// that a ServiceCallout makes of it what it makes of any failure of its call.
#[derive(Debug)]
pub(crate) struct Authentication {
    header: HeaderName,
    wanted: Wanted,
    lifetime: Duration,
    account: Arc<GoogleAccount>,
}

#[derive(Debug)]
enum Wanted {
    Access(Box<str>),
    Identity(Audience),
}

#[derive(Debug)]
enum Audience {
    /// The URL that is called, without its query.
    TargetUrl,
    Of {
        reference: Option<Variable>,
        text: Option<Template>,
    },
}

/// Why an element does not compile.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is wrong: line, rule, what.
    Wrong(usize, &'static str, String),
    /// It is right and cannot be done here: line and reason.
    Cannot(usize, String),
}

/// A header that may still have to be fetched.
pub(crate) struct Credential {
    name: HeaderName,
    token: Token,
}

/// How long Google's tokens are good at most, in seconds.
const LONGEST_SECONDS: u64 = 3600;

impl Authentication {
    /// Reads the element. Without an account it cannot be done.
    pub(crate) fn read(element: &Element, account: Option<&Arc<GoogleAccount>>) -> Result<Self, Refused> {
        only(element, &[], &["HeaderName", "GoogleAccessToken", "GoogleIDToken"])?;
        let header = match element.child("HeaderName").filter(|name| !name.text().is_empty()) {
            None => AUTHORIZATION,
            Some(name) => HeaderName::from_bytes(name.text().as_bytes()).map_err(|_| {
                Refused::Wrong(
                    name.line,
                    "InvalidHeaderName",
                    format!("'{}' is not the name of a header", name.text()),
                )
            })?,
        };
        let (access, identity) = (element.child("GoogleAccessToken"), element.child("GoogleIDToken"));
        let (wanted, lifetime) = match (access, identity) {
            (Some(access), None) => access_token(access)?,
            (None, Some(identity)) => (identity_token(identity)?, LONGEST_SECONDS),
            _ => {
                let what = "Authentication needs a GoogleAccessToken or a GoogleIDToken".to_owned();
                return Err(Refused::Wrong(element.line, "AuthenticationIsMissing", what));
            }
        };
        let account = account.cloned().ok_or_else(|| {
            let reason = "the environment has no key of a Google service account to make tokens with \
                          (gateway.google_service_account)";
            Refused::Cannot(element.line, reason.to_owned())
        })?;
        Ok(Self { header, wanted, lifetime: Duration::from_secs(lifetime), account })
    }

    /// The variables it asks for.
    pub(crate) fn each_variable(&self, each: &mut dyn FnMut(&Variable)) {
        if let Wanted::Identity(Audience::Of { reference, text }) = &self.wanted {
            reference.iter().for_each(&mut *each);
            if let Some(text) = text {
                text.each_variable(each);
            }
        }
    }

    /// The header for a call to `url`.
    pub(crate) fn credential(&self, cx: &Exchange, url: Option<&str>) -> Result<Credential, EngineFault> {
        let purpose = match &self.wanted {
            Wanted::Access(scopes) => Purpose::Scopes(scopes.clone()),
            Wanted::Identity(audience) => Purpose::Audience(audience.text(cx, url)?),
        };
        let token = cx.services.google.get(&cx.services, &self.account, &purpose, self.lifetime);
        Ok(Credential { name: self.header.clone(), token })
    }
}

impl Audience {
    fn text(&self, cx: &Exchange, url: Option<&str>) -> Result<Box<str>, EngineFault> {
        let failure = |why: &str| EngineFault::GoogleTokenGenerationFailure(why.to_owned());
        let text = match self {
            Self::TargetUrl => {
                url.and_then(|url| url.split(['?', '#']).next()).unwrap_or_default().to_owned()
            }
            Self::Of { reference, text } => {
                let referred = reference.as_ref().and_then(|variable| cx.value(variable).into_text());
                match (referred, text) {
                    (Some(referred), _) => referred.into_owned(),
                    (None, Some(text)) => {
                        text.render(cx, false).map_err(|why| failure(&why.to_string()))?.into_owned()
                    }
                    (None, None) => String::new(),
                }
            }
        };
        if text.is_empty() { Err(failure("the audience has no value")) } else { Ok(text.into()) }
    }
}

impl Credential {
    /// Waits for the token when it has to, and puts it into `headers`.
    pub(crate) async fn write(self, headers: &mut HeaderMap) -> Result<(), EngineFault> {
        let value = self.value().await?;
        headers.insert(value.0, value.1);
        Ok(())
    }

    /// Name and value of the header.
    pub(crate) async fn value(self) -> Result<(HeaderName, HeaderValue), EngineFault> {
        let value = match self.token {
            Token::Now(value) => Some(value),
            Token::Later(fetch) => fetch.await,
            Token::Unavailable => None,
        };
        let failure = || EngineFault::GoogleTokenGenerationFailure("Google's server gave none".to_owned());
        value.map(|value| (self.name, value)).ok_or_else(failure)
    }
}

fn access_token(element: &Element) -> Result<(Wanted, u64), Refused> {
    only(element, &[], &["Scopes", "LifetimeInSeconds"])?;
    let mut scopes: Vec<&str> = Vec::new();
    if let Some(group) = element.child("Scopes") {
        only(group, &[], &["Scope"])?;
        scopes.extend(group.children("Scope").map(Element::text).filter(|scope| !scope.is_empty()));
    }
    if scopes.is_empty() {
        let what = "GoogleAccessToken needs a Scope".to_owned();
        return Err(Refused::Wrong(element.line, "ScopeIsMissing", what));
    }
    let seconds = match element.child("LifetimeInSeconds").filter(|seconds| !seconds.text().is_empty()) {
        None => LONGEST_SECONDS,
        Some(written) => match written.text().parse() {
            Ok(seconds @ 1..=LONGEST_SECONDS) => seconds,
            Ok(0) | Err(_) => {
                let what = format!("'{}' is no number of seconds", written.text());
                return Err(Refused::Wrong(written.line, "InvalidLifetime", what));
            }
            Ok(_) => {
                let reason = "a token of a service account's key is good for an hour at most".to_owned();
                return Err(Refused::Cannot(written.line, reason));
            }
        },
    };
    Ok((Wanted::Access(scopes.join(" ").into()), seconds))
}

fn identity_token(element: &Element) -> Result<Wanted, Refused> {
    // The address is always in the tokens that a key gets, so `IncludeEmail` has nothing to decide.
    only(element, &[], &["Audience", "IncludeEmail"])?;
    let Some(audience) = element.child("Audience") else {
        let what = "GoogleIDToken needs an Audience".to_owned();
        return Err(Refused::Wrong(element.line, "AudienceIsMissing", what));
    };
    only(audience, &["ref", "useTargetUrl"], &[])?;
    if audience.attribute("useTargetUrl").is_some_and(|flag| flag.trim().eq_ignore_ascii_case("true")) {
        return Ok(Wanted::Identity(Audience::TargetUrl));
    }
    let wrong = |what: String| Refused::Wrong(audience.line, "InvalidAudience", what);
    let reference = audience.attribute("ref").map(str::trim).filter(|name| !name.is_empty());
    let reference = reference.map(|name| Variable::new(name.trim_start_matches('{').trim_end_matches('}')));
    let text = match audience.text() {
        "" => None,
        text => Some(Template::parse(text).map_err(|bad| wrong(bad.to_string()))?),
    };
    if reference.is_none() && text.is_none() {
        return Err(wrong("Audience has neither a ref nor a text".to_owned()));
    }
    Ok(Wanted::Identity(Audience::Of { reference, text }))
}

fn only(element: &Element, attributes: &[&str], children: &[&str]) -> Result<(), Refused> {
    if let Some(name) = element.attributes().find(|name| !attributes.contains(name)) {
        let what = format!("{} has no attribute '{name}'", element.name);
        return Err(Refused::Wrong(element.line, "UnknownAttribute", what));
    }
    match element.children.iter().find(|child| !children.contains(&child.name.as_str())) {
        Some(child) => {
            let what = format!("{} has no element '{}' here", element.name, child.name);
            Err(Refused::Wrong(child.line, "UnknownElement", what))
        }
        None => Ok(()),
    }
}
