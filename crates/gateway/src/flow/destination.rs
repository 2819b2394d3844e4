//! Where a request goes, once its flows have run.

use std::borrow::Cow;

use http::uri::PathAndQuery;

use super::local::{self, LocalTarget};
use crate::balancer::Balancing;
use crate::compile::{
    DestinationPlan, Endpoint, Http2, HubPlace, OpenConnectorsProvider, ProviderKind, TargetPlan, TargetUrl,
};
use crate::door::{self, HUB_ROOT};
use crate::exchange::{Exchange, encode, normalise};
use crate::fault::{EngineFault, Fault};

/// Where to send a request.
#[derive(Debug)]
pub enum ForwardTo {
    /// A server; the Host header is its name.
    Network {
        /// Where it listens.
        endpoint: Endpoint,
        /// The request target.
        path_and_query: PathAndQuery,
    },
    /// Another proxy of the same snapshot, with no network hop.
    Local(LocalTarget),
    /// The hub of this installation; the path is below `/elements/api-v2`, without that prefix.
    Hub {
        /// The request target.
        path_and_query: PathAndQuery,
    },
}

/// Chooses the server when there are several, then the address.
pub(super) fn choose(cx: &mut Exchange, target: &TargetPlan) -> Result<ForwardTo, Fault> {
    if let DestinationPlan::Balanced(balancer) = &target.destination
        && cx.overrides.url.is_none()
    {
        let balancing = Balancing::begin(balancer, cx.now()).ok_or(EngineFault::NoActiveTargets)?;
        cx.balancing = Some(Box::new(balancing));
    }
    decide(cx, target)
}

/// Takes in how the present server did, and gives the next one to try when it failed, the request can be
/// sent again and some server is left.
pub(crate) fn go_on(cx: &mut Exchange, failed: bool, sendable: bool) -> Option<ForwardTo> {
    let now = cx.now();
    let balancing = cx.balancing.as_mut()?;
    balancing.learn(failed, now);
    if !failed || !sendable || !balancing.balancer.retries || !balancing.go_on(now) {
        return None;
    }
    let proxy = cx.route.proxy.clone();
    decide(cx, proxy.targets.get(cx.target?)?).ok()
}

/// Puts the target's address together: destination or `target.url`, path suffix, query.
fn decide(cx: &Exchange, target: &TargetPlan) -> Result<ForwardTo, Fault> {
    if let DestinationPlan::Provider { provider, relative_path } = &target.destination
        && let ProviderKind::OpenConnectors(hub) = &provider.kind
    {
        return open_connectors(cx, hub, relative_path);
    }
    if let Some(url) = &cx.overrides.url {
        return url_target(cx, url);
    }
    match &target.destination {
        DestinationPlan::None => {
            let text = format!("The target endpoint '{}' has no destination", target.name);
            Err(EngineFault::UnknownTarget(text).into())
        }
        DestinationPlan::Unavailable { kind, reason } => Err(EngineFault::TargetNotSupported(format!(
            "{kind} of target endpoint '{}' cannot run here: {reason}",
            target.name
        ))
        .into()),
        DestinationPlan::Url(url) => {
            if let Some(fixed) = &url.fixed {
                return to_url(cx, fixed, suffix(cx));
            }
            let url = url.template.render(cx, false).map_err(|unresolved| {
                EngineFault::UnknownTarget(format!(
                    "The URL of target endpoint '{}': {unresolved}",
                    target.name
                ))
            })?;
            url_target(cx, &url)
        }
        DestinationPlan::Balanced(balancer) => {
            let server = cx.balancing.as_ref().and_then(|balancing| balancing.present());
            let server = server.ok_or(EngineFault::NoActiveTargets)?;
            let path = balancer.path.render(cx, false).map_err(|unresolved| {
                EngineFault::UnknownTarget(format!(
                    "The path of target endpoint '{}': {unresolved}",
                    target.name
                ))
            })?;
            let (path, query) = path.split_once('?').unwrap_or((&path, ""));
            let rooted = rooted(path)?;
            let path = join(&rooted, suffix(cx));
            let path = join(&server.endpoint.path_prefix, &path);
            let mut endpoint = server.endpoint.clone();
            endpoint.trust_all |= target.trust_all;
            network(cx, endpoint, &path, query)
        }
        // It was run in the place of a server.
        DestinationPlan::Script { .. } => {
            let text = format!("The target endpoint '{}' is a script", target.name);
            Err(EngineFault::UnknownTarget(text).into())
        }
        DestinationPlan::Local(plan) => local::find(cx, plan).map(ForwardTo::Local),
        DestinationPlan::Provider { provider, relative_path } => match &provider.kind {
            ProviderKind::Internet(endpoint) => {
                let path = join(relative_path, suffix(cx));
                let path = join(&endpoint.path_prefix, &path);
                network(cx, endpoint.clone(), &path, "")
            }
            ProviderKind::OpenConnectors(hub) => open_connectors(cx, hub, relative_path),
        },
    }
}

/// Where the request would go now, for variables. `None` before a target is chosen, when there is nowhere to
/// go, and when the URL has to be computed from variables, which might ask for this again.
pub(crate) fn preview(cx: &Exchange) -> Option<ForwardTo> {
    let target = cx.target().filter(|_| cx.position.target_part.is_some())?;
    match &target.destination {
        DestinationPlan::Url(url) if url.template.as_literal().is_none() && cx.overrides.url.is_none() => {
            None
        }
        _ => decide(cx, target).ok(),
    }
}

impl ForwardTo {
    /// The request target as the other side sees it.
    pub(crate) fn uri(&self) -> Cow<'_, str> {
        match self {
            Self::Network { path_and_query, .. } => Cow::Borrowed(path_and_query.as_str()),
            Self::Hub { path_and_query } => Cow::Owned(format!("{HUB_ROOT}{path_and_query}")),
            Self::Local(local) => Cow::Borrowed(local.path_and_query.as_str()),
        }
    }

    /// The whole URL; for this installation's hub, which has no address, only the request target.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Network { endpoint, path_and_query } => {
                let scheme = if endpoint.tls { "https" } else { "http" };
                format!("{scheme}://{}:{}{path_and_query}", endpoint.host, endpoint.port)
            }
            Self::Hub { .. } | Self::Local(_) => self.uri().into_owned(),
        }
    }
}

impl ForwardTo {
    /// The URL of a server as people write it: without the port of its scheme, and without a query.
    pub(super) fn bare_url(&self) -> Option<String> {
        let Self::Network { endpoint, path_and_query } = self else { return None };
        Some(endpoint.url(path_and_query.path()))
    }
}

fn open_connectors(
    cx: &Exchange,
    hub: &OpenConnectorsProvider,
    relative_path: &str,
) -> Result<ForwardTo, Fault> {
    if cx.overrides.url.is_some() {
        // The three secrets go to the provider's hub and nowhere else.
        let text = "target.url cannot be set towards an Open Connectors provider";
        return Err(EngineFault::UnknownTarget(text.into()).into());
    }
    let path = join(relative_path, suffix(cx));
    let below = path.strip_prefix(HUB_ROOT).unwrap_or_default();
    door::pass(below, &hub.allowed_platform_roots).map_err(|_| EngineFault::PlatformRouteForbidden)?;
    match &hub.hub {
        HubPlace::ThisInstallation => Ok(ForwardTo::Hub { path_and_query: path_and_query(cx, below, "")? }),
        HubPlace::Remote(endpoint) => {
            let path = join(&endpoint.path_prefix, &path);
            network(cx, endpoint.clone(), &path, "")
        }
    }
}

fn network(cx: &Exchange, mut endpoint: Endpoint, path: &str, query: &str) -> Result<ForwardTo, Fault> {
    if let Some(target) = cx.target() {
        if endpoint.http2 == Http2::default() {
            endpoint.http2 = target.http2;
        }
        if let Some(plan) = target.tls.as_ref().filter(|_| endpoint.tls && endpoint.identity.is_none()) {
            let identity = plan.of(cx).map_err(|why| {
                tracing::debug!(target = %target.name, %why, "TLS of a target cannot be made: {why}");
                EngineFault::SslHandshakeFailed
            })?;
            endpoint.identity = Some(identity);
        }
    }
    Ok(ForwardTo::Network { path_and_query: path_and_query(cx, path, query)?, endpoint })
}

/// A URL that was put together for this request.
fn url_target(cx: &Exchange, url: &str) -> Result<ForwardTo, Fault> {
    let bad = || EngineFault::UnknownTarget("The target URL is not an http or https URL".to_owned());
    let url = TargetUrl::parse(url).ok_or_else(bad)?;
    // A URL that a policy computed holds the whole path already.
    to_url(cx, &url, if cx.overrides.url.is_some() { "" } else { suffix(cx) })
}

fn to_url(cx: &Exchange, url: &TargetUrl, suffix: &str) -> Result<ForwardTo, Fault> {
    let trust_all = cx.target().is_some_and(|target| target.trust_all);
    let endpoint = Endpoint { trust_all, ..url.endpoint.clone() };
    network(cx, endpoint, &join(&url.path, suffix), &url.query)
}

/// A path of the design, normalised; empty stays empty.
pub(super) fn rooted(path: &str) -> Result<String, Fault> {
    if path.is_empty() {
        return Ok(String::new());
    }
    let rooted = format!("/{}", path.trim_start_matches('/'));
    let path = normalise(&rooted).map_err(|bad| EngineFault::BadPath(bad.to_string()))?;
    Ok(path.into_owned())
}

/// What follows the base path, or the path that a policy set.
pub(super) fn suffix(cx: &Exchange) -> &str {
    match cx.request.as_request().and_then(|head| head.path.as_deref()) {
        Some(path) => path,
        None if cx.overrides.copy_path_suffix => cx.path_suffix(),
        None => "",
    }
}

/// Joins two paths with exactly one slash; an empty suffix adds nothing.
pub(super) fn join<'a>(base: &'a str, suffix: &'a str) -> Cow<'a, str> {
    match (base.strip_suffix('/').unwrap_or(base), suffix) {
        (_, "") => base.into(),
        ("", suffix) => suffix.into(),
        (base, suffix) => [base, suffix].concat().into(),
    }
}

/// The request target: `path`, the target's own query, the request's.
pub(super) fn path_and_query(cx: &Exchange, path: &str, own_query: &str) -> Result<PathAndQuery, Fault> {
    let query = match cx.request.as_request() {
        Some(head) if cx.overrides.copy_query_params => head.query_text(),
        _ => "".into(),
    };
    let path = encode(if path.is_empty() { "/" } else { path });
    if let Some(head) = cx.request.as_request()
        && own_query.is_empty()
        && *path == *head.uri.path()
        && *query == *head.uri.query().unwrap_or_default()
    {
        // What the client asked for, as it asked: neither put together nor checked again.
        return Ok(head.uri.clone());
    }
    let mut text = String::with_capacity(path.len() + own_query.len() + query.len() + 2);
    text.push_str(&path);
    for (mark, query) in [("?", own_query), (if own_query.is_empty() { "?" } else { "&" }, &*query)] {
        if !query.is_empty() {
            text.push_str(mark);
            text.push_str(query);
        }
    }
    PathAndQuery::from_maybe_shared(bytes::Bytes::from(text))
        .map_err(|_| EngineFault::BadPath("the path has a character that no path may have".into()).into())
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn paths_are_joined_with_exactly_one_slash() {
        for (base, suffix, joined) in [
            ("/elements/api-v2/", "/files", "/elements/api-v2/files"),
            ("/elements/api-v2", "/files", "/elements/api-v2/files"),
            ("/elements/api-v2/", "", "/elements/api-v2/"),
            ("", "/files", "/files"),
            ("/", "/files/", "/files/"),
            ("", "", ""),
        ] {
            assert_eq!(join(base, suffix), joined, "{base} + {suffix}");
        }
    }
}
