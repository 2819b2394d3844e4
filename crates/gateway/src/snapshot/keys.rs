//! API keys with what they lead to: apps, developers and products (api-management §9.3, VerifyAPIKey).

use std::fmt;
use std::sync::Arc;

use ahash::AHashMap;
use pierhead_domain::{EpochMillis, SecretString};

use crate::condition::glob::Glob;

/// The keyed hash under which a machine secret is looked up; the vault's, given by the binary.
pub type LookupHash = Arc<dyn Fn(&str) -> [u8; 32] + Send + Sync>;

/// Every API key of the environment, by keyed hash: the clear keys are not in the snapshot.
#[derive(Clone)]
pub struct KeyTable {
    hash: LookupHash,
    keys: AHashMap<[u8; 32], Arc<ApiKey>>,
}

impl KeyTable {
    /// A table of `keys`, each with the hash `hash` gives for it.
    pub fn new(hash: LookupHash, keys: impl IntoIterator<Item = ([u8; 32], Arc<ApiKey>)>) -> Self {
        Self { hash, keys: keys.into_iter().collect() }
    }

    /// The key a client sent.
    pub fn find(&self, key: &str) -> Option<&Arc<ApiKey>> {
        if self.keys.is_empty() { None } else { self.keys.get(&(self.hash)(key)) }
    }

    /// Every key, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<ApiKey>> {
        self.keys.values()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl Default for KeyTable {
    fn default() -> Self {
        Self { hash: Arc::new(|_| [0; 32]), keys: AHashMap::new() }
    }
}

impl fmt::Debug for KeyTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyTable").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

/// Whether something may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// `approved`, of a developer or company `active`.
    #[default]
    Approved,
    /// `pending`.
    Pending,
    /// `revoked`, of a developer or company `inactive`.
    Revoked,
}

impl Standing {
    /// The word of keys and apps on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Pending => "pending",
            Self::Revoked => "revoked",
        }
    }

    /// The word of developers and companies on the wire.
    pub const fn as_activity(self) -> &'static str {
        match self {
            Self::Approved => "active",
            Self::Pending | Self::Revoked => "inactive",
        }
    }
}

/// Custom attributes by name.
pub type Attributes = AHashMap<Box<str>, Box<str>>;

/// One key of an app.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Whether the key may be used.
    pub standing: Standing,
    /// When it stops working; `None` is never.
    pub expires_at: Option<EpochMillis>,
    /// The secret that belongs to the key.
    pub secret: Option<Arc<SecretString>>,
    /// The products it gives access to, each with its own standing.
    pub products: Vec<(Arc<ApiProduct>, Standing)>,
    /// The app that owns it.
    pub app: Arc<DeveloperApp>,
    /// Custom attributes of the key.
    pub attributes: Attributes,
}

/// An app of a developer or of a company.
#[derive(Debug, Clone, Default)]
pub struct DeveloperApp {
    /// Identifier.
    pub id: Box<str>,
    /// Name, unique for the developer.
    pub name: Box<str>,
    /// For people.
    pub display_name: Box<str>,
    /// Whether its keys may be used.
    pub standing: Standing,
    /// Where OAuth answers go.
    pub callback_url: Box<str>,
    /// `read`, `write` or empty.
    pub access_type: Box<str>,
    /// `Developer` or `Company`.
    pub app_type: Box<str>,
    /// When it was made.
    pub created_at: EpochMillis,
    /// Who made it.
    pub created_by: Box<str>,
    /// When it was last changed.
    pub changed_at: EpochMillis,
    /// Who changed it last.
    pub changed_by: Box<str>,
    /// The developer; `None` for a company's app.
    pub developer: Option<Arc<Developer>>,
    /// Standing of the company; `None` for a developer's app.
    pub company: Option<Standing>,
    /// Custom attributes.
    pub attributes: Attributes,
}

/// A developer.
#[derive(Debug, Clone, Default)]
pub struct Developer {
    /// Identifier.
    pub id: Box<str>,
    /// Name to log in with.
    pub user_name: Box<str>,
    /// First name.
    pub first_name: Box<str>,
    /// Last name.
    pub last_name: Box<str>,
    /// Address.
    pub email: Box<str>,
    /// Whether the developer's apps may be used.
    pub standing: Standing,
    /// Names of the developer's apps.
    pub apps: Vec<Box<str>>,
    /// When it was made.
    pub created_at: EpochMillis,
    /// Who made it.
    pub created_by: Box<str>,
    /// When it was last changed.
    pub changed_at: EpochMillis,
    /// Who changed it last.
    pub changed_by: Box<str>,
    /// Custom attributes.
    pub attributes: Attributes,
}

/// An API product: what a key gives access to.
#[derive(Debug, Clone, Default)]
pub struct ApiProduct {
    /// Name.
    pub name: Box<str>,
    /// For people.
    pub display_name: Box<str>,
    /// Names of the proxies in it; empty means every proxy.
    pub proxies: Vec<Box<str>>,
    /// Names of environments; empty means every one.
    pub environments: Vec<Box<str>>,
    /// Paths it gives access to; empty means every path.
    pub resources: Vec<ResourcePattern>,
    /// Operations; when there are any they rule instead of `proxies` and `resources`.
    pub operations: Vec<ProductOperation>,
    /// Scopes that tokens for it may have.
    pub scopes: Vec<Box<str>>,
    /// Quota for policies that take it from the product.
    pub quota: Option<ProductQuota>,
    /// Custom attributes.
    pub attributes: Attributes,
}

/// A proxy, path and methods that a product gives access to.
#[derive(Debug, Clone)]
pub struct ProductOperation {
    /// Name of the proxy.
    pub proxy: Box<str>,
    /// Paths it gives access to.
    pub resource: ResourcePattern,
    /// Verbs in upper case; empty means all.
    pub methods: Vec<Box<str>>,
}

/// Paths of a product: `/`, `*`, `/**` and nothing are every path, `/*` one segment, `/a/*/b` and `/a/**`
/// as in conditions. Matched against `proxy.pathsuffix`.
#[derive(Debug, Clone)]
pub struct ResourcePattern {
    text: Box<str>,
    /// `None` is every path.
    glob: Option<Glob>,
}

impl ResourcePattern {
    /// Compiles the pattern as stored.
    pub fn new(pattern: &str) -> Self {
        let glob = match pattern.trim() {
            "" | "/" | "*" | "**" | "/**" => None,
            pattern => Some(Glob::path(pattern)),
        };
        Self { text: pattern.into(), glob }
    }

    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a path is among them.
    pub(crate) fn covers(&self, path: &str) -> bool {
        self.matches(path)
    }

    fn matches(&self, path_suffix: &str) -> bool {
        self.glob.as_ref().is_none_or(|glob| glob.matches(path_suffix))
    }
}

impl ApiProduct {
    /// Whether it holds the proxy in the environment, whatever the path. A product of operations holds those and
    /// no proxy.
    pub(crate) fn holds(&self, environment: &str, proxy: &str) -> bool {
        let among =
            |names: &[Box<str>], name: &str| names.is_empty() || names.iter().any(|one| **one == *name);
        self.operations.is_empty() && among(&self.environments, environment) && among(&self.proxies, proxy)
    }

    /// Whether the product gives access to a call.
    pub fn gives_access(&self, environment: &str, proxy: &str, path_suffix: &str, verb: &str) -> bool {
        self.access(environment, proxy, path_suffix, verb).is_some()
    }

    /// What gives access to a call: the place of an operation, or with `None` in it the product as a whole.
    pub(crate) fn access(
        &self,
        environment: &str,
        proxy: &str,
        path_suffix: &str,
        verb: &str,
    ) -> Option<Option<usize>> {
        let among =
            |names: &[Box<str>], name: &str| names.is_empty() || names.iter().any(|known| **known == *name);
        if !among(&self.environments, environment) {
            return None;
        }
        if !self.operations.is_empty() {
            let fits = |operation: &ProductOperation| {
                *operation.proxy == *proxy
                    && operation.resource.matches(path_suffix)
                    && among(&operation.methods, verb)
            };
            return self.operations.iter().position(fits).map(Some);
        }
        let whole = among(&self.proxies, proxy)
            && (self.resources.is_empty() || self.resources.iter().any(|paths| paths.matches(path_suffix)));
        whole.then_some(None)
    }
}

/// The quota of a product.
#[derive(Debug, Clone)]
pub struct ProductQuota {
    /// Requests allowed.
    pub limit: Box<str>,
    /// In this many time units.
    pub interval: Box<str>,
    /// `minute`, `hour`, `day`, `month`.
    pub time_unit: Box<str>,
}
