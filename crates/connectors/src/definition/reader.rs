//! From the text of a definition to the checked connector.

use bytes::Bytes;
use http::StatusCode;
use pierhead_script::Program;

use super::block::{BadDefinition, Block, Reading};
use super::errors::Errors;
use super::files::Files;
use super::pagination::Pagination;
use super::request::VendorRequest;
use super::resource::Resource;
use super::settings;
use super::transport::Transport;
use super::yaml::Node;
use super::{Auth, Connector, ExchangeCounts, operations};

/// A definition as it lies in its folder.
#[derive(Debug, Clone, Default)]
pub struct DefinitionFiles {
    /// How `connector.yaml` is called in messages, e.g. `catalog/webdav/connector.yaml`.
    pub name: String,
    /// Text of `connector.yaml`.
    pub yaml: String,
    /// `icon.svg`.
    pub icon: Bytes,
    /// `notes.md`.
    pub notes: String,
    /// The files in `exchanges/`: name and text.
    pub exchanges: Vec<(String, String)>,
}

/// A call that only works with good credentials.
#[derive(Debug, Clone)]
pub(crate) struct Verify {
    pub(crate) request: VendorRequest,
    /// What the vendor calls the account.
    pub(crate) identity: Option<Program>,
}

impl Connector {
    /// Reads a definition; reports every mistake, not only the first.
    pub fn read(files: &DefinitionFiles) -> Result<Self, Vec<BadDefinition>> {
        let reading = Reading::of(&files.name);
        let connector = Self::read_into(&reading, files);
        let mistakes = reading.into_mistakes();
        match connector {
            Some(connector) if mistakes.is_empty() => Ok(connector),
            _ => Err(mistakes),
        }
    }

    pub(crate) fn read_into(reading: &Reading, files: &DefinitionFiles) -> Option<Self> {
        let root = match Node::read(&files.yaml) {
            Ok(root) => root,
            Err(bad) => {
                reading.mistake(bad.line, "", format!("is no YAML: {}", bad.message));
                return None;
            }
        };
        let block = Block::of(reading, "definition", "", &root);
        if block.number("format") != Some(1) {
            block.mistake("format", "is required and must be 1");
        }
        let head = Head::read(&block);
        let configuration = settings::read(&block);
        let auth = Auth::read(&block);
        let transport = Transport::read(&block);
        let errors = Errors::read(&block);
        let paginations = Pagination::read_all(&block);
        let files_block = Files::read(&block, &paginations);
        let resources = Resource::read_all(&block, &paginations);
        let verify = block.block("verify", "verify").and_then(|verify| {
            let request = VendorRequest::read(&verify, "request", &["connection"], &paginations);
            let identity = verify.program("identity", &[]);
            Some(Verify { request: request?, identity })
        });
        if files_block.is_none() && resources.is_empty() && block.node("files").is_none() {
            block.mistake("resources", "a connector needs files or resources");
        }
        let (head, auth, transport) = (head?, auth?, transport?);
        let configuration = settings::complete(configuration, &auth);
        let operations = operations::of(files_block.as_ref(), &resources);
        let objects = operations::objects(files_block.as_ref(), &resources);
        let exchanges = count_exchanges(reading, files);
        Some(Self {
            key: head.key,
            id: head.id,
            name: head.name,
            description: head.description,
            hub: head.hub,
            auth,
            configuration,
            administrators_only: head.administrators_only,
            icon: files.icon.clone(),
            docs: files.notes.clone(),
            operations,
            objects,
            exchanges: exchanges?,
            transport,
            errors,
            files: files_block,
            resources,
            verify,
        })
    }
}

fn count_exchanges(reading: &Reading, files: &DefinitionFiles) -> Option<ExchangeCounts> {
    let mut counts = ExchangeCounts::default();
    for (name, text) in &files.exchanges {
        if let Err(rule) = counts.add(text) {
            reading.mistake(1, &format!("exchanges/{name}"), rule);
            return None;
        }
    }
    Some(counts)
}

/// The `connector` block.
struct Head {
    key: String,
    id: u32,
    name: String,
    description: String,
    hub: String,
    administrators_only: bool,
}

impl Head {
    fn read(definition: &Block<'_>) -> Option<Self> {
        let Some(block) = definition.block("connector", "connector") else {
            definition.mistake("connector", "is required");
            return None;
        };
        let key = block.required_text("key");
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            block.mistake("key", "must be lower-case letters and digits");
        }
        let id = block.number("id").and_then(|id| u32::try_from(id).ok());
        if id.is_none() {
            block.mistake("id", "is required: the element id, a whole number");
        }
        let (name, hub) = (block.required_text("name"), block.required_text("hub"));
        let description = block.required_text("description");
        let administrators_only = block.flag("administrators_only").unwrap_or(false);
        // For people and tools; nothing at run time depends on them.
        for key in ["category", "version", "maturity", "source", "verified_on", "license"] {
            block.text(key);
        }
        Some(Self { key, id: id?, name, description, hub, administrators_only })
    }
}

/// Statuses as the hub names them, for definitions that answer none of their own.
pub(crate) fn hub_status(vendor: StatusCode) -> StatusCode {
    match vendor.as_u16() {
        401 | 403 | 404 | 405 | 406 | 409 | 413 | 415 | 416 | 429 => vendor,
        410 => StatusCode::NOT_FOUND,
        412 | 423 => StatusCode::CONFLICT,
        507 => StatusCode::PAYLOAD_TOO_LARGE,
        408 | 504 => StatusCode::GATEWAY_TIMEOUT,
        400..=499 => StatusCode::BAD_REQUEST,
        _ => StatusCode::BAD_GATEWAY,
    }
}
