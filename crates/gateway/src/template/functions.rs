//! The functions of templates. One that is not here is an error at deploy, never an empty text.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use regex::Regex;

use super::digest::{Digest, Encoding, Mac};
use super::xeger::Xeger;
use super::xpath::XPathCall;
use super::{RenderProblem, timeformat};
use crate::condition::{Lookup, java_regex};
use crate::exchange::Exchange;
use crate::json::Json;
use crate::json_path::{Found, JsonPath};
use crate::variable::Variable;

/// An argument of a call.
#[derive(Debug, Clone)]
pub(super) enum Argument {
    Literal(Box<str>),
    Variable(Variable),
}

/// A call of a function with its arguments.
#[derive(Debug, Clone)]
pub(super) struct Call {
    function: Function,
    arguments: Box<[Argument]>,
}

#[derive(Debug, Clone)]
enum Function {
    Substring,
    Digest(Digest, Encoding),
    Mac(Mac),
    TimeFormat {
        millis: bool,
        now_when_absent: bool,
    },
    Replace {
        all: bool,
        pattern: Option<Regex>,
    },
    Xeger(Box<Xeger>),
    CreateUuid,
    RandomLong,
    ToUpperCase,
    ToLowerCase,
    EncodeHtml,
    EscapeJson,
    EscapeXml,
    EncodeBase64,
    DecodeBase64,
    EncodeUrl,
    DecodeUrl,
    FirstNonNull,
    /// The path when it is a literal; else it is compiled when it is known.
    JsonPath(Option<JsonPath>),
    XPath(XPathCall),
}

impl Call {
    pub(super) fn compile(name: &str, arguments: Vec<Argument>) -> Result<Self, String> {
        let (function, least, most) = Function::named(name, &arguments)?;
        if !(least..=most).contains(&arguments.len()) {
            let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
            return Err(format!("function {name} takes {wanted} arguments, not {}", arguments.len()));
        }
        Ok(Self { function, arguments: arguments.into() })
    }

    pub(super) fn each_variable(&self, visit: &mut dyn FnMut(&Variable)) {
        for argument in &*self.arguments {
            if let Argument::Variable(variable) = argument {
                visit(variable);
            }
        }
    }

    pub(super) fn render<'a>(
        &'a self,
        cx: &'a Exchange,
        lenient: bool,
    ) -> Result<Cow<'a, str>, RenderProblem> {
        if matches!(self.function, Function::FirstNonNull) {
            let first = self.arguments.iter().find_map(|argument| argument.get(cx));
            return match first {
                Some(text) => Ok(text),
                None if lenient => Ok(Cow::Borrowed("")),
                None => Err(self
                    .arguments
                    .first()
                    .map_or_else(|| RenderProblem::Unresolved("".into()), Argument::unresolved)),
            };
        }
        if let Function::JsonPath(path) = &self.function {
            return match self.json_path(cx, path.as_ref()) {
                Some(text) => Ok(Cow::Owned(text)),
                None if lenient => Ok(Cow::Borrowed("")),
                None => Err(self
                    .arguments
                    .get(1)
                    .map_or_else(|| RenderProblem::Unresolved("".into()), Argument::unresolved)),
            };
        }
        if let Function::XPath(call) = &self.function {
            return call.render(cx, &self.arguments, lenient);
        }
        let mut values: Vec<Cow<'a, str>> = Vec::with_capacity(self.arguments.len());
        for argument in &*self.arguments {
            match argument.get(cx) {
                Some(text) => values.push(text),
                None if lenient => values.push(Cow::Borrowed("")),
                None => return Err(argument.unresolved()),
            }
        }
        Ok(self.function.apply(cx, &values).into())
    }

    /// What the path finds in the text of a variable. Of an array only the first item, unless the third
    /// argument is `true`. `None` when there is no such text, no such path or nothing there.
    fn json_path(&self, cx: &Exchange, compiled: Option<&JsonPath>) -> Option<String> {
        let mut arguments = self.arguments.iter().map(|argument| argument.get(cx));
        let path = arguments.next()??;
        let text = arguments.next()??;
        let whole = arguments.next().flatten().is_some_and(|whole| whole.trim().eq_ignore_ascii_case("true"));
        let read;
        let path = match compiled {
            Some(path) => path,
            None => {
                read = path.parse().ok()?;
                &read
            }
        };
        let document = Json::parse(&text).ok()?;
        let found = path.evaluate(&document).ok()?;
        let first = match &found {
            Found::One(value) => match &**value {
                Json::Array(items) if !whole => items.first(),
                _ => return found.shown().map(Cow::into_owned),
            },
            Found::Many(values) if !whole => values.first().map(|value| &**value),
            _ => return found.shown().map(Cow::into_owned),
        };
        first.filter(|value| **value != Json::Null).map(|value| value.shown().into_owned())
    }
}

impl Argument {
    pub(super) fn get<'a>(&'a self, cx: &'a Exchange) -> Option<Cow<'a, str>> {
        match self {
            Self::Literal(text) => Some(Cow::Borrowed(text)),
            Self::Variable(variable) => cx.value(variable).into_text(),
        }
    }

    pub(super) fn unresolved(&self) -> RenderProblem {
        match self {
            Self::Literal(text) => RenderProblem::Unresolved((&**text).into()),
            Self::Variable(variable) => RenderProblem::Unresolved(variable.shared_name().clone()),
        }
    }
}

impl Function {
    /// The function, and how few and how many arguments it takes.
    fn named(name: &str, arguments: &[Argument]) -> Result<(Self, usize, usize), String> {
        let time = |millis, now_when_absent| Self::TimeFormat { millis, now_when_absent };
        Ok(match name {
            "substring" => (Self::Substring, 2, 3),
            "timeFormat" => (time(false, false), 1, 2),
            "timeFormatMs" => (time(true, false), 1, 2),
            "timeFormatUTC" => (time(false, true), 1, 2),
            "timeFormatUTCMs" => (time(true, true), 1, 2),
            "replaceAll" | "replaceFirst" => {
                let pattern = match arguments.get(1) {
                    Some(Argument::Literal(pattern)) => Some(java_regex::anywhere(pattern)?),
                    _ => None,
                };
                (Self::Replace { all: name == "replaceAll", pattern }, 3, 3)
            }
            "xeger" => match arguments {
                [Argument::Literal(pattern)] => (Self::Xeger(Box::new(Xeger::parse(pattern)?)), 1, 1),
                _ => return Err("xeger takes one regular expression in single quotes".into()),
            },
            "xpath" => (Self::XPath(XPathCall::compile(arguments)?), 2, 3),
            "createUuid" => (Self::CreateUuid, 0, 0),
            "randomLong" => (Self::RandomLong, 0, 2),
            "toUpperCase" => (Self::ToUpperCase, 1, 1),
            "toLowerCase" => (Self::ToLowerCase, 1, 1),
            "encodeHTML" => (Self::EncodeHtml, 1, 1),
            "escapeJSON" => (Self::EscapeJson, 1, 1),
            "escapeXML" | "escapeXML11" => (Self::EscapeXml, 1, 1),
            "encodeBase64" => (Self::EncodeBase64, 1, 1),
            "decodeBase64" => (Self::DecodeBase64, 1, 1),
            "encodeURL" => (Self::EncodeUrl, 1, 1),
            "decodeURL" => (Self::DecodeUrl, 1, 1),
            "firstnonnull" => (Self::FirstNonNull, 1, 20),
            "jsonPath" => {
                let path = match arguments.first() {
                    Some(Argument::Literal(path)) => {
                        Some(path.parse().map_err(|bad: crate::json_path::BadJsonPath| bad.to_string())?)
                    }
                    _ => None,
                };
                (Self::JsonPath(path), 2, 3)
            }
            _ => match (Digest::function(name), Mac::function(name)) {
                (Some((digest, encoding)), _) => (Self::Digest(digest, encoding), 1, 1),
                (_, Some(mac)) => (Self::Mac(mac), 2, 4),
                _ => return Err(format!("there is no function {name}")),
            },
        })
    }

    fn apply(&self, cx: &Exchange, values: &[Cow<'_, str>]) -> String {
        let value = |index: usize| values.get(index).map(AsRef::as_ref);
        let text = value(0).unwrap_or_default();
        match self {
            Self::Substring => substring(text, value(1), value(2)),
            Self::Digest(digest, encoding) => encoding.write(&digest.of(text.as_bytes())),
            Self::Mac(mac) => mac.text(text, value(1).unwrap_or_default(), value(2), value(3)),
            Self::TimeFormat { millis, now_when_absent } => {
                let at = match value(1).and_then(|at| at.trim().parse::<i64>().ok()) {
                    Some(at) if *millis => pierhead_domain::EpochMillis::new(at),
                    Some(at) => pierhead_domain::EpochMillis::new(at.saturating_mul(1000)),
                    None if *now_when_absent || value(1).is_none() => cx.now(),
                    None => return String::new(),
                };
                timeformat::format(text, at)
            }
            Self::Replace { all, pattern } => {
                let compiled;
                let pattern = match pattern {
                    Some(pattern) => pattern,
                    None => match java_regex::anywhere(value(1).unwrap_or_default()) {
                        Ok(pattern) => {
                            compiled = pattern;
                            &compiled
                        }
                        Err(_) => return text.to_owned(),
                    },
                };
                let by = java_replacement(value(2).unwrap_or_default());
                if *all { pattern.replace_all(text, by) } else { pattern.replace(text, by) }.into_owned()
            }
            Self::Xeger(xeger) => xeger.draw(cx.services.rng.as_ref()),
            Self::CreateUuid => uuid(cx),
            Self::RandomLong => random_long(cx, value(0), value(1)),
            Self::ToUpperCase => text.to_uppercase(),
            Self::ToLowerCase => text.to_lowercase(),
            Self::EncodeHtml => escape(text, |c| match c {
                '&' => Some("&amp;"),
                '<' => Some("&lt;"),
                '>' => Some("&gt;"),
                '"' => Some("&quot;"),
                '\'' => Some("&#39;"),
                _ => None,
            }),
            Self::EscapeXml => escape(text, |c| match c {
                '&' => Some("&amp;"),
                '<' => Some("&lt;"),
                '>' => Some("&gt;"),
                '"' => Some("&quot;"),
                '\'' => Some("&apos;"),
                _ => None,
            }),
            Self::EscapeJson => escape_json(text),
            Self::EncodeBase64 => STANDARD.encode(text),
            Self::DecodeBase64 => super::digest::decode_base64(text)
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .unwrap_or_default(),
            Self::EncodeUrl => utf8_percent_encode(text, URL_ENCODED).to_string().replace("%20", "+"),
            Self::DecodeUrl => percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned(),
            // Handled before their arguments are needed.
            Self::FirstNonNull | Self::JsonPath(_) | Self::XPath(_) => text.to_owned(),
        }
    }
}

/// What Java's URLEncoder leaves alone.
const URL_ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'*').remove(b'_');

/// Characters from `start` up to before `end`; negative numbers count from the end, numbers outside are cut.
fn substring(text: &str, start: Option<&str>, end: Option<&str>) -> String {
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let place = |index: Option<&str>, default: i64| {
        let index: i64 = index.and_then(|index| index.trim().parse().ok()).unwrap_or(default);
        let from_start = if index < 0 { length.saturating_add(index) } else { index };
        usize::try_from(from_start.clamp(0, length)).unwrap_or(0)
    };
    let (start, end) = (place(start, 0), place(end, length));
    text.chars().skip(start).take(end.saturating_sub(start)).collect()
}

/// Java writes groups as `$1` and escapes with a backslash; the engine here wants `${1}` and `$$`.
fn java_replacement(java: &str) -> String {
    let mut out = String::with_capacity(java.len());
    let mut chars = java.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('$') => out.push_str("$$"),
                Some(escaped) => out.push(escaped),
                None => out.push('\\'),
            },
            '$' => match chars.peek() {
                Some(digit) if digit.is_ascii_digit() => {
                    let _ = write!(out, "${{{digit}}}");
                    chars.next();
                }
                Some('{') => out.push('$'),
                _ => out.push_str("$$"),
            },
            c => out.push(c),
        }
    }
    out
}

fn escape(text: &str, with: impl Fn(char) -> Option<&'static str>) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match with(c) {
            Some(escaped) => out.push_str(escaped),
            None => out.push(c),
        }
    }
    out
}

fn escape_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A random UUID (RFC 9562, version 4).
fn uuid(cx: &Exchange) -> String {
    let mut bytes = [0u8; 16];
    cx.services.rng.fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// A number in `min..=max`; without bounds any positive one.
fn random_long(cx: &Exchange, min: Option<&str>, max: Option<&str>) -> String {
    let bound =
        |text: Option<&str>, default: i64| text.and_then(|t| t.trim().parse().ok()).unwrap_or(default);
    let (min, max) = (bound(min, 0), bound(max, i64::MAX));
    let mut bytes = [0u8; 16];
    cx.services.rng.fill(&mut bytes);
    let span = (i128::from(max) - i128::from(min) + 1).max(1).unsigned_abs();
    let drawn = i128::from(min) + i128::try_from(u128::from_le_bytes(bytes) % span).unwrap_or(0);
    drawn.to_string()
}
