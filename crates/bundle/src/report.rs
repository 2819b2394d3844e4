//! What would run, what would not and why, before anything is deployed.

use std::fmt::{self, Write};

use pierhead_gateway::compile::{
    CompileProblem, Degradation, DesignPart, World, compile_shared_flow, examine,
};
use pierhead_gateway::design::{Destination, ProxyDesign};
use pierhead_gateway::dialect::Dialect;
use pierhead_gateway::policy::known_kinds;
use serde::Serialize;

use crate::content::{Bundle, Content};
use crate::lint::lint;
use crate::view::{View, flows_of};
use crate::{CannotExport, Finding, Limits, Severity, export, read_files};

/// Whether a bundle can be deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All of it runs.
    Runs,
    /// It can be deployed; requests that reach a part that cannot run here are answered 501.
    Degraded,
    /// It cannot be deployed until the errors are mended.
    Refused,
}

impl Verdict {
    /// The word in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Degraded => "degraded",
            Self::Refused => "refused",
        }
    }
}

/// The report on one bundle. Its JSON has the fields below; its text is for people.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Name of the proxy, shared flow or template.
    pub name: String,
    /// `API proxy`, `shared flow` or `policy template`.
    pub kind: &'static str,
    /// Whose layout it has: `sap` or `apigee`.
    pub dialect: Dialect,
    /// Whether it can be deployed.
    pub verdict: Verdict,
    /// Every step, in the order of the design.
    pub steps: Vec<StepReport>,
    /// Every policy, attached or not, in the order of the design.
    pub policies: Vec<PolicyReport>,
    /// Everything that is to be said, the worst first.
    pub findings: Vec<Finding>,
    /// The parts that cannot run here, as `JavaCallout` or `ScriptTarget`, that a request can reach.
    pub degradations: Vec<String>,
}

/// One step and what becomes of it.
#[derive(Debug, Clone, Serialize)]
pub struct StepReport {
    /// Path in the bundle of the document it stands in.
    pub file: String,
    /// 1-based.
    pub line: usize,
    /// `proxy endpoint default`, `target endpoint default` or `shared flow`.
    pub endpoint: String,
    /// `PreFlow`, the name of a conditional flow, `fault rule <name>`, ….
    pub flow: String,
    /// `request`, `response` or `fault`.
    pub direction: &'static str,
    /// Name of the policy.
    pub policy: String,
    /// Its root element; empty when there is no such policy.
    pub kind: String,
    /// As written; empty means always.
    pub condition: String,
    /// Whether it runs.
    pub runs: bool,
    /// Why it does not.
    pub why: String,
}

/// One policy and what becomes of it.
#[derive(Debug, Clone, Serialize)]
pub struct PolicyReport {
    /// Its name, which steps refer to.
    pub name: String,
    /// Its root element.
    pub kind: String,
    /// Path of its document in the bundle.
    pub file: String,
    /// How many steps name it.
    pub attached: usize,
    /// Whether it runs.
    pub runs: bool,
    /// Why it does not.
    pub why: String,
}

/// Examines what is stored, as [`report`] does a bundle; files and lines are those of an export in the dialect that
/// loses less of it.
///
/// # Errors
/// When it cannot be written as a bundle of either dialect, which is what names its files.
pub fn report_content(content: &Content, world: &World) -> Result<Report, CannotExport> {
    let mut bundle = written(content, world.dialect)?;
    bundle.dialect = world.dialect;
    Ok(report(&bundle, world))
}

/// The content as a bundle with files and lines.
fn written(content: &Content, wanted: Dialect) -> Result<Bundle, CannotExport> {
    let other = match wanted {
        Dialect::Sap => Dialect::Apigee,
        Dialect::Apigee => Dialect::Sap,
    };
    let export = match (export(content, wanted), export(content, other)) {
        (Ok(one), Ok(other)) if other.findings.len() < one.findings.len() => other,
        (Ok(one), _) | (Err(_), Ok(one)) => one,
        (Err(why), Err(_)) => return Err(why),
    };
    let limits = Limits::default();
    match read_files(&export.files, content.name(), &limits) {
        // What the dialect's files cannot say is taken from what is stored.
        Ok(bundle) => Ok(Bundle { content: content.clone(), ..bundle }),
        Err(_) => Err(CannotExport::NoCounterpart("the whole")),
    }
}

/// Examines a bundle in a world: what is deployed there, its providers, servers and maps. Nothing is deployed.
pub fn report(bundle: &Bundle, world: &World) -> Report {
    let mut world = world.clone();
    world.dialect = bundle.dialect;
    let alone = match &bundle.content {
        Content::Template(template) => Some(template.alone(Destination::None)),
        _ => None,
    };
    let proxy = match &bundle.content {
        Content::Proxy(design) => Some(design.as_ref()),
        Content::Template(_) => alone.as_ref(),
        Content::SharedFlow(_) => None,
    };
    let (problems, warnings, degradations) = compiled(bundle, proxy, &world);
    let view = View::of(bundle, proxy);
    let mut findings = bundle.findings.clone();
    let at = |problem: &CompileProblem| {
        let flows = proxy.and_then(|design| flows_of(design, &problem.part));
        bundle.sources.locate(problem, flows)
    };
    for (severity, list) in [(Severity::Error, &problems), (Severity::Warning, &warnings)] {
        for problem in list {
            let (file, line) = at(problem);
            findings.push(Finding::new(severity, problem.rule, (&file, line), problem.message.clone()));
        }
    }
    for degradation in &degradations {
        let (file, line) = bundle.sources.part(&degradation.part);
        let line = if degradation.line > 0 { degradation.line } else { line };
        let severity = if degradation.attached { Severity::Warning } else { Severity::Info };
        let message = format!("{} cannot run here: {}", degradation.kind, degradation.reason);
        findings.push(Finding::new(severity, "CannotRunHere", (file, line), message));
    }
    findings.extend(lint(&view, &world, &findings));
    tidy(&mut findings);
    let verdict = if findings.iter().any(|finding| finding.severity == Severity::Error) {
        Verdict::Refused
    } else if degradations.iter().any(|degradation| degradation.attached) {
        Verdict::Degraded
    } else {
        Verdict::Runs
    };
    let reached = degradations.iter().filter(|degradation| degradation.attached);
    Report {
        name: bundle.content.name().to_owned(),
        kind: bundle.content.noun(),
        dialect: bundle.dialect,
        verdict,
        steps: steps(&view, &problems, &degradations),
        policies: policies(&view, &problems, &degradations),
        degradations: reached.map(|degradation| degradation.kind.clone()).collect(),
        findings,
    }
}

type Compiled = (Vec<CompileProblem>, Vec<CompileProblem>, Vec<Degradation>);

fn compiled(bundle: &Bundle, proxy: Option<&ProxyDesign>, world: &World) -> Compiled {
    match (&bundle.content, proxy) {
        (Content::SharedFlow(design), _) => match compile_shared_flow(design, "1", world) {
            Ok(flow) => (Vec::new(), Vec::new(), flow.degradations),
            Err(problems) => (problems, Vec::new(), Vec::new()),
        },
        (_, Some(design)) => {
            let examined = examine(design, "1", world);
            (examined.result.err().unwrap_or_default(), examined.warnings, examined.degradations)
        }
        (_, None) => Compiled::default(),
    }
}

/// Orders findings, the worst first, and says each once.
fn tidy(findings: &mut Vec<Finding>) {
    findings.sort_by(|one, other| {
        let key =
            |finding: &Finding| (std::cmp::Reverse(finding.severity), finding.file.clone(), finding.line);
        key(one).cmp(&key(other))
    });
    findings.dedup();
}

fn steps(view: &View<'_>, problems: &[CompileProblem], degradations: &[Degradation]) -> Vec<StepReport> {
    view.steps
        .iter()
        .map(|step| {
            let policy = view.policies.iter().find(|policy| policy.text.name == step.policy);
            let part = DesignPart::Policy(step.policy.clone());
            let at = format!("{}, step {}:", step.flow, step.policy);
            let problem = problems.iter().find(|problem| {
                problem.part == part || (problem.part == step.part && problem.message.starts_with(&at))
            });
            let degradation = degradations.iter().find(|degradation| degradation.part == part);
            let why = match (problem, degradation) {
                (Some(problem), _) => problem.message.clone(),
                (None, Some(degradation)) => degradation.reason.clone(),
                (None, None) => String::new(),
            };
            StepReport {
                file: step.file.clone(),
                line: step.line,
                endpoint: step.part.to_string(),
                flow: step.flow.clone(),
                direction: step.direction.as_str(),
                policy: step.policy.clone(),
                kind: policy.map(|policy| policy.text.kind.clone()).unwrap_or_default(),
                condition: step.condition.clone(),
                runs: why.is_empty(),
                why,
            }
        })
        .collect()
}

fn policies(view: &View<'_>, problems: &[CompileProblem], degradations: &[Degradation]) -> Vec<PolicyReport> {
    let attached = view.attached();
    view.policies
        .iter()
        .map(|policy| {
            let part = DesignPart::Policy(policy.text.name.clone());
            let problem = problems.iter().find(|problem| problem.part == part);
            let degradation = degradations.iter().find(|degradation| degradation.part == part);
            let why = problem
                .map(|problem| &problem.message)
                .or(degradation.map(|degradation| &degradation.reason))
                .cloned()
                .unwrap_or_default();
            PolicyReport {
                name: policy.text.name.clone(),
                kind: policy.text.kind.clone(),
                file: policy.file.to_owned(),
                attached: attached.get(policy.text.name.as_str()).copied().unwrap_or(0),
                runs: why.is_empty(),
                why,
            }
        })
        .collect()
}

impl Report {
    /// How many findings there are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let running = self.steps.iter().filter(|step| step.runs).count();
        let plural =
            |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        writeln!(
            f,
            "{} {}: {} ({} of {}, {}, {})",
            self.kind,
            self.name,
            self.verdict.as_str(),
            running,
            plural(self.steps.len(), "step"),
            plural(self.count(Severity::Error), "error"),
            plural(self.count(Severity::Warning), "warning"),
        )?;
        for step in self.steps.iter().filter(|step| !step.runs) {
            let mut kind = String::new();
            if !step.kind.is_empty() {
                write!(kind, " ({})", step.kind)?;
            }
            writeln!(
                f,
                "  {}:{}: {} {}: step {}{kind} does not run: {}",
                step.file, step.line, step.flow, step.direction, step.policy, step.why
            )?;
        }
        for finding in &self.findings {
            writeln!(f, "  {finding}")?;
        }
        Ok(())
    }
}

/// Whether an original has this kind of policy.
pub(crate) fn is_known_kind(kind: &str) -> bool {
    known_kinds().any(|known| known.kind == kind)
}
