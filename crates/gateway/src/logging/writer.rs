//! Writes the lines of log files, and puts files aside.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use ahash::AHashMap;
use pierhead_domain::{EpochMillis, SharedClock};

use super::folder::{LogFile, Rotation};

/// Open files; when there are more they are closed, and opened again by their next line.
const MOST_OPEN: usize = 256;

pub(super) struct Writer {
    root: PathBuf,
    clock: SharedClock,
    open: AHashMap<Arc<LogFile>, Open>,
    /// Paths that were written to since the program began; how many lines of each were lost in a row.
    known: AHashMap<Box<str>, u64>,
}

struct Open {
    file: File,
    bytes: u64,
    begun: EpochMillis,
}

impl Writer {
    pub(super) fn new(root: PathBuf, clock: SharedClock) -> Self {
        Self { root, clock, open: AHashMap::new(), known: AHashMap::new() }
    }

    /// Writes a line; what cannot be written is told once for each time that it begins to fail.
    pub(super) fn write(&mut self, file: &Arc<LogFile>, line: &[u8]) {
        let written = self.try_write(file, line);
        let lost = self.known.entry(file.path().into()).or_default();
        match written {
            Ok(()) => *lost = 0,
            Err(error) => {
                self.open.remove(file);
                *lost += 1;
                if *lost == 1 {
                    let path = file.path();
                    tracing::warn!(path, %error, "log file {path} cannot be written: {error}");
                }
            }
        }
    }

    fn try_write(&mut self, file: &Arc<LogFile>, line: &[u8]) -> io::Result<()> {
        let now = self.clock.now();
        let length = line.len() as u64 + 1;
        if !self.open.contains_key(file) {
            if self.open.len() >= MOST_OPEN {
                self.open.clear();
            }
            let path = place(&self.root, file)?;
            let is_first = !self.known.contains_key(file.path());
            if is_first && file.rotation.at_start && path.exists() {
                put_aside(&path, file.rotation.kept)?;
            }
            self.open.insert(Arc::clone(file), Open::new(&path, now)?);
        }
        let is_due = self.open.get(file).is_some_and(|open| open.is_due(&file.rotation, length, now));
        if is_due {
            self.open.remove(file);
            let path = place(&self.root, file)?;
            put_aside(&path, file.rotation.kept)?;
            self.open.insert(Arc::clone(file), Open::new(&path, now)?);
        }
        let Some(open) = self.open.get_mut(file) else { return Ok(()) };
        open.file.write_all(&[line, b"\n"].concat())?;
        open.bytes += length;
        Ok(())
    }
}

impl Open {
    fn new(path: &Path, now: EpochMillis) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let about = file.metadata()?;
        // The age of what another life of the program began is that of its last line.
        let written = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let written = written.and_then(|since| i64::try_from(since.as_millis()).ok()).map(EpochMillis::new);
        let begun = written.filter(|_| about.len() > 0).unwrap_or(now);
        Ok(Self { file, bytes: about.len(), begun })
    }

    fn is_due(&self, rotation: &Rotation, more: u64, now: EpochMillis) -> bool {
        let is_full = rotation.bytes.is_some_and(|most| self.bytes + more > most);
        let age = now.as_i64().saturating_sub(self.begun.as_i64());
        self.bytes > 0 && (is_full || rotation.millis.is_some_and(|most| age >= most))
    }
}

/// The path of a file, its folders made. A link on the way, which would lead elsewhere, is refused.
fn place(root: &Path, file: &LogFile) -> io::Result<PathBuf> {
    fs::create_dir_all(root)?;
    let mut path = root.to_owned();
    let mut parts = file.path().split('/').peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        let is_last = parts.peek().is_none();
        match fs::symlink_metadata(&path) {
            Ok(found) if is_last && found.is_file() || !is_last && found.is_dir() => {}
            Ok(_) => return Err(io::Error::other(format!("{} is something else", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if !is_last {
                    fs::create_dir(&path)?;
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(path)
}

/// `a.log` becomes `a.log.1`, and each older one the next; what has no number left goes.
fn put_aside(path: &Path, kept: u32) -> io::Result<()> {
    let numbered = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    let ignoring_absence = |done: io::Result<()>| match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    };
    if kept == 0 {
        return ignoring_absence(fs::remove_file(path));
    }
    for number in (1..kept).rev() {
        ignoring_absence(fs::rename(numbered(number), numbered(number + 1)))?;
    }
    ignoring_absence(fs::rename(path, numbered(1)))
}
