//! `OASValidation`: checks a message against a description of its API (api-management §9.5; decision 054).

use std::sync::Arc;

use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::openapi::{Allowed, Asked, Description};
use crate::policy::blueprint::Blueprint;
use crate::policy::source::{Source, Sourced};
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::variable::{Stored, Variable};

/// Refuses a request that the description does not know, or a response that it does not promise. The base path of
/// the proxy counts, not the description's.
///
/// Sets `OASValidation.<policy>.failed` and `OASValidation.<policy>.fault.cause`. Faults, all 500:
/// `steps.oasvalidation.Failed`, `steps.oasvalidation.SourceMessageNotAvailable`,
/// `steps.oasvalidation.NonMessageVariable`.
#[derive(Debug)]
struct OasValidation {
    name: Arc<str>,
    url: Box<str>,
    source: Source,
    description: Description,
    with_body: bool,
    allowed: Allowed,
    cause: Variable,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["OASResource", "Source", "Options"]);
    let root = policy.root;
    // Not `message`: what is checked is the request, wherever the policy stands.
    let source = match root.child("Source").filter(|source| !source.text().is_empty()) {
        Some(_) => Source::read(policy, &[]),
        None => Source::named("request"),
    };
    source.reads_body(policy);
    let mut with_body = false;
    let mut allowed = Allowed { headers: true, query: true, cookies: true };
    if let Some(options) = root.child("Options") {
        policy.only(options, &[], &["ValidateMessageBody", "AllowUnspecifiedParameters"]);
        with_body = policy.flag_child(options, "ValidateMessageBody", false);
        if let Some(group) = options.child("AllowUnspecifiedParameters") {
            policy.only(group, &[], &["Header", "Query", "Cookie"]);
            allowed.headers = policy.flag_child(group, "Header", true);
            allowed.query = policy.flag_child(group, "Query", true);
            allowed.cookies = policy.flag_child(group, "Cookie", true);
        }
    }
    let Some(resource) = root.child("OASResource").filter(|resource| !resource.text().is_empty()) else {
        policy.problem(root, "BadResourceURL", "OASValidation needs an OASResource");
        return None;
    };
    let url = resource.text();
    if url.strip_prefix("oas://").is_none_or(str::is_empty) {
        policy.problem(resource, "BadResourceURL", format!("'{url}' is not of the form oas://name.yaml"));
        return None;
    }
    let text = match policy
        .resources
        .iter()
        .find(|file| file.kind == "oas" && Some(&*file.name) == url.strip_prefix("oas://"))
    {
        Some(file) => file.content.as_str(),
        None => {
            policy.problem(resource, "ResourceDoesNotExist", format!("there is no resource '{url}'"));
            return None;
        }
    };
    match Description::compile(text) {
        Ok(description) => {
            let name = policy.name.clone();
            let cause = Variable::new(&format!("OASValidation.{name}.fault.cause"));
            Some(Box::new(OasValidation {
                name,
                url: url.into(),
                source,
                description,
                with_body,
                allowed,
                cause,
            }))
        }
        Err(bad) if bad.is_unsupported => policy.degrade(resource, format!("{url}: {bad}")),
        Err(bad) => {
            policy.problem(resource, "ResourceCompileFailed", format!("{url}: {bad}"));
            None
        }
    }
}

impl Policy for OasValidation {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.check(cx).map(|()| Next::Continue).map_err(|(name, text, cause)| {
            if let Some(cause) = cause {
                // Nobody else's variable: it can be set.
                let _ = cx.set(&self.cause, Some(Stored::from(cause)));
            }
            Fault::internal(format!("steps.oasvalidation.{name}"), text)
        }))
    }
}

/// Name of the fault, its text, and what is wrong with the message.
type Refusal = (&'static str, String, Option<String>);

impl OasValidation {
    fn check(&self, cx: &Exchange) -> Result<(), Refusal> {
        let (policy, source) = (&self.name, &self.source.name);
        let message = match self.source.get(cx) {
            Sourced::Message(message) => message,
            Sourced::Text(_) => {
                let text =
                    format!("OASValidation[{policy}]: Variable {source} does not resolve to a Message");
                return Err(("NonMessageVariable", text, None));
            }
            Sourced::Nothing => {
                let text =
                    format!("OASValidation[{policy}]: {source} message is not available for validation");
                return Err(("SourceMessageNotAvailable", text, None));
            }
        };
        // A message of a policy's own has its own verb; a response belongs to the client's request.
        let request = if message.as_request().is_some() { message } else { &cx.request };
        let Some(head) = request.as_request() else { return Ok(()) };
        let asked = Asked {
            verb: head.method.as_str(),
            path: cx.path_suffix(),
            query: head.params(),
            headers: &request.headers,
        };
        let result = if message.as_request().is_some() {
            self.description.check_request(&asked, message, self.with_body, self.allowed)
        } else {
            self.description.check_response(&asked, message, self.with_body)
        };
        result.map_err(|cause| {
            let text = format!(
                "OASValidation {policy} with resource \"{}\" failed with reason: \"{cause}\"",
                self.url
            );
            ("Failed", text, Some(cause))
        })
    }
}

#[cfg(test)]
mod tests;
