//! `AccessEntity`: shows what is stored of an app, a developer, a key or a product, as XML (api-management §9.5).

mod xml;

use std::sync::Arc;

use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;
use crate::policy::setting::Setting;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::snapshot::{ApiKey, ApiProduct};
use crate::variable::{Stored, Variable};

/// Looks in the snapshot's keys: what no key leads to is not found. By `consumerkey` it is one look-up; by other
/// names all keys are gone through.
///
/// Fault: `steps.accessentity.ResourceNotFoundException` 500.
#[derive(Debug)]
struct AccessEntity {
    name: Arc<str>,
    entity: Entity,
    identifier: Identifier,
    secondary: Option<Identifier>,
    into: Variable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entity {
    ApiProduct,
    App,
    ConsumerKey,
    Developer,
}

#[derive(Debug)]
struct Identifier {
    kind: Kind,
    value: Setting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    ConsumerKey,
    AppId,
    AppName,
    ProductName,
    ProductResource,
    DeveloperEmail,
    DeveloperId,
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "consumerkey" => Self::ConsumerKey,
            "appid" => Self::AppId,
            "appname" => Self::AppName,
            "apiproductname" => Self::ProductName,
            "apiproductresource" => Self::ProductResource,
            "developeremail" => Self::DeveloperEmail,
            "developerid" => Self::DeveloperId,
            _ => return None,
        })
    }
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(&[], &["EntityType", "EntityIdentifier", "SecondaryIdentifier", "OutputFormat"]);
    let root = policy.root;
    let entity = entity(policy);
    let first = identifier(policy, "EntityIdentifier");
    if root.child("EntityIdentifier").is_none() {
        policy.problem(root, "MissingConfigurationElement", "AccessEntity needs an EntityIdentifier");
    }
    let secondary = match root.child("SecondaryIdentifier") {
        Some(_) => Some(identifier(policy, "SecondaryIdentifier")?),
        None => None,
    };
    if let Some(format) = root.child("OutputFormat") {
        policy.only(format, &[], &[]);
        if format.text() != "XML" {
            policy.problem(format, "InvalidValueForElement", "the output of AccessEntity is XML");
        }
    }
    let into = Variable::new(&format!("AccessEntity.{}", policy.name));
    Some(Box::new(AccessEntity {
        name: policy.name.clone(),
        entity: entity?,
        identifier: first?,
        secondary,
        into,
    }))
}

fn entity(policy: &mut Blueprint<'_>) -> Option<Entity> {
    let Some(element) = policy.root.child("EntityType") else {
        policy.problem(policy.root, "MissingConfigurationElement", "AccessEntity needs an EntityType");
        return None;
    };
    policy.only(element, &["value"], &[]);
    match element.attribute("value").unwrap_or_default() {
        "apiproduct" => Some(Entity::ApiProduct),
        "app" => Some(Entity::App),
        "consumerkey" => Some(Entity::ConsumerKey),
        "developer" => Some(Entity::Developer),
        other => {
            let message = format!("entity type '{other}' is not apiproduct, app, consumerkey or developer");
            policy.problem(element, "UnsupportedEntityType", message);
            None
        }
    }
}

fn identifier(policy: &mut Blueprint<'_>, name: &str) -> Option<Identifier> {
    let element: &Element = policy.root.child(name)?;
    let value = Setting::child(policy, policy.root, name, &["type"]);
    if value.is_none() {
        policy.problem(element, "InvalidIdentifier", format!("{name} needs a ref"));
    }
    let kind = element.attribute("type").and_then(Kind::named);
    if kind.is_none() {
        let message = format!("type {:?} is no type of identifier", element.attribute("type"));
        policy.problem(element, "InvalidIdentifierType", message);
    }
    Some(Identifier { kind: kind?, value: value? })
}

impl Policy for AccessEntity {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.look_up(cx).and_then(|text| {
            cx.set(&self.into, Some(Stored::from(text))).map(|()| Next::Continue).map_err(|why| {
                let text =
                    format!("AccessEntity[{}]: Failed to set variable {}: {why}", self.name, self.into);
                Fault::internal("steps.accessentity.SetVariableFailed", text)
            })
        }))
    }
}

impl AccessEntity {
    fn look_up(&self, cx: &Exchange) -> Result<String, Fault> {
        let found = || {
            let sent = self.identifier.value.text(cx)?;
            let second = match &self.secondary {
                Some(identifier) => Some((identifier.kind, identifier.value.text(cx)?)),
                None => None,
            };
            let asked =
                [Some((self.identifier.kind, &*sent)), second.as_ref().map(|(kind, text)| (*kind, &**text))];
            let key = if self.identifier.kind == Kind::ConsumerKey {
                cx.snapshot.keys().find(&sent).filter(|key| fits(key, &asked))
            } else {
                cx.snapshot.keys().iter().find(|key| fits(key, &asked))
            }?;
            let consumer_key = (self.identifier.kind == Kind::ConsumerKey).then_some(&*sent);
            Some(match self.entity {
                Entity::ApiProduct => xml::product(product(key, &asked)?),
                Entity::App => xml::app(key),
                Entity::ConsumerKey => xml::key(key, consumer_key),
                Entity::Developer => xml::developer(key.app.developer.as_deref()?),
            })
        };
        found().ok_or_else(|| {
            let text = format!("AccessEntity[{}]: there is no such entity", self.name);
            Fault::internal("steps.accessentity.ResourceNotFoundException", text)
        })
    }
}

type Asked<'a> = [Option<(Kind, &'a str)>; 2];

fn fits(key: &ApiKey, asked: &Asked<'_>) -> bool {
    let developer = key.app.developer.as_deref();
    asked.iter().flatten().all(|(kind, text)| match kind {
        // It was found by it.
        Kind::ConsumerKey => true,
        Kind::AppId => *key.app.id == **text,
        Kind::AppName => *key.app.name == **text,
        Kind::ProductName | Kind::ProductResource => product(key, asked).is_some(),
        Kind::DeveloperEmail => developer.is_some_and(|developer| *developer.email == **text),
        Kind::DeveloperId => developer.is_some_and(|developer| *developer.id == **text),
    })
}

/// The product of the key that is asked for; the first one when none is.
fn product<'k>(key: &'k ApiKey, asked: &Asked<'_>) -> Option<&'k Arc<ApiProduct>> {
    let wanted = |product: &&'k Arc<ApiProduct>| {
        asked.iter().flatten().all(|(kind, text)| match kind {
            Kind::ProductName => *product.name == **text,
            Kind::ProductResource => {
                product.resources.is_empty() || product.resources.iter().any(|paths| paths.covers(text))
            }
            _ => true,
        })
    };
    key.products.iter().map(|(product, _)| product).find(wanted)
}

#[cfg(test)]
mod tests;
