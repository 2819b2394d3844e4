//! Messages against the description.

use http::HeaderMap;
use http::header::{CONTENT_TYPE, COOKIE};
use serde_json::{Map, Value};

use super::operation::{Body, Operation, Response};
use super::parameter::{Place, typed};
use super::schema::Way;
use super::{Description, Found, PathItem};
use crate::exchange::{Message, Params};

/// The request that a message is, or is the answer to.
pub(crate) struct Asked<'r> {
    pub(crate) verb: &'r str,
    /// Without the base path of the proxy.
    pub(crate) path: &'r str,
    pub(crate) query: &'r Params,
    pub(crate) headers: &'r HeaderMap,
}

/// Whether parameters that the description does not name may be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowed {
    pub(crate) headers: bool,
    pub(crate) query: bool,
    pub(crate) cookies: bool,
}

/// Headers of the connection, of intermediaries and of the media, which no description names.
const USUAL_HEADERS: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "content-encoding",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
];

impl Description {
    /// Checks a request; its body too, when that is asked for.
    pub(crate) fn check_request(
        &self,
        asked: &Asked<'_>,
        message: &Message,
        with_body: bool,
        allowed: Allowed,
    ) -> Result<(), Found> {
        let (item, operation) = self.operation(asked)?;
        self.check_parameters(item, operation, asked, allowed)?;
        let Some(body) = &operation.body else { return Ok(()) };
        if message.body.bytes().is_empty() {
            return if body.required { Err("the request needs a body".into()) } else { Ok(()) };
        }
        if with_body { self.check_body(body, message, Way::Request) } else { Ok(()) }
    }

    /// Checks the answer to a request.
    pub(crate) fn check_response(
        &self,
        asked: &Asked<'_>,
        message: &Message,
        with_body: bool,
    ) -> Result<(), Found> {
        let (_, operation) = self.operation(asked)?;
        let status = message.status().as_u16();
        let named = |wanted: &str| operation.responses.iter().find(|(known, _)| known == wanted);
        let found = named(&status.to_string()).or_else(|| named(&format!("{}XX", status / 100)));
        let Some((_, response)) = found.or_else(|| named("DEFAULT")) else {
            return Err(format!(
                "the status {status} is none of the responses of {} {}",
                asked.verb, asked.path
            ));
        };
        self.response(response, message, with_body)
    }

    fn response(&self, response: &Response, message: &Message, with_body: bool) -> Result<(), Found> {
        for header in &response.headers {
            header.check(
                &self.schemas,
                &header_values(&message.headers, &header.name),
                &[],
                Way::Response,
            )?;
        }
        if !with_body || message.body.bytes().is_empty() || response.body.content.is_empty() {
            return Ok(());
        }
        self.check_body(&response.body, message, Way::Response)
    }

    fn operation(&self, asked: &Asked<'_>) -> Result<(&PathItem, &Operation), Found> {
        let path = if asked.path.is_empty() { "/" } else { asked.path };
        let mut matching = self.paths.iter().filter(|item| item.matches.is_match(path)).peekable();
        if matching.peek().is_none() {
            return Err(format!("no API path matches '{path}'"));
        }
        let of =
            |item: &'_ PathItem| item.operations.iter().position(|(verb, _)| verb.as_str() == asked.verb);
        let found = matching.find_map(|item| Some((item, &item.operations[of(item)?].1)));
        found.ok_or_else(|| format!("{} is not allowed on path '{path}'", asked.verb))
    }

    fn check_parameters(
        &self,
        item: &PathItem,
        operation: &Operation,
        asked: &Asked<'_>,
        allowed: Allowed,
    ) -> Result<(), Found> {
        let path = if asked.path.is_empty() { "/" } else { asked.path };
        let groups = item.matches.captures(path);
        let query: Vec<(String, String)> =
            asked.query.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let cookies = cookies(asked.headers);
        for parameter in &operation.parameters {
            let name = &parameter.name;
            let of = |pairs: &[(String, String)]| -> Vec<String> {
                pairs.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
            };
            let (values, all): (Vec<String>, &[(String, String)]) = match parameter.place {
                Place::Path => {
                    let group = item.names.iter().position(|known| known == name);
                    let text = group
                        .and_then(|at| groups.as_ref()?.get(at + 1))
                        .map(|part| part.as_str().to_owned());
                    (text.into_iter().collect(), &[])
                }
                Place::Query => (of(&query), &query),
                Place::Header => (header_values(asked.headers, name), &[]),
                Place::Cookie => (of(&cookies), &cookies),
            };
            parameter.check(&self.schemas, &values, all, Way::Request)?;
        }
        let known = |place: Place, name: &str| {
            let matches = |known: &str| match place {
                Place::Header => known.eq_ignore_ascii_case(name),
                _ => known == name,
            };
            let own = operation.parameters.iter().filter(|one| one.place == place);
            self.credentials.iter().any(|(at, known)| *at == place && matches(known))
                || own.into_iter().any(|one| matches(&one.name) || one.owns(&self.schemas, name))
        };
        let unknown =
            |place: Place, name: &str| Err(format!("{} '{name}' is not in the description", place.name()));
        if !allowed.query
            && let Some((name, _)) = query.iter().find(|(name, _)| !known(Place::Query, name))
        {
            return unknown(Place::Query, name);
        }
        if !allowed.cookies
            && let Some((name, _)) = cookies.iter().find(|(name, _)| !known(Place::Cookie, name))
        {
            return unknown(Place::Cookie, name);
        }
        let mut names = asked.headers.keys().map(http::HeaderName::as_str);
        if !allowed.headers
            && let Some(name) =
                names.find(|name| !USUAL_HEADERS.contains(name) && !known(Place::Header, name))
        {
            return unknown(Place::Header, name);
        }
        Ok(())
    }

    fn check_body(&self, body: &Body, message: &Message, way: Way) -> Result<(), Found> {
        let kind = message.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if body.content.is_empty() {
            return Ok(());
        }
        let Ok(schema) = body.schema(kind) else {
            let kinds: Vec<&str> = body.content.iter().map(|(kind, _)| kind.as_str()).collect();
            return Err(format!("the content type '{kind}' is none of [{}]", kinds.join(", ")));
        };
        let Some(schema) = schema else { return Ok(()) };
        let bare = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let value = if super::operation::is_json(kind) {
            serde_json::from_slice(message.body.bytes())
                .map_err(|error| format!("the body is no JSON: {error}"))?
        } else if bare == "application/x-www-form-urlencoded" {
            let mut members = Map::new();
            for (name, text) in message.form().iter() {
                let of = self.schemas.member_of(schema, name);
                let takes_many = of.is_some_and(|of| self.schemas.takes_arrays(of));
                if takes_many {
                    let item = typed(&self.schemas, of.and_then(|of| self.schemas.items_of(of)), text);
                    let all = members.entry(name).or_insert_with(|| Value::Array(Vec::new()));
                    all.as_array_mut().into_iter().for_each(|all| all.push(item.clone()));
                } else {
                    members.insert(name.to_owned(), typed(&self.schemas, of, text));
                }
            }
            Value::Object(members)
        } else {
            // Of other types the original looks at the type only.
            return Ok(());
        };
        self.schemas.check(schema, &value, way).map_err(|why| format!("the body: {why}"))
    }
}

fn header_values(headers: &HeaderMap, name: &str) -> Vec<String> {
    let lines =
        headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
    let all: Vec<String> = lines.collect();
    // Several lines of a header are one list.
    if all.is_empty() { all } else { vec![all.join(",")] }
}

fn cookies(headers: &HeaderMap) -> Vec<(String, String)> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
