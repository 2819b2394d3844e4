//! `MessageLogging`: a line for somebody else's log (api-management §9.6).

mod file;
mod format;

use std::sync::Arc;

use bytes::Bytes;

use self::format::{Format, Level};
use super::tls;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::logging::{LogDestination, LogLine, SyslogTransport};
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::target_tls::TlsPlan;
use crate::template::Template;
use crate::variable::{Stored, Variable};

/// Hands a line to the log sinks of its thread and goes on; no request waits for a log. A line that finds no
/// room is lost and counted.
///
/// Fault: `steps.messagelogging.StepDefinitionExecutionFailed` 500, when the line cannot be made.
#[derive(Debug)]
pub(super) struct MessageLogging {
    name: Arc<str>,
    outputs: Vec<Output>,
}

#[derive(Debug)]
enum Output {
    /// A file of this machine.
    File { message: Template, to: Arc<LogDestination> },
    Syslog {
        message: Template,
        format: Format,
        to: Arc<LogDestination>,
        /// Stores of its `SSLInfo` that variables name.
        named: Option<TlsPlan>,
    },
    /// A log of Google's cloud; here the program's own.
    Cloud { name: Template, message: Template, labels: Vec<(Box<str>, Template)> },
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["Syslog", "File", "CloudLogging", "logLevel", "BufferMessage"]);
    // A message that a line reads is buffered whatever it says.
    policy.flag_child(policy.root, "BufferMessage", false);
    let level = level(policy);
    let mut outputs = Vec::new();
    if let Some(element) = policy.root.child("Syslog") {
        outputs.extend(syslog(policy, element, level));
    }
    if let Some(element) = policy.root.child("CloudLogging") {
        outputs.extend(cloud(policy, element));
    }
    if let Some(element) = policy.root.child("File") {
        let message = message(policy, element, &[]);
        let to = file::read(policy, element);
        if let (Some(message), Some(to)) = (message, to) {
            outputs.push(Output::File { message, to: Arc::new(to) });
        }
    }
    if !["Syslog", "CloudLogging", "File"].into_iter().any(|name| policy.root.child(name).is_some()) {
        policy.problem(
            policy.root,
            "NothingToLog",
            "MessageLogging needs a Syslog, a File or a CloudLogging",
        );
        return None;
    }
    Some(Box::new(MessageLogging { name: policy.name.clone(), outputs }))
}

fn level(policy: &mut Blueprint<'_>) -> Level {
    let Some(element) = policy.root.child("logLevel").filter(|level| !level.text().is_empty()) else {
        return Level::default();
    };
    Level::named(element.text()).unwrap_or_else(|| {
        let message = format!("'{}' is none of ALERT, ERROR, WARN and INFO", element.text());
        policy.problem(element, "InvalidLogLevel", message);
        Level::default()
    })
}

fn message(policy: &mut Blueprint<'_>, parent: &Element, attributes: &[&str]) -> Option<Template> {
    let Some(element) = parent.child("Message").filter(|message| !message.text().is_empty()) else {
        policy.problem(parent, "MessageIsMissing", format!("{} needs a Message", parent.name));
        return None;
    };
    if let Some(other) = element.attributes().find(|name| !attributes.contains(name)) {
        policy.problem(element, "UnknownAttribute", format!("Message has no attribute '{other}'"));
    }
    Some(policy.template(element, element.text()))
}

fn syslog<'d>(policy: &mut Blueprint<'d>, element: &'d Element, level: Level) -> Option<Output> {
    policy.only(
        element,
        &[],
        &["Message", "Host", "Port", "Protocol", "FormatMessage", "PayloadOnly", "DateFormat", "SSLInfo"],
    );
    let message = message(policy, element, &[]);
    let text = |name: &str| element.child(name).map(Element::text).filter(|text| !text.is_empty());
    let host = text("Host").unwrap_or("localhost");
    if host.contains(['{', '}', '/', ' ', '@']) {
        policy.problem(element, "InvalidHost", format!("'{host}' is no name of a host"));
    }
    let port = match text("Port").map_or(Ok(514), str::parse) {
        Ok(port @ 1..) => port,
        _ => {
            policy.problem(element, "InvalidPort", "Port is a number from 1 to 65535");
            514
        }
    };
    let tls = tls::read(policy, element);
    let protocol = text("Protocol").unwrap_or("UDP").to_ascii_uppercase();
    let transport = match (protocol.as_str(), tls.enabled) {
        ("UDP", false) => SyslogTransport::Udp,
        ("TCP", false) => SyslogTransport::Tcp,
        ("TCP", true) => SyslogTransport::Tls {
            trust_all: tls.trust_all,
            identity: tls.plan.as_ref().and_then(TlsPlan::fixed).cloned(),
        },
        ("UDP", true) => {
            policy.problem(element, "InvalidProtocol", "TLS is spoken over TCP only");
            SyslogTransport::Udp
        }
        _ => {
            policy.problem(element, "InvalidProtocol", format!("'{protocol}' is neither UDP nor TCP"));
            SyslogTransport::Udp
        }
    };
    let format = Format {
        level,
        whole: policy.flag_child(element, "FormatMessage", false),
        payload_only: policy.flag_child(element, "PayloadOnly", false),
        date: text("DateFormat").map(Into::into),
    };
    let to = Arc::new(LogDestination::Syslog { host: host.into(), port, transport });
    let named = tls.plan.filter(|plan| plan.fixed().is_none());
    Some(Output::Syslog { message: message?, format, to, named })
}

fn cloud<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<Output> {
    policy.only(element, &[], &["LogName", "Message", "Labels", "ResourceType"]);
    let message = message(policy, element, &["contentType"]);
    let Some(name) = element.child("LogName").filter(|name| !name.text().is_empty()) else {
        policy.problem(element, "LogNameIsMissing", "CloudLogging needs a LogName");
        return None;
    };
    let name = policy.template(name, name.text());
    let mut labels = Vec::new();
    if let Some(group) = element.child("Labels") {
        policy.only(group, &[], &["Label"]);
        for label in group.children("Label") {
            policy.only(label, &[], &["Key", "Value"]);
            let text = |name: &str| label.child(name).map_or("", Element::text);
            let value = policy.template(label, text("Value"));
            labels.push((text("Key").into(), value));
        }
    }
    Some(Output::Cloud { name, message: message?, labels })
}

impl Policy for MessageLogging {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        for output in &self.outputs {
            let Some((to, text)) = output.line(cx) else {
                let failed = Variable::new("messagelogging.failed");
                // Nobody else's variable: it can be set.
                let _ = cx.set(&failed, Some(Stored::Boolean(true)));
                let text = format!(
                    "MessageLogging[{}]: the message is too long to be logged, or a store of its SSLInfo is missing",
                    self.name
                );
                let code = "steps.messagelogging.StepDefinitionExecutionFailed";
                return PolicyRun::Done(Err(Fault::internal(code, text)));
            };
            cx.services.outbound.log(LogLine { to, text: one_line(text) });
        }
        PolicyRun::Done(Ok(Next::Continue))
    }
}

impl Output {
    /// `None` when a message grows beyond what a template may give.
    fn line(&self, cx: &Exchange) -> Option<(Arc<LogDestination>, String)> {
        match self {
            Self::Syslog { message, format, to, named } => {
                let message = message.render(cx, true).ok()?;
                let to = match named {
                    None => Arc::clone(to),
                    Some(plan) => secured(to, plan, cx)?,
                };
                Some((to, format.line(&message, cx)))
            }
            Self::File { message, to } => Some((Arc::clone(to), message.render(cx, true).ok()?.into_owned())),
            Self::Cloud { name, message, labels } => {
                let mut text = message.render(cx, true).ok()?.into_owned();
                for (key, value) in labels {
                    text.push_str(&format!(" {key}={}", value.render(cx, true).ok()?));
                }
                let name = name.render(cx, true).ok()?.into();
                Some((Arc::new(LogDestination::OwnLog { name }), text))
            }
        }
    }
}

/// The destination with the stores that this exchange names; `None` when there are none of these names.
fn secured(to: &LogDestination, plan: &TlsPlan, cx: &Exchange) -> Option<Arc<LogDestination>> {
    let mut to = to.clone();
    if let LogDestination::Syslog { transport: SyslogTransport::Tls { identity, .. }, .. } = &mut to {
        *identity = Some(plan.of(cx).ok()?);
    }
    Some(Arc::new(to))
}

/// A caller's line end would begin another line of the log; a line that is too long is cut.
fn one_line(mut text: String) -> Bytes {
    if text.len() > LogLine::MOST_BYTES {
        let end = (0..=LogLine::MOST_BYTES).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
    }
    let mut bytes = text.into_bytes();
    bytes.iter_mut().filter(|byte| matches!(**byte, b'\n' | b'\r' | 0)).for_each(|byte| *byte = b' ');
    Bytes::from(bytes)
}

#[cfg(test)]
mod tests;
