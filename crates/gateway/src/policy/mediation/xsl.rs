//! `XSL`: transforms XML by a stylesheet (api-management §9.5).

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use pierhead_xml::{Document, Limits, Stylesheet, Transformed};

use crate::compile::DesignPart;
use crate::condition::Lookup as _;
use crate::exchange::{Exchange, MessageBody};
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::source::{Source, Sourced};
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::variable::{MessageName, Stored, Variable};

/// Puts what a stylesheet makes of the source into a variable, or in place of the source.
///
/// Faults, all 500: `steps.xsl.XSLSourceMessageNotAvailable`, `steps.xsl.XSLEvaluationFailed`,
/// `steps.xsl.XSLVariableResolutionFailed`.
#[derive(Debug)]
pub(super) struct Xsl {
    name: Arc<str>,
    source: Source,
    sheet: Stylesheet,
    parameters: Vec<Parameter>,
    lenient: bool,
    output: Option<Variable>,
}

/// A parameter that is handed to the stylesheet: the variable's value, else the literal.
#[derive(Debug)]
struct Parameter {
    name: Box<str>,
    variable: Option<Variable>,
    value: Option<Box<str>>,
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["Source", "ResourceURL", "OutputVariable", "Parameters"]);
    let source = Source::read(policy, &[]);
    source.reads_body(policy);
    let output = output(policy);
    let (parameters, lenient) = parameters(policy);
    let sheet = stylesheet(policy)?;
    Some(Box::new(Xsl { name: policy.name.clone(), source, sheet, parameters, lenient, output }))
}

fn stylesheet(policy: &mut Blueprint<'_>) -> Option<Stylesheet> {
    let root = policy.root;
    let element = root.child("ResourceURL").unwrap_or(root);
    if element.name != "ResourceURL" || element.text().is_empty() {
        policy.problem(element, "XSLEmptyResourceUrl", "XSL needs a ResourceURL");
        return None;
    }
    policy.only(element, &[], &[]);
    let url = element.text();
    if !url.starts_with("xsl://") {
        policy.problem(element, "XSLInvalidResourceType", format!("'{url}' is not an xsl:// resource"));
        return None;
    }
    let text = policy.resource(element, url)?;
    match Stylesheet::compile(text, &Limits::default()) {
        Ok(sheet) => Some(sheet),
        Err(bad) => {
            let part = DesignPart::Resource(url.to_owned());
            policy.problem_in(part, bad.line as usize, "XSLCompilationFailed", bad.why);
            None
        }
    }
}

fn output(policy: &mut Blueprint<'_>) -> Option<Variable> {
    let element = policy.root.child("OutputVariable")?;
    policy.only(element, &[], &[]);
    if element.text().is_empty() {
        return None;
    }
    if MessageName::of(element.text()).is_some() {
        let why = "OutputVariable cannot be a message; without it the source is replaced";
        policy.problem(element, "InvalidOutputVariable", why);
        return None;
    }
    policy.variable(element, element.text())
}

fn parameters(policy: &mut Blueprint<'_>) -> (Vec<Parameter>, bool) {
    let Some(element) = policy.root.child("Parameters") else { return (Vec::new(), false) };
    policy.only(element, &["ignoreUnresolvedVariables"], &["Parameter"]);
    let lenient = policy.flag(element, "ignoreUnresolvedVariables", false);
    let mut parameters = Vec::new();
    for child in element.children("Parameter") {
        policy.only(child, &["name", "ref", "value"], &[]);
        let Some(name) = child.attribute("name").map(str::trim).filter(|name| !name.is_empty()) else {
            policy.problem(child, "MissingName", "a parameter needs a name");
            continue;
        };
        let variable = child.attribute("ref").filter(|name| !name.trim().is_empty());
        let variable = variable.and_then(|name| policy.variable(child, name));
        let value =
            child.attribute("value").or((!child.text().is_empty()).then(|| child.text())).map(Into::into);
        if variable.is_none() && value.is_none() {
            policy.problem(child, "MissingValue", format!("the parameter {name} needs ref or value"));
        }
        parameters.push(Parameter { name: name.into(), variable, value });
    }
    (parameters, lenient)
}

impl Policy for Xsl {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        let done = self.transform(cx).and_then(|made| self.store(cx, made));
        PolicyRun::Done(done.map(|()| Next::Continue))
    }
}

impl Xsl {
    fn transform(&self, cx: &Exchange) -> Result<Transformed, Fault> {
        let failed = |why: &dyn std::fmt::Display| {
            self.fault("XSLEvaluationFailed", &format!("Evaluation of XSL failed: {why}"))
        };
        let document = match self.source.get(cx) {
            Sourced::Message(message) => Document::parse_bytes(message.body.bytes(), &Limits::default()),
            Sourced::Text(text) => Document::parse(&text, &Limits::default()),
            Sourced::Nothing => {
                let text = format!("Message {} is not available for XSL", self.source.name);
                return Err(self.fault("XSLSourceMessageNotAvailable", &text));
            }
        };
        let document = document.map_err(|bad| failed(&bad))?;
        let mut parameters = Vec::with_capacity(self.parameters.len());
        for parameter in &self.parameters {
            let resolved = parameter.variable.as_ref().and_then(|variable| cx.value(variable).into_text());
            match (resolved, &parameter.value, &parameter.variable) {
                (Some(text), ..) => parameters.push((&*parameter.name, text)),
                (None, Some(value), _) => parameters.push((&*parameter.name, (&**value).into())),
                (None, None, Some(variable)) if !self.lenient => {
                    let text = format!("Unable to resolve variable {variable}");
                    return Err(self.fault("XSLVariableResolutionFailed", &text));
                }
                // The stylesheet's own default stands.
                (None, None, _) => {}
            }
        }
        let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, text)| (*name, &**text)).collect();
        let made = self.sheet.transform(&document, &parameters).map_err(|error| failed(&error))?;
        for message in &made.messages {
            tracing::debug!(policy = %self.name, text = %message, "the stylesheet of XSL policy {} says", self.name);
        }
        Ok(made)
    }

    fn store(&self, cx: &mut Exchange, made: Transformed) -> Result<(), Fault> {
        if let Some(message) = cx.message_named_mut(&self.source.name).filter(|_| self.output.is_none()) {
            message.set_body(MessageBody::Replaced(Bytes::from(made.text)));
            // The coding was the old body's.
            message.headers.remove(CONTENT_ENCODING);
            if let Some(kind) = made.media_type.and_then(|kind| HeaderValue::try_from(kind).ok()) {
                message.headers.insert(CONTENT_TYPE, kind);
            }
            return Ok(());
        }
        let own = Variable::new(&self.source.name);
        let output = self.output.as_ref().unwrap_or(&own);
        cx.set(output, Some(Stored::from(made.text))).map_err(|why| {
            self.fault("XSLEvaluationFailed", &format!("Evaluation of XSL failed: {output}: {why}"))
        })
    }

    fn fault(&self, name: &str, text: &str) -> Fault {
        Fault::internal(format!("steps.xsl.{name}"), format!("XSL[{}]: {text}", self.name))
    }
}

#[cfg(test)]
mod tests;
