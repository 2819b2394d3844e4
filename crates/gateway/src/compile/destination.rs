//! Compiling where a target endpoint sends its requests.

use std::sync::Arc;

use super::{
    Compiler, DesignPart, DestinationPlan, HubPlace, LocalPlan, Provider, ProviderKind, TargetTimeouts,
    UrlPlan, Usable,
};
use crate::design::{Destination, PolicyText, TargetEndpoint};
use crate::door::HUB_ROOT;
use crate::exchange::normalise;
use crate::google::{Authentication, Refused};
use crate::policy::{Element, substitute};
use crate::target_tls::{TlsAsked, Unmet};
use crate::template::Template;

impl Compiler<'_> {
    pub(super) fn destination(&mut self, part: &DesignPart, target: &TargetEndpoint) -> DestinationPlan {
        match &target.destination {
            Destination::None => DestinationPlan::None,
            Destination::Url(url) => self.url(part, url),
            Destination::Provider { name, .. } if name.is_empty() || name == "NONE" => DestinationPlan::None,
            Destination::Provider { name, relative_path } => self.provider(part, name, relative_path),
            Destination::Balanced(balancer) => self.balancer(part, balancer),
            Destination::LocalProxy { proxy, endpoint } => {
                let coming = &self.world.coming.proxies;
                if self.world.running.proxy(proxy).is_none() && proxy != self.name && !coming.contains(proxy)
                {
                    let message = format!("API proxy '{proxy}' is not deployed yet");
                    self.warning(part, "UnknownProxy", message);
                }
                DestinationPlan::Local(LocalPlan::Proxy {
                    proxy: proxy.as_str().into(),
                    endpoint: endpoint.as_str().into(),
                })
            }
            Destination::LocalPath(path) => match Template::parse(path.trim()) {
                Ok(path) => DestinationPlan::Local(LocalPlan::Path(path)),
                Err(bad) => {
                    self.problem(part, "InvalidTargetPath", bad.to_string());
                    DestinationPlan::None
                }
            },
            Destination::Foreign { kind, xml } if kind == "ScriptTarget" => self.script(part, target, xml),
            Destination::Foreign { kind, .. } => self.unavailable(part, kind, why_no_target(kind)),
        }
    }

    /// A server of Node.js: the substitute of its file runs in its place.
    fn script(&mut self, part: &DesignPart, target: &TargetEndpoint, xml: &str) -> DestinationPlan {
        let element = Element::parse(xml).ok();
        let url = element.as_ref().and_then(|element| element.child("ResourceURL")).map_or("", Element::text);
        let name = url.strip_prefix("node://").unwrap_or_default();
        if name.is_empty() || name.contains(['<', '&']) {
            return self.unavailable(part, "ScriptTarget", why_no_target("ScriptTarget"));
        }
        if !substitute::is_given(&self.resources, self.world, name) {
            let why = why_no_target("ScriptTarget");
            let reason = format!("{why}, or a script that does the same as resource jsc://{name}.js");
            return self.unavailable(part, "ScriptTarget", &reason);
        }
        let text = PolicyText {
            name: format!("{} script", target.name),
            xml: substitute::policy_of(name, TargetTimeouts::default().io),
            ..PolicyText::default()
        };
        let Usable { compiled, reads, .. } = self.compile_policy(&text);
        match compiled {
            Some(policy) => DestinationPlan::Script { policy, reads_body: reads.request || reads.message },
            // What is wrong with it has been told.
            None => DestinationPlan::None,
        }
    }

    /// What a target asks of TLS; and what stands for its destination when it cannot be given: less would be
    /// worse than nothing.
    pub(super) fn target_tls(
        &mut self,
        part: &DesignPart,
        target: &TargetEndpoint,
    ) -> (TlsAsked, Option<DestinationPlan>) {
        let Some(settings) = &target.tls else { return (TlsAsked::default(), None) };
        match TlsAsked::read(settings, &self.world.key_stores) {
            Ok(asked) => {
                for warning in &asked.warnings {
                    self.warning(part, "TlsChoiceNotRead", warning.clone());
                }
                (asked, None)
            }
            Err(unmet) => (TlsAsked::default(), Some(self.unavailable(part, "SSLInfo", &unmet.to_string()))),
        }
    }

    /// The credentials that go along with a call to the target. What cannot be made takes the destination's place:
    /// a call without them is not the one that the design asks for.
    pub(super) fn authentication(
        &mut self,
        part: &DesignPart,
        target: &TargetEndpoint,
        destination: &mut DestinationPlan,
    ) -> Option<Authentication> {
        if target.authentication.is_empty() || matches!(destination, DestinationPlan::Unavailable { .. }) {
            return None;
        }
        let read = match Element::parse(&target.authentication) {
            Ok(element) => Authentication::read(&element, self.world.google.as_ref()),
            Err(bad) => Err(Refused::Wrong(bad.line, "BadXml", bad.why)),
        };
        match read {
            Ok(authentication) => return Some(authentication),
            Err(Refused::Wrong(_, rule, what)) => self.problem(part, rule, what),
            Err(Refused::Cannot(_, reason)) => {
                *destination = self.unavailable(part, "Authentication", &reason);
            }
        }
        None
    }

    pub(super) fn unavailable(&mut self, part: &DesignPart, kind: &str, reason: &str) -> DestinationPlan {
        self.degradation(part, 0, kind, reason);
        DestinationPlan::Unavailable { kind: kind.into(), reason: reason.into() }
    }

    /// The URL of a target endpoint or of a route.
    pub(super) fn url(&mut self, part: &DesignPart, url: &str) -> DestinationPlan {
        match Template::parse(url.trim()) {
            Ok(template) => {
                let url = UrlPlan::new(template);
                if let Some(literal) = url.template.as_literal()
                    && url.fixed.is_none()
                {
                    // A placeholder, most often: the originals deploy it, and what reaches it fails there too.
                    let reason = format!("'{literal}' is not an http or https URL");
                    self.degradation(part, 0, "URL", reason);
                }
                if asks_for_itself(&url.template) {
                    // Some write `https://{target.url}` and set that variable, which then is the whole URL.
                    let message = "what the URL of a target takes from target. variables has no value, unless a step sets target.url";
                    self.warning(part, "InvalidTargetUrl", message);
                }
                DestinationPlan::Url(Box::new(url))
            }
            Err(bad) => {
                self.problem(part, "InvalidTargetUrl", bad.to_string());
                DestinationPlan::None
            }
        }
    }

    fn provider(&mut self, part: &DesignPart, name: &str, relative_path: &str) -> DestinationPlan {
        let Some(provider) = self.world.providers.get(name).cloned() else {
            self.problem(part, "UnknownProvider", format!("there is no API provider '{name}'"));
            return DestinationPlan::None;
        };
        let rooted = match relative_path.trim() {
            "" => "/".to_owned(),
            path if path.starts_with('/') => path.to_owned(),
            path => format!("/{path}"),
        };
        let relative_path = match normalise(&rooted) {
            Ok(path) if !path.contains(['?', '#', ' ']) => path.into_owned(),
            Ok(_) => {
                self.problem(part, "InvalidRelativePath", "the relative path has a blank, ? or #");
                rooted.clone()
            }
            Err(bad) => {
                self.problem(part, "InvalidRelativePath", format!("relative path: {bad}"));
                rooted.clone()
            }
        };
        if matches!(provider.kind, ProviderKind::OpenConnectors(_)) && !is_below_hub_root(&relative_path) {
            let message =
                format!("the relative path towards an Open Connectors provider lies below {HUB_ROOT}");
            self.problem(part, "InvalidRelativePath", message);
        }
        let provider = match self.secured(&provider) {
            Ok(secured) => secured.unwrap_or(provider),
            Err(unmet) => {
                let reason = format!("API provider '{name}': {unmet}");
                return self.unavailable(part, "SSLInfo", &reason);
            }
        };
        DestinationPlan::Provider { provider, relative_path: relative_path.into() }
    }

    /// The provider with its own record of TLS made ready; `None` when it has none.
    fn secured(&self, provider: &Provider) -> Result<Option<Arc<Provider>>, Unmet> {
        let Some(endpoint) = provider.server().filter(|endpoint| endpoint.ssl.is_some()) else {
            return Ok(None);
        };
        let endpoint = self.world.secured(endpoint)?;
        let mut provider = provider.clone();
        match &mut provider.kind {
            ProviderKind::Internet(server) => *server = endpoint,
            ProviderKind::OpenConnectors(hub) => hub.hub = HubPlace::Remote(endpoint),
        }
        Ok(Some(Arc::new(provider)))
    }
}

/// Why a target of an original cannot be called.
fn why_no_target(kind: &str) -> &'static str {
    match kind {
        "ScriptTarget" | "HostedTarget" => "no Node.js runs here; give the target a URL",
        "IntegrationEndpoint" => "it belongs to Google's integration service",
        _ => "this kind of target is not known",
    }
}

/// Whether a URL takes a part from what it makes.
pub(crate) fn asks_for_itself(url: &Template) -> bool {
    let mut asks = false;
    url.each_variable(&mut |variable| asks |= variable.name().starts_with("target."));
    asks
}

fn is_below_hub_root(path: &str) -> bool {
    path.strip_prefix(HUB_ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
