//! Claims and headers that a policy adds or expects.

use serde_json::{Map, Number, Value};

use super::{Family, Setting, needed};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;

/// `AdditionalClaims` or `AdditionalHeaders`.
#[derive(Debug, Default)]
pub(crate) struct Additions {
    /// A variable with a JSON object.
    from: Option<Setting>,
    each: Box<[Addition]>,
}

#[derive(Debug)]
struct Addition {
    name: Box<str>,
    value: Setting,
    kind: Kind,
    array: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Boolean,
    Map,
}

/// Claims that have elements of their own.
const OWN_CLAIMS: &[&str] = &["kid", "iss", "sub", "aud", "iat", "exp", "nbf", "jti"];
/// Headers that follow from the policy.
const OWN_HEADERS: &[&str] = &["alg", "typ", "enc"];

impl Additions {
    pub(crate) fn claims(policy: &mut Blueprint<'_>) -> Self {
        let rules = Rules {
            reserved: OWN_CLAIMS,
            no_name: "MissingNameForAdditionalClaim",
            bad_name: "InvalidNameForAdditionalClaim",
            bad_type: "InvalidTypeForAdditionalClaim",
        };
        Self::of(policy, "AdditionalClaims", &rules)
    }

    pub(crate) fn headers(policy: &mut Blueprint<'_>) -> Self {
        let rules = Rules {
            reserved: OWN_HEADERS,
            no_name: "MissingNameForAdditionalHeader",
            bad_name: "InvalidNameForAdditionalHeader",
            bad_type: "InvalidTypeForAdditionalHeader",
        };
        Self::of(policy, "AdditionalHeaders", &rules)
    }

    fn of(policy: &mut Blueprint<'_>, name: &str, rules: &Rules) -> Self {
        let Some(element) = policy.root.child(name) else { return Self::default() };
        policy.only(element, &["ref"], &["Claim"]);
        let from = element.attribute("ref").is_some().then(|| Setting::of(policy, element)).flatten();
        let each = element.children("Claim").filter_map(|claim| addition(policy, claim, rules)).collect();
        Self { from, each }
    }

    /// Adds them to the members of a token.
    pub(crate) fn write(
        &self,
        cx: &Exchange,
        into: &mut Map<String, Value>,
        lenient: bool,
        family: Family,
    ) -> Result<(), Fault> {
        for (name, value) in self.values(cx, lenient, family)? {
            into.insert(name, value);
        }
        Ok(())
    }

    /// What the members of a token must be.
    pub(crate) fn values(
        &self,
        cx: &Exchange,
        lenient: bool,
        family: Family,
    ) -> Result<Map<String, Value>, Fault> {
        let mut values = Map::new();
        if let Some(text) = self.from.as_ref().map(|from| needed(cx, from, lenient, family)).transpose()? {
            let Some(text) = text else { return Ok(values) };
            match serde_json::from_str(&text) {
                Ok(Value::Object(members)) => values.extend(members),
                _ => return Err(family.fault("InvalidJsonFormat", "The variable holds no JSON object")),
            }
        }
        for addition in &self.each {
            let Some(text) = needed(cx, &addition.value, lenient, family)? else { continue };
            let value = addition.value_of(&text).ok_or_else(|| {
                let text = format!("The value of claim '{}' is not of its type", addition.name);
                family.fault("InvalidClaim", text)
            })?;
            values.insert(addition.name.to_string(), value);
        }
        Ok(values)
    }

    /// Whether every one of them is in a token as it should be.
    pub(crate) fn check(
        &self,
        cx: &Exchange,
        found: &Map<String, Value>,
        lenient: bool,
        family: Family,
    ) -> Result<(), Fault> {
        for (name, expected) in self.values(cx, lenient, family)? {
            if found.get(&name) != Some(&expected) {
                let text = format!("Claim '{name}' is missing or has another value");
                return Err(family.fault("InvalidClaim", text));
            }
        }
        Ok(())
    }
}

struct Rules {
    reserved: &'static [&'static str],
    no_name: &'static str,
    bad_name: &'static str,
    bad_type: &'static str,
}

fn addition<'d>(policy: &mut Blueprint<'d>, element: &'d Element, rules: &Rules) -> Option<Addition> {
    policy.only(element, &["name", "ref", "type", "array"], &[]);
    let name = element.attribute("name").map(str::trim).unwrap_or_default();
    if name.is_empty() {
        policy.problem(element, rules.no_name, "a Claim needs a name");
        return None;
    }
    if rules.reserved.contains(&name) {
        let message = format!("'{name}' is set by other means");
        policy.problem(element, rules.bad_name, message);
        return None;
    }
    let kind = match element.attribute("type").unwrap_or("string") {
        "string" | "" => Kind::Text,
        "number" => Kind::Number,
        "boolean" => Kind::Boolean,
        "map" => Kind::Map,
        other => {
            let message = format!("type '{other}' is not string, number, boolean or map");
            policy.problem(element, rules.bad_type, message);
            return None;
        }
    };
    let array = match element.attribute("array").unwrap_or("false") {
        "true" => true,
        "false" | "" => false,
        other => {
            let message = format!("'{other}' is neither true nor false");
            policy.problem(element, "InvalidValueOfArrayAttribute", message);
            return None;
        }
    };
    let value = Setting::of(policy, element).unwrap_or_else(|| Setting::text_of(""));
    let addition = Addition { name: name.into(), value, kind, array };
    // What is known now is checked now.
    let literal = element.attribute("ref").is_none().then(|| element.text());
    if literal.is_some_and(|text| !text.contains('{') && addition.value_of(text).is_none()) {
        let message = format!("'{}' is not of type {:?}", element.text(), element.attribute("type"));
        policy.problem(element, rules.bad_type, message);
    }
    Some(addition)
}

impl Addition {
    fn value_of(&self, text: &str) -> Option<Value> {
        if !self.array {
            return self.kind.value_of(text);
        }
        let text = text.trim();
        // A list of variables' own, or of the JSON kind, or just parted by commas.
        if text.starts_with('[')
            && let Ok(Value::Array(items)) = serde_json::from_str(text)
        {
            return Some(Value::Array(items));
        }
        let items = text.trim_start_matches('[').trim_end_matches(']');
        items
            .split(',')
            .map(|item| self.kind.value_of(item.trim()))
            .collect::<Option<Vec<_>>>()
            .map(Value::Array)
    }
}

impl Kind {
    fn value_of(self, text: &str) -> Option<Value> {
        match self {
            Self::Text => Some(Value::from(text)),
            Self::Number => serde_json::from_str::<Number>(text.trim()).ok().map(Value::Number),
            Self::Boolean => text.trim().parse().ok().map(Value::Bool),
            Self::Map => serde_json::from_str(text).ok().filter(Value::is_object),
        }
    }
}
