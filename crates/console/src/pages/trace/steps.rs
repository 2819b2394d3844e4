//! A recorded exchange as a line of steps.

use super::pretty::pretty;
use super::session::spoken_micros;
use crate::wire::trace::{Assignment, Point, Reading, Shot, ShotBody, TracedFault, Transaction};

/// Steps of one place: `Proxy request, PreFlow`.
pub(super) struct Group {
    pub(super) title: String,
    pub(super) steps: Vec<Step>,
}

/// One knot of the line.
pub(super) struct Step {
    /// For copy buttons; unique on the page.
    pub(super) id: String,
    pub(super) icon: &'static str,
    pub(super) tone: &'static str,
    pub(super) title: String,
    pub(super) detail: String,
    /// What a screen reader hears beside the shape.
    pub(super) state: &'static str,
    pub(super) took: String,
    /// Where it lies in the whole time, in thousandths: begin and length.
    pub(super) bar: Option<(u64, u64)>,
    pub(super) condition: String,
    pub(super) held: bool,
    pub(super) fault: Option<TracedFault>,
    pub(super) read: Vec<Reading>,
    pub(super) assigned: Vec<Assignment>,
    pub(super) messages: Vec<ShownMessage>,
}

/// A message, its body made readable.
pub(super) struct ShownMessage {
    pub(super) name: String,
    pub(super) line: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    /// What is said about a body that is not shown whole.
    pub(super) remark: String,
}

impl ShownMessage {
    fn of(shot: &Shot) -> Self {
        let (body, remark) = match &shot.body {
            ShotBody::Empty => (String::new(), "No body.".to_owned()),
            ShotBody::Streaming => (String::new(), "The body passed by without being recorded.".to_owned()),
            ShotBody::Binary { bytes } => (String::new(), format!("{bytes} bytes that are not text.")),
            ShotBody::Text { text, bytes } if text.len() < *bytes && !text.contains("***") => {
                (text.clone(), format!("The first {} of {bytes} bytes.", text.len()))
            }
            ShotBody::Text { text, .. } => (pretty(text), String::new()),
        };
        Self { name: shot.name.clone(), line: shot.line.clone(), headers: shot.headers.clone(), body, remark }
    }
}

impl Step {
    fn new(id: String, icon: &'static str, tone: &'static str, title: impl Into<String>) -> Self {
        Self {
            id,
            icon,
            tone,
            title: title.into(),
            detail: String::new(),
            state: "",
            took: String::new(),
            bar: None,
            condition: String::new(),
            held: true,
            fault: None,
            read: Vec::new(),
            assigned: Vec::new(),
            messages: Vec::new(),
        }
    }

    /// Whether it is open from the start: what failed is, but not the fault that it led to.
    pub(super) fn opens(&self) -> bool {
        self.fault.is_some() && self.icon != "triangle-alert"
    }

    /// Whether opening it shows anything.
    pub(super) fn has_more(&self) -> bool {
        !self.condition.is_empty()
            || self.fault.is_some()
            || !self.read.is_empty()
            || !self.assigned.is_empty()
            || !self.messages.is_empty()
    }
}

/// The line of a transaction; `prefix` keeps ids apart where two are on one page.
pub(super) fn groups(transaction: &Transaction, prefix: &str) -> Vec<Group> {
    let total = transaction.took_us.max(1);
    let mut groups: Vec<Group> = Vec::new();
    // The condition of a step stands right before it.
    let mut asked: Option<(String, String, Vec<Reading>)> = None;
    for (index, timed) in transaction.points.iter().enumerate() {
        let id = format!("{prefix}s{index}");
        let bar = |took: u64| {
            let begin = timed.after_us.saturating_sub(took).min(total);
            Some((begin * 1000 / total, (took * 1000 / total).clamp(4, 1000)))
        };
        let (title, step) = match &timed.point {
            Point::Condition { of, text, held: true, read, .. } if of.starts_with("step ") => {
                asked = Some((of.clone(), text.clone(), read.clone()));
                continue;
            }
            point => (place_of(point), shown(point, id, &bar)),
        };
        let mut step = step;
        if let (Point::Step { policy, .. }, Some((of, text, read))) = (&timed.point, asked.take())
            && of.strip_prefix("step ") == Some(policy.as_str())
        {
            step.condition = text;
            let more = read.into_iter().filter(|one| step.read.iter().all(|known| known.name != one.name));
            let more: Vec<Reading> = more.collect();
            step.read.extend(more);
        }
        match groups.last_mut() {
            Some(group) if group.title == title => group.steps.push(step),
            _ => groups.push(Group { title, steps: vec![step] }),
        }
    }
    groups
}

fn shown(point: &Point, id: String, bar: &dyn Fn(u64) -> Option<(u64, u64)>) -> Step {
    match point {
        Point::Message { at, url, message } => {
            let (icon, title) = match at.as_str() {
                "received" => ("monitor", "Request of the client"),
                "sent to target" => ("server", "Sent to the target"),
                "received from target" => ("server", "Answer of the target"),
                _ => ("monitor", "Answer to the client"),
            };
            let mut step = Step::new(id, icon, "info", title);
            step.detail = if url.is_empty() { message.line.clone() } else { url.clone() };
            step.messages = vec![ShownMessage::of(message)];
            step
        }
        Point::Condition { of, text, held, read, .. } => {
            let (icon, tone) = if *held { ("circle-check", "good") } else { ("circle-dashed", "idle") };
            let name = of.strip_prefix("step ");
            let title = match name {
                Some(policy) => policy.to_owned(),
                None => of.clone(),
            };
            let mut step = Step::new(id, icon, tone, title);
            step.state = match (name, held) {
                (Some(_), _) => "skipped",
                (None, true) => "holds",
                (None, false) => "does not hold",
            };
            step.condition.clone_from(text);
            step.held = *held;
            step.read.clone_from(read);
            step
        }
        Point::Step { policy, kind, took_us, read, assigned, changed, fault, responded, .. } => {
            let (icon, tone, state) = match (fault, responded) {
                (Some(_), _) => ("circle-x", "bad", "failed"),
                (None, true) => ("corner-down-right", "good", "answered"),
                (None, false) => ("circle-check", "good", ""),
            };
            let mut step = Step::new(id, icon, tone, policy.as_str());
            (step.detail, step.state, step.took) = (kind.clone(), state, spoken_micros(*took_us));
            step.bar = bar(*took_us);
            step.fault.clone_from(fault);
            step.read.clone_from(read);
            step.assigned.clone_from(assigned);
            step.messages = changed.iter().map(ShownMessage::of).collect();
            step
        }
        Point::Call { url, took_us, request, answer, fault } => {
            let tone = if fault.is_some() { "bad" } else { "info" };
            let mut step = Step::new(id, "server", tone, "Call");
            step.detail = format!("{} {url}", request.line.split(' ').next().unwrap_or_default());
            step.took = spoken_micros(*took_us);
            step.bar = bar(*took_us);
            step.fault.clone_from(fault);
            step.messages =
                [Some(request), answer.as_ref()].into_iter().flatten().map(ShownMessage::of).collect();
            step
        }
        Point::Fault { fault, .. } => {
            let mut step = Step::new(id, "triangle-alert", "bad", "Fault");
            step.detail.clone_from(&fault.code);
            step.state = "failed";
            step.fault = Some(fault.clone());
            step
        }
    }
}

/// `ProxyRequest/PreFlow/shared` as people say it.
fn place_of(point: &Point) -> String {
    let at = match point {
        Point::Message { at, .. } => {
            return match at.as_str() {
                "received" | "answer" => "Client",
                _ => "Target",
            }
            .to_owned();
        }
        Point::Call { .. } => return "Called by a step".to_owned(),
        Point::Condition { at, .. } | Point::Step { at, .. } | Point::Fault { at, .. } => at,
    };
    let (segment, flow) = at.split_once('/').unwrap_or((at, ""));
    let segment = match segment {
        "ProxyRequest" => "Proxy request",
        "TargetRequest" => "Target request",
        "TargetResponse" => "Target response",
        "ProxyResponse" => "Proxy response",
        "PostClient" => "After the answer",
        "Error" => "Error",
        other => other,
    };
    format!("{segment}, {}", flow.replace('/', ", "))
}
