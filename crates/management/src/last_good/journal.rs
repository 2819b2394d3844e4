//! The file: two lines, then records. It is replaced whole and atomically, or appended to.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ahash::AHashMap;

use super::{BadLastGood, FORMAT, Header, MAGIC};

/// The file may grow by this much beyond twice what is needed, in bytes.
const SLACK: u64 = 1 << 20;
/// No record is longer, in bytes; a greater length is the end of what was written.
const LONGEST: u32 = 1 << 30;

/// A part as it lies in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Its name.
    pub(super) part: String,
    pub(super) sealed: Vec<u8>,
    /// Nothing is left of the part. Not in the file: only who seals knows.
    pub(super) is_gone: bool,
}

/// A file that is open for appending.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// Where the latest record of each part lies: offset, length.
    latest: AHashMap<String, (u64, u64)>,
    head: u64,
    length: u64,
}

impl Journal {
    /// Reads a file: its header, and every record that was written to its end.
    pub(super) fn open(path: &Path) -> Result<(Header, Vec<Record>), BadLastGood> {
        let fails = |source: io::Error| match source.kind() {
            ErrorKind::NotFound => BadLastGood::Missing(path.into()),
            _ => BadLastGood::Io { path: path.into(), source },
        };
        let not_one = || BadLastGood::NotOne(path.into());
        let mut file = BufReader::new(File::open(path).map_err(fails)?);
        let first = line(&mut file).map_err(fails)?.ok_or_else(not_one)?;
        let format =
            first.strip_prefix(MAGIC).and_then(|rest| rest.trim().parse().ok()).ok_or_else(not_one)?;
        if format != FORMAT {
            return Err(BadLastGood::Format { path: path.into(), found: format });
        }
        let second = line(&mut file).map_err(fails)?.ok_or_else(not_one)?;
        let header = serde_json::from_str(&second).map_err(|_| not_one())?;
        let mut records = Vec::new();
        while let Some(record) = read(&mut file).map_err(fails)? {
            records.push(record);
        }
        Ok((header, records))
    }

    /// Writes a whole file in place of the one before, which stays until the new one is complete and on disk.
    pub(super) fn create(
        path: &Path,
        header: &Header,
        records: impl Iterator<Item = io::Result<Record>>,
    ) -> io::Result<Self> {
        let head = format!("{MAGIC} {FORMAT}\n{}\n", serde_json::to_string(header)?);
        Self::replace(path, head.as_bytes(), |journal, file| {
            for record in records {
                journal.write(file, &record?)?;
            }
            Ok(())
        })
    }

    fn replace(
        path: &Path,
        head: &[u8],
        fill: impl FnOnce(&mut Self, &mut BufWriter<File>) -> io::Result<()>,
    ) -> io::Result<Self> {
        let aside = path.with_extension("new");
        // Made anew: an older one may be of another user, or readable.
        match std::fs::remove_file(&aside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
        let length = head.len() as u64;
        let mut journal = Self {
            path: path.into(),
            file: file.try_clone()?,
            latest: AHashMap::new(),
            head: length,
            length,
        };
        let mut file = BufWriter::new(file);
        file.write_all(head)?;
        fill(&mut journal, &mut file)?;
        file.into_inner().map_err(|error| error.into_error())?.sync_all()?;
        std::fs::rename(&aside, path)?;
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(journal)
    }

    /// Adds the new state of a part.
    pub(super) fn append(&mut self, record: &Record) -> io::Result<()> {
        let mut file = self.file.try_clone()?;
        self.write(&mut file, record)
    }

    /// Puts what was appended on the disk, or writes the file anew when most of it is of no use any more.
    pub(super) fn tidy(&mut self) -> io::Result<()> {
        let needed = self.head + self.latest.values().map(|(_, length)| length).sum::<u64>();
        if self.length <= 2 * needed + SLACK {
            return self.file.sync_data();
        }
        let mut old = File::open(&self.path)?;
        let copy = |from: u64, length: u64, old: &mut File| -> io::Result<Vec<u8>> {
            let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
            old.seek(SeekFrom::Start(from))?;
            old.read_exact(&mut bytes)?;
            Ok(bytes)
        };
        let head = copy(0, self.head, &mut old)?;
        let mut latest: Vec<_> = self.latest.iter().map(|(part, at)| (part.clone(), *at)).collect();
        latest.sort_unstable_by_key(|(_, at)| *at);
        *self = Self::replace(&self.path, &head, |journal, file| {
            for (part, (from, length)) in latest {
                file.write_all(&copy(from, length, &mut old)?)?;
                journal.latest.insert(part, (journal.length, length));
                journal.length += length;
            }
            Ok(())
        })?;
        Ok(())
    }

    fn write(&mut self, file: &mut impl Write, record: &Record) -> io::Result<()> {
        let size = |bytes: &[u8]| u32::try_from(bytes.len()).ok().filter(|size| *size < LONGEST);
        let too_long = || io::Error::other("a part is too long");
        let mut bytes = Vec::with_capacity(record.part.len() + record.sealed.len() + 8);
        for field in [record.part.as_bytes(), &record.sealed] {
            bytes.extend_from_slice(&size(field).ok_or_else(too_long)?.to_le_bytes());
            bytes.extend_from_slice(field);
        }
        // One write, so that a process that is killed leaves at most one record unfinished.
        file.write_all(&bytes)?;
        let length = bytes.len() as u64;
        if record.is_gone {
            self.latest.remove(&record.part);
        } else {
            self.latest.insert(record.part.clone(), (self.length, length));
        }
        self.length += length;
        Ok(())
    }
}

/// A line that is not too long.
fn line(file: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    file.take(1 << 20).read_until(b'\n', &mut bytes)?;
    Ok(bytes.strip_suffix(b"\n").and_then(|line| String::from_utf8(line.to_vec()).ok()))
}

/// The next record; `None` at the end, also in the middle of one that was never finished.
fn read(file: &mut impl Read) -> io::Result<Option<Record>> {
    let Some(part) = field(file)? else { return Ok(None) };
    let Some(sealed) = field(file)? else { return Ok(None) };
    let Ok(part) = String::from_utf8(part) else { return Ok(None) };
    Ok(Some(Record { part, sealed, is_gone: false }))
}

fn field(file: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut size = [0; 4];
    if !filled(file, &mut size)? {
        return Ok(None);
    }
    let size = u32::from_le_bytes(size);
    let mut bytes = Vec::new();
    if size >= LONGEST || file.take(u64::from(size)).read_to_end(&mut bytes)? < size as usize {
        return Ok(None);
    }
    Ok(Some(bytes))
}

fn filled(file: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
