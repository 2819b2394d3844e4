//! What a policy expects of the claims.

use serde_json::{Map, Value};

use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::security::jose::additions::Additions;
use crate::policy::security::jose::variables::millis;
use crate::policy::security::jose::{Family, duration};
use crate::policy::setting::Setting;

const FAMILY: Family = Family::Jwt;

#[derive(Debug)]
pub(super) struct Expected {
    subject: Option<Setting>,
    issuer: Option<Setting>,
    audience: Option<Setting>,
    id: Option<Setting>,
    additional: Additions,
    custom: Option<Setting>,
    /// Milliseconds by which clocks may differ.
    allowance: i64,
    lifespan: Option<Lifespan>,
    ignore_issued_at: bool,
}

#[derive(Debug)]
struct Lifespan {
    millis: i64,
    from_issue: bool,
}

impl Expected {
    pub(super) fn of(policy: &mut Blueprint<'_>) -> Self {
        let root = policy.root;
        let allowance = root.child("TimeAllowance").and_then(|element| {
            policy.only(element, &[], &[]);
            duration::of(policy, element)
        });
        let lifespan = root.child("MaxLifespan").and_then(|element| {
            policy.only(element, &["useIssueTime"], &[]);
            let from_issue = policy.flag(element, "useIssueTime", false);
            Some(Lifespan { millis: duration::of(policy, element)?, from_issue })
        });
        if let Some(element) = root.child("Audience") {
            policy.only(element, &["ref", "multiple"], &[]);
            policy.flag(element, "multiple", false);
        }
        Self {
            subject: Setting::child(policy, root, "Subject", &[]),
            issuer: Setting::child(policy, root, "Issuer", &[]),
            audience: Setting::child(policy, root, "Audience", &["multiple"]),
            id: Setting::child(policy, root, "Id", &[]),
            additional: Additions::claims(policy),
            custom: Setting::child(policy, root, "CustomClaims", &[]),
            allowance: allowance.unwrap_or(0),
            lifespan,
            ignore_issued_at: policy.flag_child(root, "IgnoreIssuedAt", false),
        }
    }

    pub(super) fn check(
        &self,
        cx: &Exchange,
        claims: &Map<String, Value>,
        lenient: bool,
    ) -> Result<(), Fault> {
        self.times(cx, claims)?;
        let is = |name: &str, setting: &Option<Setting>, fault: &str| {
            let Some(setting) = setting else { return Ok(()) };
            match setting.text(cx) {
                Some(expected) if claims.get(name).and_then(Value::as_str) == Some(&expected) => Ok(()),
                None if lenient => Ok(()),
                _ => Err(FAMILY.fault(fault, format!("Claim '{name}' is not the expected one"))),
            }
        };
        is("sub", &self.subject, "JwtSubjectMismatch")?;
        is("iss", &self.issuer, "JwtIssuerMismatch")?;
        is("jti", &self.id, "InvalidClaim")?;
        if let Some(setting) = &self.audience {
            match setting.text(cx) {
                Some(expected) if is_for(claims, &expected) => {}
                None if lenient => {}
                _ => return Err(FAMILY.fault("JwtAudienceMismatch", "The token is for somebody else")),
            }
        }
        self.additional.check(cx, claims, lenient, FAMILY)?;
        if let Some(text) = self.custom.as_ref().and_then(|setting| setting.text(cx)) {
            let Ok(Value::Object(expected)) = serde_json::from_str(&text) else {
                return Err(FAMILY.fault("InvalidJsonFormat", "CustomClaims is no JSON object"));
            };
            if let Some((name, _)) = expected.iter().find(|(name, value)| claims.get(*name) != Some(value)) {
                let text = format!("Claim '{name}' is missing or has another value");
                return Err(FAMILY.fault("InvalidClaim", text));
            }
        }
        Ok(())
    }

    fn times(&self, cx: &Exchange, claims: &Map<String, Value>) -> Result<(), Fault> {
        let now = cx.now().as_i64();
        for name in ["exp", "nbf", "iat"] {
            // A time that is no number must not be a token without an end.
            if claims.get(name).is_some_and(|value| !value.is_number()) {
                return Err(FAMILY.fault("InvalidClaim", format!("Claim '{name}' is no time")));
            }
        }
        let [expiry, not_before, issued] = ["exp", "nbf", "iat"].map(|name| millis(claims, name));
        if expiry.is_some_and(|expiry| expiry.saturating_add(self.allowance) <= now) {
            return Err(FAMILY.fault("TokenExpired", "The token has expired"));
        }
        let in_future = |at: Option<i64>| at.is_some_and(|at| at.saturating_sub(self.allowance) > now);
        if in_future(not_before) {
            return Err(FAMILY.fault("TokenNotYetValid", "The token is not valid yet"));
        }
        if !self.ignore_issued_at && in_future(issued) {
            return Err(FAMILY.fault("TokenNotYetValid", "The token was issued in the future"));
        }
        if let Some(lifespan) = &self.lifespan {
            let start = if lifespan.from_issue { issued } else { not_before.or(issued) };
            let span = start.zip(expiry).map(|(start, end)| end.saturating_sub(start));
            if span.is_none_or(|span| span > lifespan.millis) {
                let text = "The token lives longer than the policy allows";
                return Err(FAMILY.fault("InvalidClaim", text));
            }
        }
        Ok(())
    }
}

/// Whether one of the expected audiences, parted by commas, is among those of the token.
fn is_for(claims: &Map<String, Value>, expected: &str) -> bool {
    let mut expected = expected.trim_start_matches('[').trim_end_matches(']').split(',').map(str::trim);
    match claims.get("aud") {
        Some(Value::String(audience)) => expected.any(|one| one == audience),
        Some(Value::Array(audiences)) => {
            expected.any(|one| audiences.iter().any(|audience| audience.as_str() == Some(one)))
        }
        _ => false,
    }
}
