//! Where each part of a bundle stands.

use std::collections::{BTreeMap, HashMap};

use pierhead_gateway::compile::{CompileProblem, DesignPart};
use pierhead_gateway::design::{EndpointFlows, Step};

/// Files and lines of the parts of a bundle.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// The root document.
    pub(crate) root: String,
    /// Files of policies, by name.
    pub(crate) policies: BTreeMap<String, String>,
    /// Documents of endpoints and shared flows.
    pub(crate) endpoints: HashMap<DesignPart, EndpointSource>,
    /// Files of resources, by `<kind>://<name>`.
    pub(crate) resources: BTreeMap<String, String>,
}

/// One endpoint's document.
#[derive(Debug, Clone, Default)]
pub(crate) struct EndpointSource {
    pub(crate) file: String,
    /// Of its root element.
    pub(crate) line: usize,
    pub(crate) marks: Marks,
}

/// Lines of the parts of an endpoint, each list in the order of the model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks {
    /// Of steps, in the order of [`steps_of`].
    pub(crate) steps: Vec<usize>,
    pub(crate) conditional: Vec<usize>,
    /// The default fault rule is the last.
    pub(crate) fault_rules: Vec<usize>,
    /// With the names of the rules.
    pub(crate) routes: Vec<(String, usize)>,
}

/// A step with the place it has in its endpoint.
#[derive(Debug, Clone)]
pub(crate) struct PlacedStep<'d> {
    /// `PreFlow`, the name of a conditional flow, `fault rule <name>`, …: as the compiler calls it.
    pub(crate) flow: String,
    pub(crate) direction: Direction,
    /// The condition of the flow or rule around it.
    pub(crate) around: &'d str,
    pub(crate) step: &'d Step,
}

/// On which way a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Request,
    Response,
    Fault,
}

impl Direction {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Fault => "fault",
        }
    }
}

/// Every step of an endpoint. Readers note lines in this same order.
pub(crate) fn steps_of(flows: &EndpointFlows) -> Vec<PlacedStep<'_>> {
    let mut lists: Vec<(String, Direction, &str, &[Step])> = Vec::new();
    for (name, flow) in std::iter::once(("PreFlow", &flows.pre))
        .chain(flows.conditional.iter().map(|flow| (flow.name.as_str(), flow)))
        .chain(std::iter::once(("PostFlow", &flows.post)))
    {
        lists.push((name.to_owned(), Direction::Request, &flow.condition, &flow.request));
        lists.push((name.to_owned(), Direction::Response, &flow.condition, &flow.response));
    }
    lists.push(("PostClientFlow".to_owned(), Direction::Response, "", &flows.post_client));
    if let Some(event) = &flows.event {
        lists.push(("EventFlow".to_owned(), Direction::Response, "", &event.response));
    }
    for rule in flows.fault_rules.iter().chain(&flows.default_fault_rule) {
        lists.push((format!("fault rule {}", rule.name), Direction::Fault, &rule.condition, &rule.steps));
    }
    lists
        .into_iter()
        .flat_map(|(flow, direction, around, steps)| {
            steps.iter().map(move |step| PlacedStep { flow: flow.clone(), direction, around, step })
        })
        .collect()
}

impl Sources {
    /// The place that a compiler's problem is about, as file and line. The compiler knows a design, not its
    /// documents: about an endpoint it says no line, and begins its message with the step or rule.
    pub(crate) fn locate(&self, problem: &CompileProblem, flows: Option<&EndpointFlows>) -> (String, usize) {
        let (file, line) = self.part(&problem.part);
        if problem.line > 0 {
            return (file.to_owned(), problem.line);
        }
        let marks = self.endpoints.get(&problem.part).map(|endpoint| &endpoint.marks);
        let exact = marks.zip(flows).and_then(|(marks, flows)| marks.line_of(flows, &problem.message));
        (file.to_owned(), exact.unwrap_or(line))
    }

    /// File and line of a part.
    pub(crate) fn part(&self, part: &DesignPart) -> (&str, usize) {
        match part {
            DesignPart::Policy(name) => (self.policy(name), 0),
            DesignPart::Resource(url) => (self.resources.get(url).unwrap_or(&self.root), 0),
            part => self
                .endpoints
                .get(part)
                .map_or((self.root.as_str(), 0), |found| (found.file.as_str(), found.line)),
        }
    }

    /// File of a policy.
    pub(crate) fn policy(&self, name: &str) -> &str {
        self.policies.get(name).map_or(&self.root, String::as_str)
    }
}

impl Marks {
    /// The line of the part that `message` begins with.
    fn line_of(&self, flows: &EndpointFlows, message: &str) -> Option<usize> {
        let starts = |place: &str| message.strip_prefix(place).is_some_and(|rest| rest.starts_with(':'));
        let step = steps_of(flows)
            .iter()
            .position(|placed| starts(&format!("{}, step {}", placed.flow, placed.step.policy)));
        if let Some(line) = step.and_then(|index| self.steps.get(index)) {
            return Some(*line);
        }
        let flow = flows.conditional.iter().position(|flow| starts(&format!("flow {}", flow.name)));
        if let Some(line) = flow.and_then(|index| self.conditional.get(index)) {
            return Some(*line);
        }
        if let Some((_, line)) = self.routes.iter().find(|(name, _)| starts(&format!("route rule {name}"))) {
            return Some(*line);
        }
        let rules = flows.fault_rules.iter().chain(&flows.default_fault_rule);
        let rule = rules.into_iter().position(|rule| starts(&format!("fault rule {}", rule.name)));
        rule.and_then(|index| self.fault_rules.get(index)).copied()
    }
}
