//! What differs between two exchanges: a recorded one and its replay.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::shot::{BodyShot, MessageShot};
use super::transaction::{Point, Transaction};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Where it shows.
    pub part: Part,
    /// Which header, variable, step or member (as a JSON Pointer); empty for status and body.
    pub name: String,
    /// In the recorded exchange; `None` when it is not there.
    pub recorded: Option<String>,
    /// In the replay; `None` when it is not there.
    pub replayed: Option<String>,
}

/// Where a difference shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The status of the answer.
    Status,
    /// A header of the answer.
    Header,
    /// The body of the answer.
    Body,
    /// Where the request was sent.
    Target,
    /// A header of the request that was sent to the target.
    TargetHeader,
    /// The body of the request that was sent to the target.
    TargetBody,
    /// A step that ran, or a fault.
    Step,
    /// What a variable held at the end.
    Variable,
}

/// Headers that differ from one request to the next whatever the revision does.
const OF_THE_REQUEST: &[&str] = &["date", "x-request-id", "age"];

/// The most steps that are compared one by one; beyond, only whether the lists are the same is said.
const MOST_STEPS: usize = 1000;

/// What differs, what the client sees first.
pub fn differences(recorded: &Transaction, replayed: &Transaction) -> Vec<Difference> {
    let mut found = Differences(Vec::new());
    let text = |status: Option<u16>| status.map(|status| status.to_string());
    found.note(Part::Status, "", text(recorded.status), text(replayed.status));
    found.messages(recorded.answer(), replayed.answer(), Part::Header, Part::Body);
    let (before, after) = (sent(recorded), sent(replayed));
    let target = |sent: Option<(&str, &MessageShot)>| {
        sent.map(|(url, shot)| format!("{} {url}", shot.line.split(' ').next().unwrap_or_default()))
    };
    found.note(Part::Target, "", target(before), target(after));
    if let (Some((_, before)), Some((_, after))) = (before, after) {
        found.messages(Some(before), Some(after), Part::TargetHeader, Part::TargetBody);
    }
    found.steps(&steps(recorded), &steps(replayed));
    let (before, after) = (variables(recorded), variables(replayed));
    found.maps(Part::Variable, &before, &after);
    found.0
}

struct Differences(Vec<Difference>);

impl Differences {
    fn note(&mut self, part: Part, name: &str, recorded: Option<String>, replayed: Option<String>) {
        if recorded != replayed {
            self.0.push(Difference { part, name: name.to_owned(), recorded, replayed });
        }
    }

    fn maps(&mut self, part: Part, before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
        let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            self.note(part, name, before.get(name).cloned(), after.get(name).cloned());
        }
    }

    fn messages(
        &mut self,
        before: Option<&MessageShot>,
        after: Option<&MessageShot>,
        headers: Part,
        body: Part,
    ) {
        let named = |shot: Option<&MessageShot>| {
            let mut map: BTreeMap<String, String> = BTreeMap::new();
            for (name, value) in shot.iter().flat_map(|shot| &shot.headers) {
                if OF_THE_REQUEST.contains(&name.as_str()) {
                    continue;
                }
                map.entry(name.clone())
                    .and_modify(|all| {
                        all.push_str(", ");
                        all.push_str(value);
                    })
                    .or_insert_with(|| value.clone());
            }
            map
        };
        self.maps(headers, &named(before), &named(after));
        let (before, after) = (before.map(|shot| &shot.body), after.map(|shot| &shot.body));
        if before == after {
            return;
        }
        match (before.and_then(json), after.and_then(json)) {
            (Some(before), Some(after)) => self.json(body, &mut String::new(), &before, &after),
            _ => self.note(body, "", before.map(described), after.map(described)),
        }
    }

    /// Member by member; what is equal as JSON is no difference, however it is written.
    fn json(&mut self, part: Part, at: &mut String, before: &Value, after: &Value) {
        let length = at.len();
        match (before, after) {
            (Value::Object(before), Value::Object(after)) => {
                let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
                names.sort();
                names.dedup();
                for name in names {
                    at.push('/');
                    at.push_str(&name.replace('~', "~0").replace('/', "~1"));
                    self.both(part, at, before.get(name), after.get(name));
                    at.truncate(length);
                }
            }
            (Value::Array(before), Value::Array(after)) => {
                for index in 0..before.len().max(after.len()) {
                    at.push('/');
                    at.push_str(&index.to_string());
                    self.both(part, at, before.get(index), after.get(index));
                    at.truncate(length);
                }
            }
            _ => self.note(part, at, Some(before.to_string()), Some(after.to_string())),
        }
    }

    fn both(&mut self, part: Part, at: &mut String, before: Option<&Value>, after: Option<&Value>) {
        match (before, after) {
            (Some(before), Some(after)) => self.json(part, at, before, after),
            _ => self.note(part, at, before.map(Value::to_string), after.map(Value::to_string)),
        }
    }

    /// Steps that ran on one side only, by the longest sequence that both have.
    fn steps(&mut self, before: &[String], after: &[String]) {
        if before.len().max(after.len()) > MOST_STEPS {
            let counted = |steps: &[String]| Some(format!("{} steps", steps.len()));
            if before != after {
                self.note(Part::Step, "", counted(before), counted(after));
            }
            return;
        }
        let mut longest = vec![vec![0usize; after.len() + 1]; before.len() + 1];
        for (i, one) in before.iter().enumerate().rev() {
            for (j, other) in after.iter().enumerate().rev() {
                longest[i][j] = match one == other {
                    true => longest[i + 1][j + 1] + 1,
                    false => longest[i + 1][j].max(longest[i][j + 1]),
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < before.len() || j < after.len() {
            match (before.get(i), after.get(j)) {
                (Some(one), Some(other)) if one == other => (i, j) = (i + 1, j + 1),
                (Some(one), other) if other.is_none() || longest[i + 1][j] >= longest[i][j + 1] => {
                    self.note(Part::Step, one, Some("ran".into()), None);
                    i += 1;
                }
                (_, Some(other)) => {
                    self.note(Part::Step, other, None, Some("ran".into()));
                    j += 1;
                }
                (_, None) => break,
            }
        }
    }
}

fn json(body: &BodyShot) -> Option<Value> {
    match body {
        BodyShot::Text { text, bytes } if text.len() == *bytes || text.contains("***") => {
            serde_json::from_str(text).ok()
        }
        _ => None,
    }
}

fn described(body: &BodyShot) -> String {
    match body {
        BodyShot::Empty => "no body".into(),
        BodyShot::Streaming => "a body that passed by".into(),
        BodyShot::Text { text, .. } => text.clone(),
        BodyShot::Binary { bytes } => format!("{bytes} bytes that are not text"),
    }
}

fn sent(transaction: &Transaction) -> Option<(&str, &MessageShot)> {
    transaction.points.iter().find_map(|timed| match &timed.point {
        Point::Message { at, url: Some(url), message } if at == "sent to target" => {
            Some((url.as_str(), message))
        }
        _ => None,
    })
}

/// `ProxyRequest/PreFlow: Quota`, and faults by their code.
fn steps(transaction: &Transaction) -> Vec<String> {
    let step = |point: &Point| match point {
        Point::Step { at, policy, fault: None, .. } => Some(format!("{at}: {policy}")),
        Point::Step { at, policy, fault: Some(fault), .. } => {
            Some(format!("{at}: {policy} failed with {}", fault.code))
        }
        Point::Fault { at, fault } => Some(format!("{at}: fault {}", fault.code)),
        _ => None,
    };
    transaction.points.iter().filter_map(|timed| step(&timed.point)).collect()
}

/// What each variable held at last.
fn variables(transaction: &Transaction) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for timed in &transaction.points {
        let Point::Step { assigned, .. } = &timed.point else { continue };
        for assignment in assigned {
            match &assignment.after {
                Some(after) => map.insert(assignment.name.clone(), after.clone()),
                None => map.remove(&assignment.name),
            };
        }
    }
    map
}
