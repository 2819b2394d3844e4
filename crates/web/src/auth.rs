//! Who is calling: the port that the faces ask and `identity` answers, and the header grammars.

use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pierhead_domain::{Caller, InstanceToken, OrganizationSecret, SecretString, UserSecret};

/// What an `Authorization` header holds, before anybody checked it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// `User …, Organization …, Element …` in any order and any subset that has a user (open-connectors §2.1).
    Connector(ConnectorAuth),
    /// `Bearer …`: a login token of the hub or an access token of the OAuth server.
    Bearer(SecretString),
    /// `Basic …`: a user's email address or a client id, and its password or secret.
    Basic {
        /// Email address or client id.
        name: String,
        /// Password or client secret.
        password: SecretString,
    },
}

/// The secrets of one hub call. A value of this type has a user and no repeated part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorAuth {
    /// Who.
    pub user: UserSecret,
    /// Needed for platform calls.
    pub organization: Option<OrganizationSecret>,
    /// Needed for hub calls.
    pub element: Option<InstanceToken>,
}

/// Why an `Authorization` header says nothing. Never repeats a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAuthorization {
    /// A part is no pair of kind and secret.
    #[error("a part of the Authorization header is not '<kind> <secret>'")]
    NotAPair,
    /// A kind that the hub does not know.
    #[error(
        "the Authorization header has a part of unknown kind; known are User, Organization, Element, Bearer and Basic"
    )]
    UnknownKind,
    /// A kind stands twice.
    #[error("the Authorization header has two '{0}' parts")]
    Repeated(&'static str),
    /// Parts without a user.
    #[error("the Authorization header has no 'User' part")]
    NoUser,
    /// Basic without base64 of `name:password`.
    #[error("the Basic part of the Authorization header is not base64 of '<name>:<password>'")]
    BadBasic,
}

impl FromStr for Credentials {
    type Err = BadAuthorization;

    fn from_str(header: &str) -> Result<Self, BadAuthorization> {
        let (first, rest) = header.trim().split_once(' ').ok_or(BadAuthorization::NotAPair)?;
        if first.eq_ignore_ascii_case("bearer") {
            return Ok(Self::Bearer(rest.trim().into()));
        }
        if first.eq_ignore_ascii_case("basic") {
            return basic(rest.trim());
        }
        ConnectorAuth::from_str(header).map(Self::Connector)
    }
}

fn basic(encoded: &str) -> Result<Credentials, BadAuthorization> {
    let bytes = STANDARD.decode(encoded).map_err(|_| BadAuthorization::BadBasic)?;
    let text = String::from_utf8(bytes).map_err(|_| BadAuthorization::BadBasic)?;
    let (name, password) = text.split_once(':').ok_or(BadAuthorization::BadBasic)?;
    Ok(Credentials::Basic { name: name.into(), password: password.into() })
}

impl FromStr for ConnectorAuth {
    type Err = BadAuthorization;

    fn from_str(header: &str) -> Result<Self, BadAuthorization> {
        let (mut user, mut organization, mut element) = (None, None, None);
        for part in header.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            // A secret is an opaque run without commas: base64 may hold '+', '/' and '='.
            let (kind, secret) = part.split_once(' ').ok_or(BadAuthorization::NotAPair)?;
            let (slot, name) = if kind.eq_ignore_ascii_case("user") {
                (&mut user, "User")
            } else if kind.eq_ignore_ascii_case("organization") {
                (&mut organization, "Organization")
            } else if kind.eq_ignore_ascii_case("element") {
                (&mut element, "Element")
            } else {
                return Err(BadAuthorization::UnknownKind);
            };
            if slot.replace(secret.trim()).is_some() {
                return Err(BadAuthorization::Repeated(name));
            }
        }
        Ok(Self {
            user: user.map(UserSecret::from).ok_or(BadAuthorization::NoUser)?,
            organization: organization.map(OrganizationSecret::from),
            element: element.map(InstanceToken::from),
        })
    }
}

/// Why a caller is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthFailure {
    /// The credentials are missing, unknown, expired or belong to something disabled.
    #[error("{0}")]
    Refused(String),
    /// Too many failed attempts; try again later.
    #[error("too many failed logins; try again in {retry_after_seconds} seconds")]
    TooMany {
        /// For `Retry-After`.
        retry_after_seconds: u64,
    },
    /// Who it is could not be found out.
    #[error("the caller could not be looked up")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Finds out who is behind credentials. Declared here for all faces; `identity` implements it.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// The caller behind a hub header's user secret and, when given, organization secret; both must belong
    /// together. The element part is not looked at.
    async fn connector_caller(&self, auth: &ConnectorAuth) -> Result<Caller, AuthFailure>;

    /// The caller behind a bearer token: a login of the hub's `POST /authentication`, or an access token.
    async fn bearer_caller(&self, token: &SecretString) -> Result<Caller, AuthFailure>;

    /// The caller behind a name and password: a user, or a service key's id and secret.
    async fn basic_caller(&self, name: &str, password: &SecretString) -> Result<Caller, AuthFailure>;

    /// The caller behind any of the three.
    async fn caller(&self, credentials: &Credentials) -> Result<Caller, AuthFailure> {
        match credentials {
            Credentials::Connector(auth) => self.connector_caller(auth).await,
            Credentials::Bearer(token) => self.bearer_caller(token).await,
            Credentials::Basic { name, password } => self.basic_caller(name, password).await,
        }
    }
}

/// An authenticator shared between faces.
pub type SharedAuthenticator = Arc<dyn Authenticator>;

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(header: &str) -> Result<ConnectorAuth, BadAuthorization> {
        match header.parse()? {
            Credentials::Connector(auth) => Ok(auth),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn parts_come_in_any_order_with_and_without_blanks() {
        for header in [
            "User u+/=, Organization o, Element e==",
            "Element e==,User u+/=,Organization o",
            "organization o , element e== , user u+/=",
        ] {
            let auth = parsed(header).unwrap();
            assert_eq!(auth.user, "u+/=".into(), "{header}");
            assert_eq!(auth.organization, Some("o".into()));
            assert_eq!(auth.element, Some("e==".into()));
        }
        assert_eq!(parsed("User u").unwrap().organization, None);
    }

    #[test]
    fn a_malformed_header_is_named_by_its_rule() {
        assert_eq!(parsed("User"), Err(BadAuthorization::NotAPair));
        assert_eq!(parsed("Token x"), Err(BadAuthorization::UnknownKind));
        assert_eq!(parsed("User a, User b"), Err(BadAuthorization::Repeated("User")));
        assert_eq!(parsed("Organization o"), Err(BadAuthorization::NoUser));
        assert_eq!("Basic !".parse::<Credentials>(), Err(BadAuthorization::BadBasic));
    }

    #[test]
    fn basic_splits_at_the_first_colon() {
        let basic = "Basic YTpiOmM=".parse::<Credentials>().unwrap();
        assert_eq!(basic, Credentials::Basic { name: "a".into(), password: "b:c".into() });
    }
}
