//! `OpenConnectors`: the three secrets of a hub call (api-management §9.2; seed 1, step 3).

use std::sync::Arc;

use http::HeaderValue;
use http::header::AUTHORIZATION;
use memchr::memchr2;

use crate::compile::{OpenConnectorsProvider, ProviderKind};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::ports::KvmScope;

/// Sets `Authorization: User …, Organization …, Element …` on the target request, whatever the caller sent.
/// No other step sees it: who designs a proxy may use the secrets of its provider and not read them.
///
/// The instance token is an entry of a key value map of the proxy. Faults, all 500 and before the target is
/// called: `oc.NoProvider`, `oc.NoInstanceToken`, `oc.BadInstanceToken`; they name the map and the key and
/// never a value.
#[derive(Debug)]
pub(super) struct OpenConnectors(InstanceSecret);

/// Where the token of a connector instance is: an entry of a key value map of the proxy.
#[derive(Debug)]
pub(super) struct InstanceSecret {
    scope: KvmScope,
    map: Box<str>,
    key: Box<str>,
    proxy: Arc<str>,
}

/// The map that creating a proxy against an Open Connectors provider makes.
pub const INSTANCE_TOKEN_MAP: &str = "apim.oc.instance.token";

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["InstanceSecret"]);
    Some(Box::new(OpenConnectors(instance_secret(policy)?)))
}

/// Reads the root's `InstanceSecret`.
pub(super) fn instance_secret(policy: &mut Blueprint<'_>) -> Option<InstanceSecret> {
    let Some(secret) = policy.root.child("InstanceSecret") else {
        let message = format!("{} needs an InstanceSecret", policy.root.name);
        policy.problem(policy.root, "InstanceSecretIsMissing", message);
        return None;
    };
    policy.only(secret, &["kvm-map-name", "kvm-key-name"], &[]);
    let mut named = |attribute| {
        let name = secret.attribute(attribute).map(str::trim).filter(|name| !name.is_empty());
        if name.is_none() {
            policy.problem(secret, "InstanceSecretIsMissing", format!("InstanceSecret needs {attribute}"));
        }
        name
    };
    let (map, key) = (named("kvm-map-name"), named("kvm-key-name"));
    Some(InstanceSecret {
        scope: KvmScope::Proxy(policy.proxy.to_string()),
        map: map?.into(),
        key: key?.into(),
        proxy: policy.proxy.clone(),
    })
}

impl Policy for OpenConnectors {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.authorization(cx).map(|value| {
            cx.request.headers.remove(AUTHORIZATION);
            cx.hub_authorization = Some(value);
            Next::Continue
        }))
    }
}

impl OpenConnectors {
    fn authorization(&self, cx: &Exchange) -> Result<HeaderValue, Fault> {
        let Some(ProviderKind::OpenConnectors(provider)) = cx.provider().map(|provider| &provider.kind)
        else {
            let text = format!(
                "The target of API proxy '{}' is not a provider of type Open Connectors",
                self.0.proxy
            );
            return Err(Fault::internal("oc.NoProvider", text));
        };
        self.0.authorization(cx, provider)
    }
}

impl InstanceSecret {
    /// The header for calls of this provider's hub.
    pub(super) fn authorization(
        &self,
        cx: &Exchange,
        provider: &OpenConnectorsProvider,
    ) -> Result<HeaderValue, Fault> {
        let map = cx.snapshot.kvm(&self.scope, &self.map);
        let token = map.and_then(|map| map.entries.get(&self.key)).filter(|token| !token.expose().is_empty());
        let Some(token) = token else {
            let missing = if map.is_none() { "there is no such map" } else { "the map has no such key" };
            let text = format!(
                "No instance token in key value map '{}' (scope apiproxy, '{}') under key '{}': {missing}",
                self.map, self.proxy, self.key
            );
            return Err(Fault::internal("oc.NoInstanceToken", text));
        };
        header(provider, token.expose()).ok_or_else(|| {
            let text = format!(
                "The instance token in key value map '{}' under key '{}' cannot be sent in a header",
                self.map, self.key
            );
            Fault::internal("oc.BadInstanceToken", text)
        })
    }
}

/// The header, marked so that nothing ever prints it.
fn header(provider: &OpenConnectorsProvider, token: &str) -> Option<HeaderValue> {
    let (user, organization) = (provider.user_secret.expose(), provider.organization_secret.expose());
    // A comma or a blank would begin another part.
    if [user, organization, token].iter().any(|part| memchr2(b',', b' ', part.as_bytes()).is_some()) {
        return None;
    }
    let mut text = Vec::with_capacity(32 + user.len() + organization.len() + token.len());
    for part in ["User ", user, ", Organization ", organization, ", Element ", token] {
        text.extend_from_slice(part.as_bytes());
    }
    let mut value = HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests;
