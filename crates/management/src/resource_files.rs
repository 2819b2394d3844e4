//! Files of the environment and the organization that designs name (api-management §8.10, `/resourcefiles`).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pierhead_gateway::design::FileResource;
use pierhead_gateway::{PropertySet, PropertySets};
use pierhead_store::management::StoredResource;

/// The type of property sets.
pub(crate) const PROPERTIES: &str = "properties";

/// What designs are compiled against: files in the order in which they are looked for, and the property sets
/// among them. A set of the environment hides the organization's of the same name.
pub(crate) fn environment_files(stored: &[StoredResource]) -> (Arc<[FileResource]>, PropertySets) {
    let files: Arc<[FileResource]> = stored.iter().map(file).collect();
    let sets = files.iter().rev().filter(|file| file.kind == PROPERTIES && !file.binary);
    let sets = sets.fold(PropertySets::default(), |sets, file| {
        let name = file.name.strip_suffix(".properties").unwrap_or(&file.name);
        sets.with(name, PropertySet::parse(&file.content))
    });
    (files, sets)
}

/// A file as designs hold theirs.
fn file(stored: &StoredResource) -> FileResource {
    let (kind, name) = (stored.key.kind.clone(), stored.key.name.clone());
    match std::str::from_utf8(&stored.content) {
        Ok(text) => FileResource { name, kind, content: text.to_owned(), binary: false },
        Err(_) => FileResource { name, kind, content: STANDARD.encode(&stored.content), binary: true },
    }
}
