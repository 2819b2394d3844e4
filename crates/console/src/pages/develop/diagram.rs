//! A proxy as two lanes: the request from the client to the target, the response back.

use serde_json::Value;

use crate::pages::family::{Family, family};
use crate::wire::{Report, escape};

/// What the page draws.
pub(super) struct Diagram {
    /// Names of the proxy endpoints, and which one is drawn.
    pub(super) proxies: Vec<String>,
    pub(super) proxy: String,
    pub(super) targets: Vec<String>,
    pub(super) target: String,
    pub(super) request: Vec<Stop>,
    pub(super) response: Vec<Stop>,
    pub(super) faults: Vec<FaultRow>,
    /// The pages that add a fault rule, with the endpoint it is for.
    pub(super) add_faults: Vec<(String, String)>,
}

/// One place on the way.
pub(super) struct Stop {
    pub(super) title: String,
    /// What stands under the title: a base path, an address.
    pub(super) detail: String,
    pub(super) icon: &'static str,
    /// Client or target: where the way begins and ends.
    pub(super) end: bool,
    /// Several flows are alternatives: the first whose condition holds runs.
    pub(super) flows: Vec<FlowBox>,
    pub(super) routes: Vec<RouteBox>,
    /// The page that adds a conditional flow here.
    pub(super) add: String,
    /// The page that edits it: an endpoint, its routes.
    pub(super) edit: String,
}

/// One flow, one way.
pub(super) struct FlowBox {
    pub(super) name: String,
    pub(super) condition: String,
    pub(super) steps: Vec<StepCard>,
    /// The page that edits its steps; empty when it cannot be edited.
    pub(super) edit: String,
}

/// One attached policy.
pub(super) struct StepCard {
    pub(super) policy: String,
    pub(super) kind: String,
    pub(super) condition: String,
    pub(super) family: Family,
    pub(super) href: String,
    /// Why it does not run; empty when it does.
    pub(super) why: String,
}

/// One route rule.
pub(super) struct RouteBox {
    pub(super) name: String,
    pub(super) condition: String,
    pub(super) to: String,
    /// It leads to the target endpoint that is drawn.
    pub(super) taken: bool,
}

/// One fault rule.
pub(super) struct FaultRow {
    pub(super) of: String,
    pub(super) flow: FlowBox,
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn items<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value[name].as_array().into_iter().flatten()
}

/// The target endpoint that a request takes when no condition of a route holds, else the first named.
pub(super) fn first_target(entrance: &Value) -> String {
    let routes: Vec<&Value> = items(entrance, "routeRule").collect();
    let plain = routes.iter().find(|route| text(route, "condition").is_empty());
    let named = |route: &&Value| {
        Some(text(route, "targetEndpoint")).filter(|name| !name.is_empty()).map(str::to_owned)
    };
    plain.and_then(named).or_else(|| routes.iter().find_map(named)).unwrap_or_default()
}

/// Where a target endpoint sends its requests, in words.
fn destination(exit: &Value) -> String {
    let connection = &exit["connection"];
    let said = |name: &str| Some(text(connection, name)).filter(|said| !said.is_empty());
    if let Some(url) = said("uRL") {
        return url.to_owned();
    }
    if let Some(provider) = said("provider") {
        return format!("API provider {provider} {}", text(connection, "relativePath"));
    }
    if let Some(proxy) = said("aPIProxy") {
        return format!("API proxy {proxy}, endpoint {}", text(connection, "proxyEndpoint"));
    }
    if let Some(path) = said("path") {
        return format!("this environment, {path}");
    }
    let balancer = &connection["loadBalancer"];
    let servers: Vec<&str> = items(balancer, "servers").map(|server| text(server, "name")).collect();
    if !servers.is_empty() {
        return format!("load balancer: {} {}", servers.join(", "), text(balancer, "path"));
    }
    text(connection, "connectionType").to_owned()
}

struct Painter<'p> {
    report: &'p Report,
    href: &'p str,
}

impl Diagram {
    /// From the endpoints as Apigee's API shows them; `href` is the revision's page.
    pub(super) fn of(
        (proxies, entrance): (Vec<String>, Value),
        (targets, exit): (Vec<String>, Value),
        report: &Report,
        href: &str,
    ) -> Self {
        let painter = Painter { report, href };
        let (proxy, target) = (text(&entrance, "name").to_owned(), text(&exit, "name").to_owned());
        let client = |detail: &str| {
            Stop::end("Client", detail, "monitor").edited_at(painter.endpoint(&entrance, "proxy"))
        };
        let backend = || match exit.is_null() {
            true => Stop::end("No target", "The proxy answers by itself.", "circle-dashed"),
            false => Stop::end(&format!("Target {target}"), destination(&exit), "server")
                .edited_at(painter.endpoint(&exit, "target")),
        };
        let mut request = vec![client(text(&entrance["connection"], "basePath"))];
        request.extend(painter.flows(&entrance, "proxy", "request"));
        request.push(painter.routes(&entrance, &target));
        request.extend(painter.flows(&exit, "target", "request"));
        request.push(backend());
        let mut response = vec![backend()];
        response.extend(painter.flows(&exit, "target", "response"));
        response.extend(painter.flows(&entrance, "proxy", "response"));
        response.push(client(""));
        let after = painter.flow_box(
            &entrance["postClientFlow"],
            "PostClientFlow",
            "proxy",
            &proxy,
            "post_client",
            "response",
        );
        if !entrance.is_null() {
            let mut stop = Stop::flows("PostClientFlow", vec![after]);
            stop.detail = "After the client has its answer".into();
            response.push(stop);
        }
        let both = [(&entrance, "proxy"), (&exit, "target")].into_iter();
        let both = both.filter(|(endpoint, _)| !endpoint.is_null());
        let faults = both.clone().flat_map(|(endpoint, kind)| painter.faults(endpoint, kind)).collect();
        let add_fault = |(endpoint, kind)| {
            let name = text(endpoint, "name");
            let at = format!("{href}/steps?{}", query(kind, name, "fault-new", "fault"));
            (format!("{kind} endpoint {name}"), at)
        };
        let add_faults = both.map(add_fault).collect();
        Self { proxies, proxy, targets, target, request, response, faults, add_faults }
    }
}

impl Stop {
    fn end(title: &str, detail: impl Into<String>, icon: &'static str) -> Self {
        Self { detail: detail.into(), icon, end: true, ..Self::flows(title, Vec::new()) }
    }

    fn edited_at(mut self, edit: String) -> Self {
        self.edit = edit;
        self
    }

    fn flows(title: impl Into<String>, flows: Vec<FlowBox>) -> Self {
        Self {
            title: title.into(),
            detail: String::new(),
            icon: "arrow-right",
            end: false,
            flows,
            routes: Vec::new(),
            add: String::new(),
            edit: String::new(),
        }
    }
}

impl Painter<'_> {
    fn flows(&self, endpoint: &Value, kind: &str, way: &str) -> Vec<Stop> {
        if endpoint.is_null() {
            return Vec::new();
        }
        let name = text(endpoint, "name");
        let titled =
            |flow: &str| format!("{} {name}: {flow}", if kind == "proxy" { "Proxy" } else { "Target" });
        let pre = self.flow_box(&endpoint["preFlow"], "PreFlow", kind, name, "pre", way);
        let post = self.flow_box(&endpoint["postFlow"], "PostFlow", kind, name, "post", way);
        let boxes = items(endpoint, "flows").enumerate().map(|(index, flow)| {
            self.flow_box(flow, text(flow, "name"), kind, name, &format!("flow-{index}"), way)
        });
        let mut between = Stop::flows(titled("conditional flows"), boxes.collect());
        if between.flows.len() > 1 {
            between.detail = "The first whose condition holds".into();
        }
        between.add = format!("{}/steps?{}", self.href, query(kind, name, "flow-new", way));
        let mut stops = vec![Stop::flows(titled("PreFlow"), vec![pre]), between];
        stops.push(Stop::flows(titled("PostFlow"), vec![post]));
        if way == "response" && endpoint["eventFlow"].is_object() {
            let event = self.flow_box(&endpoint["eventFlow"], "EventFlow", kind, name, "event", way);
            let mut stop = Stop::flows(titled("EventFlow"), vec![event]);
            stop.detail = "For each event of a streamed answer".into();
            stops.push(stop);
        }
        stops
    }

    /// The page of an endpoint; nothing when there is none.
    fn endpoint(&self, endpoint: &Value, kind: &str) -> String {
        match text(endpoint, "name") {
            "" => String::new(),
            name => format!("{}/endpoints/{kind}/{}", self.href, escape(name)),
        }
    }

    fn flow_box(&self, flow: &Value, title: &str, kind: &str, name: &str, id: &str, way: &str) -> FlowBox {
        FlowBox {
            name: title.to_owned(),
            condition: text(flow, "condition").to_owned(),
            steps: self.steps(&flow[way]),
            edit: format!("{}/steps?{}", self.href, query(kind, name, id, way)),
        }
    }

    fn steps(&self, stream: &Value) -> Vec<StepCard> {
        items(stream, "children").map(|child| self.card(&child["step"])).collect()
    }

    fn card(&self, step: &Value) -> StepCard {
        let policy = text(step, "name");
        let known = self.report.policies.iter().find(|known| known.name == policy);
        StepCard {
            policy: policy.to_owned(),
            kind: known.map_or_else(String::new, |known| known.kind.clone()),
            condition: text(step, "condition").to_owned(),
            family: family(known.map_or("", |known| &known.kind)),
            href: format!("{}/policies/{}", self.href, escape(policy)),
            why: match known {
                None => "there is no policy of this name".into(),
                Some(known) => known.why.clone(),
            },
        }
    }

    fn routes(&self, entrance: &Value, target: &str) -> Stop {
        let routes = items(entrance, "routeRule").map(|route| {
            let to = text(route, "targetEndpoint");
            RouteBox {
                name: text(route, "name").to_owned(),
                condition: text(route, "condition").to_owned(),
                to: match (to, text(route, "uRL")) {
                    ("", "") => "no target".into(),
                    ("", url) => url.to_owned(),
                    (to, _) => format!("target {to}"),
                },
                taken: !to.is_empty() && to == target,
            }
        });
        let mut stop = Stop::flows("Route", Vec::new());
        stop.routes = routes.collect();
        stop.icon = "split";
        let page = self.endpoint(entrance, "proxy");
        stop.edited_at(if page.is_empty() { page } else { format!("{page}#routes") })
    }

    fn faults(&self, endpoint: &Value, kind: &str) -> Vec<FaultRow> {
        let name = text(endpoint, "name");
        let of = format!("{} endpoint {name}", if kind == "proxy" { "Proxy" } else { "Target" });
        let rule = |rule: &Value, title: &str, id: String| FaultRow {
            of: of.clone(),
            flow: FlowBox {
                name: title.to_owned(),
                condition: text(rule, "condition").to_owned(),
                steps: self.steps(rule),
                edit: format!("{}/steps?{}", self.href, query(kind, name, &id, "fault")),
            },
        };
        let mut rows: Vec<_> = items(endpoint, "faultRules")
            .enumerate()
            .map(|(index, given)| rule(given, text(given, "name"), format!("fault-{index}")))
            .collect();
        if endpoint["defaultFaultRule"].is_object() {
            rows.push(rule(&endpoint["defaultFaultRule"], "Default fault rule", "fault-default".into()));
        }
        rows
    }
}

fn query(kind: &str, endpoint: &str, flow: &str, way: &str) -> String {
    format!("kind={kind}&endpoint={}&flow={}&way={way}", escape(endpoint), escape(flow))
}
