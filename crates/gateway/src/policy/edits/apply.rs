//! Making the changes.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Assignment, Edit, Edits, MessageRef, Pair, Part, Setting};
use crate::condition::Lookup;
use crate::exchange::{Exchange, Message, MessageBody, Params};
use crate::template::{RenderProblem, Template};
use crate::variable::{
    NotWritable, Stored, Which, set_header, set_param, set_path, set_reason, set_status, set_verb,
};

/// Why changes stopped half-way; named for the codes of AssignMessage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EditProblem {
    #[error(transparent)]
    Template(#[from] RenderProblem),
    #[error("{0} is not a message")]
    NotAMessage(Box<str>),
    #[error("Failed to set variable {name}: {why}")]
    NotSet { name: Box<str>, why: NotWritable },
}

impl Edits {
    /// Makes all changes, to `target` where they are to a message.
    pub(crate) fn apply(&self, cx: &mut Exchange, target: &MessageRef) -> Result<(), EditProblem> {
        self.edits.iter().try_for_each(|edit| match edit {
            Edit::Copy { source, parts } => copy(cx, target, source, parts),
            Edit::Remove(parts) => {
                let message = target.of(cx)?;
                parts.iter().for_each(|part| remove(message, part));
                Ok(())
            }
            Edit::Add(pairs) => pairs.iter().try_for_each(|pair| self.add(cx, target, pair)),
            Edit::Set(settings) => settings.iter().try_for_each(|setting| self.set(cx, target, setting)),
            Edit::Assign(assignment) => self.assign(cx, assignment),
        })
    }

    fn add(&self, cx: &mut Exchange, target: &MessageRef, pair: &Pair) -> Result<(), EditProblem> {
        match pair {
            Pair::Header(name, _, value) => {
                let value = self.header_value(cx, name, value)?;
                target.of(cx)?.headers.append(name, value);
            }
            Pair::QueryParam(name, _, value) => {
                let value = value.render(cx, self.lenient)?.into_owned();
                if let Some(head) = target.of(cx)?.as_request_mut() {
                    head.edit_params().add(name, value);
                }
            }
            Pair::FormParam(name, _, value) => {
                let value = value.render(cx, self.lenient)?.into_owned();
                edit_form(target.of(cx)?, |form| form.add(name, value));
            }
        }
        Ok(())
    }

    /// The value of a header; one that shows what is private is never printed.
    fn header_value(
        &self,
        cx: &Exchange,
        name: &HeaderName,
        value: &Template,
    ) -> Result<HeaderValue, EditProblem> {
        let text = value.render(cx, self.lenient)?;
        let mut rendered = HeaderValue::from_str(&text)
            .map_err(|_| not_set(name.as_str(), NotWritable::BadValue("header value")))?;
        rendered.set_sensitive(value.is_private());
        Ok(rendered)
    }

    fn set(&self, cx: &mut Exchange, target: &MessageRef, setting: &Setting) -> Result<(), EditProblem> {
        let text = |cx: &Exchange, template: &Template| {
            template.render(cx, self.lenient).map(std::borrow::Cow::into_owned)
        };
        match setting {
            Setting::Pair(Pair::Header(name, which, value)) => {
                let value = self.header_value(cx, name, value)?;
                let message = target.of(cx)?;
                if *which == Which::First {
                    message.headers.insert(name, value);
                } else {
                    let value = value.to_str().ok();
                    set_header(message, name, *which, value).map_err(|why| not_set(name.as_str(), why))?;
                }
            }
            Setting::Pair(Pair::QueryParam(name, which, value)) => {
                let value = text(cx, value)?;
                if let Some(head) = target.of(cx)?.as_request_mut() {
                    set_param(head.edit_params(), name, *which, Some(&value))
                        .map_err(|why| not_set(name, why))?;
                }
            }
            Setting::Pair(Pair::FormParam(name, which, value)) => {
                let value = text(cx, value)?;
                let mut form = target.of(cx)?.form().clone();
                set_param(&mut form, name, *which, Some(&value)).map_err(|why| not_set(name, why))?;
                target.of(cx)?.set_form(form);
            }
            Setting::Payload { content_type, body } => {
                let body = Bytes::from(text(cx, body)?);
                let content_type = content_type.as_ref().map(|kind| text(cx, kind)).transpose()?;
                let message = target.of(cx)?;
                message.set_body(if body.is_empty() {
                    MessageBody::Empty
                } else {
                    MessageBody::Replaced(body)
                });
                // The coding was the old body's.
                message.headers.remove(http::header::CONTENT_ENCODING);
                if let Some(kind) = content_type {
                    let kind = HeaderValue::from_str(&kind)
                        .map_err(|_| not_set("content-type", NotWritable::BadValue("header value")))?;
                    message.headers.insert(CONTENT_TYPE, kind);
                }
            }
            Setting::Version => {}
            Setting::Verb(verb) => {
                let verb = text(cx, verb)?;
                set_verb(target.of(cx)?, &verb).map_err(|why| not_set("verb", why))?;
            }
            Setting::Path(path) => {
                let path = text(cx, path)?;
                set_path(target.of(cx)?, Some(&path)).map_err(|why| not_set("path", why))?;
            }
            Setting::StatusCode(status) => {
                let status = text(cx, status)?;
                set_status(target.of(cx)?, &status).map_err(|why| not_set("status.code", why))?;
            }
            Setting::ReasonPhrase(reason) => {
                let reason = text(cx, reason)?;
                set_reason(target.of(cx)?, Some(&reason)).map_err(|why| not_set("reason.phrase", why))?;
            }
        }
        Ok(())
    }

    /// `Ref` when it has a value, else the template, else `Value`; when none has, the variable stays as it is.
    fn assign(&self, cx: &mut Exchange, to: &Assignment) -> Result<(), EditProblem> {
        let mut value: Option<Stored> =
            to.reference.as_ref().and_then(|reference| cx.value(reference).into());
        if value.is_none() {
            if let Some(text) = to.template_reference.as_ref().and_then(|at| cx.value(at).into_text()) {
                // The text is the request's, so it is compiled now; one that does not compile is plain text.
                let template = Template::parse(&text).unwrap_or_else(|_| Template::literal(&text));
                value = Some(template.render(cx, self.lenient)?.into_owned().into());
            } else if let Some(template) = &to.template {
                value = Some(template.render(cx, self.lenient)?.into_owned().into());
            }
        }
        if value.is_none()
            && let Some(property) = &to.property
        {
            let name = property.render(cx, self.lenient)?;
            value = cx.property(|sets| sets.find(&name)).map(Stored::from);
            if value.is_none() && to.value.is_none() && !self.lenient {
                return Err(RenderProblem::Unresolved(format!("propertyset.{name}").into()).into());
            }
        }
        let value = match (value, &to.value, &to.reference) {
            (Some(value), ..) => value,
            (None, Some(literal), _) => Stored::from(&**literal),
            (None, None, Some(reference)) if !self.lenient => {
                return Err(RenderProblem::Unresolved(reference.shared_name().clone()).into());
            }
            (None, None, _) => return Ok(()),
        };
        cx.set(&to.name, Some(value)).map_err(|why| not_set(to.name.name(), why))
    }
}

impl MessageRef {
    fn of<'a>(&self, cx: &'a mut Exchange) -> Result<&'a mut Message, EditProblem> {
        cx.message_named_mut(&self.0).ok_or_else(|| EditProblem::NotAMessage((&*self.0).into()))
    }
}

fn not_set(name: &str, why: NotWritable) -> EditProblem {
    EditProblem::NotSet { name: name.into(), why }
}

fn edit_form(message: &mut Message, edit: impl FnOnce(&mut Params)) {
    let mut form = message.form().clone();
    edit(&mut form);
    message.set_form(form);
}

fn remove(message: &mut Message, part: &Part) {
    match part {
        Part::AllHeaders => message.headers.clear(),
        Part::Header(name, which) => {
            // Removing what is there cannot fail.
            let _ = set_header(message, name, *which, None);
        }
        Part::AllQueryParams => {
            if let Some(head) = message.as_request_mut() {
                head.edit_params().clear();
            }
        }
        Part::QueryParam(name, which) => {
            if let Some(head) = message.as_request_mut() {
                remove_parameter(head.edit_params(), name, *which);
            }
        }
        Part::AllFormParams => edit_form(message, Params::clear),
        Part::FormParam(name, which) => edit_form(message, |form| remove_parameter(form, name, *which)),
        Part::Payload => message.set_body(MessageBody::Empty),
        Part::Path => {
            if let Some(head) = message.as_request_mut() {
                head.path = Some("/".into());
            }
        }
        Part::ReasonPhrase => {
            if let Some(head) = message.as_response_mut() {
                head.reason = None;
            }
        }
        // A message always has these.
        Part::Verb | Part::Version | Part::StatusCode => {}
    }
}

fn remove_parameter(params: &mut Params, name: &str, which: Which) {
    // Removing cannot fail.
    let _ = set_param(params, name, which, None);
}

fn copy(
    cx: &mut Exchange,
    target: &MessageRef,
    source: &MessageRef,
    parts: &[Part],
) -> Result<(), EditProblem> {
    let from = cx.message_named(&source.0).ok_or_else(|| EditProblem::NotAMessage((&*source.0).into()))?;
    // Only what is copied is cloned; bodies are shared, not copied.
    let taken: Vec<Taken> = parts.iter().filter_map(|part| take(cx, from, part)).collect();
    let to = target.of(cx)?;
    taken.into_iter().for_each(|taken| taken.put(to));
    Ok(())
}

/// A part on its way from one message to another.
enum Taken {
    Headers(HeaderMap),
    OneHeader(HeaderName, Which, Vec<HeaderValue>),
    Query(Params),
    OneQueryParam(Box<str>, Vec<String>),
    Form(Params),
    OneFormParam(Box<str>, Vec<String>),
    Payload(MessageBody, Option<HeaderValue>),
    Verb(http::Method),
    Path(Box<str>),
    Status(http::StatusCode),
    Reason(Box<str>),
}

fn take(cx: &Exchange, from: &Message, part: &Part) -> Option<Taken> {
    let values = |params: &Params, name: &str, which: Which| -> Vec<String> {
        let mut all = params.values(name).map(str::to_owned);
        match which {
            Which::Nth(index) => all.nth(index - 1).into_iter().collect(),
            _ => all.collect(),
        }
    };
    Some(match part {
        Part::AllHeaders => Taken::Headers(from.headers.clone()),
        Part::Header(name, which) => {
            let mut all = from.headers.get_all(name).iter().cloned();
            let values: Vec<HeaderValue> = match which {
                Which::Nth(index) => all.nth(index - 1).into_iter().collect(),
                _ => all.collect(),
            };
            Taken::OneHeader(name.clone(), *which, values)
        }
        Part::AllQueryParams => Taken::Query(from.as_request()?.params().clone()),
        Part::QueryParam(name, which) => {
            Taken::OneQueryParam(name.clone(), values(from.as_request()?.params(), name, *which))
        }
        Part::AllFormParams => Taken::Form(from.form().clone()),
        Part::FormParam(name, which) => Taken::OneFormParam(name.clone(), values(from.form(), name, *which)),
        Part::Payload => Taken::Payload(from.body.clone(), from.headers.get(CONTENT_TYPE).cloned()),
        Part::Verb => Taken::Verb(from.as_request()?.method.clone()),
        Part::Path => {
            let head = from.as_request()?;
            let is_clients = std::ptr::eq(from, &raw const cx.request);
            let own = if is_clients { cx.path_suffix() } else { head.uri.path() };
            Taken::Path(head.path.as_deref().unwrap_or(own).into())
        }
        Part::StatusCode => Taken::Status(from.as_response()?.status),
        Part::ReasonPhrase => Taken::Reason(from.as_response()?.reason.clone()?),
        Part::Version => return None,
    })
}

impl Taken {
    fn put(self, to: &mut Message) {
        match self {
            Self::Headers(headers) => {
                for name in headers.keys() {
                    to.headers.remove(name);
                }
                for (name, value) in &headers {
                    to.headers.append(name.clone(), value.clone());
                }
            }
            Self::OneHeader(name, Which::First, values) => {
                to.headers.remove(&name);
                for value in values {
                    to.headers.append(name.clone(), value);
                }
            }
            Self::OneHeader(name, _, values) => {
                for value in values {
                    to.headers.append(name.clone(), value);
                }
            }
            Self::Query(params) => {
                if let Some(head) = to.as_request_mut() {
                    *head.edit_params() = params;
                }
            }
            Self::OneQueryParam(name, values) => {
                if let Some(head) = to.as_request_mut() {
                    let params = head.edit_params();
                    params.remove(&name);
                    values.into_iter().for_each(|value| params.add(&name, value));
                }
            }
            Self::Form(form) => to.set_form(form),
            Self::OneFormParam(name, values) => edit_form(to, |form| {
                form.remove(&name);
                values.into_iter().for_each(|value| form.add(&name, value));
            }),
            Self::Payload(body, kind) => {
                to.set_body(body);
                if let Some(kind) = kind {
                    to.headers.insert(CONTENT_TYPE, kind);
                }
            }
            Self::Verb(method) => {
                if let Some(head) = to.as_request_mut() {
                    head.method = method;
                }
            }
            Self::Path(path) => {
                if let Some(head) = to.as_request_mut() {
                    head.path = Some(path);
                }
            }
            Self::Status(status) => {
                if let Some(head) = to.as_response_mut() {
                    head.status = status;
                }
            }
            Self::Reason(reason) => {
                if let Some(head) = to.as_response_mut() {
                    head.reason = Some(reason);
                }
            }
        }
    }
}
