//! `Javascript`: code in the middle of a flow (api-management §9.6).

mod aside;
mod host;
mod needs;
mod outward;
mod xml;

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pierhead_script::js::{self, Script, ScriptError, ScriptErrorKind, SourceFile, Surroundings};

use super::tls::{self, Tls};
use crate::compile::DesignPart;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::template::Template;

/// Runs a script on its exchange.
///
/// A script without calls of its own runs where its request is worked on; one that may wait for somebody else
/// or that turned out to be slow runs on a thread aside, so that no other request waits for it.
///
/// Faults, all 500: `steps.javascript.ScriptExecutionFailed`; `steps.javascript.ScriptExecutionFailedLineNumber`
/// for a script that used up its memory or its stack; `steps.javascript.ScriptSecurityError` for one that
/// reached for Java.
#[derive(Debug)]
pub(super) struct Javascript {
    name: Arc<str>,
    script: Script,
    properties: Arc<[(Box<str>, Template)]>,
    tls: Tls,
    time: TimeLimit,
    /// It was written in Python, and its faults say so.
    is_python: bool,
    /// It runs aside.
    aside: AtomicBool,
}

#[derive(Debug, Clone, Copy)]
struct TimeLimit {
    /// As written; `None` is no limit, which is [`LONGEST`] here.
    millis: Option<u64>,
}

/// What a policy without `timeLimit` gets, in milliseconds.
const USUAL_MILLIS: u64 = 200;
/// The longest that a script may take with no limit of its own.
const LONGEST: Duration = Duration::from_secs(60);
/// A script that may take longer than this runs aside from the beginning.
const PATIENCE: Duration = Duration::from_secs(1);
/// A script that took longer than this runs aside from then on.
const SLOW: Duration = Duration::from_millis(20);

/// Our own property: `es2020` lets a script be written in today's language.
const LANGUAGE: &str = "pierhead.language";

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&["timeLimit", "timeout"], &["IncludeURL", "ResourceURL", "Source", "SSLInfo"]);
    let tls = tls::read(policy, policy.root);
    let files = files(policy);
    compile_files(policy, files?, tls)
}

/// The same for files that were found otherwise; time limit and properties are the root's.
pub(super) fn compile_files(policy: &mut Blueprint<'_>, files: Vec<File<'_>>, tls: Tls) -> Option<Compiled> {
    let sources: Vec<SourceFile<'_>> =
        files.iter().map(|file| SourceFile { name: file.name, text: file.text }).collect();
    compile_sources(policy, &files, &sources, None, tls)
}

/// The same for a file that was written in another language: `source` is what became of it, `runtime` the code
/// that it runs after.
pub(super) fn compile_translated(
    policy: &mut Blueprint<'_>,
    file: File<'_>,
    source: &str,
    runtime: &'static str,
) -> Option<Compiled> {
    let sources = [SourceFile { name: file.name, text: source }];
    compile_sources(policy, &[file], &sources, Some(runtime), Tls::default())
}

fn compile_sources(
    policy: &mut Blueprint<'_>,
    files: &[File<'_>],
    sources: &[SourceFile<'_>],
    runtime: Option<&'static str>,
    tls: Tls,
) -> Option<Compiled> {
    let time = time_limit(policy);
    let properties = properties(policy);
    let language = if runtime.is_some() { js::Language::Es2020 } else { language(policy, &properties) };
    let mut needs = needs::Needs::of(files);
    needs.prelude.extend(runtime);
    policy.reads = policy.reads | needs.reads;
    let surroundings =
        Surroundings { operations: host::OPERATIONS, prelude: needs.prelude.into(), names: host::NAMES };
    let limits = js::Limits { time: time.duration(), ..js::Limits::default() };
    match Script::compile(sources, language, limits, surroundings) {
        Ok(script) => Some(Box::new(Javascript {
            name: policy.name.clone(),
            script,
            properties: properties.into(),
            tls,
            time,
            is_python: runtime.is_some(),
            aside: AtomicBool::new(needs.waits || time.duration() > PATIENCE),
        })),
        Err(bad) if bad.foreign => {
            policy.degrade(policy.root, format!("{}, line {}: {}", bad.file, bad.line, bad.message))
        }
        Err(bad) => {
            let rule = "ScriptCompilationFailed";
            match files.iter().find(|file| file.name == bad.file && !file.url.is_empty()) {
                Some(file) => {
                    policy.problem_in(DesignPart::Resource(file.url.to_owned()), bad.line, rule, bad.message);
                }
                None => {
                    policy.problem(policy.root, rule, format!("Source, line {}: {}", bad.line, bad.message))
                }
            }
            None
        }
    }
}

/// A file of the policy's.
pub(super) struct File<'d> {
    /// As the policy names it; empty for what is written into the policy.
    pub(super) url: &'d str,
    pub(super) name: &'d str,
    pub(super) text: &'d str,
}

/// What is included, then what is run; `None` after reporting that there is nothing.
fn files<'d>(policy: &mut Blueprint<'d>) -> Option<Vec<File<'d>>> {
    let root = policy.root;
    let main = root.child("ResourceURL").filter(|url| !url.text().is_empty());
    let inline = root.child("Source").filter(|source| !source.text().is_empty());
    if main.is_none() && inline.is_none() {
        policy.problem(root, "NoResourceForURL", "Javascript needs a ResourceURL or a Source");
        return None;
    }
    let mut files = Vec::new();
    let mut complete = true;
    for element in root.children("IncludeURL").chain(main) {
        match file(policy, element) {
            Some(file) => files.push(file),
            None => complete = false,
        }
    }
    if let (None, Some(source)) = (main, inline) {
        files.push(File { url: "", name: "Source", text: source.text() });
    }
    complete.then_some(files)
}

pub(super) fn file<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<File<'d>> {
    let url = element.text();
    let refused = match url.split_once("://") {
        None => Some(("InvalidResourceUrlFormat", "is not of the form jsc://name.js")),
        Some((_, "")) => Some(("InvalidResourceUrlReference", "names no file")),
        Some(("jsc" | "js", _)) => None,
        Some(_) => Some(("WrongResourceType", "is no script: those are jsc://")),
    };
    if let Some((rule, why)) = refused {
        policy.problem(element, rule, format!("'{url}' {why}"));
        return None;
    }
    let text = policy.resource(element, url)?;
    Some(File { url, name: url.split_once("://").map_or(url, |(_, name)| name), text })
}

fn time_limit(policy: &mut Blueprint<'_>) -> TimeLimit {
    // `timeout` is what some bundles write for it.
    let written = ["timeLimit", "timeout"].into_iter().find_map(|name| policy.root.attribute(name));
    let millis = match written.map(str::trim).filter(|text| !text.is_empty()) {
        None => Some(USUAL_MILLIS),
        Some(text) => match policy.number(policy.root, text, "InvalidTimeLimit") {
            Some(0) => None,
            Some(millis) => Some(millis),
            None => Some(USUAL_MILLIS),
        },
    };
    TimeLimit { millis }
}

impl TimeLimit {
    fn duration(self) -> Duration {
        self.millis.map_or(LONGEST, |millis| Duration::from_millis(millis).min(LONGEST))
    }
}

fn properties(policy: &mut Blueprint<'_>) -> Vec<(Box<str>, Template)> {
    let Some(group) = policy.root.child("Properties") else { return Vec::new() };
    policy.only(group, &[], &["Property"]);
    let mut properties = Vec::new();
    for element in group.children("Property") {
        policy.only(element, &["name"], &[]);
        match element.attribute("name").map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => properties.push((name.into(), policy.template(element, element.text()))),
            None => policy.problem(element, "NameIsMissing", "Property needs a name"),
        }
    }
    properties
}

fn language(policy: &mut Blueprint<'_>, properties: &[(Box<str>, Template)]) -> js::Language {
    let wanted = properties.iter().find(|(name, _)| **name == *LANGUAGE);
    match wanted.map(|(_, value)| value.as_literal().unwrap_or_default()) {
        None | Some("rhino") => js::Language::Rhino,
        Some("es2020") => js::Language::Es2020,
        Some(_) => {
            policy.problem(policy.root, "InvalidLanguage", format!("{LANGUAGE} is rhino or es2020"));
            js::Language::Rhino
        }
    }
}

impl Policy for Javascript {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        if self.aside.load(Ordering::Relaxed) && tokio::runtime::Handle::try_current().is_ok() {
            return PolicyRun::Wait(Box::pin(async move {
                self.ended(aside::run(&self.script, self.outside(cx), cx, self.time.duration()).await)
            }));
        }
        let begun = Instant::now();
        let outside = self.outside(cx);
        let result = self.script.run(&mut host::ExchangeHost { cx, outside: &outside });
        if begun.elapsed() > SLOW {
            self.aside.store(true, Ordering::Relaxed);
        }
        self.restock();
        PolicyRun::Done(self.ended(result))
    }
}

impl Javascript {
    fn outside(&self, cx: &Exchange) -> host::Outside {
        host::Outside {
            policy: self.name.clone(),
            properties: self.properties.clone(),
            trust_all: self.tls.trust_all,
            identity: self.tls.identity(cx),
            outbound: Rc::clone(&cx.services.outbound),
            answer_limit: cx.proxy().buffered_body_bytes,
            within: self.time.duration(),
        }
    }

    /// Makes the next engine ready once nobody waits for this one's answer.
    fn restock(&self) {
        if tokio::runtime::Handle::try_current().is_ok() {
            let script = self.script.clone();
            tokio::task::spawn_local(async move {
                tokio::task::yield_now().await;
                script.restock();
            });
        }
    }

    fn ended(&self, result: Result<(), ScriptError>) -> Result<Next, Fault> {
        let Err(error) = result else { return Ok(Next::Continue) };
        let name = &self.name;
        let at = error.at.map(|(file, line)| format!(" ({file}:{line})")).unwrap_or_default();
        let message = error.message;
        if self.is_python {
            let limit = self.time.duration().as_millis();
            let why = match error.kind {
                ScriptErrorKind::Time => format!("Pythonscript runtime exceeded limit of {limit}ms"),
                _ => format!("Pythonscript runtime error: \"{message}.{at}\""),
            };
            let text = format!("Execution of {name} failed with error: {why}");
            return Err(Fault::internal("steps.script.ScriptEvaluationFailed", text));
        }
        let runtime = format!("Javascript runtime error: \"{message}.{at}\"");
        let (code, text) = match error.kind {
            ScriptErrorKind::Thrown => {
                ("ScriptExecutionFailed", format!("Execution of {name} failed with error: {runtime}"))
            }
            ScriptErrorKind::Security => (
                "ScriptSecurityError",
                format!("Execution of {name} failed with security error: {message}{at}"),
            ),
            ScriptErrorKind::Memory | ScriptErrorKind::Depth => (
                "ScriptExecutionFailedLineNumber",
                format!("Execution of {name} failed with error: {runtime}"),
            ),
            ScriptErrorKind::Time => {
                let limit = self.time.duration().as_millis();
                let text = format!(
                    "Execution of {name} failed with error: Javascript runtime exceeded limit of {limit}ms"
                );
                ("ScriptExecutionFailed", text)
            }
            ScriptErrorKind::Abandoned | ScriptErrorKind::Engine => {
                ("ScriptExecutionFailed", format!("Execution of {name} failed with error: {message}"))
            }
        };
        Err(Fault::internal(format!("steps.javascript.{code}"), text))
    }
}

#[cfg(test)]
mod tests;
