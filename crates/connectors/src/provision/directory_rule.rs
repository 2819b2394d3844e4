//! Which directories of this machine an instance may be given.

use std::path::{Path, PathBuf};

/// Why a directory cannot be used. The texts name the rule; only administrators ever see them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadDirectory {
    #[error("must be an absolute path")]
    Relative,
    #[error("must be an existing directory that this server may read")]
    Missing,
    #[error("may not be, contain or lie in the data directory of this server")]
    DataDirectory,
}

/// Checks `given` after resolving every link in it, so that no link leads around the rule.
pub(super) fn check(given: &str, data_directory: Option<&Path>) -> Result<(), BadDirectory> {
    let path = Path::new(given);
    if !path.is_absolute() {
        return Err(BadDirectory::Relative);
    }
    let real = std::fs::canonicalize(path).map_err(|_| BadDirectory::Missing)?;
    if !real.is_dir() || std::fs::read_dir(&real).is_err() {
        return Err(BadDirectory::Missing);
    }
    let Some(data) = data_directory else { return Ok(()) };
    let data: PathBuf = std::fs::canonicalize(data).unwrap_or_else(|_| data.to_owned());
    if real.starts_with(&data) || data.starts_with(&real) {
        return Err(BadDirectory::DataDirectory);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_stays_clear_of_the_data_directory() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| {
            let path = home.path().join(name);
            std::fs::create_dir_all(&path).unwrap();
            path
        };
        let (data, inside, beside) = (at("data"), at("data/files"), at("data-of-others"));
        let link = home.path().join("link");
        std::os::unix::fs::symlink(&inside, &link).unwrap();
        let file = home.path().join("file");
        std::fs::write(&file, "").unwrap();
        let check = |path: &Path| check(path.to_str().unwrap(), Some(&data));

        assert_eq!(check(&beside), Ok(()));
        for bad in [&data, &inside, &link, &home.path().to_owned(), &data.join("../data")] {
            assert_eq!(check(bad), Err(BadDirectory::DataDirectory), "{bad:?}");
        }
        assert_eq!(check(&file), Err(BadDirectory::Missing));
        assert_eq!(check(&home.path().join("absent")), Err(BadDirectory::Missing));
        assert_eq!(check(Path::new("data")), Err(BadDirectory::Relative));
        assert_eq!(check(Path::new("")), Err(BadDirectory::Relative));
    }
}
