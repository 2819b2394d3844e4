//! Finding bundles: in folders, in zips, in zips in zips.

use std::fs;
use std::path::Path;

use crate::archive::looks_like_zip;
use crate::folder::list;
use crate::read::read_root;
use crate::roots::roots;
use crate::{BadBundle, Bundle, Files, Limits, read_archive, read_folder};

/// A bundle that was found.
#[derive(Debug)]
pub struct Found {
    /// Where: a path below the folder that was searched, with `!` between a zip and what is in it.
    pub at: String,
    /// The bundle.
    pub bundle: Bundle,
}

/// What a search found.
#[derive(Debug)]
pub struct Discovery {
    /// The bundles, in order of their places.
    pub found: Vec<Found>,
    /// Zips and folders that could not be read, each with why.
    pub refused: Vec<(String, BadBundle)>,
}

/// All bundles below a folder or in a zip, in order of their places; and each zip that could not be read.
///
/// # Errors
/// When the folder itself cannot be listed.
pub fn find(path: &Path, limits: &Limits) -> Result<Discovery, BadBundle> {
    let mut search = Search { limits, found: Vec::new(), refused: Vec::new() };
    if path.is_dir() {
        let paths = list(path, limits)?;
        for root in roots(paths.iter().map(String::as_str)) {
            match read_folder(&path.join(&root.path), limits) {
                Ok(files) => search.within(&prefixed(files, &root.path), &root.path, ""),
                Err(why) => search.refused.push((root.path, why)),
            }
        }
        for zip in paths.iter().filter(|path| path.ends_with(".zip")) {
            let whole = path.join(zip);
            match fs::read(&whole) {
                Ok(bytes) => search.zip(zip, &bytes, 0),
                Err(source) => {
                    search.refused.push((zip.clone(), BadBundle::Io { file: zip.clone(), source }))
                }
            }
        }
    } else {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let io = |source| BadBundle::Io { file: name.clone(), source };
        search.zip(&name, &fs::read(path).map_err(io)?, 0);
    }
    search.found.sort_by(|one, other| one.at.cmp(&other.at));
    Ok(Discovery { found: search.found, refused: search.refused })
}

/// A root that was read on its own, back at its place.
fn prefixed(files: Files, root: &str) -> Files {
    if root.is_empty() {
        return files;
    }
    Files(files.0.into_iter().map(|(path, bytes)| (format!("{root}/{path}"), bytes)).collect())
}

struct Search<'l> {
    limits: &'l Limits,
    found: Vec<Found>,
    refused: Vec<(String, BadBundle)>,
}

impl Search<'_> {
    fn zip(&mut self, at: &str, bytes: &[u8], depth: usize) {
        match read_archive(bytes, self.limits) {
            Ok(files) => {
                self.within(&files, "", at);
                if depth < self.limits.nested_zips {
                    for (path, inner) in files.iter().filter(|(path, _)| path.ends_with(".zip")) {
                        if looks_like_zip(inner) {
                            self.zip(&format!("{at}!{path}"), inner, depth + 1);
                        }
                    }
                }
            }
            Err(why) => self.refused.push((at.to_owned(), why)),
        }
    }

    /// Reads the bundles among `files` that lie at or below `below`.
    fn within(&mut self, files: &Files, below: &str, zip: &str) {
        for root in roots(files.iter().map(|(path, _)| path)) {
            if !below.is_empty() && root.path != below {
                continue;
            }
            let at = if zip.is_empty() { root.path.clone() } else { format!("{zip}!{}", root.path) };
            let name = name_of(&at);
            let bundle = read_root(files, &root, &name, self.limits);
            self.found.push(Found { at, bundle });
        }
    }
}

/// What a bundle is called when no document in it says: its zip, or the folder around its root.
fn name_of(at: &str) -> String {
    let outer = at.rsplit_once('!').map_or(at, |(zip, _)| zip);
    let outer =
        if at.contains('!') { outer } else { outer.rsplit_once('/').map_or(outer, |(folder, _)| folder) };
    let last = outer.rsplit('/').next().unwrap_or(outer);
    last.strip_suffix(".zip").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests;
