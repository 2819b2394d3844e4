//! Changes of the tree: make, move, copy and remove, each visible in one step.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::os::fd::OwnedFd;

use http::StatusCode;
use rustix::fs::{
    AtFlags, Dir, Mode, OFlags, RenameFlags, fsync, mkdirat, openat, renameat, renameat_with, unlinkat,
};
use rustix::io::Errno;
use serde_json::Value;

use super::answer::Fault;
use super::entry;
use super::walk::{ItemPath, Jail, Kind, enter, kind};

/// Folders may be nested so deep when they are copied or removed.
const MAX_DEPTH: usize = 128;

/// `MKDIR`: makes one folder; its parent must be there.
pub(super) fn make(jail: &Jail, path: &ItemPath) -> Result<Value, Fault> {
    let (parent, name) = jail.parent(path)?;
    mkdirat(&parent, name, Mode::from_raw_mode(0o777))?;
    fsync(&parent)?;
    entry::stat(jail, path)
}

/// `MOVE`: gives an item another name or place.
pub(super) fn rename(
    jail: &Jail,
    path: &ItemPath,
    to: &ItemPath,
    overwrite: bool,
    temporary: &str,
) -> Result<Value, Fault> {
    let (from_parent, from_name) = jail.parent(path)?;
    must_be_shown(&from_parent, from_name)?;
    let (to_parent, to_name) = jail.parent(to)?;
    if path != to {
        refuse_inside(path, to)?;
        place(&from_parent, from_name, &to_parent, to_name, overwrite, temporary)?;
        fsync(&to_parent)?;
        fsync(&from_parent)?;
    }
    entry::stat(jail, to)
}

/// `COPY`: copies a file, or a folder with all it holds. Links and special files are left out.
pub(super) fn copy(
    jail: &Jail,
    path: &ItemPath,
    to: &ItemPath,
    overwrite: bool,
    temporary: &str,
) -> Result<Value, Fault> {
    let (from_parent, from_name) = jail.parent(path)?;
    must_be_shown(&from_parent, from_name)?;
    let (to_parent, to_name) = jail.parent(to)?;
    refuse_inside(path, to)?;
    if path == to || (!overwrite && kind(&to_parent, to_name)?.is_some()) {
        return Err(Fault::exists());
    }
    let hidden = c_name(temporary)?;
    let copied = copy_item(&from_parent, &c_name(from_name)?, &to_parent, &hidden, 0).and_then(|()| {
        place(&to_parent, temporary, &to_parent, to_name, overwrite, &format!("{temporary}x"))
    });
    if let Err(fault) = copied {
        // Best effort: what stays has a hidden name.
        let _ = remove_item(&to_parent, &hidden, 0);
        return Err(fault);
    }
    fsync(&to_parent)?;
    entry::stat(jail, to)
}

/// `DELETE`: removes a file, or a folder with all it holds. It is out of sight before the work starts.
pub(super) fn remove(jail: &Jail, path: &ItemPath, temporary: &str) -> Result<(), Fault> {
    let (parent, name) = jail.parent(path)?;
    must_be_shown(&parent, name)?;
    renameat(&parent, name, &parent, temporary)?;
    fsync(&parent)?;
    remove_item(&parent, &c_name(temporary)?, 0)
}

fn c_name(name: &str) -> Result<CString, Fault> {
    CString::new(name).map_err(|_| Fault::new(StatusCode::BAD_REQUEST, "path: names may not hold NUL"))
}

fn must_be_shown(parent: &OwnedFd, name: &str) -> Result<(), Fault> {
    match kind(parent, name)? {
        Some(Kind::File | Kind::Folder) => Ok(()),
        Some(Kind::Other) | None => Err(Fault::missing()),
    }
}

fn refuse_inside(path: &ItemPath, to: &ItemPath) -> Result<(), Fault> {
    if path != to && to.is_in(path) {
        return Err(Fault::new(StatusCode::BAD_REQUEST, "path: a folder cannot be put into itself"));
    }
    Ok(())
}

/// Moves an item to a name. What was there goes only with `overwrite`, and only after the name is taken.
fn place(
    from: &OwnedFd,
    name: &str,
    to: &OwnedFd,
    to_name: &str,
    overwrite: bool,
    temporary: &str,
) -> Result<(), Fault> {
    if !overwrite {
        return match renameat_with(from, name, to, to_name, RenameFlags::NOREPLACE) {
            // A file system that cannot refuse to replace: ask first.
            Err(Errno::INVAL | Errno::NOSYS) if kind(to, to_name)?.is_none() => {
                Ok(renameat(from, name, to, to_name)?)
            }
            Err(Errno::INVAL | Errno::NOSYS) => Err(Fault::exists()),
            other => Ok(other?),
        };
    }
    match (kind(from, name)?, kind(to, to_name)?) {
        (_, Some(Kind::Other)) => Err(Fault::exists()),
        (_, None) | (Some(Kind::File), Some(Kind::File)) => Ok(renameat(from, name, to, to_name)?),
        _ => {
            renameat(to, to_name, to, temporary)?;
            if let Err(error) = renameat(from, name, to, to_name) {
                renameat(to, temporary, to, to_name)?;
                return Err(error.into());
            }
            remove_item(to, &c_name(temporary)?, 0)
        }
    }
}

fn copy_item(from: &OwnedFd, name: &CStr, to: &OwnedFd, to_name: &CStr, depth: usize) -> Result<(), Fault> {
    match kind(from, name)? {
        Some(Kind::File) => copy_file(from, name, to, to_name),
        Some(Kind::Folder) if depth < MAX_DEPTH => {
            mkdirat(to, to_name, Mode::from_raw_mode(0o777))?;
            let (source, target) = (enter(from, name)?, enter(to, to_name)?);
            for child in children(&source)? {
                copy_item(&source, &child, &target, &child, depth + 1)?;
            }
            Ok(fsync(&target)?)
        }
        Some(Kind::Folder) => Err(Fault::new(StatusCode::BAD_REQUEST, "the folders are nested too deep")),
        Some(Kind::Other) | None => Ok(()),
    }
}

fn copy_file(from: &OwnedFd, name: &CStr, to: &OwnedFd, to_name: &CStr) -> Result<(), Fault> {
    let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut source = File::from(openat(from, name, read, Mode::empty())?);
    let write = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut target = File::from(openat(to, to_name, write, Mode::from_raw_mode(0o666))?);
    std::io::copy(&mut source, &mut target)?;
    Ok(fsync(&target)?)
}

fn remove_item(parent: &OwnedFd, name: &CStr, depth: usize) -> Result<(), Fault> {
    if kind(parent, name)? != Some(Kind::Folder) {
        return Ok(unlinkat(parent, name, AtFlags::empty())?);
    }
    if depth >= MAX_DEPTH {
        return Err(Fault::new(StatusCode::BAD_REQUEST, "the folders are nested too deep"));
    }
    let folder = enter(parent, name)?;
    for child in children(&folder)? {
        remove_item(&folder, &child, depth + 1)?;
    }
    Ok(unlinkat(parent, name, AtFlags::REMOVEDIR)?)
}

/// Names in a folder, whatever they are.
fn children(folder: &OwnedFd) -> Result<Vec<CString>, Fault> {
    let mut names = Vec::new();
    for found in Dir::read_from(folder)? {
        let found = found?;
        if !matches!(found.file_name().to_bytes(), b"." | b"..") {
            names.push(found.file_name().to_owned());
        }
    }
    Ok(names)
}
