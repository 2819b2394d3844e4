//! The key ring: the keys that wrap data keys. It lives in a file beside the database, never in it.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pierhead_domain::Rng;
use zeroize::Zeroizing;

use crate::aead::{KEY_BYTES, Key, random_key};

const HEADER: &str = "pierhead key ring 1";

/// Wrapping keys by id; the last one of the file wraps new data keys, the others only open old ones.
pub struct KeyRing {
    keys: Vec<(String, Key)>,
}

/// Why the key file cannot be used, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileProblem {
    /// There is data that only the lost file can open.
    #[error(
        "the key file {0} is missing, but the database holds secrets sealed with it; put the file back from your backup (without it those secrets cannot be opened)"
    )]
    Missing(PathBuf),
    /// Others on this machine could read it.
    #[error("the key file {path} can be read by others (mode {mode:04o}); run: chmod 600 {path}")]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not a key ring.
    #[error("the key file {path} is damaged at line {line}: {rule}; put the file back from your backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// 1-based.
        line: usize,
        /// What a key file has there.
        rule: &'static str,
    },
    /// The system refused.
    #[error("the key file {path} cannot be {doing}")]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        doing: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

impl KeyRing {
    /// A ring of one new key.
    pub fn generate(rng: &dyn Rng) -> Self {
        let mut id = [0; 4];
        rng.fill(&mut id);
        Self { keys: vec![(hex::encode(id), random_key(rng))] }
    }

    /// Reads the ring at `path`. Refuses a file that its group or others may read.
    pub fn read(path: &Path) -> Result<Self, KeyFileProblem> {
        let io = |source| KeyFileProblem::Io { path: path.into(), doing: "read", source };
        let mode = match fs::metadata(path) {
            Ok(metadata) => metadata.permissions().mode() & 0o777,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(KeyFileProblem::Missing(path.into()));
            }
            Err(error) => return Err(io(error)),
        };
        if mode & 0o077 != 0 {
            return Err(KeyFileProblem::Readable { path: path.into(), mode });
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(io)?);
        Self::parse(path, &text)
    }

    /// Writes a new ring with mode 0600; fails when the file exists. The directory is synced, so that the
    /// ring is on disk before anything is sealed with it.
    pub fn create(path: &Path, rng: &dyn Rng) -> Result<Self, KeyFileProblem> {
        let io = |source| KeyFileProblem::Io { path: path.into(), doing: "written", source };
        let ring = Self::generate(rng);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(io)?;
        file.write_all(ring.text().as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
        if let Some(directory) = path.parent() {
            fs::File::open(directory).and_then(|directory| directory.sync_all()).map_err(io)?;
        }
        Ok(ring)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, KeyFileProblem> {
        let damaged = |line, rule| KeyFileProblem::Damaged { path: path.into(), line, rule };
        let mut lines = text.lines().enumerate();
        if lines.next().map(|(_, first)| first) != Some(HEADER) {
            return Err(damaged(1, "the first line is 'pierhead key ring 1'"));
        }
        let mut keys = Vec::new();
        for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let bad = || damaged(index + 1, "a line is a key id, a blank and 32 bytes in base64");
            let (id, encoded) = line.split_once(' ').ok_or_else(bad)?;
            let bytes = Zeroizing::new(STANDARD.decode(encoded.trim()).map_err(|_| bad())?);
            let key: [u8; KEY_BYTES] = bytes.as_slice().try_into().map_err(|_| bad())?;
            keys.push((id.to_owned(), Zeroizing::new(key)));
        }
        if keys.is_empty() {
            Err(damaged(2, "at least one key follows the first line"))
        } else {
            Ok(Self { keys })
        }
    }

    fn text(&self) -> Zeroizing<String> {
        let mut text = format!("{HEADER}\n");
        for (id, key) in &self.keys {
            let encoded = Zeroizing::new(STANDARD.encode(key.as_ref()));
            text.push_str(&format!("{id} {}\n", *encoded));
        }
        Zeroizing::new(text)
    }

    pub(crate) fn current(&self) -> Option<(&str, &Key)> {
        self.keys.last().map(|(id, key)| (id.as_str(), key))
    }

    pub(crate) fn key(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|(known, _)| known == id).map(|(_, key)| key)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(id, _)| id)).finish()
    }
}

#[cfg(test)]
mod tests {
    use pierhead_domain::SystemRng;

    use super::*;

    #[test]
    fn a_created_ring_reads_back_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pierhead.key");
        let made = KeyRing::create(&path, &SystemRng).unwrap();
        let read = KeyRing::read(&path).unwrap();
        assert_eq!(made.text(), read.text());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(KeyRing::create(&path, &SystemRng), Err(KeyFileProblem::Io { .. })));
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_cure() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pierhead.key");
        KeyRing::create(&path, &SystemRng).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let why = KeyRing::read(&path).unwrap_err().to_string();
        assert!(why.contains("mode 0640") && why.contains("chmod 600"), "{why}");
    }

    #[test]
    fn a_damaged_file_is_refused_by_line_and_never_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pierhead.key");
        for (text, line) in [("nonsense", 1), (HEADER, 2), ("pierhead key ring 1\nab c2hvcnQ=", 2)] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let why = KeyRing::read(&path).unwrap_err().to_string();
            assert!(why.contains(&format!("line {line}")) && !why.contains("c2hvcnQ"), "{why}");
        }
        fs::remove_file(&path).unwrap();
        assert!(matches!(KeyRing::read(&path), Err(KeyFileProblem::Missing(_))));
    }
}
