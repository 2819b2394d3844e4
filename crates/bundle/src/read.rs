//! Reading: files of either dialect into the one model.

mod apigee;
mod file_names;
mod sap;
mod shelf;

use pierhead_gateway::dialect::Dialect;

use crate::content::{Bundle, Content};
use crate::roots::{Layout, Root, roots};
use crate::{BadBundle, Files, Limits, read_archive, read_folder};

pub(crate) use sap::DEFAULT_FAULT_FLOW;
use shelf::Shelf;

/// Reads a bundle from a zip; `name` (its file name without `.zip`) is the bundle's when no document in it says
/// another.
///
/// # Errors
/// When the zip is refused (see [`read_archive`]) or does not hold exactly one bundle. What is wrong inside a
/// bundle is among its findings.
pub fn read_zip(bytes: &[u8], name: &str, limits: &Limits) -> Result<Bundle, BadBundle> {
    read_files(&read_archive(bytes, limits)?, name, limits)
}

/// Reads a bundle from a zip or a folder of this machine. The folder may be the bundle's root itself or hold it.
///
/// # Errors
/// As [`read_zip`], and when the file system fails.
pub fn read_path(path: &std::path::Path, limits: &Limits) -> Result<Bundle, BadBundle> {
    let io = |source| BadBundle::Io { file: path.display().to_string(), source };
    let whole = path.canonicalize().map_err(io)?;
    let name = whole.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if whole.is_dir() {
        return read_files(&read_folder(&whole, limits)?, &name, limits);
    }
    let size = std::fs::metadata(&whole).map_err(io)?.len();
    if size > limits.zip_bytes {
        let limit = format_args!("{} bytes", limits.zip_bytes);
        return Err(BadBundle::too_much(&path.display().to_string(), "ZipTooBig", limit));
    }
    read_zip(&std::fs::read(&whole).map_err(io)?, &name, limits)
}

/// Reads the one bundle among `files`.
///
/// # Errors
/// When there is none, or more than one.
pub fn read_files(files: &Files, name: &str, limits: &Limits) -> Result<Bundle, BadBundle> {
    match &*roots(files.iter().map(|(path, _)| path)) {
        [] => Err(BadBundle::NoBundle),
        [root] => Ok(read_root(files, root, name, limits)),
        many => {
            let paths: Vec<&str> = many.iter().take(20).map(|root| root.path.as_str()).collect();
            Err(BadBundle::ManyBundles(paths.join(", ")))
        }
    }
}

/// Reads the bundle at `root`. Never fails: what is wrong is among the findings.
pub(crate) fn read_root(files: &Files, root: &Root, name: &str, limits: &Limits) -> Bundle {
    let mut shelf = Shelf::new(files, &root.path, limits);
    let (content, dialect) = match root.layout {
        Layout::SapProxy => (Content::Proxy(Box::new(sap::proxy(&mut shelf, name))), Dialect::Sap),
        Layout::Template => (Content::Template(Box::new(sap::template(&mut shelf, name))), Dialect::Sap),
        Layout::ApigeeProxy => (Content::Proxy(Box::new(apigee::proxy(&mut shelf, name))), Dialect::Apigee),
        Layout::SharedFlow => {
            (Content::SharedFlow(Box::new(apigee::shared_flow(&mut shelf, name))), Dialect::Apigee)
        }
    };
    let (findings, sources) = shelf.close();
    Bundle { content, dialect, findings, sources }
}
