//! Setting a variable of an exchange.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::field::{MessageField, Which};
use super::{Fact, MessageName, Place, Stored, Variable};
use crate::exchange::{Exchange, Message, MessageBody, Segment};

/// Why a variable was not set; the reason names no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotWritable {
    #[error("the variable cannot be set")]
    ReadOnly,
    #[error("the message does not exist here")]
    NoMessage,
    #[error("the value is not a valid {0}")]
    BadValue(&'static str),
}

impl Exchange {
    /// Sets a variable; `None` removes it.
    pub(crate) fn set(&mut self, variable: &Variable, value: Option<Stored>) -> Result<(), NotWritable> {
        match variable.place() {
            Place::Fact(fact) => self.set_fact(*fact, value),
            Place::Interface(_) | Place::Property => Err(NotWritable::ReadOnly),
            Place::Message(name, field) => {
                let message = self.message_mut(*name).ok_or(NotWritable::NoMessage)?;
                set_field(message, field, value)
            }
            Place::Named(part) => {
                let message = part.as_ref().and_then(|(length, field)| {
                    Some((self.variables.message_mut(&variable.name()[..*length])?, field))
                });
                match (message, value) {
                    (Some((message, field)), value) => return set_field(message, field, value),
                    (None, Some(value)) => self.variables.set(variable.shared_name(), value),
                    (None, None) => self.variables.remove(variable.name()),
                }
                Ok(())
            }
        }
    }

    fn set_fact(&mut self, fact: Fact, value: Option<Stored>) -> Result<(), NotWritable> {
        let on = |value: &Option<Stored>| value.as_ref().is_none_or(|value| value.view().is_true());
        match fact {
            Fact::TargetUrl => {
                self.overrides.url = value.and_then(|value| Some(value.view().into_text()?.into()));
            }
            Fact::TargetCopyPathSuffix => self.overrides.copy_path_suffix = on(&value),
            Fact::TargetCopyQueryParams => self.overrides.copy_query_params = on(&value),
            _ => return Err(NotWritable::ReadOnly),
        }
        Ok(())
    }

    /// One of the messages every exchange has, to be changed.
    pub(crate) fn message_mut(&mut self, name: MessageName) -> Option<&mut Message> {
        let name = match (name, self.position.segment) {
            (MessageName::Message, Segment::ProxyRequest | Segment::TargetRequest) => MessageName::Request,
            (MessageName::Message, Segment::TargetResponse | Segment::ProxyResponse) => MessageName::Response,
            (MessageName::Message, Segment::Error) => MessageName::Error,
            (MessageName::Message, Segment::PostClient) => return None,
            (name, _) => name,
        };
        match name {
            MessageName::Request => Some(&mut self.request),
            // What a policy writes before there is a response is the beginning of the null route's answer.
            MessageName::Response => Some(self.response.get_or_insert_with(Message::empty_response)),
            MessageName::Error => self.error.as_mut().map(|error| &mut error.message),
            MessageName::Message => None,
        }
    }

    /// A message by the name that policies use, to be changed.
    pub(crate) fn message_named_mut(&mut self, name: &str) -> Option<&mut Message> {
        match MessageName::of(name) {
            Some(name) => self.message_mut(name),
            None => self.variables.message_mut(name),
        }
    }
}

pub(crate) fn set_field(
    message: &mut Message,
    field: &MessageField,
    value: Option<Stored>,
) -> Result<(), NotWritable> {
    use MessageField::*;
    let view = value.as_ref().map(Stored::view);
    let text = view.and_then(super::Value::into_text);
    let needed = |what| text.as_deref().ok_or(NotWritable::BadValue(what));
    match field {
        Content | FormString => {
            let body = match &text {
                Some(text) if !text.is_empty() => {
                    MessageBody::Replaced(Bytes::copy_from_slice(text.as_bytes()))
                }
                _ => MessageBody::Empty,
            };
            message.set_body(body);
        }
        Header(name, which) => return set_header(message, name, *which, text.as_deref()),
        QueryParam(name, which) => {
            let params = message.as_request_mut().ok_or(NotWritable::ReadOnly)?.edit_params();
            set_param(params, name, *which, text.as_deref())?;
        }
        FormParam(name, which) => {
            let mut form = message.form().clone();
            set_param(&mut form, name, *which, text.as_deref())?;
            message.set_form(form);
        }
        QueryString => {
            let query = text.as_deref().unwrap_or_default();
            let head = message.as_request_mut().ok_or(NotWritable::ReadOnly)?;
            head.edited_query = Some(crate::exchange::Params::parse(query.as_bytes()));
        }
        Verb => set_verb(message, needed("verb")?)?,
        Path => set_path(message, text.as_deref())?,
        Uri => {
            let uri = text.as_deref().unwrap_or("/");
            let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
            set_path(message, Some(path))?;
            let head = message.as_request_mut().ok_or(NotWritable::ReadOnly)?;
            head.edited_query = Some(crate::exchange::Params::parse(query.as_bytes()));
        }
        StatusCode => set_status(message, needed("status code")?)?,
        ReasonPhrase => set_reason(message, text.as_deref())?,
        HeadersCount | HeadersNames | QueryParamsCount | QueryParamsNames | FormParamsCount
        | FormParamsNames | Url | Version | TransportMessage | TransportId => {
            return Err(NotWritable::ReadOnly);
        }
    }
    Ok(())
}

/// Sets or removes one value of a parameter, or all of it.
pub(crate) fn set_param(
    params: &mut crate::exchange::Params,
    name: &str,
    which: Which,
    value: Option<&str>,
) -> Result<(), NotWritable> {
    match (which, value) {
        (Which::First | Which::Nth(1), Some(value)) => params.set(name, value.to_owned()),
        (Which::First, None) => params.remove(name),
        (Which::Nth(index), None) => params.remove_nth(name, index),
        (Which::Nth(index), Some(value)) => {
            let mut values: Vec<String> = params.values(name).map(str::to_owned).collect();
            match values.get_mut(index - 1) {
                Some(old) => value.clone_into(old),
                None => values.push(value.to_owned()),
            }
            params.remove(name);
            values.into_iter().for_each(|value| params.add(name, value));
        }
        _ => return Err(NotWritable::ReadOnly),
    }
    Ok(())
}

/// Sets or removes one value of a header, or all of it.
pub(crate) fn set_header(
    message: &mut Message,
    name: &HeaderName,
    which: Which,
    value: Option<&str>,
) -> Result<(), NotWritable> {
    let headers = &mut message.headers;
    let value =
        value.map(HeaderValue::from_str).transpose().map_err(|_| NotWritable::BadValue("header value"))?;
    match (which, value) {
        (Which::First, Some(value)) => {
            headers.insert(name, value);
        }
        (Which::First, None) => {
            headers.remove(name);
        }
        (Which::Nth(index), value) => {
            let mut values: Vec<HeaderValue> = headers.get_all(name).iter().cloned().collect();
            match (values.get_mut(index - 1), value) {
                (Some(old), Some(value)) => *old = value,
                (None, Some(value)) => values.push(value),
                (Some(_), None) => {
                    values.remove(index - 1);
                }
                (None, None) => {}
            }
            headers.remove(name);
            for value in values {
                headers.append(name, value);
            }
        }
        _ => return Err(NotWritable::ReadOnly),
    }
    Ok(())
}

pub(crate) fn set_verb(message: &mut Message, verb: &str) -> Result<(), NotWritable> {
    let head = message.as_request_mut().ok_or(NotWritable::ReadOnly)?;
    head.method = Method::from_bytes(verb.trim().as_bytes()).map_err(|_| NotWritable::BadValue("verb"))?;
    Ok(())
}

/// The path is brought into the same form as a client's, so that a policy cannot smuggle dot segments either.
pub(crate) fn set_path(message: &mut Message, path: Option<&str>) -> Result<(), NotWritable> {
    let head = message.as_request_mut().ok_or(NotWritable::ReadOnly)?;
    head.path = match path {
        None => None,
        Some(path) => {
            let rooted = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
            let clean = crate::exchange::normalise(&rooted).map_err(|_| NotWritable::BadValue("path"))?;
            Some(clean.into())
        }
    };
    Ok(())
}

pub(crate) fn set_status(message: &mut Message, status: &str) -> Result<(), NotWritable> {
    let bad = NotWritable::BadValue("status code");
    let code: u16 = status.trim().parse().map_err(|_| bad.clone())?;
    let head = message.as_response_mut().ok_or(NotWritable::ReadOnly)?;
    // 1xx is never a final answer.
    head.status = StatusCode::from_u16(code).ok().filter(|s| (200..=599).contains(&s.as_u16())).ok_or(bad)?;
    Ok(())
}

pub(crate) fn set_reason(message: &mut Message, reason: Option<&str>) -> Result<(), NotWritable> {
    let head = message.as_response_mut().ok_or(NotWritable::ReadOnly)?;
    let clean = |text: &str| !text.bytes().any(|b| b.is_ascii_control());
    match reason {
        Some(reason) if !clean(reason) => return Err(NotWritable::BadValue("reason phrase")),
        reason => head.reason = reason.map(Into::into),
    }
    Ok(())
}
