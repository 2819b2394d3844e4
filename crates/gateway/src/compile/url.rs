//! The URL of a target, taken apart.

use std::sync::Arc;

use http::Uri;

use super::Endpoint;
use crate::exchange::normalise;
use crate::template::Template;

/// A URL as the design says it.
#[derive(Debug)]
pub(crate) struct UrlPlan {
    pub(crate) template: Template,
    /// Where it leads, when no variable has a say in it.
    pub(crate) fixed: Option<TargetUrl>,
}

/// Where a URL leads.
#[derive(Debug)]
pub(crate) struct TargetUrl {
    pub(crate) endpoint: Endpoint,
    /// Normalised; at least a slash.
    pub(crate) path: Box<str>,
    /// Without its mark.
    pub(crate) query: Box<str>,
}

impl UrlPlan {
    pub(super) fn new(template: Template) -> Self {
        let fixed = template.as_literal().and_then(TargetUrl::parse);
        Self { template, fixed }
    }
}

impl TargetUrl {
    /// Takes apart an http or https URL without credentials; nothing else leads anywhere.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.trim().parse().ok()?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return None,
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let host: Arc<str> = authority.host().into();
        if host.is_empty() {
            return None;
        }
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let path = normalise(uri.path()).ok()?.into();
        Some(Self {
            endpoint: Endpoint::new(tls, host, port),
            path,
            query: uri.query().unwrap_or_default().into(),
        })
    }
}
