//! What surrounds a bundle on this machine: a small file beside it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::mock::Mock;

/// The contents of `pierhead-run.toml`. Every part may be missing; an unknown one is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `organization.name`; `local` otherwise.
    pub organization: Option<String>,
    /// `environment.name`; `local` otherwise.
    pub environment: Option<String>,
    /// Key value maps.
    #[serde(default, rename = "map")]
    pub maps: Vec<Map>,
    /// API providers (SAP) and target servers (Apigee), by name.
    #[serde(default, rename = "server")]
    pub servers: BTreeMap<String, Server>,
    /// Property sets of the environment, by name.
    #[serde(default, rename = "property_set")]
    pub property_sets: BTreeMap<String, BTreeMap<String, String>>,
    /// JavaScript that takes the place of what cannot run here: by the name of a Java class
    /// (`com.example.Sign`) or of a Python file (`sign.py`), the script itself.
    #[serde(default)]
    pub substitutes: BTreeMap<String, String>,
    /// API products. An app that names none of its own has access to everything.
    #[serde(default, rename = "product")]
    pub products: Vec<Product>,
    /// Apps with their keys.
    #[serde(default, rename = "app")]
    pub apps: Vec<App>,
    /// What targets answer when they are mocked; every other call is echoed.
    #[serde(default, rename = "mock")]
    pub mocks: Vec<Mock>,
}

/// A key value map.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// Name.
    pub name: String,
    /// Of this API proxy instead of the environment.
    pub proxy: Option<String>,
    /// Of the organization instead of the environment.
    #[serde(default)]
    pub organization: bool,
    /// Its values may only be read into `private.` variables.
    #[serde(default)]
    pub encrypted: bool,
    /// Values by key.
    #[serde(default)]
    pub entries: BTreeMap<String, String>,
}

/// Where an API provider or target server listens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// `http://host:port` or `https://…`; a path is put before every request's.
    pub url: String,
    /// Accepts any certificate.
    #[serde(default)]
    pub trust_all: bool,
}

/// An API product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Name.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub display_name: String,
    /// Names of proxies; none is all.
    #[serde(default)]
    pub proxies: Vec<String>,
    /// Paths as products write them; none is all.
    #[serde(default)]
    pub resources: Vec<String>,
    /// What it gives access to, method by method; when there is any it rules instead of `proxies` and
    /// `resources`.
    #[serde(default)]
    pub operations: Vec<Operation>,
    /// Scopes that tokens for it may have.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// For Quota policies that ask for it.
    pub quota: Option<ProductQuota>,
    /// Custom attributes.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

/// A proxy, a path and methods that a product gives access to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Name of the proxy.
    pub proxy: String,
    /// Path as products write it.
    pub resource: String,
    /// Methods; none is all.
    #[serde(default)]
    pub methods: Vec<String>,
}

/// The quota of a product.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductQuota {
    /// Requests.
    pub limit: u64,
    /// In this many time units.
    pub interval: u64,
    /// `minute`, `hour`, `day` or `month`.
    pub time_unit: String,
}

/// An app and its key.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Name.
    pub name: String,
    /// The API key, which is the OAuth client's id too.
    pub key: String,
    /// The secret that goes with it.
    pub secret: Option<String>,
    /// Names of products; none is access to everything.
    #[serde(default)]
    pub products: Vec<String>,
    /// Address of its developer.
    #[serde(default)]
    pub developer: String,
    /// Where OAuth answers go.
    #[serde(default)]
    pub callback_url: String,
    /// Custom attributes.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("name", &self.name)
            .field("products", &self.products)
            .finish_non_exhaustive()
    }
}

/// A settings file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadSettings {
    /// It cannot be read.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is no TOML, or says something that is not known.
    #[error("{file}: {why}")]
    Syntax {
        /// The file.
        file: String,
        /// What and where.
        why: String,
    },
    /// A value is not what it has to be.
    #[error("{file}: {setting}: {rule}")]
    Value {
        /// The file.
        file: String,
        /// Which value.
        setting: String,
        /// What is wrong with it.
        rule: String,
    },
}

impl Settings {
    /// Reads a settings file.
    ///
    /// # Errors
    /// When it cannot be read or holds what is not known; the text names file and setting and never a secret.
    pub fn read(path: &Path) -> Result<Self, BadSettings> {
        let file = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|source| BadSettings::Io { file: file.clone(), source })?;
        Self::parse(&text, &file)
    }

    /// The same from a text; `file` is for errors.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn parse(text: &str, file: &str) -> Result<Self, BadSettings> {
        let settings: Self = toml::from_str(text).map_err(|error| {
            let line =
                error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
            BadSettings::Syntax { file: file.to_owned(), why: format!("line {line}: {}", error.message()) }
        })?;
        let bad = |setting: String, rule: &str| {
            Err(BadSettings::Value { file: file.to_owned(), setting, rule: rule.to_owned() })
        };
        for (name, server) in &settings.servers {
            if super::world::endpoint(server).is_none() {
                return bad(format!("server.{name}.url"), "not an http or https URL with a host");
            }
        }
        for (index, mock) in settings.mocks.iter().enumerate() {
            if let Some((part, rule)) = mock.problem() {
                return bad(format!("mock {}: {part}", index + 1), rule);
            }
        }
        for app in &settings.apps {
            if app.key.is_empty() {
                return bad(format!("app {}", app.name), "the key is empty");
            }
            if let Some(unknown) = app
                .products
                .iter()
                .find(|name| settings.products.iter().all(|product| product.name != **name))
            {
                return bad(format!("app {}", app.name), &format!("there is no product '{unknown}'"));
            }
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_name_the_line_or_the_setting_and_no_secret() {
        for (text, part) in [
            ("environment = \"test\"\nsurprise = 1\n", "line 2"),
            ("[server.a]\nurl = \"ftp://x\"\n", "server.a.url"),
            ("[[app]]\nname = \"a\"\nkey = \"s3cret\"\nproducts = [\"gold\"]\n", "no product 'gold'"),
            ("[[app]]\nname = \"a\"\nkey = \"\"\n", "the key is empty"),
            ("[[mock]]\n[[mock]]\nstatus = 99\n", "mock 2: status"),
            ("[[mock]]\nheaders = { \"a b\" = \"s3cret\" }\n", "mock 1: headers"),
            ("[[map]]\nentries = { a = \"s3cret\" }\n", "name"),
        ] {
            let said = Settings::parse(text, "pierhead-run.toml").unwrap_err().to_string();
            assert!(said.starts_with("pierhead-run.toml: ") && said.contains(part), "{said}");
            assert!(!said.contains("s3cret"), "{said}");
        }
    }
}
