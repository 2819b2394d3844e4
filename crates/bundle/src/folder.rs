//! Folders of this machine.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::files::is_litter;
use crate::roots::roots;
use crate::{BadBundle, Files, Limits};

/// Reads the files of the bundles in a folder, and of nothing beside them: what else lies in a project is not a
/// bundle's. Links are not followed.
///
/// # Errors
/// When the file system fails, or a bound is passed.
pub fn read_folder(folder: &Path, limits: &Limits) -> Result<Files, BadBundle> {
    let paths = list(folder, limits)?;
    let mut files = Files::default();
    let mut left = limits.total_bytes;
    for path in inside_bundles(&paths) {
        let whole = folder.join(path);
        let io = |source| BadBundle::Io { file: whole.display().to_string(), source };
        let size = fs::metadata(&whole).map_err(io)?.len();
        if size > limits.file_bytes {
            return Err(BadBundle::too_much(path, "FileTooBig", format_args!("{} bytes", limits.file_bytes)));
        }
        let bytes = fs::read(&whole).map_err(io)?;
        let Some(rest) = left.checked_sub(bytes.len() as u64) else {
            return Err(BadBundle::too_much(
                path,
                "FilesTooBig",
                format_args!("{} bytes", limits.total_bytes),
            ));
        };
        left = rest;
        if files.len() >= limits.files {
            return Err(BadBundle::too_much(path, "TooManyFiles", limits.files));
        }
        files.insert(path, bytes);
    }
    Ok(files)
}

/// A number that changes when a bundle does: when one of its files comes, goes, or is written. `None` when it
/// cannot be told, as in the middle of a save.
pub fn stamp(path: &Path, limits: &Limits) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    let mut add = |file: &Path| -> Option<()> {
        let known = fs::metadata(file).ok()?;
        (file, known.len(), known.modified().ok()?).hash(&mut hasher);
        Some(())
    };
    if path.is_dir() {
        let paths = list(path, limits).ok()?;
        inside_bundles(&paths).try_for_each(|below| add(&path.join(below)))?;
    } else {
        add(path)?;
    }
    Some(hasher.finish())
}

fn inside_bundles(paths: &[String]) -> impl Iterator<Item = &str> {
    let roots = roots(paths.iter().map(String::as_str));
    paths.iter().map(String::as_str).filter(move |path| {
        roots.iter().any(|root| {
            root.path.is_empty()
                || path.strip_prefix(root.path.as_str()).is_some_and(|rest| rest.starts_with('/'))
        })
    })
}

/// Entries of a folder that are looked at: a bundle lies in a project, not in a whole disk.
const MOST_ENTRIES: usize = 200_000;

/// Paths of all files below, with `/`, in order.
pub(crate) fn list(folder: &Path, limits: &Limits) -> Result<Vec<String>, BadBundle> {
    let mut found = Vec::new();
    let mut open = vec![(folder.to_path_buf(), String::new(), 0)];
    let mut seen = 0_usize;
    while let Some((at, below, depth)) = open.pop() {
        let io = |source| BadBundle::Io { file: at.display().to_string(), source };
        for entry in fs::read_dir(&at).map_err(io)? {
            let entry = entry.map_err(io)?;
            seen += 1;
            if seen > MOST_ENTRIES {
                return Err(BadBundle::too_much(&at.display().to_string(), "TooManyFiles", MOST_ENTRIES));
            }
            // A name that is no text is no file of a bundle.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if below.is_empty() { name } else { format!("{below}/{name}") };
            if is_litter(&path) {
                continue;
            }
            let kind = entry.file_type().map_err(io)?;
            if kind.is_dir() && depth < limits.path_depth {
                open.push((entry.path(), path, depth + 1));
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
