//! The shapes of the secrets that this room gives out (open-connectors §2.1).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use pierhead_domain::{Rng, SecretString};

/// Kinds of look-up hashes.
pub(crate) mod kind {
    pub(crate) const USER: &str = "user";
    pub(crate) const ORGANIZATION: &str = "organization";
    pub(crate) const LOGIN: &str = "login";
    pub(crate) const BASIC: &str = "basic";
    pub(crate) const CLIENT: &str = "client";
    pub(crate) const ACCESS: &str = "access";
}

const LOGIN_PREFIX: &str = "phl_";
const ACCESS_PREFIX: &str = "pha_";
const CLIENT_PREFIX: &str = "sk-";

/// Which table a bearer token is looked up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BearerKind {
    Login,
    Access,
}

/// Base64 of 32 bytes, 44 characters.
pub(crate) fn user_secret(rng: &dyn Rng) -> SecretString {
    STANDARD.encode(random::<32>(rng)).into()
}

/// 32 lower-case hex digits.
pub(crate) fn organization_secret(rng: &dyn Rng) -> SecretString {
    hex::encode(random::<16>(rng)).into()
}

/// Marked, so that a scanner for leaked secrets knows it; else opaque.
pub(crate) fn login_token(rng: &dyn Rng) -> SecretString {
    format!("{LOGIN_PREFIX}{}", URL_SAFE_NO_PAD.encode(random::<32>(rng))).into()
}

pub(crate) fn access_token(rng: &dyn Rng) -> SecretString {
    format!("{ACCESS_PREFIX}{}", URL_SAFE_NO_PAD.encode(random::<32>(rng))).into()
}

pub(crate) fn client_id(rng: &dyn Rng) -> String {
    format!("{CLIENT_PREFIX}{}", hex::encode(random::<12>(rng)))
}

/// Needs no escaping in forms or Basic headers.
pub(crate) fn client_secret(rng: &dyn Rng) -> SecretString {
    URL_SAFE_NO_PAD.encode(random::<32>(rng)).into()
}

/// Four groups of five hex digits: short enough to type, 80 bits.
pub(crate) fn setup_code(rng: &dyn Rng) -> SecretString {
    let digits = hex::encode(random::<10>(rng));
    let groups: Vec<&str> = (0..4).filter_map(|group| digits.get(group * 5..group * 5 + 5)).collect();
    groups.join("-").into()
}

/// Client ids and email addresses never look alike: the latter have an `@`.
pub(crate) fn is_client_id(name: &str) -> bool {
    name.starts_with(CLIENT_PREFIX) && !name.contains('@')
}

pub(crate) fn bearer_kind(token: &SecretString) -> Option<BearerKind> {
    let token = token.expose();
    if token.starts_with(LOGIN_PREFIX) {
        Some(BearerKind::Login)
    } else if token.starts_with(ACCESS_PREFIX) {
        Some(BearerKind::Access)
    } else {
        None
    }
}

fn random<const N: usize>(rng: &dyn Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use pierhead_domain::SeededRng;

    use super::*;

    #[test]
    fn secrets_have_the_shapes_that_clients_know() {
        let rng = SeededRng::new(1);
        assert_eq!(user_secret(&rng).expose().len(), 44);
        let organization = organization_secret(&rng);
        assert_eq!(organization.expose().len(), 32);
        assert!(organization.expose().bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
        assert_eq!(setup_code(&rng).expose().len(), 23);
        assert!(is_client_id(&client_id(&rng)) && !is_client_id("sk-1@example.com"));
        assert_eq!(bearer_kind(&login_token(&rng)), Some(BearerKind::Login));
        assert_eq!(bearer_kind(&access_token(&rng)), Some(BearerKind::Access));
        assert_eq!(bearer_kind(&"x".into()), None);
    }
}
