//! Files of lines, in one folder and never outside of it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use pierhead_domain::SharedClock;

use super::writer::Writer;

/// Lines that wait to be written, all files together.
const QUEUED: usize = 1024;

/// The folder that lines of `MessageLogging`'s `File` are written below. Cheap to clone.
///
/// Nothing is made before the first line: then the folders, the file, and one thread that writes for all. When the
/// last clone goes, what waits is written first.
#[derive(Clone)]
pub struct LogFolder(Arc<Inner>);

struct Inner {
    root: PathBuf,
    clock: SharedClock,
    at_work: Mutex<Option<AtWork>>,
}

struct AtWork {
    lines: SyncSender<(Arc<LogFile>, Bytes)>,
    thread: JoinHandle<()>,
}

/// A file below the folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LogFile {
    path: Box<str>,
    /// When it is put aside and begun anew.
    pub rotation: Rotation,
}

/// When a file is put aside: `a.log` becomes `a.log.1`, that `a.log.2`, and so on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rotation {
    /// When the first line since the program began is written.
    pub at_start: bool,
    /// Before a line that would make it longer than so many bytes.
    pub bytes: Option<u64>,
    /// When it is so many milliseconds old.
    pub millis: Option<i64>,
    /// Files kept beside the one that is written.
    pub kept: u32,
}

impl Default for Rotation {
    /// Unsourced: a file that its design says nothing about does not fill a disk.
    fn default() -> Self {
        Self { at_start: false, bytes: Some(100 * 1024 * 1024), millis: None, kept: 5 }
    }
}

impl LogFile {
    /// The file of these folders and this name below the log folder; `None` when one of them is not plain: letters,
    /// digits, `-`, `_`, `.` and blanks, without a dot in front.
    pub fn new(parts: &[&str], rotation: Rotation) -> Option<Self> {
        let plain = |part: &&str| {
            let known = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
            !part.is_empty() && part.len() <= 200 && !part.starts_with(['.', ' ']) && part.chars().all(known)
        };
        (!parts.is_empty() && parts.iter().all(plain))
            .then(|| Self { path: parts.join("/").into(), rotation })
    }

    /// Relative to the folder, parted by slashes.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl LogFolder {
    /// A folder that need not be there yet.
    pub fn new(root: impl Into<PathBuf>, clock: SharedClock) -> Self {
        Self(Arc::new(Inner { root: root.into(), clock, at_work: Mutex::default() }))
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.0.root
    }

    /// Takes a line for a file; never waits. `false` when too many wait already, or nobody can write.
    pub(crate) fn write(&self, file: &Arc<LogFile>, line: Bytes) -> bool {
        let mut at_work = self.0.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = match &*at_work {
            Some(at_work) => &at_work.lines,
            None => match self.begin() {
                Ok(begun) => &at_work.insert(begun).lines,
                Err(error) => {
                    tracing::warn!(%error, "no thread for log files: {error}");
                    return false;
                }
            },
        };
        match lines.try_send((Arc::clone(file), line)) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }

    fn begin(&self) -> std::io::Result<AtWork> {
        let (lines, waiting) = sync_channel::<(Arc<LogFile>, Bytes)>(QUEUED);
        let mut writer = Writer::new(self.0.root.clone(), self.0.clock.clone());
        let work = move || {
            while let Ok((file, line)) = waiting.recv() {
                writer.write(&file, &line);
            }
        };
        let thread = std::thread::Builder::new().name("log-files".into()).spawn(work)?;
        Ok(AtWork { lines, thread })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let at_work = self.at_work.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(AtWork { lines, thread }) = at_work {
            drop(lines);
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for LogFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogFolder").field(&self.0.root).finish()
    }
}

impl PartialEq for LogFolder {
    fn eq(&self, other: &Self) -> bool {
        self.0.root == other.0.root
    }
}

impl Eq for LogFolder {}

impl Hash for LogFolder {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.root.hash(state);
    }
}

#[cfg(test)]
mod tests;
