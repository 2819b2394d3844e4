//! JSON that clients post, field by field: what is wrong is named, what is unknown is ignored (clients of
//! the hub send back whole objects that they got).

use axum::extract::{FromRequest, Request};
use pierhead_domain::{Role, SecretString};
use pierhead_web::body;
use serde_json::{Map, Value};

use crate::IdentityProblem;

const BODY_BYTES: usize = 64 * 1024;
/// Longest name in characters.
pub(crate) const NAME: usize = 255;
/// Longest description in characters.
pub(crate) const DESCRIPTION: usize = 2000;
/// Longest email address in characters (RFC 5321 §4.5.3.1.3).
const EMAIL: usize = 254;
/// A password longer than this is refused before anything is computed.
const PASSWORD: usize = 1024;

/// A posted JSON object.
#[derive(Debug, Default)]
pub(crate) struct Posted(Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = IdentityProblem;

    async fn from_request(request: Request, _: &S) -> Result<Self, IdentityProblem> {
        Ok(Self(body::read_json(request.into_body(), BODY_BYTES).await?))
    }
}

impl Posted {
    /// A text for people: `None` when absent, `Some(None)` when null or blank.
    pub(crate) fn text(
        &self,
        field: &'static str,
        longest: usize,
    ) -> Result<Option<Option<String>>, IdentityProblem> {
        match self.0.get(field) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(Some(None)),
            Some(Value::String(text)) => Ok(Some(Some(clean(field, text, longest)?))),
            Some(_) => Err(IdentityProblem::field(field, "must be text")),
        }
    }

    /// A text that must be there.
    pub(crate) fn needed(&self, field: &'static str, longest: usize) -> Result<String, IdentityProblem> {
        let text = self.text(field, longest)?.flatten();
        text.ok_or_else(|| IdentityProblem::field(field, "is required"))
    }

    /// A text that cannot be taken away: `None` when absent.
    pub(crate) fn kept(
        &self,
        field: &'static str,
        longest: usize,
    ) -> Result<Option<String>, IdentityProblem> {
        match self.text(field, longest)? {
            Some(None) => Err(IdentityProblem::field(field, "must not be empty")),
            found => Ok(found.flatten()),
        }
    }

    /// A password, as it is: nothing is trimmed or stripped.
    pub(crate) fn password(&self, field: &'static str) -> Result<Option<SecretString>, IdentityProblem> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.len() <= PASSWORD => Ok(Some(text.as_str().into())),
            Some(Value::String(_)) => Err(IdentityProblem::field(field, "is too long")),
            Some(_) => Err(IdentityProblem::field(field, "must be text")),
        }
    }

    /// A password that must be there.
    pub(crate) fn needed_password(&self, field: &'static str) -> Result<SecretString, IdentityProblem> {
        let password = self.password(field)?.filter(|password| !password.expose().is_empty());
        password.ok_or_else(|| IdentityProblem::field(field, "is required"))
    }

    /// An email address in lower case.
    pub(crate) fn email(&self) -> Result<Option<String>, IdentityProblem> {
        match self.0.get("email") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => email(text).map(Some),
            Some(_) => Err(IdentityProblem::field("email", "must be text")),
        }
    }

    /// Yes or no; text is accepted too.
    pub(crate) fn flag(&self, field: &'static str) -> Result<Option<bool>, IdentityProblem> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if text == "true" || text == "false" => Ok(Some(text == "true")),
            Some(_) => Err(IdentityProblem::field(field, "must be true or false")),
        }
    }

    /// A whole number from 1 to `most`.
    pub(crate) fn count(&self, field: &'static str, most: u64) -> Result<Option<u64>, IdentityProblem> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                value.as_u64().filter(|count| (1..=most).contains(count)).map(Some).ok_or_else(|| {
                    IdentityProblem::field(field, format!("must be a whole number from 1 to {most}"))
                })
            }
        }
    }

    /// A list of roles, each `{"key": …}` or the key itself.
    pub(crate) fn roles(&self, field: &'static str) -> Result<Option<Vec<Role>>, IdentityProblem> {
        let items = match self.0.get(field) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(IdentityProblem::field(field, "must be a list of {\"key\": …}")),
        };
        let mut roles = Vec::new();
        for item in items {
            let key = item.get("key").unwrap_or(item).as_str();
            let key = key.ok_or_else(|| IdentityProblem::field(field, "must be a list of {\"key\": …}"))?;
            let role: Role = key.parse().map_err(|_| unknown_role(field, key))?;
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
        Ok(Some(roles))
    }
}

fn unknown_role(field: &'static str, key: &str) -> IdentityProblem {
    let short: String = key.chars().take(60).collect();
    IdentityProblem::field(field, format!("must name known roles; '{short}' is none"))
}

/// An email address in lower case, or why it is none.
pub(crate) fn email(text: &str) -> Result<String, IdentityProblem> {
    let email = text.trim().to_lowercase();
    let bad = |rule: &str| Err(IdentityProblem::field("email", rule));
    if email.is_empty() {
        return bad("is required");
    }
    if email.chars().count() > EMAIL {
        return bad("must have at most 254 characters");
    }
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | ',' | ';' | ':');
    match email.split_once('@') {
        Some((name, host))
            if !name.is_empty() && !host.is_empty() && !host.contains('@') && !email.contains(odd) =>
        {
            Ok(email)
        }
        _ => bad("must be an email address"),
    }
}

/// A text for people: without HTML, without control characters, at most `longest` characters.
pub(crate) fn clean(field: &'static str, text: &str, longest: usize) -> Result<String, IdentityProblem> {
    let text = without_html(text);
    let text = text.trim();
    if text.is_empty() {
        return Err(IdentityProblem::field(field, "must not be empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(IdentityProblem::field(field, "must not hold control characters"));
    }
    if text.chars().count() > longest {
        return Err(IdentityProblem::field(field, format!("must have at most {longest} characters")));
    }
    Ok(text.to_owned())
}

/// Takes out everything that a browser could read as a tag, until nothing is left that looks like one.
fn without_html(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(start) = tag_start(&text) {
        let end = text[start..].find('>').map_or(text.len(), |end| start + end + 1);
        text.replace_range(start..end, "");
    }
    text
}

fn tag_start(text: &str) -> Option<usize> {
    let opens = |c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?');
    text.char_indices()
        .zip(text.chars().skip(1))
        .find(|((_, letter), next)| *letter == '<' && opens(*next))
        .map(|((at, _), _)| at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn posted(json: Value) -> Posted {
        Posted(json.as_object().unwrap().clone())
    }

    #[test]
    fn html_is_taken_out_of_names() {
        for (given, kept) in [
            ("<b>Ada</b>", "Ada"),
            ("A<script>alert(1)</script>", "Aalert(1)"),
            ("<<b>script>x", "x"),
            ("1 < 2 > 0", "1 < 2 > 0"),
            ("a<!-- c", "a"),
        ] {
            assert_eq!(clean("name", given, 99).unwrap(), kept);
        }
        assert!(clean("name", "<b></b>", 99).is_err());
    }

    #[test]
    fn every_wrong_field_is_named_with_its_rule() {
        let body = posted(serde_json::json!({
            "name": 5, "long": "aaaa", "control": "a\u{0}b", "active": "perhaps", "roles": [{"key": "king"}],
            "list": {}, "email": "no address", "days": 0, "blank": " ", "password": 1,
        }));
        let errors = [
            (body.text("name", 9).err(), "name must be text"),
            (body.text("long", 3).err(), "long must have at most 3"),
            (body.text("control", 9).err(), "control must not hold control"),
            (body.flag("active").err(), "active must be true or false"),
            (body.roles("roles").err(), "'king'"),
            (body.roles("list").err(), "list must be a list"),
            (body.email().err(), "email must be"),
            (body.count("days", 9).err(), "days must be a whole number from 1 to 9"),
            (body.needed("blank", 9).err(), "blank is required"),
            (body.kept("blank", 9).err(), "blank must not be empty"),
            (body.password("password").err(), "password must be text"),
        ];
        for (error, text) in errors {
            let error = error.unwrap().to_string();
            assert!(error.contains(text), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_tag_survives(text in "[<>/!a-z ]{0,40}") {
            prop_assert_eq!(tag_start(&without_html(&text)), None);
        }

        #[test]
        fn an_accepted_email_address_stays_the_same(text in ".{0,20}@.{0,20}") {
            if let Ok(address) = email(&text) {
                prop_assert_eq!(email(&address).unwrap(), address);
            }
        }
    }
}
