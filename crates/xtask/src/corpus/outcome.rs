//! How far one bundle gets, and what stopped it.

use pierhead_bundle::local::LocalGateway;
use pierhead_bundle::{
    Bundle, Finding, Found, Limits, Report, Severity, Verdict, export, read_zip, write_archive,
};

use super::request::get;

pub(super) struct Outcome {
    pub(super) at: String,
    pub(super) parsed: bool,
    pub(super) round_trip: bool,
    pub(super) deployed: bool,
    pub(super) degraded: bool,
    pub(super) run: bool,
    pub(super) unknown_elements: usize,
    /// For the row of this bundle.
    pub(super) reasons: Vec<String>,
    /// For the counts.
    pub(super) short_reasons: Vec<String>,
    /// What each base path answered.
    pub(super) answers: Vec<String>,
    pub(super) report: Report,
}

pub(super) async fn judge(found: &Found, gateway: &LocalGateway, limits: &Limits) -> Outcome {
    let bundle = &found.bundle;
    let mut outcome = Outcome {
        at: found.at.clone(),
        parsed: !bundle.is_broken(),
        round_trip: false,
        deployed: false,
        degraded: false,
        run: false,
        unknown_elements: bundle.findings.iter().filter(|finding| finding.rule == "UnknownElement").count(),
        reasons: Vec::new(),
        short_reasons: Vec::new(),
        answers: Vec::new(),
        report: gateway.examine(bundle),
    };
    match round_trip(bundle, limits) {
        Ok(()) => outcome.round_trip = true,
        Err(why) => outcome.because("round trip", &why, why.clone()),
    }
    match gateway.serve(bundle) {
        Err(report) => {
            for finding in report.findings.iter().filter(|finding| finding.severity == Severity::Error) {
                outcome.because("refused", &short(finding), finding.to_string());
            }
        }
        Ok(served) => {
            outcome.deployed = true;
            outcome.degraded = served.report.verdict == Verdict::Degraded;
            for kind in &served.report.degradations {
                outcome.because("degraded", kind, format!("degraded: {kind}"));
            }
            outcome.run = true;
            for path in &served.base_paths {
                // A wildcard is a whole segment; any text takes its place.
                let path = path.replace('*', "x");
                let answer = get(gateway.addr(), &path).await;
                outcome.answers.push(format!("GET {path}: {answer}"));
                if let Some(failure) = answer.our_failure() {
                    outcome.run = false;
                    outcome.because("run", &failure, format!("GET {path}: {failure}"));
                }
            }
        }
    }
    outcome
}

impl Outcome {
    fn because(&mut self, stage: &str, short: &str, long: String) {
        self.reasons.push(long);
        self.short_reasons.push(format!("{stage}: {short}"));
    }
}

/// The rule, and what it is about when that tells more than the rule.
fn short(finding: &Finding) -> String {
    let about = match finding.rule {
        // `X has no element 'Y' here`, `policies of kind X …`, `function X …`: the names are the news.
        "UnknownElement" | "UnknownAttribute" | "UnknownPolicyKind" | "BadTemplate" | "BadCondition" => {
            &finding.message
        }
        _ => return finding.rule.to_owned(),
    };
    format!("{}: {about}", finding.rule)
}

fn round_trip(bundle: &Bundle, limits: &Limits) -> Result<(), String> {
    let exported = export(&bundle.content, bundle.dialect).map_err(|why| why.to_string())?;
    let bytes = write_archive(&exported.files).map_err(|why| why.to_string())?;
    let again = read_zip(&bytes, bundle.content.name(), limits).map_err(|why| why.to_string())?;
    if let Some(lost) = exported.findings.first() {
        return Err(format!("left out: {}", lost.message));
    }
    if again.content != bundle.content {
        return Err("the second import differs from the first".to_owned());
    }
    Ok(())
}
