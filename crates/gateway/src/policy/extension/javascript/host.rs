//! What scripts reach of their exchange.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use pierhead_domain::EpochMillis;
use pierhead_script::js::{Host, HostFailure, HostValue};

use super::{outward, xml};
use crate::callout::Outbound;
use crate::condition::Lookup as _;
use crate::exchange::{Exchange, Message, Segment};
use crate::json::{Reader, Token};
use crate::target_tls::TargetTls;
use crate::template::{self, Template};
use crate::variable::{Stored, Value, Variable, Which, set_header};

/// The operations of the prelude, in the order of [`Operation`].
pub(super) const OPERATIONS: &[&str] = &[
    "get",
    "set",
    "names",
    "values",
    "put",
    "print",
    "hash",
    "date",
    "xml",
    "session",
    "keep",
    "flow",
    "properties",
    "property",
    "send",
    "wait",
    "outcome",
    "same",
];

/// Globals that a script may declare anew.
pub(super) const NAMES: &str = "context,request,response,crypto,httpClient,Request,properties,print";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Get,
    Set,
    Names,
    Values,
    Put,
    Print,
    Hash,
    Date,
    Xml,
    Session,
    Keep,
    Flow,
    Properties,
    Property,
    Send,
    Wait,
    Outcome,
    Same,
}

const IN_ORDER: [Operation; 18] = {
    use Operation::*;
    [
        Get, Set, Names, Values, Put, Print, Hash, Date, Xml, Session, Keep, Flow, Properties, Property,
        Send, Wait, Outcome, Same,
    ]
};

impl Operation {
    pub(super) fn of(index: usize) -> Option<Self> {
        IN_ORDER.get(index).copied()
    }
}

/// What a policy gives its script beside the exchange.
#[derive(Clone)]
pub(super) struct Outside {
    pub(super) policy: Arc<str>,
    pub(super) properties: Arc<[(Box<str>, Template)]>,
    pub(super) trust_all: bool,
    /// What its `SSLInfo` asks for beyond that, or why it cannot be had.
    pub(super) identity: Result<Option<Arc<TargetTls>>, String>,
    pub(super) outbound: Rc<dyn Outbound>,
    /// Bytes of an answer.
    pub(super) answer_limit: usize,
    /// A call is over by then.
    pub(super) within: Duration,
}

/// Answers a script that runs on the thread of its exchange.
pub(super) struct ExchangeHost<'x> {
    pub(super) cx: &'x mut Exchange,
    pub(super) outside: &'x Outside,
}

pub(super) type Answer = Result<HostValue, HostFailure>;

impl Host for ExchangeHost<'_> {
    fn call(&mut self, operation: usize, arguments: Vec<HostValue>) -> Answer {
        match Operation::of(operation) {
            Some(operation) => self.answer(operation, &arguments),
            None => Err(failed("there is no such operation")),
        }
    }
}

pub(super) fn failed(text: impl Into<String>) -> HostFailure {
    HostFailure::Failed(text.into())
}

impl ExchangeHost<'_> {
    /// All operations but waiting, which a thread that serves others cannot do.
    pub(super) fn answer(&mut self, operation: Operation, arguments: &[HostValue]) -> Answer {
        let text = |index: usize| arguments.get(index).and_then(HostValue::as_text).unwrap_or_default();
        match operation {
            Operation::Get => Ok(self.get(text(0))),
            Operation::Set => self.set(text(0), arguments.get(1).unwrap_or(&HostValue::Null)),
            Operation::Names => Ok(HostValue::List(self.names(text(0), text(1)))),
            Operation::Values => Ok(HostValue::List(self.values(text(0), text(1), text(2)))),
            Operation::Put => self.put(text(0), text(1), text(2), arguments.get(3)),
            Operation::Print => {
                tracing::debug!(policy = %self.outside.policy, "script: {}", text(0));
                Ok(HostValue::Null)
            }
            Operation::Hash => template::digest(&format!("{}{}", text(0), text(2)), text(1).as_bytes())
                .map(HostValue::Text)
                .ok_or_else(|| failed("there is no such digest")),
            Operation::Date => self.date(text(0), text(1), arguments.get(2)),
            Operation::Xml => xml::tree(text(0)).map(HostValue::Text).map_err(failed),
            Operation::Session => {
                let kept = self.cx.scripts.as_ref().and_then(|memory| memory.session.get(text(0)));
                Ok(kept.map_or(HostValue::Null, |json| HostValue::Text(json.to_string())))
            }
            Operation::Keep => {
                let session = &mut self.cx.scripts.get_or_insert_default().session;
                match arguments.get(1).and_then(HostValue::as_text) {
                    Some(json) => session.insert(text(0).into(), json.into()),
                    None => session.remove(text(0)),
                };
                Ok(HostValue::Null)
            }
            Operation::Flow => Ok(HostValue::Text(flow(self.cx.position.segment).to_owned())),
            Operation::Properties => Ok(HostValue::List(
                self.outside.properties.iter().map(|(name, _)| name.to_string()).collect(),
            )),
            Operation::Property => {
                let found = self.outside.properties.iter().find(|(name, _)| **name == *text(0));
                let value = found.and_then(|(_, value)| value.render(self.cx, true).ok());
                Ok(value.map_or(HostValue::Null, |value| HostValue::Text(value.into_owned())))
            }
            Operation::Send => outward::send(self.cx, self.outside, arguments),
            Operation::Outcome => outward::outcome(self.cx, arguments),
            Operation::Same => Ok(HostValue::Boolean(is_same_json(text(0), text(1)))),
            Operation::Wait => Err(failed("this script cannot wait: write httpClient in it")),
        }
    }

    /// A variable; an object as a list of its JSON.
    fn get(&self, name: &str) -> HostValue {
        let variable = Variable::new(name);
        match self.cx.value(&variable) {
            Value::Null => HostValue::Null,
            Value::Boolean(holds) => HostValue::Boolean(holds),
            Value::Integer(number) => HostValue::Number(f64::from(number)),
            #[expect(clippy::cast_precision_loss, reason = "numbers of scripts are doubles")]
            Value::Long(number) => HostValue::Number(number as f64),
            Value::Float(number) => HostValue::Number(f64::from(number)),
            Value::Double(number) => HostValue::Number(number),
            Value::Text(text) => {
                let object = self.cx.scripts.as_ref().and_then(|memory| memory.objects.get(name));
                match object {
                    Some(json) if **json == *text => HostValue::List(vec![text.into_owned()]),
                    _ => HostValue::Text(text.into_owned()),
                }
            }
        }
    }

    /// Sets a variable; says whether it could be. What a message cannot hold is an error.
    fn set(&mut self, name: &str, value: &HostValue) -> Answer {
        if name.is_empty() {
            return Err(failed("a variable needs a name"));
        }
        let stored = match value {
            HostValue::Null => None,
            HostValue::Boolean(holds) => Some(Stored::Boolean(*holds)),
            HostValue::Number(number) => Some(stored_number(*number)),
            HostValue::Text(text) => Some(Stored::from(text.as_str())),
            HostValue::List(object) => {
                let json = object.first().map(String::as_str).unwrap_or_default();
                let memory = self.cx.scripts.get_or_insert_default();
                memory.objects.insert(name.into(), json.into());
                Some(Stored::from(json))
            }
        };
        match self.cx.set(&Variable::new(name), stored) {
            Ok(()) => Ok(HostValue::Boolean(true)),
            Err(why @ crate::variable::NotWritable::BadValue(_)) => Err(failed(format!("{name}: {why}"))),
            Err(why) => {
                tracing::debug!(policy = %self.outside.policy, variable = name, "script: {name}: {why}");
                Ok(HostValue::Boolean(false))
            }
        }
    }

    fn names(&self, message: &str, kind: &str) -> Vec<String> {
        let Some(message) = self.cx.message_named(message) else { return Vec::new() };
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        match kind {
            "header" => message.headers.keys().map(|name| name.as_str().to_owned()).collect(),
            "queryparam" => message.as_request().map(|head| owned(head.params().names())).unwrap_or_default(),
            _ => owned(message.form().names()),
        }
    }

    fn values(&self, message: &str, kind: &str, name: &str) -> Vec<String> {
        let Some(message) = self.cx.message_named(message) else { return Vec::new() };
        match kind {
            "header" => {
                let lines = message.headers.get_all(name).iter();
                lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect()
            }
            "queryparam" => message
                .as_request()
                .map(|head| head.params().values(name).map(str::to_owned).collect())
                .unwrap_or_default(),
            _ => message.form().values(name).map(str::to_owned).collect(),
        }
    }

    /// Replaces all values; none removes the name.
    fn put(&mut self, message: &str, kind: &str, name: &str, values: Option<&HostValue>) -> Answer {
        let values = match values {
            Some(HostValue::List(values)) => values.as_slice(),
            _ => &[],
        };
        let message =
            self.cx.message_named_mut(message).ok_or_else(|| failed("the message does not exist here"))?;
        match kind {
            "header" => put_header(message, name, values)?,
            "queryparam" => {
                let head = message.as_request_mut().ok_or_else(|| failed("a response has no query"))?;
                let params = head.edit_params();
                params.remove(name);
                values.iter().for_each(|value| params.add(name, value.clone()));
            }
            _ => {
                let mut form = message.form().clone();
                form.remove(name);
                values.iter().for_each(|value| form.add(name, value.clone()));
                message.set_form(form);
            }
        }
        Ok(HostValue::Null)
    }

    fn date(&self, pattern: &str, zone: &str, millis: Option<&HostValue>) -> Answer {
        if !matches!(zone, "" | "UTC" | "GMT" | "Z" | "Etc/UTC") {
            return Err(failed(format!("dateFormat knows UTC only, not {zone}")));
        }
        let at = match millis {
            #[expect(clippy::cast_possible_truncation, reason = "moments out of range become the nearest")]
            Some(HostValue::Number(millis)) => EpochMillis::new(*millis as i64),
            _ => self.cx.now(),
        };
        Ok(HostValue::Text(template::format_time(pattern, at)))
    }
}

fn put_header(message: &mut Message, name: &str, values: &[String]) -> Result<(), HostFailure> {
    let bad = |what: &str| failed(format!("'{name}' is not the {what} of a header"));
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad("name"))?;
    message.headers.remove(&name);
    for (index, value) in values.iter().enumerate() {
        set_header(message, &name, Which::Nth(index + 1), Some(value))
            .map_err(|_| failed(format!("header {name}: the value is not valid")))?;
    }
    Ok(())
}

/// Whether two documents have the same parts in the same order, however they are spaced and escaped. Names that
/// stand twice, and numbers as names, which scripts move to the front, make a difference.
fn is_same_json(was: &str, now: &str) -> bool {
    let (mut was, mut now) = (Reader::new(was), Reader::new(now));
    loop {
        match (was.next(), now.next()) {
            (Ok(None), Ok(None)) => return true,
            (Ok(Some(Token::Number(one))), Ok(Some(Token::Number(other))))
                if one == other || one.parse::<f64>().ok() == other.parse::<f64>().ok() => {}
            (Ok(Some(one)), Ok(Some(other))) if one == other => {}
            _ => return false,
        }
    }
}

/// Whole numbers stay whole, so that a template shows `1` and not `1.0`.
fn stored_number(number: f64) -> Stored {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() != 0.0 || number.abs() > EXACT {
        return Stored::Double(number);
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
    let whole = number as i64;
    i32::try_from(whole).map_or(Stored::Long(whole), Stored::Integer)
}

/// `context.flow`.
const fn flow(segment: Segment) -> &'static str {
    match segment {
        Segment::ProxyRequest => "PROXY_REQ_FLOW",
        Segment::TargetRequest => "TARGET_REQ_FLOW",
        Segment::TargetResponse => "TARGET_RESP_FLOW",
        Segment::ProxyResponse => "PROXY_RESP_FLOW",
        Segment::Error => "ERROR_FLOW",
        Segment::PostClient => "POST_CLIENT_FLOW",
    }
}
