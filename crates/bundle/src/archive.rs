//! Zips in and out.

use std::io::{Cursor, Read, Write};

use zip::read::ZipArchive;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::files::{checked_path, is_litter};
use crate::{BadBundle, Files, Limits};

/// Reads all files of a zip. Folders and what operating systems leave behind are skipped.
///
/// # Errors
/// When the zip is damaged or encrypted, names a file twice, lets entries share bytes, holds a link or a path
/// that leaves it, or passes one of `limits`. Sizes are counted while inflating: what the zip says of itself is
/// not believed.
pub fn read_archive(bytes: &[u8], limits: &Limits) -> Result<Files, BadBundle> {
    let mut files = Files::default();
    let size = bytes.len() as u64;
    if size > limits.zip_bytes {
        return Err(BadBundle::too_much("the zip", "ZipTooBig", format_args!("{} bytes", limits.zip_bytes)));
    }
    let broken = |why: zip::result::ZipError| not_a_zip("the zip", &why.to_string());
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if archive.len() > limits.files {
        return Err(BadBundle::too_much("the zip", "TooManyFiles", limits.files));
    }
    if archive.has_duplicate_names() {
        return Err(not_a_zip("the zip", "two entries have the same name"));
    }
    if archive.has_overlapping_entries().map_err(broken)? {
        return Err(not_a_zip("the zip", "entries share the same bytes"));
    }
    let most = limits.total_bytes.min(size.saturating_mul(limits.ratio).saturating_add(limits.free_bytes));
    let mut left = most;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(broken)?;
        let name = entry.name().map_err(broken)?.into_owned();
        let path = checked_path(&name, limits)?;
        if entry.is_dir() || is_litter(&path) {
            continue;
        }
        if entry.is_symlink() {
            return Err(BadBundle::BadPath { file: path, rule: "a link to another file" });
        }
        let most_of_file = limits.file_bytes.min(left);
        let mut content = Vec::new();
        let read = entry.by_ref().take(most_of_file.saturating_add(1)).read_to_end(&mut content);
        read.map_err(|why| not_a_zip(&path, &why.to_string()))?;
        let length = content.len() as u64;
        if length > limits.file_bytes {
            return Err(BadBundle::too_much(
                &path,
                "FileTooBig",
                format_args!("{} bytes", limits.file_bytes),
            ));
        }
        let Some(rest) = left.checked_sub(length) else {
            return Err(BadBundle::too_much(&path, "InflatesTooMuch", format_args!("{most} bytes in all")));
        };
        left = rest;
        if files.0.insert(path.clone(), content).is_some() {
            return Err(not_a_zip(&path, "two entries have this name"));
        }
    }
    Ok(files)
}

/// Packs files into a zip. The same files give the same bytes: entries are in order and carry no date.
///
/// # Errors
/// When a path cannot stand in a zip, or all of it is too large for one.
pub fn write_archive(files: &Files) -> Result<Vec<u8>, BadBundle> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files.iter() {
        let written = writer.start_file(path, options).map_err(|why| not_a_zip(path, &why.to_string()));
        written?;
        writer.write_all(bytes).map_err(|why| not_a_zip(path, &why.to_string()))?;
    }
    let packed = writer.finish().map_err(|why| not_a_zip("the zip", &why.to_string()))?;
    Ok(packed.into_inner())
}

/// Whether bytes begin as a zip does.
pub(crate) fn looks_like_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

fn not_a_zip(file: &str, why: &str) -> BadBundle {
    BadBundle::NotAZip { file: file.to_owned(), why: why.to_owned() }
}

#[cfg(test)]
mod tests;
