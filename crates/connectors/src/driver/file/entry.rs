//! What is there: one item, a folder's items, the space left.

use std::os::fd::{AsFd, OwnedFd};

use pierhead_domain::EpochMillis;
use rustix::fs::{AtFlags, Dir, FileType, Statx, StatxFlags, fstatvfs, statx, unlinkat};
use serde_json::{Value, json};

use super::answer::Fault;
use super::walk::{HIDDEN, ItemPath, Jail};

/// Hidden leftovers of writers that died are removed when they are this old, in seconds.
const STALE: i64 = 24 * 3600;

/// `STAT`: `{path, name, directory, type, size, created, modified, version}`; times in ISO 8601, the media
/// type by the name's extension.
pub(super) fn stat(jail: &Jail, path: &ItemPath) -> Result<Value, Fault> {
    let found = match path.split() {
        None => statx(jail.folder(&[])?, "", AtFlags::EMPTY_PATH, wanted())?,
        Some((parent, name)) => look(&jail.folder(parent)?, name)?,
    };
    describe(&found, &path.text()).ok_or_else(Fault::missing)
}

/// `LIST`: `{entries: [...], next: offset or null}`, by name. Links and special files are not shown.
pub(super) fn list(
    jail: &Jail,
    path: &ItemPath,
    offset: Option<usize>,
    limit: Option<usize>,
    now: EpochMillis,
) -> Result<Value, Fault> {
    let folder = jail.folder(&path.0)?;
    let mut names = Vec::new();
    for found in Dir::read_from(&folder)? {
        let found = found?;
        let Ok(name) = found.file_name().to_str() else { continue };
        if name.starts_with(HIDDEN) {
            sweep(&folder, name, now);
        } else if !matches!(name, "." | "..")
            && matches!(found.file_type(), FileType::RegularFile | FileType::Directory | FileType::Unknown)
        {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    let (offset, limit) = (offset.unwrap_or(0).min(names.len()), limit.unwrap_or(usize::MAX));
    let end = offset.saturating_add(limit).min(names.len());
    let base = path.text();
    let base = base.trim_end_matches('/');
    let entries = names[offset..end].iter().filter_map(|name| {
        // Gone since it was listed: left out.
        describe(&look(&folder, name).ok()?, &format!("{base}/{name}"))
    });
    let entries: Vec<Value> = entries.collect();
    let next = (end < names.len()).then_some(end);
    Ok(json!({"entries": entries, "next": next}))
}

/// `SPACE`: `{total, used, free}` in bytes, of the file system the directory lies on.
pub(super) fn space(jail: &Jail) -> Result<Value, Fault> {
    let system = fstatvfs(jail.folder(&[])?)?;
    let (total, free) = (system.f_blocks * system.f_frsize, system.f_bfree * system.f_frsize);
    Ok(json!({"total": total, "used": total.saturating_sub(free), "free": system.f_bavail * system.f_frsize}))
}

/// A tag that changes whenever the content does, in quotes as HTTP wants it.
pub(super) fn version(stat: &Statx) -> String {
    let modified = stat.stx_mtime;
    format!("\"{:x}-{:x}-{:x}-{:x}\"", stat.stx_ino, stat.stx_size, modified.tv_sec, modified.tv_nsec)
}

pub(super) fn of_file(file: impl AsFd) -> Result<Statx, Fault> {
    Ok(statx(file, "", AtFlags::EMPTY_PATH, wanted())?)
}

fn wanted() -> StatxFlags {
    StatxFlags::BASIC_STATS | StatxFlags::BTIME
}

fn look(parent: &OwnedFd, name: &str) -> Result<Statx, Fault> {
    Ok(statx(parent, name, AtFlags::SYMLINK_NOFOLLOW, wanted())?)
}

fn describe(stat: &Statx, path: &str) -> Option<Value> {
    let directory = match FileType::from_raw_mode(u32::from(stat.stx_mode)) {
        FileType::RegularFile => false,
        FileType::Directory => true,
        _ => return None,
    };
    let iso = |seconds: i64| EpochMillis::new(seconds.saturating_mul(1000)).rfc3339_seconds();
    let born = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
    let modified = iso(stat.stx_mtime.tv_sec);
    let created = if born {
        iso(stat.stx_btime.tv_sec.min(stat.stx_mtime.tv_sec.max(stat.stx_btime.tv_sec)))
    } else {
        modified.clone()
    };
    let name = path.rsplit('/').next().unwrap_or_default();
    let size = if directory { 0 } else { stat.stx_size };
    let kind =
        (!directory).then(|| mime_guess::from_path(name).first_raw().unwrap_or("application/octet-stream"));
    Some(json!({
        "type": kind, "path": path, "name": name, "directory": directory, "size": size,
        "created": created, "modified": modified, "version": version(stat),
    }))
}

/// Removes a hidden file whose writer is long dead. Hidden folders are left to the operator.
fn sweep(folder: &OwnedFd, name: &str, now: EpochMillis) {
    if let Ok(stat) = look(folder, name)
        && now.seconds().saturating_sub(stat.stx_mtime.tv_sec) > STALE
    {
        // A failure leaves it to the next listing.
        let _ = unlinkat(folder, name, AtFlags::empty());
    }
}
