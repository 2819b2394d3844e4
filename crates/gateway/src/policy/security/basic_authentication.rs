//! `BasicAuthentication`: user and password into a Basic credential and out of it (api-management §9.3).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::condition::Lookup as _;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::setting::Setting;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::template::decode_base64;
use crate::variable::{Stored, Variable};

/// Encode writes `Basic base64(user:password)`; decode sets the two variables it names.
///
/// Faults, all 500: `steps.basicauthentication.UnresolvedVariable`,
/// `steps.basicauthentication.InvalidBasicAuthenticationSource`, `steps.basicauthentication.SetVariableFailed`.
#[derive(Debug)]
struct BasicAuthentication {
    name: Arc<str>,
    operation: Operation,
    /// An unresolved variable reads as nothing.
    lenient: bool,
}

#[derive(Debug)]
enum Operation {
    Encode { user: Setting, password: Setting, into: Variable, overwrite: bool },
    Decode { user: Variable, password: Variable, source: Variable },
}

/// Where a client's credential is unless the policy says otherwise.
const SOURCE: &str = "request.header.Authorization";

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(
        &[],
        &["Operation", "IgnoreUnresolvedVariables", "User", "Password", "AssignTo", "Source"],
    );
    let root = policy.root;
    let lenient = policy.flag_child(root, "IgnoreUnresolvedVariables", false);
    let operation = match root.child("Operation").map(|element| (element, element.text())) {
        Some((element, "Encode")) => {
            policy.only(element, &[], &[]);
            encode(policy)
        }
        Some((element, "Decode")) => {
            policy.only(element, &[], &[]);
            decode(policy)
        }
        other => {
            let at = other.map_or(root, |(element, _)| element);
            policy.problem(at, "InvalidOperation", "Operation is Encode or Decode");
            None
        }
    };
    Some(Box::new(BasicAuthentication { name: policy.name.clone(), operation: operation?, lenient }))
}

fn encode(policy: &mut Blueprint<'_>) -> Option<Operation> {
    let root = policy.root;
    let mut needed = |name, rule| {
        let setting = Setting::child(policy, root, name, &[]);
        if setting.is_none() {
            let at = root.child(name).unwrap_or(root);
            policy.problem(at, rule, format!("Encode needs {name} with a ref"));
        }
        setting
    };
    let (user, password) = (needed("User", "UserNameRequired"), needed("Password", "PasswordRequired"));
    if let Some(source) = root.child("Source") {
        policy.only(source, &[], &[]);
    }
    let Some(assign_to) = root.child("AssignTo").filter(|element| !element.text().is_empty()) else {
        let at = root.child("AssignTo").unwrap_or(root);
        policy.problem(at, "AssignToRequired", "Encode needs the name of a variable in AssignTo");
        return None;
    };
    policy.only(assign_to, &["createNew"], &[]);
    let overwrite = policy.flag(assign_to, "createNew", false);
    let into = policy.variable(assign_to, assign_to.text());
    Some(Operation::Encode { user: user?, password: password?, into: into?, overwrite })
}

fn decode(policy: &mut Blueprint<'_>) -> Option<Operation> {
    let root = policy.root;
    let mut named = |name, rule| {
        let element = root.child(name);
        if let Some(element) = element {
            policy.only(element, &["ref"], &[]);
        }
        let reference = element.and_then(|element| Some((element, element.attribute("ref")?)));
        match reference.filter(|(_, name)| !name.trim().is_empty()) {
            Some((element, name)) => policy.variable(element, name),
            None => {
                policy.problem(element.unwrap_or(root), rule, format!("Decode needs {name} with a ref"));
                None
            }
        }
    };
    let (user, password) = (named("User", "UserNameRequired"), named("Password", "PasswordRequired"));
    if let Some(assign_to) = root.child("AssignTo") {
        policy.only(assign_to, &["createNew"], &[]);
    }
    let source = match root.child("Source") {
        Some(element) if element.text().is_empty() => {
            policy.problem(element, "SourceRequired", "Decode needs the name of a variable in Source");
            None
        }
        Some(element) => {
            policy.only(element, &[], &[]);
            policy.variable(element, element.text())
        }
        None => Some(Variable::new(SOURCE)),
    };
    Some(Operation::Decode { user: user?, password: password?, source: source? })
}

impl Policy for BasicAuthentication {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        let ran = match &self.operation {
            Operation::Encode { user, password, into, overwrite } => {
                self.encode(cx, user, password, into, *overwrite)
            }
            Operation::Decode { user, password, source } => self.decode(cx, user, password, source),
        };
        PolicyRun::Done(ran.map(|()| Next::Continue))
    }
}

impl BasicAuthentication {
    /// A variable that has a value already is kept unless `createNew` says otherwise.
    fn encode(
        &self,
        cx: &mut Exchange,
        user: &Setting,
        password: &Setting,
        into: &Variable,
        overwrite: bool,
    ) -> Result<(), Fault> {
        let text = |setting: &Setting| match setting.text(cx) {
            Some(text) => Ok(text.into_owned()),
            None if self.lenient => Ok(String::new()),
            None => Err(self.unresolved(setting.name())),
        };
        let pair = format!("{}:{}", text(user)?, text(password)?);
        if !overwrite && !cx.value(into).is_null() {
            return Ok(());
        }
        self.set(cx, into, format!("Basic {}", STANDARD.encode(pair)))
    }

    fn decode(
        &self,
        cx: &mut Exchange,
        user: &Variable,
        password: &Variable,
        source: &Variable,
    ) -> Result<(), Fault> {
        let (name, secret) = {
            let Some(credential) = cx.value(source).into_text() else {
                return if self.lenient { Ok(()) } else { Err(self.unresolved(source.name())) };
            };
            let pair = read(&credential).ok_or_else(|| self.invalid(source))?;
            let (name, secret) = pair.split_once(':').ok_or_else(|| self.invalid(source))?;
            (name.to_owned(), secret.to_owned())
        };
        self.set(cx, user, name)?;
        self.set(cx, password, secret)
    }

    fn set(&self, cx: &mut Exchange, into: &Variable, value: String) -> Result<(), Fault> {
        cx.set(into, Some(Stored::from(value))).map_err(|why| {
            let text = format!("BasicAuthentication[{}]: Failed to set variable {into}: {why}", self.name);
            Fault::internal("steps.basicauthentication.SetVariableFailed", text)
        })
    }

    fn unresolved(&self, variable: &str) -> Fault {
        let text = format!("Unresolved variable : {variable}");
        Fault::internal("steps.basicauthentication.UnresolvedVariable", text)
    }

    fn invalid(&self, source: &Variable) -> Fault {
        let text = format!("Source variable : {source} for basic authentication decode policy is not valid");
        Fault::internal("steps.basicauthentication.InvalidBasicAuthenticationSource", text)
    }
}

/// The pair inside `Basic <base64>`; the scheme in any case (RFC 7617).
pub(super) fn read(credential: &str) -> Option<String> {
    let (scheme, encoded) = credential.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.trim().is_empty() {
        return None;
    }
    String::from_utf8(decode_base64(encoded.trim())?).ok()
}

#[cfg(test)]
mod tests;
