//! How a story is written: one TOML file per bundle in `tests/behaviour/<collection>/`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use pierhead_bundle::local::{Mock, Settings};
use serde::Deserialize;
use serde_json::Value;

/// Every story and every exception.
#[derive(Default)]
pub(super) struct Tales {
    /// Each with the name of its file.
    pub(super) stories: Vec<(String, Story)>,
    pub(super) exceptions: Vec<Exception>,
}

/// Bundles, what surrounds them, and what is tried.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Story {
    /// `owner/name` of the public repository.
    pub(super) collection: String,
    /// The files in it that say what the bundles do.
    pub(super) describes: Vec<String>,
    /// The bundles, as paths in the collection.
    pub(super) bundles: Vec<String>,
    /// Shared flows that are deployed first.
    #[serde(default)]
    pub(super) shared_flows: Vec<String>,
    /// As in `pierhead-run.toml`.
    #[serde(default)]
    pub(super) world: Settings,
    #[serde(rename = "scenario")]
    pub(super) scenarios: Vec<Scenario>,
}

/// Calls in order, on a gateway that has seen no other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    pub(super) name: String,
    /// What targets answer in this scenario, before what they answer in all.
    #[serde(default, rename = "mock")]
    pub(super) mocks: Vec<Mock>,
    #[serde(rename = "call")]
    pub(super) calls: Vec<Call>,
}

/// One request, or the same several times. `${name}` stands for a value that an earlier call kept.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    #[serde(default = "get")]
    pub(super) method: String,
    /// With its query.
    pub(super) path: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<String>,
    /// The body as form parameters.
    #[serde(default)]
    pub(super) form: BTreeMap<String, String>,
    /// `user:password` of Basic authentication.
    pub(super) basic: Option<String>,
    /// Signs the request as OAuth 1.0a asks.
    pub(super) oauth1: Option<OAuth1>,
    /// How often; once when it is missing.
    #[serde(default = "one")]
    pub(super) times: usize,
    /// How far the clock is moved before.
    #[serde(default)]
    pub(super) after_seconds: u64,
    /// What every answer is.
    #[serde(default)]
    pub(super) expect: Expected,
    /// What at least one of the answers is.
    pub(super) some: Option<Expected>,
    /// What targets were asked meanwhile, in any order and no more; `[]` is nothing. Not looked at when missing.
    pub(super) seen: Option<Vec<Expected>>,
    /// Values of the last answer to keep, by name.
    #[serde(default)]
    pub(super) keep: BTreeMap<String, Pick>,
}

/// Who signs a request, and with what beside its own parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OAuth1 {
    pub(super) key: String,
    pub(super) secret: String,
    #[serde(default)]
    pub(super) token: String,
    #[serde(default)]
    pub(super) token_secret: String,
    /// Other `oauth_` parameters.
    #[serde(default)]
    pub(super) parameters: BTreeMap<String, String>,
}

/// What holds of an answer, or of a request to a target. What is missing is not looked at.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    pub(super) status: Option<u16>,
    pub(super) method: Option<String>,
    pub(super) host: Option<String>,
    pub(super) path: Option<String>,
    pub(super) query: Option<String>,
    /// Each with exactly this value.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) has_headers: Vec<String>,
    #[serde(default)]
    pub(super) no_headers: Vec<String>,
    /// The whole body.
    pub(super) body: Option<String>,
    #[serde(default)]
    pub(super) contains: Vec<String>,
    #[serde(default)]
    pub(super) lacks: Vec<String>,
    /// Values by JSON pointer.
    #[serde(default)]
    pub(super) json: BTreeMap<String, Value>,
    /// JSON pointers to what has to be there.
    #[serde(default)]
    pub(super) has_json: Vec<String>,
    /// Text of elements by `first/child`, of attributes by `first/child/@name`.
    #[serde(default)]
    pub(super) xml: BTreeMap<String, String>,
    /// `errorcode` of a fault in the originals' form.
    pub(super) fault: Option<String>,
}

/// Where a value is in an answer: one of these.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pick {
    /// At this JSON pointer.
    pub(super) json: Option<String>,
    /// In this header.
    pub(super) header: Option<String>,
    /// Of what was found so far, or of the body: this parameter of a query or form.
    pub(super) parameter: Option<String>,
}

/// A description that is not tried, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exception {
    pub(super) describes: String,
    pub(super) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exceptions {
    #[serde(rename = "exception")]
    exceptions: Vec<Exception>,
}

fn get() -> String {
    "GET".to_owned()
}

const fn one() -> usize {
    1
}

impl Story {
    /// Whether every bundle of the story is in the collection.
    pub(super) fn is_in(&self, root: &Path) -> bool {
        self.bundles.iter().chain(&self.shared_flows).all(|bundle| root.join(bundle).exists())
    }
}

/// Where the stories are.
pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/behaviour")
}

/// Reads `<collection>/<bundle>.toml`, and `<collection>/exceptions.toml`.
pub(super) fn read_all(folder: &Path) -> anyhow::Result<Tales> {
    let mut tales = Tales::default();
    for collection in sorted(folder)? {
        for path in sorted(&collection)? {
            let below = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
            let text = std::fs::read_to_string(&path).with_context(|| format!("reading {below}"))?;
            if path.file_name().is_some_and(|name| name == "exceptions.toml") {
                let read: Exceptions = toml::from_str(&text).with_context(|| below.clone())?;
                tales.exceptions.extend(read.exceptions);
            } else {
                let story: Story = toml::from_str(&text).with_context(|| below.clone())?;
                if story.scenarios.is_empty() || story.bundles.is_empty() {
                    bail!("{below}: no bundle or no scenario");
                }
                tales.stories.push((below, story));
            }
        }
    }
    Ok(tales)
}

fn sorted(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let list = std::fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))?;
    let mut paths = list.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
