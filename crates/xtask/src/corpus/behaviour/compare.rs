//! What holds of a message, and what does not.

use std::fmt;

use anyhow::{Context, bail, ensure};
use hyper::HeaderMap;
use quick_xml::events::Event;
use serde_json::Value;

use super::call::header;
use super::story::Expected;

/// An answer, or a request that reached a target.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// Of an answer.
    pub(super) status: u16,
    /// Of a request, like what follows.
    pub(super) method: String,
    pub(super) host: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

/// Fills in what was kept.
type Fill<'f> = &'f dyn Fn(&str) -> anyhow::Result<String>;

/// Whether everything expected holds; the error is the first that does not.
pub(super) fn check(expected: &Expected, message: &Message, fill: Fill<'_>) -> anyhow::Result<()> {
    if let Some(status) = expected.status {
        ensure!(message.status == status, "status {} instead of {status}", message.status);
    }
    let parts = [
        ("method", &expected.method, &message.method),
        ("host", &expected.host, &message.host),
        ("path", &expected.path, &message.path),
        ("query", &expected.query, &message.query),
        ("body", &expected.body, &message.body),
    ];
    for (what, wanted, is) in parts {
        if let Some(wanted) = wanted {
            let wanted = fill(wanted)?;
            ensure!(*is == wanted, "{what} {is:?} instead of {wanted:?}");
        }
    }
    for (name, wanted) in &expected.headers {
        let (is, wanted) = (header(&message.headers, name), fill(wanted)?);
        ensure!(is.as_deref() == Some(&*wanted), "header {name} is {is:?} instead of {wanted:?}");
    }
    for name in &expected.has_headers {
        ensure!(message.headers.contains_key(name), "there is no header {name}");
    }
    for name in &expected.no_headers {
        ensure!(!message.headers.contains_key(name), "there is a header {name}");
    }
    for part in &expected.contains {
        let part = fill(part)?;
        ensure!(message.body.contains(&part), "the body lacks {part:?}");
    }
    for part in &expected.lacks {
        let part = fill(part)?;
        ensure!(!message.body.contains(&part), "the body contains {part:?}");
    }
    check_json(expected, message, fill)?;
    if !expected.xml.is_empty() {
        let is = texts(&message.body).context("the body is no XML")?;
        for (path, wanted) in &expected.xml {
            let wanted = fill(wanted)?;
            let found: Vec<&str> = is.iter().filter(|(at, _)| at == path).map(|(_, text)| &**text).collect();
            ensure!(found.contains(&&*wanted), "{path} is {found:?} instead of {wanted:?}");
        }
    }
    Ok(())
}

fn check_json(expected: &Expected, message: &Message, fill: Fill<'_>) -> anyhow::Result<()> {
    let fault = expected.fault.iter().map(|code| ("/fault/detail/errorcode", Value::from(code.as_str())));
    let given = expected.json.iter().map(|(pointer, value)| (pointer.as_str(), value.clone()));
    let wanted: Vec<(&str, Value)> = given.chain(fault).collect();
    if wanted.is_empty() && expected.has_json.is_empty() {
        return Ok(());
    }
    let body: Value = serde_json::from_str(&message.body).context("the body is no JSON")?;
    for (pointer, wanted) in wanted {
        let wanted = match wanted {
            Value::String(text) => fill(&text)?.into(),
            other => other,
        };
        let is = body.pointer(pointer);
        ensure!(is == Some(&wanted), "{pointer} is {} instead of {wanted}", is.unwrap_or(&Value::Null));
    }
    for pointer in &expected.has_json {
        ensure!(body.pointer(pointer).is_some(), "there is nothing at {pointer}");
    }
    Ok(())
}

/// Whether targets were asked exactly what is expected, in any order.
pub(super) fn check_seen(expected: &[Expected], seen: &[Message], fill: Fill<'_>) -> anyhow::Result<()> {
    let mut left: Vec<&Message> = seen.iter().collect();
    for (index, wanted) in expected.iter().enumerate() {
        let checks: Vec<anyhow::Result<()>> =
            left.iter().map(|message| check(wanted, message, fill)).collect();
        match checks.iter().position(Result::is_ok) {
            Some(at) => {
                left.remove(at);
            }
            None => {
                let reasons = left.iter().zip(&checks).filter_map(|(message, check)| {
                    check.as_ref().err().map(|why| format!("\n{why:#}: {message}"))
                });
                bail!("no target was asked what call {} says: {}", index + 1, reasons.collect::<String>());
            }
        }
    }
    if let Some(message) = left.first() {
        bail!("{} calls to targets more than expected; the first: {message}", left.len());
    }
    Ok(())
}

/// Text of every element and value of every attribute with its path; names without prefixes.
fn texts(xml: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<(String, String)> = Vec::new();
    let mut found = Vec::new();
    loop {
        match reader.read_event()? {
            Event::Start(tag) => {
                let name = tag.local_name().as_ref().to_owned();
                let path = open.last().map_or(name.clone(), |(path, _)| format!("{path}/{name}"));
                for attribute in tag.attributes() {
                    let attribute = attribute?;
                    let key = attribute.key.local_name().as_ref().to_owned();
                    found.push((format!("{path}/@{key}"), attribute.value.as_ref().to_owned()));
                }
                open.push((path, String::new()));
            }
            Event::End(_) => found.extend(open.pop().map(|(path, text)| (path, text.trim().to_owned()))),
            Event::Text(text) => push(&mut open, &text),
            Event::CData(text) => push(&mut open, &text),
            Event::GeneralRef(name) => {
                let whole = format!("&{};", &*name);
                push(&mut open, &quick_xml::escape::unescape(&whole)?);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    ensure!(open.is_empty() && !found.is_empty(), "an element is not closed, or there is none");
    Ok(found)
}

fn push(open: &mut [(String, String)], text: &str) {
    if let Some((_, so_far)) = open.last_mut() {
        so_far.push_str(text);
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.method.is_empty() {
            write!(f, "{}", self.status)?;
        } else {
            let mark = if self.query.is_empty() { "" } else { "?" };
            write!(f, "{} {}{}{mark}{}", self.method, self.host, self.path, self.query)?;
        }
        for (name, value) in &self.headers {
            write!(f, "\n  {name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        let shown: String = self.body.chars().take(1500).collect();
        write!(f, "\n  {shown}")
    }
}
