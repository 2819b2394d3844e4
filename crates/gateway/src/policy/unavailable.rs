//! A policy that an original runs and this gateway does not.

use std::sync::Arc;

use http::StatusCode;

use super::{Policy, PolicyRun};
use crate::exchange::Exchange;
use crate::fault::Fault;

/// Takes the place of a policy that cannot run here: whoever reaches it is told so, and the rest of the
/// proxy works.
///
/// Fault: `steps.pierhead.PolicyNotSupported` 501, which names the policy and its kind.
#[derive(Debug)]
pub(crate) struct Unavailable {
    text: Arc<str>,
}

impl Unavailable {
    pub(crate) fn new(policy: &str, kind: &str, reason: &str) -> Self {
        Self { text: format!("Policy {policy} of kind {kind} cannot run here: {reason}").into() }
    }
}

impl Policy for Unavailable {
    fn run<'a>(&'a self, _: &'a mut Exchange) -> PolicyRun<'a> {
        let text = self.text.to_string();
        PolicyRun::Done(Err(Fault::step(
            StatusCode::NOT_IMPLEMENTED,
            "steps.pierhead.PolicyNotSupported",
            text,
        )))
    }
}

#[cfg(test)]
mod tests {
    use crate::compile::{Degradation, DesignPart, compile};
    use crate::policy::known_kinds;
    use crate::testing::*;

    fn degradations(design: &crate::design::ProxyDesign) -> Vec<Degradation> {
        compiled(design).degradations
    }

    #[test]
    fn a_step_that_cannot_run_answers_501_with_its_name_when_it_is_reached() {
        let mut design = design().policy("Java", "<JavaCallout><ClassName>a.B</ClassName></JavaCallout>");
        design.proxy().flows.pre.request = vec![step_if("Java", "request.queryparam.java = \"1\"")];
        let bench = Bench::new(&design);

        assert!(!bench.get("/p").is_answered());
        let sent = bench.get("/p?java=1");

        assert_eq!((sent.status(), sent.code().as_str()), (501, "steps.pierhead.PolicyNotSupported"));
        assert!(sent.body().contains("Policy Java of kind JavaCallout cannot run here: "), "{}", sent.body());
        assert_eq!(sent.var("javacallout.Java.failed"), "true");
        assert_eq!(sent.var("fault.name"), "PolicyNotSupported");
    }

    #[test]
    fn a_degraded_proxy_says_what_does_not_run_and_whether_it_is_attached() {
        let mut design = design()
            .policy("Used", "<!-- c -->\n<JavaCallout/>")
            .policy("Idle", "<GraphQL/>")
            .policy("Fine", "<RaiseFault/>");
        design.proxy().flows.pre.response = vec![step("Used")];

        let proxy = compiled(&design);

        let found: Vec<_> =
            proxy.degradations.iter().map(|d| (d.kind.as_str(), d.line, d.attached)).collect();
        assert_eq!(found, [("JavaCallout", 2, true), ("GraphQL", 1, false)]);
        assert_eq!(proxy.degradations[0].part, DesignPart::Policy("Used".into()));
        assert!(proxy.is_degraded());
        design.proxy().flows.pre.response.clear();
        assert!(!compiled(&design).is_degraded(), "what no step names degrades nothing");
    }

    #[test]
    fn an_unavailable_policy_keeps_the_common_attributes() {
        let with = |attributes: &str| {
            Bench::new(&design().step(&format!("<JavaCallout {attributes}/>"))).get("/p").is_answered()
        };
        assert!(with(""));
        assert!(!with("enabled=\"false\""));
        assert!(!with("continueOnError=\"true\""));
        assert_eq!(problem_of("<JavaCallout enabled=\"maybe\"/>"), "NotABoolean");
    }

    #[test]
    fn every_kind_of_the_originals_can_be_deployed_or_tells_what_is_missing() {
        for known in known_kinds().filter(|known| !known.runs) {
            let design = design().step(&format!("<{}/>", known.kind));
            let degraded = degradations(&design);
            assert_eq!(degraded.len(), 1, "{}", known.kind);
            assert_eq!(degraded[0].kind, known.kind);
            assert!(!degraded[0].reason.is_empty());
            assert!(compile(&design, "1", &world()).is_ok_and(|proxy| proxy.is_degraded()));
        }
    }
}
