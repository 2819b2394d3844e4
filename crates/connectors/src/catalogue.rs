//! All connectors of this installation, by key and by element id.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use include_dir::{Dir, include_dir};

use crate::definition::{BadDefinition, Connector, DefinitionFiles};

/// The definitions that come with the program.
static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../catalog");

/// The connectors of this installation, sorted by key.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    connectors: Vec<Arc<Connector>>,
}

impl Catalogue {
    /// The connectors that come with the program, and those in `directories`: each folder with a
    /// `connector.yaml` is one. All mistakes of all files are reported.
    pub fn load(directories: &[&Path]) -> Result<Self, Vec<BadDefinition>> {
        let mut files = built_in();
        let mut bad = Vec::new();
        for directory in directories {
            match read_directory(directory) {
                Ok(found) => files.extend(found),
                Err(error) => {
                    bad.push(mistake(&directory.display().to_string(), &format!("cannot be read: {error}")))
                }
            }
        }
        let mut catalogue = Self::default();
        for file in &files {
            match Connector::read(file).map_err(|mistakes| (mistakes, file)) {
                Ok(connector) => bad.extend(catalogue.add(connector, &file.name)),
                Err((mistakes, _)) => bad.extend(mistakes),
            }
        }
        if bad.is_empty() { Ok(catalogue) } else { Err(bad) }
    }

    /// Adds a connector; a key or an id that is taken is a mistake.
    fn add(&mut self, connector: Connector, file: &str) -> Option<BadDefinition> {
        let taken =
            self.connectors.iter().find(|other| other.key == connector.key || other.id == connector.id);
        if let Some(other) = taken {
            return Some(mistake(file, &format!("the key or the id is that of {}", other.key)));
        }
        let at = self.connectors.partition_point(|other| other.key < connector.key);
        self.connectors.insert(at, Arc::new(connector));
        None
    }

    /// The connector of this key, or of this element id in decimal digits (`{keyOrId}`).
    pub fn get(&self, key_or_id: &str) -> Option<&Arc<Connector>> {
        let id: Option<u32> = key_or_id.parse().ok();
        self.connectors.iter().find(|connector| connector.key == key_or_id || Some(connector.id) == id)
    }

    /// All connectors, sorted by key.
    pub fn all(&self) -> &[Arc<Connector>] {
        &self.connectors
    }
}

fn mistake(file: &str, message: &str) -> BadDefinition {
    BadDefinition {
        file: file.to_owned(),
        line: 1,
        key: "connector.key".to_owned(),
        message: message.to_owned(),
    }
}

/// The built-in definitions as they lie in `catalog/`.
pub(crate) fn built_in() -> Vec<DefinitionFiles> {
    let folders = BUILT_IN.dirs().filter_map(|folder| {
        let file = |name: &str| folder.get_file(folder.path().join(name));
        let yaml = file("connector.yaml")?.contents_utf8()?.to_owned();
        let icon = file("icon.svg").map_or(Bytes::new(), |file| Bytes::from_static(file.contents()));
        let notes = file("notes.md").and_then(|file| file.contents_utf8()).unwrap_or_default().to_owned();
        let name = format!("catalog/{}/connector.yaml", folder.path().display());
        let recorded = folder.get_dir(folder.path().join("exchanges"));
        let exchanges = recorded.into_iter().flat_map(Dir::files).filter_map(|file| {
            let name = file.path().file_name()?.to_str()?.to_owned();
            Some((name, file.contents_utf8()?.to_owned()))
        });
        Some(DefinitionFiles { name, yaml, icon, notes, exchanges: exchanges.collect() })
    });
    folders.collect()
}

fn read_directory(directory: &Path) -> std::io::Result<Vec<DefinitionFiles>> {
    let mut files = Vec::new();
    for folder in std::fs::read_dir(directory)? {
        let folder = folder?.path();
        let definition = folder.join("connector.yaml");
        if definition.is_file() {
            files.push(DefinitionFiles {
                name: definition.display().to_string(),
                yaml: std::fs::read_to_string(&definition)?,
                icon: std::fs::read(folder.join("icon.svg")).unwrap_or_default().into(),
                notes: std::fs::read_to_string(folder.join("notes.md")).unwrap_or_default(),
                exchanges: read_exchanges(&folder.join("exchanges"))?,
            });
        }
    }
    files.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(files)
}

/// The recorded exchanges of one connector; none where it has no such folder.
fn read_exchanges(folder: &Path) -> std::io::Result<Vec<(String, String)>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry?;
        Ok((entry.file_name().to_string_lossy().into_owned(), std::fs::read_to_string(entry.path())?))
    };
    std::fs::read_dir(folder)?.map(file).collect()
}
