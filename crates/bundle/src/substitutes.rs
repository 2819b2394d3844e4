//! A folder of JavaScript that takes the place of code which cannot run here.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::Limits;

/// A folder of substitutes that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadSubstitutes {
    /// It cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A script is longer than a bundle's may be.
    #[error("{path}: a substitute may have {limit} bytes")]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The most bytes.
        limit: u64,
    },
}

/// The scripts of a folder by what they replace: `com.example.Sign.js` a Java class, `sign.py.js` a file in Python.
/// Other files and folders inside are left alone.
///
/// # Errors
/// When the folder or a script in it cannot be read, or a script is too long.
pub fn read_substitutes(folder: &Path, limits: &Limits) -> Result<BTreeMap<String, String>, BadSubstitutes> {
    let bad = |path: &Path, source: io::Error| BadSubstitutes::Io { path: path.to_owned(), source };
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(|error| bad(folder, error))? {
        let path = entry.map_err(|error| bad(folder, error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".js"));
        let Some(name) = name.filter(|name| !name.is_empty() && path.is_file()) else { continue };
        let length = std::fs::metadata(&path).map_err(|error| bad(&path, error))?.len();
        if length > limits.file_bytes {
            return Err(BadSubstitutes::TooLong { path, limit: limits.file_bytes });
        }
        let text = std::fs::read_to_string(&path).map_err(|error| bad(&path, error))?;
        found.insert(name.to_owned(), text);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_found_by_what_they_replace_and_the_rest_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("a.B.js", "1"), ("sign.py.js", "2"), ("README.md", "3"), (".js", "4")] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        std::fs::create_dir(folder.path().join("more.js")).unwrap();

        let found = read_substitutes(folder.path(), &Limits::default()).unwrap();

        let found: Vec<_> = found.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(found, [("a.B", "1"), ("sign.py", "2")]);
    }

    #[test]
    fn a_folder_that_is_not_there_and_a_script_that_is_too_long_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let missing = read_substitutes(&folder.path().join("none"), &Limits::default()).unwrap_err();
        assert!(missing.to_string().contains("none"));
        std::fs::write(folder.path().join("a.js"), "12345").unwrap();
        let limits = Limits { file_bytes: 4, ..Limits::default() };
        assert!(
            read_substitutes(folder.path(), &limits).unwrap_err().to_string().contains("a.js: a substitute")
        );
    }
}
