//! Paths, and how they are walked without ever leaving the root.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use http::StatusCode;
use percent_encoding::percent_decode_str;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, openat, statat};
use rustix::io::Errno;
use rustix::path::Arg;

use super::answer::Fault;

/// How names begin that are ours: unfinished uploads and things on their way out. They cannot be asked for.
pub(super) const HIDDEN: &str = ".pierhead-";

const MAX_PATH: usize = 4096;
const MAX_NAME: usize = 255;

/// A checked path: names without separators, dots, NUL, or our own hidden prefix. Empty is the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemPath(pub(super) Vec<String>);

impl ItemPath {
    /// From a request's path, percent-encoded per segment.
    pub(super) fn parse(encoded: &str) -> Result<Self, Fault> {
        let names = encoded.split('/').filter(|name| !name.is_empty()).map(|name| {
            let decoded = percent_decode_str(name).decode_utf8();
            decoded.map(|name| name.into_owned()).map_err(|_| bad("path: is not UTF-8"))
        });
        Self::check(names.collect::<Result<_, _>>()?)
    }

    pub(super) fn of_decoded(path: &str) -> Result<Self, Fault> {
        Self::check(path.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    fn check(names: Vec<String>) -> Result<Self, Fault> {
        let total: usize = names.iter().map(|name| name.len() + 1).sum();
        if total > MAX_PATH || names.iter().any(|name| name.len() > MAX_NAME) {
            return Err(bad("path: is too long"));
        }
        for name in &names {
            if name == "." || name == ".." || name.contains(['/', '\0']) {
                return Err(bad("path: names may not be . or .. nor hold / or NUL"));
            }
            if name.starts_with(HIDDEN) {
                return Err(Fault::missing());
            }
        }
        Ok(Self(names))
    }

    /// The last name and what it lies in; none for the root.
    pub(super) fn split(&self) -> Option<(&[String], &str)> {
        self.0.split_last().map(|(name, parent)| (parent, name.as_str()))
    }

    pub(super) fn is_in(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    pub(super) fn text(&self) -> String {
        format!("/{}", self.0.join("/"))
    }
}

fn bad(message: &'static str) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, message)
}

/// The root directory, held by its descriptor.
#[derive(Debug, Clone)]
pub(super) struct Jail(Arc<OwnedFd>);

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Jail {
    /// The operator named the root, so links in its own path are followed.
    pub(super) fn open(root: &str) -> Result<Self, Fault> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(root, flags, Mode::empty());
        Ok(Self(Arc::new(
            root.map_err(|_| Fault::new(StatusCode::NOT_FOUND, "root.path: cannot be opened"))?,
        )))
    }

    /// The folder at these names, opened name by name.
    pub(super) fn folder(&self, names: &[String]) -> Result<OwnedFd, Fault> {
        let mut at = self.0.try_clone()?;
        for name in names {
            at = enter(&at, name.as_str())?;
        }
        Ok(at)
    }

    /// The folder an item lies in, and the item's name.
    pub(super) fn parent<'p>(&self, path: &'p ItemPath) -> Result<(OwnedFd, &'p str), Fault> {
        let (parent, name) = path
            .split()
            .ok_or_else(|| Fault::new(StatusCode::FORBIDDEN, "the root folder itself cannot be changed"))?;
        Ok((self.folder(parent)?, name))
    }
}

/// A folder inside of an open folder; a link is not followed.
pub(super) fn enter(parent: &OwnedFd, name: impl Arg) -> Result<OwnedFd, Errno> {
    openat(parent, name, FOLDER, Mode::empty())
}

/// What is under a name: a file, a folder, or nothing that is shown (links, devices, pipes, sockets).
pub(super) fn kind(parent: &OwnedFd, name: impl Arg) -> Result<Option<Kind>, Errno> {
    match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Some(Kind::File),
            FileType::Directory => Some(Kind::Folder),
            _ => Some(Kind::Other),
        }),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// Neither: treated as absent when read, as taken when written.
    Other,
}
