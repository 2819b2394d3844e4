//! What the six policies about signed and encrypted tokens share (api-management §9.3).

pub(super) mod additions;
pub(super) mod algorithms;
pub(super) mod check;
pub(super) mod duration;
pub(super) mod key_sets;
pub(super) mod keys;
#[cfg(test)]
pub(super) mod testing;
pub(super) mod variables;

pub use key_sets::KeySets;

use std::borrow::Cow;

use http::StatusCode;
use pierhead_vault::jose::JoseError;

use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
pub(super) use crate::policy::setting::Setting;
use crate::variable::Variable;

/// JWT or JWS: the prefix of variables and the second part of fault codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Jwt,
    Jws,
}

impl Family {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Jws => "jws",
        }
    }

    /// `steps.jwt.<name>`, 401 in both dialects. Unsourced: that SAP answers 401 too.
    pub(super) fn fault(self, name: &str, text: impl Into<Cow<'static, str>>) -> Fault {
        Fault::step(StatusCode::UNAUTHORIZED, format!("steps.{}.{name}", self.name()), text.into())
    }

    /// What the vault refused, while doing something that is called `failed` when nothing more exact fits.
    pub(super) fn refusal(self, why: JoseError, failed: &str, policy: &str) -> Fault {
        let name = match why {
            JoseError::BadKey(_) => "KeyParsingFailed",
            JoseError::WrongKeyType => "WrongKeyType",
            JoseError::WrongCurve => "InvalidCurve",
            JoseError::ShortKey => "InsufficientKeyLength",
            JoseError::Malformed => "FailedToDecode",
            JoseError::BadSignature => "InvalidToken",
            JoseError::CannotSign => "SigningFailed",
            JoseError::CannotEncrypt => "EncryptionFailed",
            JoseError::Iterations => "InvalidIterationCount",
            JoseError::ShortSalt => "InvalidSaltLength",
            JoseError::DoesNotDecrypt => failed,
        };
        self.fault(name, format!("{name}: policy({policy}): {why}"))
    }
}

/// Where a token is, by default with `Bearer` in front of it.
pub(super) fn source(policy: &mut Blueprint<'_>) -> Option<Variable> {
    match policy.root.child("Source") {
        Some(element) if !element.text().is_empty() => {
            policy.only(element, &[], &[]);
            policy.variable(element, element.text())
        }
        _ => Some(Variable::new("request.header.authorization")),
    }
}

/// The token in a variable. Unsourced: that a missing one is `InvalidToken`.
pub(super) fn token<'a>(
    cx: &'a Exchange,
    source: &'a Variable,
    family: Family,
    policy: &str,
) -> Result<Cow<'a, str>, Fault> {
    use crate::condition::Lookup as _;
    let Some(text) = cx.value(source).into_text() else {
        let text = format!("policy({policy}): there is no token in {source}");
        return Err(family.fault("InvalidToken", text));
    };
    let bearer = |text: &str| text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer "));
    Ok(match text {
        Cow::Borrowed(text) if bearer(text) => Cow::Borrowed(text[7..].trim()),
        Cow::Owned(text) if bearer(&text) => Cow::Owned(text[7..].trim().to_owned()),
        text => text,
    })
}

/// A setting's text. An unresolved one is nothing when `lenient`, else a fault of making the token.
pub(super) fn needed<'a>(
    cx: &'a Exchange,
    setting: &'a Setting,
    lenient: bool,
    family: Family,
) -> Result<Option<Cow<'a, str>>, Fault> {
    match setting.text(cx) {
        Some(text) => Ok(Some(text)),
        None if lenient => Ok(None),
        None => {
            let text = format!("Unresolved variable : {}", setting.name());
            Err(family.fault("GenerationFailed", text))
        }
    }
}
