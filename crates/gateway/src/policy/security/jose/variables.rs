//! What the variables of a token show; computed when somebody reads them.

use pierhead_domain::EpochMillis;
use serde_json::{Map, Value as Json};

use crate::exchange::ComputedVariables;
use crate::variable::Value;

/// A token that was verified, or only decoded.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) header: Map<String, Json>,
    /// The claims of a JWT.
    pub(crate) claims: Option<Map<String, Json>>,
    /// The payload of a JWS, when it was in the token.
    pub(crate) payload: Option<Vec<u8>>,
    /// Whether it was verified.
    pub(crate) valid: bool,
    pub(crate) now: EpochMillis,
}

impl ComputedVariables for Found {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        if let Some(name) = name.strip_prefix("decoded.") {
            let (kind, name) = name.split_once('.')?;
            return match kind {
                "claim" => show(self.claims.as_ref()?.get(name)?),
                "header" => show(self.header.get(name)?),
                _ => None,
            };
        }
        if let Some(name) = name.strip_prefix("header.") {
            return show(self.header.get(match name {
                "algorithm" => "alg",
                "type" => "typ",
                name => name,
            })?);
        }
        match name {
            "header-json" => return json(&self.header),
            "valid" => return Some(Value::Boolean(self.valid)),
            "payload" => {
                return Some(Value::Text(String::from_utf8_lossy(self.payload.as_ref()?)));
            }
            "header-claim-names" => return Some(names(&self.header)),
            _ => {}
        }
        let claims = self.claims.as_ref()?;
        if let Some(name) = name.strip_prefix("claim.") {
            return match name {
                "subject" => show(claims.get("sub")?),
                "issuer" => show(claims.get("iss")?),
                "audience" => show(claims.get("aud")?),
                "expiry" => millis(claims, "exp").map(Value::Long),
                "issuedat" => millis(claims, "iat").map(Value::Long),
                "notbefore" => millis(claims, "nbf").map(Value::Long),
                name => show(claims.get(name)?),
            };
        }
        match name {
            "payload-json" => json(claims),
            "payload-claim-names" => Some(names(claims)),
            _ => self.of_expiry(millis(claims, "exp")?, name),
        }
    }
}

impl Found {
    fn of_expiry(&self, expiry: i64, name: &str) -> Option<Value<'_>> {
        let remaining = expiry - self.now.as_i64();
        Some(match name {
            "is_expired" => Value::Boolean(remaining <= 0),
            "seconds_remaining" => Value::Long(remaining.div_euclid(1000)),
            "time_remaining_formatted" => Value::owned(formatted(remaining)),
            "expiry_formatted" => {
                let at = EpochMillis::new(expiry.max(0)).utc();
                Value::owned(format!(
                    "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}+0000",
                    at.year(),
                    u8::from(at.month()),
                    at.day(),
                    at.hour(),
                    at.minute(),
                    at.second(),
                    at.millisecond()
                ))
            }
            _ => return None,
        })
    }
}

/// `00:59:59.926`; hours may have more than two digits.
fn formatted(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    let (seconds, millis) = (millis / 1000, millis % 1000);
    format!("{sign}{:02}:{:02}:{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A time claim, which is in seconds and may have a fraction, in milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "casts of floats stop at the ends")]
pub(crate) fn millis(claims: &Map<String, Json>, name: &str) -> Option<i64> {
    let number = claims.get(name)?.as_number()?;
    match number.as_i64() {
        Some(seconds) => Some(seconds.saturating_mul(1000)),
        None => number.as_f64().map(|seconds| (seconds * 1000.0) as i64),
    }
}

fn show(value: &Json) -> Option<Value<'_>> {
    Some(match value {
        Json::Null => return None,
        Json::Bool(value) => Value::Boolean(*value),
        Json::String(text) => Value::text(text),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::Long(number),
            (None, Some(number)) => Value::Double(number),
            (None, None) => return None,
        },
        Json::Array(_) | Json::Object(_) => Value::owned(value.to_string()),
    })
}

fn json(members: &Map<String, Json>) -> Option<Value<'static>> {
    serde_json::to_string(members).ok().map(Value::owned)
}

/// Names as a list; Unsourced: parted by a comma and a blank within brackets.
fn names(members: &Map<String, Json>) -> Value<'static> {
    let names: Vec<&str> = members.keys().map(String::as_str).collect();
    Value::owned(format!("[{}]", names.join(", ")))
}
