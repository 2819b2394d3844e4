//! What stands around every page: title, navigation, breadcrumb, toast, and the requests behind it.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};

use crate::interrupted::Interrupted;
use crate::visit::{Theme, Visit, Who};
use crate::wire::{ShownCall, Wire};

/// The page's place in the side navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Overview,
    Proxies,
    Providers,
    Maps,
    SharedFlows,
    TargetServers,
    FlowHooks,
    Traces,
    Catalogue,
    Instances,
    Elsewhere,
}

/// One face of the product in the navigation. Faces without pages are absent, so that no link is dead.
pub(crate) struct NavFace {
    pub(crate) name: &'static str,
    pub(crate) links: &'static [NavLink],
}

/// One link of the navigation.
pub(crate) struct NavLink {
    pub(crate) place: Place,
    pub(crate) label: &'static str,
    pub(crate) href: &'static str,
    pub(crate) icon: &'static str,
}

/// The side navigation.
pub(crate) const NAVIGATION: &[NavFace] = &[
    NavFace {
        name: "Gateway",
        links: &[
            NavLink { place: Place::Proxies, label: "API proxies", href: "/console/proxies", icon: "route" },
            NavLink {
                place: Place::Providers,
                label: "API providers",
                href: "/console/providers",
                icon: "server",
            },
            NavLink {
                place: Place::SharedFlows,
                label: "Shared flows",
                href: "/console/shared-flows",
                icon: "workflow",
            },
            NavLink { place: Place::Maps, label: "Key value maps", href: "/console/maps", icon: "key-round" },
            NavLink {
                place: Place::TargetServers,
                label: "Target servers",
                href: "/console/target-servers",
                icon: "server",
            },
            NavLink {
                place: Place::FlowHooks,
                label: "Flow hooks",
                href: "/console/flow-hooks",
                icon: "anchor",
            },
            NavLink { place: Place::Traces, label: "Traces", href: "/console/traces", icon: "eye" },
        ],
    },
    NavFace {
        name: "Connectors",
        links: &[
            NavLink {
                place: Place::Catalogue,
                label: "Catalogue",
                href: "/console/connectors",
                icon: "blocks",
            },
            NavLink { place: Place::Instances, label: "Instances", href: "/console/instances", icon: "plug" },
        ],
    },
];

/// One step of the breadcrumb.
#[derive(Debug, Clone)]
pub(crate) struct Crumb {
    pub(crate) label: String,
    pub(crate) href: String,
}

/// What the layout needs; every page's view has one as `shell`.
#[derive(Debug, Clone)]
pub(crate) struct Shell {
    pub(crate) title: String,
    pub(crate) place: Place,
    pub(crate) crumbs: Vec<Crumb>,
    pub(crate) who: Who,
    pub(crate) theme: Theme,
    pub(crate) csrf: String,
    pub(crate) path: String,
    pub(crate) toast: &'static str,
    pub(crate) calls: Vec<ShownCall>,
    /// The request that this page's form sends, as an example.
    pub(crate) sends: Option<ShownCall>,
}

impl Shell {
    /// The surroundings of the page `title`.
    pub(crate) fn new(visit: &Visit, title: impl Into<String>, place: Place) -> Self {
        Self {
            title: title.into(),
            place,
            crumbs: Vec::new(),
            who: visit.who.clone(),
            theme: visit.theme,
            csrf: visit.form_token.clone(),
            path: visit.path.clone(),
            toast: toast(visit.query.get("done")),
            calls: Vec::new(),
            sends: None,
        }
    }

    /// Adds a step before the page's own title.
    pub(crate) fn crumb(mut self, label: impl Into<String>, href: impl Into<String>) -> Self {
        self.crumbs.push(Crumb { label: label.into(), href: href.into() });
        self
    }

    /// Shows the requests that made this page.
    pub(crate) fn behind(mut self, wire: &Wire) -> Self {
        self.calls = wire.shown();
        self
    }

    /// Shows the request that the page's form sends.
    pub(crate) fn sends(mut self, call: ShownCall) -> Self {
        self.sends = Some(call);
        self
    }
}

/// What a redirect reports on the next page, by its code in `?done=`. Texts are fixed here, so that a link
/// cannot put words into our mouth.
fn toast(code: &str) -> &'static str {
    match code {
        "connected" => "Connected",
        "reconnected" => "Connected again",
        "saved" => "Saved",
        "deleted" => "Deleted",
        "created" => "Created",
        "deployed" => "Deployed: the gateway answers with this revision now",
        "imported" => "Imported",
        "rolled-back" => "Deployed: the gateway answers with the chosen revision now",
        "attached" => "Attached: every request passes it now",
        "detached" => "Detached",
        "undeployed" => "Undeployed: the gateway no longer answers for it",
        "tracing" => "Recording: send a request, and it appears below",
        "stopped" => "Stopped: what was recorded stays for an hour",
        "enabled" => "Enabled",
        "disabled" => "Disabled: calls with its token now answer 403",
        "signed-out" => "You are signed out",
        _ => "",
    }
}

/// Renders a page.
pub(crate) fn html(page: &impl Template) -> Result<Response, Interrupted> {
    match page.render() {
        Ok(text) => Ok(Html(text).into_response()),
        Err(why) => {
            tracing::error!(%why, "a console page could not be rendered");
            Err(Interrupted::Broken)
        }
    }
}
