//! `AssignMessage`: makes or changes a message, and sets variables (api-management §9.5).

use std::sync::Arc;

use http::StatusCode;

use crate::exchange::{Exchange, Message, Segment};
use crate::fault::Fault;
use crate::google::Authentication;
use crate::policy::blueprint::Blueprint;
use crate::policy::edits::{EditProblem, Edits, MessageRef};
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::template::RenderProblem;
use crate::variable::MessageName;

/// Changes a message in the order of the document.
///
/// Faults, all 500: `steps.assignmessage.UnresolvedVariable`, `steps.assignmessage.VariableOfNonMsgType`,
/// `steps.assignmessage.SetVariableFailed`.
#[derive(Debug)]
pub(super) struct AssignMessage {
    name: Arc<str>,
    target: Target,
    edits: Edits,
    /// `Set/Authentication`: Google's credentials, put in after all other changes.
    authentication: Option<Authentication>,
}

/// The message that is changed.
#[derive(Debug)]
pub(super) enum Target {
    /// `message`: the one of the present segment.
    Present,
    /// The response, also while it is still to come: `type="response"` without a name.
    Response,
    /// A message by name. `make` says what to make when it is to be new or is not there.
    Named { message: MessageRef, always_new: bool, make: Kind },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Response,
    /// The kind of the present segment's message.
    Present,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    let children = [&["AssignTo", "IgnoreUnresolvedVariables"], Edits::ELEMENTS].concat();
    policy.only_in_root(&[], &children);
    let target = target(policy);
    let lenient = policy.flag_child(policy.root, "IgnoreUnresolvedVariables", false);
    let edits = Edits::read(policy, policy.root, &target.name(), lenient);
    let mut given = policy.root.children("Set").filter_map(|set| set.child("Authentication"));
    let first = given.next();
    if let Some(second) = given.next() {
        policy.problem(second, "RepeatedElement", "Authentication may be given once only");
    }
    let authentication = match first {
        Some(element) => Some(policy.authentication(element)?),
        None => None,
    };
    Some(Box::new(AssignMessage { name: policy.name.clone(), target, edits, authentication }))
}

/// `AssignTo`.
pub(super) fn target(policy: &mut Blueprint<'_>) -> Target {
    let Some(element) = policy.root.child("AssignTo") else { return Target::Present };
    policy.only(element, &["createNew", "transport", "type"], &[]);
    let always_new = policy.flag(element, "createNew", false);
    if element
        .attribute("transport")
        .is_some_and(|transport| !["http", "https"].iter().any(|known| transport.eq_ignore_ascii_case(known)))
    {
        policy.problem(element, "InvalidTransport", "the only transport is http");
    }
    let kind = match element.attribute("type").map(str::to_ascii_lowercase).as_deref() {
        None | Some("") => None,
        Some("request") => Some(Kind::Request),
        Some("response") => Some(Kind::Response),
        Some(other) => {
            // The originals take any word here and do without it.
            policy.warning(
                element,
                "InvalidMessageType",
                format!("'{other}' is neither request nor response"),
            );
            None
        }
    };
    let name = match (element.text(), kind) {
        // Without a name the type is that of a message that is to be made. One that is there is the present
        // segment's; only the request flows have a response ahead of them.
        ("", Some(Kind::Response)) if !always_new => return Target::Response,
        ("", _) if !always_new => return Target::Present,
        ("", Some(Kind::Request)) => "request",
        ("", Some(Kind::Response)) => "response",
        ("", _) => "message",
        (name, _) => match policy.variable(element, name) {
            Some(_) => name,
            None => return Target::Present,
        },
    };
    if name == "message" && !always_new {
        return Target::Present;
    }
    let make = match (MessageName::of(name), kind) {
        (Some(MessageName::Request), _) => Kind::Request,
        (Some(MessageName::Response | MessageName::Error), _) => Kind::Response,
        (_, kind) => kind.unwrap_or(Kind::Present),
    };
    Target::Named { message: MessageRef(name.into()), always_new, make }
}

impl Policy for AssignMessage {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        let done = self.apply(cx).map_err(|problem| self.fault(&problem));
        let Some(authentication) = self.authentication.as_ref().filter(|_| done.is_ok()) else {
            return PolicyRun::Done(done);
        };
        let credential = match authentication.credential(cx, None) {
            Ok(credential) => credential,
            Err(fault) => return PolicyRun::Done(Err(fault.into())),
        };
        PolicyRun::Wait(Box::pin(async move {
            let (name, value) = credential.value().await?;
            if let Some(message) = cx.message_named_mut(&self.target.name()) {
                message.headers.insert(name, value);
            }
            Ok(Next::Continue)
        }))
    }
}

impl AssignMessage {
    fn apply(&self, cx: &mut Exchange) -> Result<Next, EditProblem> {
        let message = self.target.prepare(cx);
        self.edits.apply(cx, message).map(|()| Next::Continue)
    }

    fn fault(&self, problem: &EditProblem) -> Fault {
        let code = match problem {
            EditProblem::Template(RenderProblem::Unresolved(_)) => "steps.assignmessage.UnresolvedVariable",
            EditProblem::NotAMessage(_) => "steps.assignmessage.VariableOfNonMsgType",
            EditProblem::NotSet { .. } | EditProblem::Template(RenderProblem::TooLong) => {
                "steps.assignmessage.SetVariableFailed"
            }
        };
        let text = format!("AssignMessage[{}]: {problem}", self.name);
        Fault::step(StatusCode::INTERNAL_SERVER_ERROR, code, text)
    }
}

impl Target {
    /// Its name in a policy document.
    pub(super) fn name(&self) -> Arc<str> {
        match self {
            Self::Present | Self::Response => "message".into(),
            Self::Named { message, .. } => message.0.clone(),
        }
    }

    /// Makes the message when it is to be new or is not there; says which one is to be changed.
    pub(super) fn prepare(&self, cx: &mut Exchange) -> &MessageRef {
        let (message, always_new, make) = match self {
            Self::Named { message, always_new, make } => (message, always_new, make),
            Self::Response if cx.position.segment.is_of_request() => {
                cx.response.get_or_insert_with(Message::empty_response);
                return MessageRef::response();
            }
            Self::Present | Self::Response => return MessageRef::present(),
        };
        if *always_new || cx.message_named(&message.0).is_none() {
            let fresh = match make {
                Kind::Request => Message::empty_request(),
                Kind::Response => Message::empty_response(),
                Kind::Present if cx.position.segment.is_of_request() => Message::empty_request(),
                Kind::Present => Message::empty_response(),
            };
            match cx.message_named_mut(&message.0) {
                // A client's request keeps its own first line: the path suffix is not the message's.
                Some(own) if MessageName::of(&message.0) == Some(MessageName::Request) => {
                    own.headers = fresh.headers;
                    own.set_body(fresh.body);
                }
                Some(own) => *own = fresh,
                None => cx.variables.set_message(&message.0, fresh),
            }
        }
        message
    }
}

impl Segment {
    /// The message of this segment is a request.
    pub(crate) const fn is_of_request(self) -> bool {
        matches!(self, Self::ProxyRequest | Self::TargetRequest)
    }
}

#[cfg(test)]
mod tests;
