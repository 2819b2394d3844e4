//! What the policies that make a call share: the request they build and the answer they keep.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HOST};
use http::uri::PathAndQuery;

use crate::condition::Lookup as _;
use crate::dialect::Dialect;
use crate::exchange::{Exchange, Message, MessageBody, encode};
use crate::policy::blueprint::Blueprint;
use crate::policy::edits::{EditProblem, Edits, MessageRef};
use crate::proxy::strip_hop_by_hop;
use crate::variable::{MessageName, Variable};

/// The `Request` of a callout: a message by name, made when it is not there, and changes to it.
#[derive(Debug)]
pub(super) struct Outgoing {
    variable: MessageRef,
    edits: Edits,
    /// The changes set a path; one that was only copied from elsewhere belongs to that message's URL.
    sets_path: bool,
    /// The message lets its body go once it was sent.
    clears_payload: bool,
    verb: Option<Method>,
}

/// A request ready to be addressed.
pub(super) struct Made {
    pub(super) message: Message,
    /// Follows the path of the address.
    pub(super) path: Option<String>,
    /// Follows the query of the address.
    pub(super) query: String,
}

/// Why there is no request.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotMade {
    #[error("{0} is not a message")]
    NotAMessage(Arc<str>),
    #[error("{0} is not a request message")]
    NotARequest(Arc<str>),
    #[error(transparent)]
    Edit(#[from] EditProblem),
    #[error("too many headers are named by Connection")]
    Headers,
}

/// The message of a callout that names none.
const OWN_MESSAGE: &str = "servicecallout.request";

impl Outgoing {
    /// Reads the root's `Request`; `verb` is for a request that sets none.
    pub(super) fn read(policy: &mut Blueprint<'_>, verb: Option<Method>) -> Self {
        let clears_by_default = policy.world.dialect == Dialect::Apigee;
        let Some(element) = policy.root.child("Request") else {
            return Self {
                variable: MessageRef(OWN_MESSAGE.into()),
                edits: Edits::default(),
                sets_path: false,
                clears_payload: clears_by_default,
                verb,
            };
        };
        policy.only(
            element,
            &["variable", "clearPayload"],
            &["Copy", "Remove", "Add", "Set", "IgnoreUnresolvedVariables"],
        );
        let clears_payload = policy.flag(element, "clearPayload", clears_by_default);
        let named = element.attribute("variable").map(str::trim).filter(|name| !name.is_empty());
        let name = named.filter(|name| policy.variable(element, name).is_some()).unwrap_or(OWN_MESSAGE);
        if let Some(own) = MessageName::of(name) {
            policy.reads.note_message(own);
        }
        let lenient = policy.flag_child(element, "IgnoreUnresolvedVariables", false);
        let set = element.children("Set").flat_map(|set| &set.children);
        let sets_path = set.into_iter().any(|child| child.name == "Path");
        let edits = Edits::read(policy, element, name, lenient);
        Self { variable: MessageRef(name.into()), edits, sets_path, clears_payload, verb }
    }

    /// Makes the changes, and takes a copy to be sent.
    pub(super) fn make(&self, cx: &mut Exchange) -> Result<Made, NotMade> {
        let name = &self.variable.0;
        if cx.message_named(name).is_none() {
            if !cx.value(&Variable::new(name)).is_null() {
                return Err(NotMade::NotAMessage(name.clone()));
            }
            match MessageName::of(name) {
                Some(_) => return Err(NotMade::NotAMessage(name.clone())),
                None => cx.variables.set_message(name, Message::empty_request()),
            }
        }
        let head = cx.message_named(name).and_then(Message::as_request);
        let before = head.ok_or_else(|| NotMade::NotARequest(name.clone()))?.path.clone();
        self.edits.apply(cx, &self.variable)?;
        let made = cx.message_named(name).ok_or_else(|| NotMade::NotAMessage(name.clone()))?;
        let mut message = made.clone();
        let Some(head) = message.as_request_mut() else { return Err(NotMade::NotARequest(name.clone())) };
        if let Some(verb) = self.verb.as_ref().filter(|_| head.method == Method::GET) {
            head.method = verb.clone();
        }
        let path = if self.sets_path { head.path.take() } else { before };
        let query = head.query_text().into_owned();
        // The connection's own, or a body's that is another one now. A coding that was asked for on behalf of
        // somebody else would come back to steps that do not decode.
        strip_hop_by_hop(&mut message.headers).map_err(|_| NotMade::Headers)?;
        for header in [HOST, CONTENT_LENGTH, ACCEPT_ENCODING] {
            message.headers.remove(header);
        }
        if matches!(message.body, MessageBody::Streaming) {
            message.body = MessageBody::Empty;
        }
        Ok(Made { message, path: path.map(String::from), query })
    }

    /// What is done once the request was sent.
    pub(super) fn sent(&self, cx: &mut Exchange) {
        if self.clears_payload
            && MessageName::of(&self.variable.0).is_none()
            && let Some(message) = cx.message_named_mut(&self.variable.0)
        {
            message.set_body(MessageBody::Empty);
        }
    }
}

impl Made {
    /// The request target: that of the address, then the request's own path and query. `None` when that is
    /// no path.
    pub(super) fn target(&self, address: &PathAndQuery) -> Option<PathAndQuery> {
        let own = self.path.as_deref().filter(|path| !path.is_empty() && *path != "/").unwrap_or_default();
        let base = if own.is_empty() { address.path() } else { address.path().trim_end_matches('/') };
        let mut target = format!("{base}{}", encode(own));
        let mut mark = '?';
        for query in [address.query().unwrap_or_default(), &self.query] {
            if !query.is_empty() {
                target.push(mark);
                target.push_str(query);
                mark = '&';
            }
        }
        target.parse().ok()
    }

    /// The message, addressed.
    pub(super) fn addressed(mut self, target: PathAndQuery) -> Message {
        if let Some(head) = self.message.as_request_mut() {
            head.uri = target;
            head.path = None;
            head.edited_query = None;
            head.query = std::cell::OnceCell::new();
        }
        self.message
    }
}

/// Keeps an answer under a name. Of an answer that is to replace a request, headers and body do.
pub(super) fn keep(cx: &mut Exchange, name: &Arc<str>, answer: Message) {
    match MessageName::of(name) {
        None => cx.variables.set_message(name, answer),
        Some(_) => match cx.message_named_mut(name) {
            Some(own) if own.as_request().is_some() => {
                own.headers = answer.headers;
                own.set_body(answer.body);
            }
            Some(own) => *own = answer,
            None => {}
        },
    }
}

/// Reads the root's `Response`: the name an answer is kept under.
pub(super) fn response_variable(policy: &mut Blueprint<'_>) -> Option<Arc<str>> {
    let element = policy.root.child("Response").filter(|element| !element.text().is_empty())?;
    policy.only(element, &[], &[]);
    policy.variable(element, element.text())?;
    Some(element.text().into())
}

/// Reads the root's `Timeout`, in milliseconds; 55 s without one.
pub(super) fn timeout(policy: &mut Blueprint<'_>) -> Duration {
    const USUAL: Duration = Duration::from_secs(55);
    let Some(element) = policy.root.child("Timeout").filter(|element| !element.text().is_empty()) else {
        return USUAL;
    };
    match policy.number(element, element.text(), "InvalidTimeoutValue") {
        Some(millis @ 1..=86_400_000) => Duration::from_millis(millis),
        Some(_) => {
            policy.problem(element, "InvalidTimeoutValue", "Timeout is from 1 to 86400000 milliseconds");
            USUAL
        }
        None => USUAL,
    }
}
