//! Which list of steps of an endpoint or shared flow, and how it stands in the JSON of the wire.

use serde_json::{Value, json};

use crate::fields::Fields;
use crate::interrupted::Interrupted;
use crate::wire::escape;

/// Which list of steps.
pub(super) struct Spot {
    /// `proxy` or `target`; `flow` for the one list of a shared flow.
    pub(super) kind: String,
    pub(super) endpoint: String,
    flow: String,
    way: String,
}

/// A flow as the form has it.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) condition: String,
    pub(super) always: bool,
    pub(super) rows: Vec<StepRow>,
}

pub(super) struct StepRow {
    pub(super) policy: String,
    pub(super) condition: String,
}

impl Spot {
    pub(super) fn read(query: &Fields) -> Self {
        let said = |name: &str| query.get(name).to_owned();
        Self { kind: said("kind"), endpoint: said("endpoint"), flow: said("flow"), way: said("way") }
    }

    /// The steps of a shared flow.
    pub(super) fn of_shared_flow() -> Self {
        Self { kind: "flow".into(), endpoint: "default".into(), flow: "all".into(), way: String::new() }
    }

    /// The endpoint below its revision.
    pub(super) fn piece(&self) -> Result<String, Interrupted> {
        let kind = match self.kind.as_str() {
            "proxy" => "proxies",
            "target" => "targets",
            "flow" => "sharedflows",
            _ => return Err(Interrupted::Missing("such endpoint".into())),
        };
        Ok(format!("{kind}/{}", escape(&self.endpoint)))
    }

    /// The field of the endpoint that holds the flow, and the flow inside it.
    fn pointers(&self) -> Option<(&'static str, String)> {
        let number = |text: &str| text.parse::<usize>().ok();
        Some(match self.flow.split_once('-') {
            None if self.kind == "flow" => ("children", String::new()),
            None if self.flow == "pre" => ("preFlow", "/preFlow".into()),
            None if self.flow == "post" => ("postFlow", "/postFlow".into()),
            None if self.flow == "post_client" => ("postClientFlow", "/postClientFlow".into()),
            None if self.flow == "event" => ("eventFlow", "/eventFlow".into()),
            Some(("flow", at)) => ("flows", format!("/flows/{}", number(at)?)),
            Some(("fault", "default")) => ("defaultFaultRule", "/defaultFaultRule".into()),
            Some(("fault", at)) => ("faultRules", format!("/faultRules/{}", number(at)?)),
            _ => return None,
        })
    }

    /// The list of a flow that is not there yet.
    fn list_of_new(&self) -> Option<&'static str> {
        match self.flow.as_str() {
            "flow-new" => Some("flows"),
            "fault-new" => Some("faultRules"),
            _ => None,
        }
    }

    /// The steps inside the flow.
    fn children(&self) -> Vec<&str> {
        match self.way.as_str() {
            "request" | "response" if !self.flow.starts_with("fault") => vec![&self.way, "children"],
            _ => vec!["children"],
        }
    }

    /// The flow inside its endpoint, or that there is none. One that is about to be made is empty.
    pub(super) fn find(&self, endpoint: &Value) -> Result<Draft, Interrupted> {
        if self.is_new() || (self.flow == "fault-default" && endpoint["defaultFaultRule"].is_null()) {
            return Ok(Draft::default());
        }
        let found = self.pointers().and_then(|(_, flow)| endpoint.pointer(&flow));
        let missing =
            || Interrupted::Missing("such flow any more: it may have been changed meanwhile".into());
        let flow = found.ok_or_else(missing)?;
        let children = self.children().into_iter().fold(flow, |at, name| &at[name]);
        Ok(Draft::of_wire(flow, children))
    }

    /// Whether the flow is there, and not about to be made.
    pub(super) fn is_in(&self, endpoint: &Value) -> bool {
        let found = self.pointers().and_then(|(_, flow)| endpoint.pointer(&flow));
        found.is_some_and(|flow| !flow.is_null())
    }

    /// Puts the flow into its endpoint; answers the field that changed.
    pub(super) fn write(&self, endpoint: &mut Value, draft: &Draft) -> Option<&'static str> {
        let (field, pointer) = match self.list_of_new() {
            Some(list) => {
                if !endpoint[list].is_array() {
                    endpoint[list] = json!([]);
                }
                let all = endpoint[list].as_array_mut()?;
                all.push(json!({}));
                (list, format!("/{list}/{}", all.len() - 1))
            }
            None => self.pointers()?,
        };
        if field == "defaultFaultRule" && !endpoint[field].is_object() {
            endpoint[field] = json!({});
        }
        let flow = endpoint.pointer_mut(&pointer)?;
        if self.named() {
            flow["condition"] = draft.condition.clone().into();
            if !draft.name.is_empty() {
                flow["name"] = draft.name.clone().into();
            }
        }
        if field == "defaultFaultRule" {
            flow["alwaysEnforce"] = draft.always.into();
        }
        let children = self.children().into_iter().fold(flow, |at, name| &mut at[name]);
        *children = draft.children();
        Some(field)
    }

    /// Takes a flow out of its endpoint; answers the field that changed.
    pub(super) fn remove(&self, endpoint: &mut Value) -> Option<&'static str> {
        let (field, pointer) = self.pointers()?;
        match pointer.rsplit('/').next()?.parse::<usize>() {
            Ok(at) => drop(endpoint[field].as_array_mut().filter(|all| at < all.len())?.remove(at)),
            Err(_) => endpoint[field] = Value::Null,
        }
        Some(field)
    }

    /// Whether it is about to be made.
    pub(super) fn is_new(&self) -> bool {
        self.list_of_new().is_some()
    }

    /// Whether it has a name and a condition of its own.
    pub(super) fn named(&self) -> bool {
        self.flow.starts_with("flow-") || self.flow.starts_with("fault-")
    }

    /// Whether it must have a name.
    pub(super) fn needs_name(&self) -> bool {
        self.named() && self.flow != "fault-default"
    }

    /// Whether it is the default fault rule.
    pub(super) fn is_default_fault(&self) -> bool {
        self.flow == "fault-default"
    }

    /// Whether it can be deleted from its page.
    pub(super) fn removable(&self) -> bool {
        self.named() && !self.is_new()
    }

    /// `flow` or `fault rule`.
    pub(super) fn noun(&self) -> &'static str {
        if self.flow.starts_with("fault") { "fault rule" } else { "flow" }
    }

    pub(super) fn title(&self, flow_name: &str) -> String {
        let flow = match self.flow.as_str() {
            "all" => "Steps",
            "pre" => "PreFlow",
            "post" => "PostFlow",
            "post_client" => "PostClientFlow",
            "event" => "EventFlow",
            "fault-default" => "Default fault rule",
            "flow-new" => "Add a conditional flow",
            "fault-new" => "Add a fault rule",
            _ => flow_name,
        };
        match self.way.as_str() {
            "request" | "response" if !self.is_new() && self.flow != "post_client" => {
                format!("{flow}, {}", self.way)
            }
            _ => flow.to_owned(),
        }
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

impl Draft {
    fn of_wire(flow: &Value, children: &Value) -> Self {
        let rows = children.as_array().into_iter().flatten().map(|child| StepRow {
            policy: text(&child["step"], "name"),
            condition: text(&child["step"], "condition"),
        });
        Self {
            name: text(flow, "name"),
            condition: text(flow, "condition"),
            always: flow["alwaysEnforce"] == true,
            rows: rows.collect(),
        }
    }

    /// As it was typed, with the step that is chosen to be added.
    pub(super) fn of_form(fields: &Fields) -> Self {
        let rows = fields.all("policy").into_iter().zip(fields.all("condition"));
        let row = |(policy, condition): (&str, &str)| StepRow {
            policy: policy.into(),
            condition: condition.trim().into(),
        };
        let added = Some((fields.trimmed("new_policy"), fields.trimmed("new_condition")));
        let added = added.filter(|(policy, _)| !policy.is_empty());
        let mut draft = Self {
            name: fields.trimmed("flow_name").to_owned(),
            condition: fields.trimmed("flow_condition").to_owned(),
            always: fields.ticked("always"),
            rows: rows.map(row).collect(),
        };
        super::rows::turn(&mut draft.rows, fields.get("act"), "");
        draft.rows.extend(added.map(row));
        draft
    }

    fn children(&self) -> Value {
        let step = |row: &StepRow| match row.condition.as_str() {
            "" => json!({"step": {"name": row.policy}}),
            condition => json!({"step": {"name": row.policy, "condition": condition}}),
        };
        self.rows.iter().map(step).collect()
    }
}
