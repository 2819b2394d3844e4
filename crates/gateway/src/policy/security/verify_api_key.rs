//! `VerifyAPIKey`: lets a call pass when its key gives access to it (api-management §9.3).

use std::sync::Arc;

use http::StatusCode;

use crate::condition::Lookup;
use crate::exchange::{ComputedVariables, Exchange};
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::security::oauth::{Entitlement, entitlement};
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::snapshot::{ApiKey, Attributes, Developer, DeveloperApp, Standing};
use crate::template::Template;
use crate::variable::{Value, Variable};

/// Looks the key up by its keyed hash and checks key, app, developer and products.
///
/// Faults, all 401 unless said: `steps.oauth.v2.FailedToResolveAPIKey`, `oauth.v2.InvalidApiKey` (unknown,
/// revoked or expired), `oauth.v2.InvalidApiKeyForGivenResource`,
/// `keymanagement.service.DeveloperStatusNotActive`, `keymanagement.service.CompanyStatusNotActive`,
/// `keymanagement.service.invalid_client-app_not_approved`,
/// `keymanagement.service.consumer_key_missing_api_product_association` 400.
/// Unsourced: that a revoked and an expired key look like an unknown one.
#[derive(Debug)]
pub(super) struct VerifyApiKey {
    key: KeySource,
    /// `verifyapikey.<policy>.`
    prefix: Arc<str>,
    /// The empty prefix: variables that later policies and analytics read.
    global: Arc<str>,
}

#[derive(Debug)]
enum KeySource {
    Variable(Variable),
    Template(Template),
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["APIKey", "CacheExpiryInSeconds"]);
    if let Some(expiry) = policy.root.child("CacheExpiryInSeconds") {
        // Keys are never older than the snapshot, so there is no cache to expire.
        policy.only(expiry, &["ref"], &[]);
    }
    let element = policy.root.child("APIKey");
    let reference = element.and_then(|element| Some((element, element.attribute("ref")?)));
    let key = match (element, reference) {
        (_, Some((element, name))) => policy.variable(element, name).map(KeySource::Variable),
        (Some(element), None) if !element.text().is_empty() => {
            Some(KeySource::Template(policy.template(element, element.text())))
        }
        (element, None) => {
            let at = element.unwrap_or(policy.root);
            policy.problem(at, "SpecifyValueOrRefApiKey", "VerifyAPIKey needs an APIKey with a ref");
            None
        }
    };
    if let Some(element) = element {
        policy.only(element, &["ref"], &[]);
    }
    let prefix = format!("verifyapikey.{}.", policy.name).into();
    Some(Box::new(VerifyApiKey { key: key?, prefix, global: "".into() }))
}

impl Policy for VerifyApiKey {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.verify(cx).map(|found| {
            let found = Arc::new(found);
            cx.variables.provide(&self.prefix, found.clone());
            cx.variables.provide(&self.global, Arc::new(Global(found)));
            Next::Continue
        }))
    }
}

impl VerifyApiKey {
    fn verify(&self, cx: &Exchange) -> Result<Verified, Fault> {
        let sent = match &self.key {
            KeySource::Variable(variable) => cx.value(variable).into_text(),
            KeySource::Template(template) => template.render(cx, true).ok(),
        };
        let Some(sent) = sent.filter(|key| !key.is_empty()) else { return Err(self.unresolved()) };
        let key = cx.snapshot.keys().find(&sent).ok_or_else(invalid)?;
        let expired = key.expires_at.is_some_and(|at| at <= cx.now());
        if expired || key.standing != Standing::Approved {
            return Err(invalid());
        }
        may_be_used(key)?;
        if key.products.is_empty() {
            return Err(Fault::step(
                StatusCode::BAD_REQUEST,
                "keymanagement.service.consumer_key_missing_api_product_association",
                "consumer key missing api product association",
            ));
        }
        let by = entitlement(cx, key).ok_or_else(|| {
            unauthorized("oauth.v2.InvalidApiKeyForGivenResource", "Invalid ApiKey for given resource")
        })?;
        Ok(Verified::new(key.clone(), by, &sent))
    }

    fn unresolved(&self) -> Fault {
        let text = match &self.key {
            KeySource::Variable(variable) => format!("Failed to resolve API Key variable {variable}"),
            KeySource::Template(_) => "Failed to resolve API Key".to_owned(),
        };
        Fault::step(StatusCode::UNAUTHORIZED, "steps.oauth.v2.FailedToResolveAPIKey", text)
    }
}

pub(super) fn may_be_used(key: &ApiKey) -> Result<(), Fault> {
    let app = &key.app;
    if app.standing != Standing::Approved {
        return Err(unauthorized(
            "keymanagement.service.invalid_client-app_not_approved",
            "Invalid client: app not approved",
        ));
    }
    if app.company.is_some_and(|company| company != Standing::Approved) {
        return Err(unauthorized(
            "keymanagement.service.CompanyStatusNotActive",
            "Company Status is not Active",
        ));
    }
    if app.developer.as_ref().is_some_and(|developer| developer.standing != Standing::Approved) {
        return Err(unauthorized(
            "keymanagement.service.DeveloperStatusNotActive",
            "Developer Status is not Active",
        ));
    }
    Ok(())
}

fn invalid() -> Fault {
    unauthorized("oauth.v2.InvalidApiKey", "Invalid ApiKey")
}

fn unauthorized(code: &'static str, text: &'static str) -> Fault {
    Fault::step(StatusCode::UNAUTHORIZED, code, text)
}

/// What a check found; its variables are computed when somebody reads them.
pub(super) struct Verified {
    key: Arc<ApiKey>,
    by: Entitlement,
    sent: Box<str>,
}

impl ComputedVariables for Verified {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        let app = &*self.key.app;
        Some(match name {
            "client_id" => Value::text(&self.sent),
            "client_secret" => Value::text(self.key.secret.as_ref()?.expose()),
            "redirection_uris" => Value::text(&app.callback_url),
            "failed" => Value::Boolean(false),
            "DisplayName" => Value::text(&app.display_name),
            "developer.app.id" => Value::text(&app.id),
            "developer.app.name" => Value::text(&app.name),
            _ => {
                if let Some(name) = name.strip_prefix("apiproduct.") {
                    return self.product_variable(name);
                }
                if let Some(name) = name.strip_prefix("app.") {
                    return self.app_variable(app, name);
                }
                if let Some(name) = name.strip_prefix("developer.") {
                    return developer_variable(app.developer.as_deref()?, name);
                }
                return attribute(&self.key.attributes, name).or_else(|| attribute(&app.attributes, name));
            }
        })
    }
}

impl Verified {
    /// What `key`, sent as `sent`, leads to.
    pub(super) fn new(key: Arc<ApiKey>, by: Entitlement, sent: &str) -> Self {
        Self { key, by, sent: sent.into() }
    }

    fn product_variable(&self, name: &str) -> Option<Value<'_>> {
        let product = &*self.key.products.get(self.by.product)?.0;
        if name == "operation.resource" {
            return Some(Value::text(product.operations.get(self.by.operation?)?.resource.text()));
        }
        let quota = product.quota.as_ref();
        Some(match name {
            "name" => Value::text(&product.name),
            "developer.quota.limit" => Value::text(&quota?.limit),
            "developer.quota.interval" => Value::text(&quota?.interval),
            "developer.quota.timeunit" => Value::text(&quota?.time_unit),
            name => return attribute(&product.attributes, name),
        })
    }

    fn app_variable<'v>(&'v self, app: &'v DeveloperApp, name: &str) -> Option<Value<'v>> {
        Some(match name {
            "name" => Value::text(&app.name),
            "id" => Value::text(&app.id),
            "accessType" => Value::text(&app.access_type),
            "callbackUrl" => Value::text(&app.callback_url),
            "status" => Value::text(app.standing.as_str()),
            "appType" => Value::text(&app.app_type),
            "apiproducts" => names(self.key.products.iter().map(|(product, _)| &*product.name)),
            "created_at" => Value::Long(app.created_at.as_i64()),
            "created_by" => Value::text(&app.created_by),
            "last_modified_at" => Value::Long(app.changed_at.as_i64()),
            "last_modified_by" => Value::text(&app.changed_by),
            name => return attribute(&app.attributes, name),
        })
    }
}

fn developer_variable<'v>(developer: &'v Developer, name: &str) -> Option<Value<'v>> {
    Some(match name {
        "id" => Value::text(&developer.id),
        "userName" => Value::text(&developer.user_name),
        "firstName" => Value::text(&developer.first_name),
        "lastName" => Value::text(&developer.last_name),
        "email" => Value::text(&developer.email),
        "status" => Value::text(developer.standing.as_activity()),
        "apps" => names(developer.apps.iter().map(|app| &**app)),
        "created_at" => Value::Long(developer.created_at.as_i64()),
        "created_by" => Value::text(&developer.created_by),
        "last_modified_at" => Value::Long(developer.changed_at.as_i64()),
        "last_modified_by" => Value::text(&developer.changed_by),
        name => return attribute(&developer.attributes, name),
    })
}

fn attribute<'v>(attributes: &'v Attributes, name: &str) -> Option<Value<'v>> {
    attributes.get(name).map(|value| Value::text(value))
}

fn names<'v>(names: impl Iterator<Item = &'v str>) -> Value<'static> {
    let names: Vec<&str> = names.collect();
    Value::owned(format!("[{}]", names.join(", ")))
}

/// The few variables that are set without a prefix.
struct Global(Arc<Verified>);

impl ComputedVariables for Global {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "client_id"
            | "apiproduct.name"
            | "developer.id"
            | "developer.email"
            | "developer.app.id"
            | "developer.app.name"
            | "apiproduct.developer.quota.limit"
            | "apiproduct.developer.quota.interval"
            | "apiproduct.developer.quota.timeunit" => self.0.get(name),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
