//! Configuration: compiled-in commented defaults < file < `PIERHEAD_SECTION__KEY` < flags.

pub mod tls;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Value};
use figment::{Figment, Source};
use ipnet::IpNet;
use pierhead_domain::SecretString;
use pierhead_store::{DatabaseUrl, StoreError};
use serde::{Deserialize, Deserializer};
use tracing_subscriber::EnvFilter;

use self::tls::TlsListen;

const DEFAULTS: &str = include_str!("config/default.toml");

/// Everything that can be set. See `config/default.toml` for what each means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file is the manual")]
pub struct Config {
    pub server: Server,
    pub gateway: Gateway,
    pub control: Control,
    pub database: Database,
    pub keys: Keys,
    pub egress: Egress,
    pub catalog: Catalog,
    pub admin: Admin,
    pub log: Log,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file is the manual")]
pub struct Server {
    pub data_dir: PathBuf,
    pub public_url: String,
    pub drain_seconds: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file is the manual")]
pub struct Gateway {
    pub listen: SocketAddr,
    pub public_url: String,
    pub threads: usize,
    pub access_log: bool,
    pub max_connections: usize,
    pub substitutes: PathBuf,
    pub google_service_account: PathBuf,
    pub message_logs: PathBuf,
    pub max_connections_per_address: usize,
    pub min_body_bytes_per_second: u64,
    pub body_grace_seconds: u64,
    pub tls: Vec<TlsListen>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file is the manual")]
pub struct Control {
    pub listen: SocketAddr,
    pub tls: Vec<TlsListen>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file is the manual")]
pub struct Database {
    #[serde(deserialize_with = "secret")]
    pub url: SecretString,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file is the manual")]
pub struct Keys {
    pub file: PathBuf,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file is the manual")]
pub struct Egress {
    #[serde(deserialize_with = "list")]
    pub allow: Vec<IpNet>,
    pub connect_seconds: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file is the manual")]
pub struct Catalog {
    #[serde(deserialize_with = "list")]
    pub folders: Vec<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file is the manual")]
pub struct Admin {
    pub email: String,
    #[serde(deserialize_with = "secret")]
    pub password: SecretString,
    pub organization: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file is the manual")]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::new)
}

/// A list, or its items in one text parted by commas, as variables have it.
fn list<'de, D: Deserializer<'de>, T: std::str::FromStr<Err: fmt::Display>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Items {
        One(String),
        Many(Vec<String>),
    }
    let items = match Items::deserialize(deserializer)? {
        Items::One(text) => {
            text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
        }
        Items::Many(items) => items,
    };
    let parse =
        |item: String| item.parse().map_err(|why| serde::de::Error::custom(format!("'{item}': {why}")));
    items.into_iter().map(parse).collect()
}

/// Values given as flags, as `section.key`.
pub type Flags = Vec<(&'static str, Value)>;

/// Where clients reach a listener that something stands in front of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicAddress {
    /// A host name or address.
    pub host: String,
    /// The port; the scheme's own where none was written.
    pub port: u16,
    /// Whether clients speak TLS.
    pub tls: bool,
}

/// A configuration that is not as it must be; the text names the setting, the rule and the source.
#[derive(Debug, thiserror::Error)]
#[error("the configuration is wrong: {0}")]
pub struct BadConfig(String);

/// The library names a setting by profile, `default.gateway.listen`; people know it as `gateway.listen`.
fn unreadable(error: figment::Error) -> BadConfig {
    BadConfig(error.to_string().replace("\"default.", "\"").replace("`default.", "`"))
}

/// Where a value came from, for `--print-config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `section.key`.
    pub key: String,
    /// As TOML; secrets as `"***"`.
    pub value: String,
    /// `default`, a file, a variable or `flag`.
    pub source: String,
}

fn figment(file: Option<&Path>, flags: Flags) -> Figment {
    let mut figment = Figment::from(Toml::string(DEFAULTS));
    if let Some(file) = file {
        figment = figment.merge(Toml::file_exact(file));
    }
    figment = figment.merge(Env::prefixed("PIERHEAD_").filter(|key| key.as_str().contains("__")).split("__"));
    // The two names of the first administrator that scripts know.
    for (variable, key) in
        [("PIERHEAD_ADMIN_EMAIL", "admin.email"), ("PIERHEAD_ADMIN_PASSWORD", "admin.password")]
    {
        if let Ok(value) = std::env::var(variable) {
            figment = figment.merge(Serialized::default(key, value));
        }
    }
    flags.into_iter().fold(figment, |figment, (key, value)| figment.merge(Serialized::default(key, value)))
}

impl Config {
    /// Reads the configuration from all its sources.
    pub fn load(file: Option<&Path>, flags: Flags) -> Result<Self, BadConfig> {
        let config: Self = figment(file, flags).extract().map_err(unreadable)?;
        if config.admin.email.is_empty() && !config.admin.password.expose().is_empty() {
            return Err(BadConfig("admin.password is set but admin.email is empty".into()));
        }
        if !config.gateway.public_url.is_empty() {
            config.gateway_public_url().map_err(|why| BadConfig(format!("gateway.public_url: {why}")))?;
        }
        for (section, listeners) in [("gateway", &config.gateway.tls), ("control", &config.control.tls)] {
            tls::check(section, listeners).map_err(BadConfig)?;
        }
        if let Err(why) = EnvFilter::try_new(&config.log.level) {
            return Err(BadConfig(format!("log.level '{}': {why}", config.log.level)));
        }
        Ok(config)
    }

    /// Each value and its source, in the order of the default file.
    pub fn origins(file: Option<&Path>, flags: Flags) -> Result<Vec<Origin>, BadConfig> {
        let flag_keys: Vec<&str> = flags.iter().map(|(key, _)| *key).collect();
        let figment = figment(file, flags.clone());
        let all: Dict = figment.extract().map_err(unreadable)?;
        let mut origins = Vec::new();
        for (section, values) in &all {
            for (key, value) in values.as_dict().into_iter().flatten() {
                let path = format!("{section}.{key}");
                let source = if flag_keys.contains(&path.as_str()) {
                    "flag".to_owned()
                } else {
                    figment.find_metadata(&path).map_or_else(|| "default".into(), source)
                };
                let secret =
                    path == "admin.password" || (path == "database.url" && text(value).contains('@'));
                let value = if secret && text(value) != "\"\"" { "\"***\"".into() } else { text(value) };
                origins.push(Origin { key: path, value, source });
            }
        }
        Ok(origins)
    }

    /// How clients reach the gateway, if the operator said so.
    ///
    /// # Errors
    /// The rule that the address breaks.
    pub fn gateway_public_url(&self) -> Result<Option<PublicAddress>, &'static str> {
        if self.gateway.public_url.is_empty() {
            return Ok(None);
        }
        let url = url::Url::parse(&self.gateway.public_url)
            .map_err(|_| "must be an address such as https://api.example.com")?;
        if !matches!(url.scheme(), "http" | "https")
            || !matches!(url.path(), "" | "/")
            || url.query().is_some()
        {
            return Err("must be http:// or https:// with a host and no path");
        }
        let host = url.host_str().ok_or("must name a host")?.to_owned();
        let port = url.port_or_known_default().ok_or("must name a port")?;
        Ok(Some(PublicAddress { host, port, tls: url.scheme() == "https" }))
    }

    /// The key ring's file.
    pub fn key_file(&self) -> PathBuf {
        if self.keys.file.as_os_str().is_empty() {
            self.server.data_dir.join("pierhead.key")
        } else {
            self.keys.file.clone()
        }
    }

    /// The folder for files that `MessageLogging` writes.
    pub fn message_logs(&self) -> PathBuf {
        if self.gateway.message_logs.as_os_str().is_empty() {
            self.server.data_dir.join("message-logs")
        } else {
            self.gateway.message_logs.clone()
        }
    }

    /// The database.
    pub fn database_url(&self) -> Result<DatabaseUrl, StoreError> {
        if self.database.url.expose().is_empty() {
            Ok(DatabaseUrl::file(&self.server.data_dir.join("pierhead.db")))
        } else {
            self.database.url.expose().parse()
        }
    }

    /// How long running requests may take once the server is told to stop.
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.server.drain_seconds)
    }
}

fn source(metadata: &figment::Metadata) -> String {
    match &metadata.source {
        Some(Source::File(path)) => path.display().to_string(),
        _ if metadata.name.contains("environment") => "environment".into(),
        Some(Source::Code(_)) if metadata.name.contains("TOML") => "default".into(),
        Some(Source::Code(_)) => "environment".into(),
        _ => "default".into(),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("{text:?}"),
        Value::Array(_, items) => format!("[{}]", items.iter().map(text_of).collect::<Vec<_>>().join(", ")),
        other => text_of(other),
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(..) | Value::Array(..) => text(value),
        Value::Bool(_, yes) => yes.to_string(),
        Value::Num(_, number) => number
            .to_i128()
            .map(|whole| whole.to_string())
            .or_else(|| number.to_u128().map(|whole| whole.to_string()))
            .unwrap_or_else(|| number.to_f64().unwrap_or_default().to_string()),
        Value::Char(_, one) => format!("{:?}", one.to_string()),
        Value::Dict(_, entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(key, value)| format!("{key} = {}", text(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Empty(..) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn the_compiled_in_defaults_are_complete() {
        let config = Config::load(None, vec![]).unwrap();
        assert_eq!(config.gateway.listen.port(), 8080);
        assert_eq!(config.key_file(), Path::new("pierhead-data/pierhead.key"));
    }

    #[test]
    fn a_flag_wins_over_a_file_and_says_so() {
        let file = write("[gateway]\nlisten = \"127.0.0.1:1\"\nthreads = 3\n");
        let flags: Flags = vec![("gateway.listen", "127.0.0.1:2".into())];
        let config = Config::load(Some(file.path()), flags.clone()).unwrap();
        assert_eq!((config.gateway.listen.port(), config.gateway.threads), (2, 3));
        let origins = Config::origins(Some(file.path()), flags).unwrap();
        let of = |key: &str| origins.iter().find(|origin| origin.key == key).unwrap().source.clone();
        assert_eq!(of("gateway.listen"), "flag");
        assert_eq!(of("gateway.threads"), file.path().display().to_string());
        assert_eq!(of("control.listen"), "default");
    }

    #[test]
    fn whole_numbers_are_shown_as_they_are_whatever_type_their_source_gives_them() {
        for number in [Value::from(7_i64), Value::from(7_usize), Value::from(7_u8)] {
            assert_eq!(text(&number), "7");
        }
    }

    #[test]
    fn a_wrong_setting_is_named() {
        for (text, name) in [
            ("[gateway]\nlissten = \"x\"", "lissten"),
            ("[egress]\nallow = [\"10.0.0.0/99\"]", "10.0.0.0/99"),
            ("[log]\nformat = \"xml\"", "format"),
            ("[gateway]\npublic_url = \"api.example.com\"", "gateway.public_url"),
            ("[gateway]\npublic_url = \"https://a/b\"", "gateway.public_url"),
            ("[log]\nlevel = \"info,a=loud\"", "log.level"),
            ("[[gateway.tls]]\nlisten = \"127.0.0.1:1\"\ncertificates = []", "gateway.tls[0].certificates"),
            (
                "[[control.tls]]\nlisten = \"127.0.0.1:1\"\nclient_certificates = \"required\"\n\
                 certificates = [{ chain = \"a\", key = \"b\" }]",
                "control.tls[0].client_authorities",
            ),
            (
                "[[gateway.tls]]\nlisten = \"127.0.0.1:1\"\nminimum_version = \"1.1\"\n\
                 certificates = [{ chain = \"a\", key = \"b\" }]",
                "1.1",
            ),
        ] {
            let why = Config::load(Some(write(text).path()), vec![]).unwrap_err().to_string();
            assert!(why.contains(name), "{why}");
        }
    }

    #[test]
    fn a_password_never_shows() {
        let flags: Flags = vec![
            ("admin.email", "a@b.co".into()),
            ("admin.password", "hunter2".into()),
            ("database.url", "postgres://u:p4ss@h/d".into()),
        ];
        let shown = format!(
            "{:?} {:?}",
            Config::origins(None, flags.clone()).unwrap(),
            Config::load(None, flags).unwrap().admin
        );
        assert!(!shown.contains("hunter2") && !shown.contains("p4ss"), "{shown}");
    }
}
