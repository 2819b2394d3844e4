//! Reading a variable of an exchange.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue, Version};

use super::field::{MessageField, Which};
use super::{MessageName, Place, Stored, Value, Variable};
use crate::condition::Lookup;
use crate::dialect::Dialect;
use crate::exchange::{Exchange, Message, Params, Segment};
use crate::property_set::PropertySets;

impl Lookup for Exchange {
    fn value<'a>(&'a self, variable: &'a Variable) -> Value<'a> {
        let value = self.look_up(variable);
        if let Some(trace) = &self.trace {
            trace.read(variable.name(), &value);
        }
        value
    }
}

impl Exchange {
    fn look_up<'a>(&'a self, variable: &'a Variable) -> Value<'a> {
        match variable.place() {
            Place::Fact(fact) => fact.read(self),
            Place::Interface(name) => {
                let known = self.services.node.interfaces.iter().find(|(known, _)| **known == **name);
                known.map_or(Value::Null, |(_, address)| Value::text(address))
            }
            Place::Property => {
                let name = variable.name().strip_prefix(super::PROPERTY).unwrap_or_default();
                self.property(|sets| sets.find(name)).map_or(Value::Null, Value::text)
            }
            Place::Message(name, field) => {
                self.message(*name).map_or(Value::Null, |message| self.field(message, field))
            }
            Place::Named(part) => {
                if let Some(value) = self.variables.get(variable.name()) {
                    return value;
                }
                let Some((length, field)) = part else {
                    return self
                        .variables
                        .message(variable.name())
                        .map_or(Value::Null, |message| Value::Text(message.content()));
                };
                let message = self.variables.message(&variable.name()[..*length]);
                message.map_or(Value::Null, |message| self.field(message, field))
            }
        }
    }

    /// A variable's value to be kept; what is wiped on drop stays so.
    pub(crate) fn stored(&self, variable: &Variable) -> Option<Stored> {
        match variable.place() {
            Place::Named(_) => self.variables.stored(variable.name()).cloned(),
            _ => None,
        }
        .or_else(|| self.value(variable).into())
    }

    /// A property of the running shared flow, else of the proxy; both know the environment's.
    pub(crate) fn property<'a>(
        &'a self,
        find: impl Fn(&'a PropertySets) -> Option<&'a str>,
    ) -> Option<&'a str> {
        let of_shared_flow = self.shared_flows.last().and_then(|flow| find(&flow.property_sets));
        of_shared_flow.or_else(|| find(&self.proxy().property_sets))
    }

    /// One of the messages every exchange has, when it is there.
    pub(crate) fn message(&self, name: MessageName) -> Option<&Message> {
        match name {
            MessageName::Request => Some(&self.request),
            MessageName::Response => self.response.as_ref(),
            MessageName::Error => self.error_message(),
            MessageName::Message => match self.position.segment {
                Segment::ProxyRequest | Segment::TargetRequest => Some(&self.request),
                Segment::TargetResponse | Segment::ProxyResponse => self.response.as_ref(),
                Segment::Error => self.error_message(),
                Segment::PostClient => self.error_message().or(self.response.as_ref()),
            },
        }
    }

    /// A message by the name that policies use.
    pub(crate) fn message_named(&self, name: &str) -> Option<&Message> {
        match MessageName::of(name) {
            Some(name) => self.message(name),
            None => self.variables.message(name),
        }
    }

    fn field<'a>(&'a self, message: &'a Message, field: &'a MessageField) -> Value<'a> {
        use MessageField::*;
        match field {
            Content => Value::Text(message.content()),
            Header(name, which) => header(message, name, *which, self.proxy().dialect),
            HeadersCount => count(message.headers.keys_len()),
            HeadersNames => list(message.headers.keys().map(HeaderName::as_str)),
            QueryParam(name, which) => {
                message.as_request().map_or(Value::Null, |head| parameter(head.params(), name, *which))
            }
            QueryParamsCount => {
                message.as_request().map_or(Value::Null, |head| count(head.params().names().len()))
            }
            QueryParamsNames => message.as_request().map_or(Value::Null, |head| list(head.params().names())),
            QueryString => message.as_request().map_or(Value::Null, |head| Value::Text(head.query_text())),
            FormParam(name, which) => parameter(message.form(), name, *which),
            FormParamsCount => count(message.form().names().len()),
            FormParamsNames => list(message.form().names()),
            FormString => Value::Text(message.content()),
            Verb => message.as_request().map_or(Value::Null, |head| Value::text(head.method.as_str())),
            Path => self.path_of(message).map_or(Value::Null, Value::Text),
            Uri | TransportMessage => self.uri_of(message),
            Url => self.url_of(message),
            Version => Value::text(version(message)),
            StatusCode => message
                .as_response()
                .map_or(Value::Null, |head| Value::Integer(i32::from(head.status.as_u16()))),
            ReasonPhrase => {
                message.as_response().map_or(Value::Null, |head| Value::text(head.reason_phrase()))
            }
            TransportId => Value::text("http"),
        }
    }

    /// The path a policy set, else the client's, else what was received; the target's once one is chosen.
    fn path_of<'a>(&'a self, message: &'a Message) -> Option<Cow<'a, str>> {
        let head = message.as_request()?;
        if let Some(to) = self.destination_of(message) {
            let uri = to.uri();
            return Some(Cow::Owned(uri.split('?').next().unwrap_or_default().to_owned()));
        }
        Some(match &head.path {
            Some(path) => Cow::Borrowed(&**path),
            None if self.is_clients(message) => Cow::Borrowed(self.path()),
            None => Cow::Borrowed(head.uri.path()),
        })
    }

    fn uri_of<'a>(&'a self, message: &'a Message) -> Value<'a> {
        let Some(head) = message.as_request() else { return Value::Null };
        if let Some(to) = self.destination_of(message) {
            return Value::owned(to.uri().into_owned());
        }
        if head.path.is_none() && head.edited_query.is_none() {
            return Value::text(head.uri.as_str());
        }
        let path = self.path_of(message).unwrap_or_default();
        let query = head.query_text();
        Value::owned(if query.is_empty() { path.into_owned() } else { format!("{path}?{query}") })
    }

    fn url_of(&self, message: &Message) -> Value<'_> {
        match self.destination_of(message) {
            Some(to) => Value::owned(to.url()),
            None if message.as_request().is_some() => super::Fact::ProxyUrl.read(self),
            None => Value::Null,
        }
    }

    /// Where the client's request is going, from the target's flows on.
    fn destination_of(&self, message: &Message) -> Option<crate::flow::ForwardTo> {
        if self.is_clients(message) { crate::flow::preview(self) } else { None }
    }

    fn is_clients(&self, message: &Message) -> bool {
        std::ptr::eq(message, &raw const self.request)
    }
}

/// Headers whose value may hold a comma that parts nothing.
const NOT_LISTS: &[HeaderName] = &[
    http::header::AUTHORIZATION,
    http::header::COOKIE,
    http::header::DATE,
    http::header::EXPIRES,
    http::header::IF_MODIFIED_SINCE,
    http::header::IF_UNMODIFIED_SINCE,
    http::header::LAST_MODIFIED,
    http::header::LOCATION,
    http::header::PROXY_AUTHENTICATE,
    http::header::PROXY_AUTHORIZATION,
    http::header::REFERER,
    http::header::RETRY_AFTER,
    http::header::SET_COOKIE,
    http::header::USER_AGENT,
    http::header::WWW_AUTHENTICATE,
];

fn header<'a>(message: &'a Message, name: &HeaderName, which: Which, dialect: Dialect) -> Value<'a> {
    let is_list = !NOT_LISTS.contains(name);
    if which == Which::First {
        // SAP shows only the first item of a list; Apigee the whole line.
        let Some(first) = message.headers.get(name) else { return Value::Null };
        return match text(first) {
            Cow::Borrowed(line) if is_list && dialect == Dialect::Sap => {
                Value::text(line.split(',').next().unwrap_or_default().trim())
            }
            line => Value::Text(line),
        };
    }
    let lines: Vec<Cow<'a, str>> = message.headers.get_all(name).iter().map(text).collect();
    if lines.is_empty() {
        return if which == Which::Count { Value::Integer(0) } else { Value::Null };
    }
    if which == Which::Joined {
        return Value::owned(lines.join(","));
    }
    let items = lines.iter().flat_map(|line| line.split(if is_list { ',' } else { '\0' })).map(str::trim);
    match which {
        Which::Count => count(items.count()),
        Which::Nth(index) => {
            items.skip(index - 1).map(|item| Value::owned(item.to_owned())).next().unwrap_or(Value::Null)
        }
        Which::First | Which::All | Which::Joined => list(items),
    }
}

fn parameter<'a>(params: &'a Params, name: &'a str, which: Which) -> Value<'a> {
    let mut values = params.values(name);
    match which {
        Which::First => values.next().map_or(Value::Null, Value::text),
        Which::Nth(index) => values.nth(index - 1).map_or(Value::Null, Value::text),
        Which::Count => count(values.count()),
        Which::All => list(values),
        Which::Joined => {
            let values: Vec<&str> = values.collect();
            if values.is_empty() { Value::Null } else { Value::owned(values.join(",")) }
        }
    }
}

fn list<'v>(items: impl IntoIterator<Item = &'v str>) -> Value<'static> {
    let items: Vec<&str> = items.into_iter().collect();
    Value::owned(format!("[{}]", items.join(", ")))
}

fn count(count: usize) -> Value<'static> {
    Value::Integer(i32::try_from(count).unwrap_or(i32::MAX))
}

/// Header bytes as text; those outside ASCII are read as UTF-8 where they are.
fn text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

fn version(message: &Message) -> &'static str {
    let version = match &message.head {
        crate::exchange::Head::Request(head) => head.version,
        crate::exchange::Head::Response(head) => head.version,
    };
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2.0",
        Version::HTTP_3 => "3.0",
        _ => "1.1",
    }
}
