//! What a policy is compiled from, and how it says what is wrong with it.

use std::str::FromStr;
use std::sync::Arc;

use super::Compiled;
use super::element::Element;
use crate::compile::{CompileProblem, DesignPart, World};
use crate::condition::Condition;
use crate::design::FileResource;
use crate::dialect::Dialect;
use crate::google::{Authentication, Refused};
use crate::ports::KvmAddress;
use crate::snapshot::Snapshot;
use crate::template::Template;
use crate::variable::{MessageName, Place, Variable};

/// A policy document that is being compiled. The readers below report what they refuse and then give the
/// value that lets compiling go on, so that every mistake is found in one go.
pub(crate) struct Blueprint<'d> {
    pub(crate) name: Arc<str>,
    pub(crate) proxy: Arc<str>,
    /// Which original the environment behaves like.
    pub(crate) dialect: Dialect,
    pub(crate) root: &'d Element,
    /// The design's own files, then those of the environment and the organization that it does not hide.
    pub(crate) resources: &'d [&'d FileResource],
    pub(crate) problems: Vec<CompileProblem>,
    pub(crate) warnings: Vec<CompileProblem>,
    pub(crate) reads: MessageReads,
    pub(crate) initial_entries: Vec<(KvmAddress, String)>,
    /// Line and reason, when the policy cannot run here.
    pub(crate) degraded: Option<(usize, String)>,
    /// Line and reason, when a part of it cannot work.
    pub(crate) degraded_in_part: Option<(usize, String)>,
    /// What is deployed already.
    pub(crate) running: &'d Snapshot,
    /// What the proxy is compiled against.
    pub(crate) world: &'d World,
    /// Shared flows that the policy calls.
    pub(crate) calls: Vec<Arc<str>>,
}

/// Whose bodies a policy or condition reads; what `message` is depends on where it is attached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MessageReads {
    pub(crate) request: bool,
    pub(crate) response: bool,
    pub(crate) error: bool,
    pub(crate) message: bool,
}

impl MessageReads {
    pub(crate) fn note(&mut self, variable: &Variable) {
        if let Place::Message(name, field) = variable.place()
            && field.is_of_body()
        {
            self.note_message(*name);
        }
    }

    pub(crate) const fn note_message(&mut self, name: MessageName) {
        match name {
            MessageName::Request => self.request = true,
            MessageName::Response => self.response = true,
            MessageName::Error => self.error = true,
            MessageName::Message => self.message = true,
        }
    }
}

impl std::ops::BitOr for MessageReads {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            request: self.request || other.request,
            response: self.response || other.response,
            error: self.error || other.error,
            message: self.message || other.message,
        }
    }
}

impl<'d> Blueprint<'d> {
    pub(crate) fn problem(&mut self, at: &Element, rule: &'static str, message: impl Into<String>) {
        self.problem_in(DesignPart::Policy(self.name.to_string()), at.line, rule, message);
    }

    /// Something odd that the originals let pass, and so do we.
    pub(crate) fn warning(&mut self, at: &Element, rule: &'static str, message: impl Into<String>) {
        let part = DesignPart::Policy(self.name.to_string());
        self.warnings.push(CompileProblem { part, line: at.line, rule, message: message.into() });
    }

    /// A mistake elsewhere, as in a script that the policy refers to (`DesignPart::Resource`, `jsc://a.js`).
    pub(crate) fn problem_in(
        &mut self,
        part: DesignPart,
        line: usize,
        rule: &'static str,
        message: impl Into<String>,
    ) {
        self.problems.push(CompileProblem { part, line, rule, message: message.into() });
    }

    /// Lets the proxy be deployed although this policy asks for something that an original does and we do
    /// not: a step that names the policy answers 501, and the proxy says so. What is plainly wrong is a
    /// [`Self::problem`] instead. Gives what `compile` then returns.
    pub(crate) fn degrade(&mut self, at: &Element, reason: impl Into<String>) -> Option<Compiled> {
        self.degraded.get_or_insert_with(|| (at.line, reason.into()));
        None
    }

    /// The same for what fails here by itself when it is reached, as it does in the originals: the policy runs.
    pub(crate) fn degrade_in_part(&mut self, at: &Element, reason: impl Into<String>) {
        self.degraded_in_part.get_or_insert_with(|| (at.line, reason.into()));
    }

    /// Refuses children and attributes of `element` that are not named.
    pub(crate) fn only(&mut self, element: &'d Element, attributes: &[&str], children: &[&str]) {
        for name in element.attributes() {
            if !attributes.contains(&name) {
                self.problem(
                    element,
                    "UnknownAttribute",
                    format!("{} has no attribute '{name}'", element.name),
                );
            }
        }
        for child in &element.children {
            if !children.contains(&child.name.as_str()) {
                let message = format!("{} has no element '{}' here", element.name, child.name);
                self.problem(child, "UnknownElement", message);
            }
        }
    }

    /// The same for the root, which may also have what every policy has.
    pub(crate) fn only_in_root(&mut self, attributes: &[&str], children: &[&str]) {
        const ATTRIBUTES: &[&str] = &["name", "enabled", "continueOnError", "async"];
        const CHILDREN: &[&str] = &["DisplayName", "Properties", "FaultRules", "Description"];
        self.only(self.root, &[ATTRIBUTES, attributes].concat(), &[CHILDREN, children].concat());
        for name in children {
            if let Some(second) = self.root.children(name).nth(1)
                && !REPEATABLE.contains(name)
            {
                self.problem(second, "RepeatedElement", format!("{name} may be given once only"));
            }
        }
    }

    /// A `true` or `false` attribute.
    pub(crate) fn flag(&mut self, element: &'d Element, attribute: &str, default: bool) -> bool {
        match element.attribute(attribute) {
            None => default,
            Some(text) => self.boolean(element, text, default),
        }
    }

    /// A child element that is `true` or `false`.
    pub(crate) fn flag_child(&mut self, element: &'d Element, child: &str, default: bool) -> bool {
        match element.child(child) {
            None => default,
            Some(child) => self.boolean(child, child.text(), default),
        }
    }

    fn boolean(&mut self, at: &Element, text: &str, default: bool) -> bool {
        match text.trim() {
            "true" | "True" | "TRUE" => true,
            "false" | "False" | "FALSE" => false,
            "" => default,
            other => {
                self.problem(at, "NotABoolean", format!("'{other}' is neither true nor false"));
                default
            }
        }
    }

    /// A whole number.
    pub(crate) fn number<N: FromStr>(&mut self, at: &Element, text: &str, rule: &'static str) -> Option<N> {
        let number = text.trim().parse().ok();
        if number.is_none() {
            self.problem(at, rule, format!("'{}' is not a number that is possible here", text.trim()));
        }
        number
    }

    /// A variable by name.
    pub(crate) fn variable(&mut self, at: &Element, name: &str) -> Option<Variable> {
        let name = name.trim();
        let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '{' | '}' | '"'));
        if !is_name {
            self.problem(at, "InvalidVariableName", format!("'{name}' is not the name of a variable"));
            return None;
        }
        let variable = Variable::new(name);
        self.reads.note(&variable);
        Some(variable)
    }

    /// A condition; `None` when it is empty, or does not parse and was reported.
    pub(crate) fn condition(&mut self, at: &Element) -> Option<Condition> {
        match Condition::parse(at.text()) {
            Ok(condition) => {
                if let Some(condition) = &condition {
                    condition.each_variable(&mut |variable| self.reads.note(variable));
                }
                condition
            }
            Err(bad) => {
                self.problem(at, "BadCondition", format!("{}: {bad}", at.name));
                None
            }
        }
    }

    /// A template with the usual delimiters.
    pub(crate) fn template(&mut self, at: &Element, text: &str) -> Template {
        self.template_with(at, text, "{", "}")
    }

    /// A template with its own delimiters.
    pub(crate) fn template_with(&mut self, at: &Element, text: &str, prefix: &str, suffix: &str) -> Template {
        match Template::parse_with(text, prefix, suffix) {
            Ok(template) => {
                template.each_variable(&mut |variable| self.reads.note(variable));
                template
            }
            Err(bad) => {
                self.problem(at, "BadTemplate", bad.to_string());
                Template::default()
            }
        }
    }

    /// `Authentication`: credentials of Google's; `None` after saying why there are none.
    pub(crate) fn authentication(&mut self, element: &Element) -> Option<Authentication> {
        match Authentication::read(element, self.world.google.as_ref()) {
            Ok(authentication) => {
                authentication.each_variable(&mut |variable| self.reads.note(variable));
                return Some(authentication);
            }
            Err(Refused::Wrong(line, rule, what)) => {
                self.problem_in(DesignPart::Policy(self.name.to_string()), line, rule, what);
            }
            Err(Refused::Cannot(line, reason)) => {
                self.degraded.get_or_insert((line, reason));
            }
        }
        None
    }

    /// Remembers that the policy calls a shared flow, which must be there.
    pub(crate) fn call(&mut self, at: &Element, flow: &Arc<str>) {
        let coming = &self.world.coming.shared_flows;
        if self.running.shared_flow(flow).is_none() && !coming.contains(&**flow) {
            self.problem(at, "SharedFlowNotFound", format!("there is no shared flow '{flow}'"));
        }
        self.calls.push(flow.clone());
    }

    /// The text of a file of the design, the environment or the organization, by `<kind>://<name>`.
    pub(crate) fn resource(&mut self, at: &Element, url: &str) -> Option<&'d str> {
        let found = url.split_once("://").and_then(|(kind, name)| {
            self.resources
                .iter()
                .find(|file| file.name == name && (file.kind == kind || (kind == "jsc" && file.kind == "js")))
        });
        if found.is_none() {
            self.problem(at, "NoResourceForURL", format!("there is no resource '{url}'"));
        }
        found.map(|file| file.content.as_str())
    }
}

/// Children of a policy's root that may come more than once.
const REPEATABLE: &[&str] = &[
    "Attributes",
    "Copy",
    "Remove",
    "Add",
    "Set",
    "AssignVariable",
    "Get",
    "Put",
    "Delete",
    "Element",
    "Quota",
    "FaultRules",
    "IncludeURL",
    "URIPath",
    "QueryParam",
    "Header",
    "FormParam",
    "Variable",
    "Capture",
    "Read",
];
