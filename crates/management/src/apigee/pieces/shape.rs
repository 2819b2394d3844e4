//! The shape of a revision: endpoints of a proxy, the one list of steps of a shared flow.

use pierhead_bundle::Content;
use pierhead_gateway::design::{ProxyDesign, ProxyEndpoint, TargetEndpoint};
use serde_json::{Value, json};

use super::change::{absent, exists, put, take};
use crate::apigee::endpoints;
use crate::apigee::problem::ApigeeProblem;
use crate::names::check_name;
use crate::odata::ODataError;
use crate::portal::NoChange;

/// The only list of steps that a shared flow has here; the original's first is called so too.
const STEPS: &str = "default";

/// Names of what there is of a piece.
pub(super) fn names(content: &Content, piece: &str) -> Value {
    match (piece, content) {
        ("proxies", Content::Proxy(design)) => {
            design.proxy_endpoints.iter().map(|one| one.name.as_str()).collect()
        }
        ("targets", Content::Proxy(design)) => {
            design.target_endpoints.iter().map(|one| one.name.as_str()).collect()
        }
        (_, Content::SharedFlow(_)) => json!([STEPS]),
        _ => json!([]),
    }
}

/// One of them as the API shows it.
pub(super) fn shown(content: &Content, piece: &str, name: &str) -> Option<Value> {
    match (piece, content) {
        ("proxies", Content::Proxy(design)) => {
            design.proxy_endpoints.iter().find(|one| one.name == name).map(endpoints::proxy_shown)
        }
        ("targets", Content::Proxy(design)) => {
            design.target_endpoints.iter().find(|one| one.name == name).map(endpoints::target_shown)
        }
        (_, Content::SharedFlow(design)) if name == STEPS => {
            let mut shown = endpoints::steps_shown(&design.steps);
            shown["name"] = STEPS.into();
            Some(shown)
        }
        _ => None,
    }
}

/// A change of the shape.
pub(super) struct Shape {
    kind: Kind,
    /// As the path has it; as the body has it for a new one.
    name: String,
    /// What it is called afterwards.
    new_name: String,
    /// What changes; none when it is removed.
    body: Option<Value>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Proxy,
    Target,
    Steps,
}

impl Shape {
    /// `said` is the name in the path; a `name` in the body that differs from it renames.
    pub(super) fn read(
        piece: &str,
        said: Option<String>,
        body: Option<Value>,
    ) -> Result<Self, ApigeeProblem> {
        let kind = match piece {
            "proxies" => Kind::Proxy,
            "targets" => Kind::Target,
            _ => Kind::Steps,
        };
        let of_body = body.as_ref().and_then(|body| body["name"].as_str()).map(str::to_owned);
        let name = said.or_else(|| of_body.clone());
        let name = name.ok_or_else(|| ApigeeProblem::bad("name must be given"))?;
        let new_name = of_body.unwrap_or_else(|| name.clone());
        check_name("name", &new_name, 255)?;
        if kind == Kind::Steps && (body.is_none() || name != STEPS || new_name != STEPS) {
            return Err(ApigeeProblem::Bad(format!("a shared flow has one list of steps, {STEPS}")));
        }
        Ok(Self { kind, name, new_name, body })
    }

    /// What it is called afterwards.
    pub(super) fn name_afterwards(&self) -> &str {
        &self.new_name
    }

    /// The proxy endpoint that would not be there afterwards under its name.
    pub(super) fn endpoint_that_goes(&self) -> Option<&str> {
        let goes = self.body.is_none() || self.name != self.new_name;
        (self.kind == Kind::Proxy && goes).then_some(self.name.as_str())
    }

    pub(super) fn make(&self, content: &mut Content, adds: bool) -> Result<(), NoChange> {
        match (self.kind, content) {
            (Kind::Proxy, Content::Proxy(design)) => self.change_proxy(design, adds),
            (Kind::Target, Content::Proxy(design)) => self.change_target(design, adds),
            (Kind::Steps, Content::SharedFlow(design)) if !adds => {
                design.steps =
                    endpoints::steps(self.body.as_ref().unwrap_or(&Value::Null)).map_err(ODataError::bad)?;
                Ok(())
            }
            (Kind::Steps, _) => Err(exists("SharedFlow", &self.name)),
            _ => Err(absent("Endpoint", &self.name)),
        }
    }

    fn change_proxy(&self, design: &mut ProxyDesign, adds: bool) -> Result<(), NoChange> {
        let all = &mut design.proxy_endpoints;
        let is = |one: &ProxyEndpoint| one.name == self.name;
        let Some(body) = &self.body else { return take(all, "ProxyEndpoint", &self.name, is) };
        if self.name != self.new_name && all.iter().any(|one| one.name == self.new_name) {
            return Err(exists("ProxyEndpoint", &self.new_name));
        }
        let mut changed = all.iter().find(|one| is(one)).cloned().unwrap_or_default();
        endpoints::change_proxy(&mut changed, body).map_err(ODataError::bad)?;
        changed.name.clone_from(&self.new_name);
        put(all, "ProxyEndpoint", &self.name, adds, is, changed)
    }

    /// Route rules follow a target endpoint that is renamed.
    fn change_target(&self, design: &mut ProxyDesign, adds: bool) -> Result<(), NoChange> {
        let all = &mut design.target_endpoints;
        let is = |one: &TargetEndpoint| one.name == self.name;
        let Some(body) = &self.body else { return take(all, "TargetEndpoint", &self.name, is) };
        if self.name != self.new_name && all.iter().any(|one| one.name == self.new_name) {
            return Err(exists("TargetEndpoint", &self.new_name));
        }
        let mut changed = all.iter().find(|one| is(one)).cloned().unwrap_or_default();
        endpoints::change_target(&mut changed, body).map_err(ODataError::bad)?;
        changed.name.clone_from(&self.new_name);
        put(all, "TargetEndpoint", &self.name, adds, is, changed)?;
        for route in design.proxy_endpoints.iter_mut().flat_map(|endpoint| &mut endpoint.routes) {
            if route.target.as_deref() == Some(&self.name) {
                route.target = Some(self.new_name.clone());
            }
        }
        Ok(())
    }
}
