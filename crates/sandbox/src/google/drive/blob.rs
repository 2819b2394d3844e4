//! File contents on disk: written and hashed as they stream in, read back by ranges.

use std::fs::File as StdFile;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;
use tempfile::TempDir;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, SeekFrom, Take};
use tokio_util::io::ReaderStream;

/// Reads are this long.
const READ: usize = 64 << 10;

/// The directory of contents; it goes away with the double.
#[derive(Debug)]
pub(crate) struct BlobStore {
    directory: Arc<TempDir>,
    next: AtomicU64,
}

/// Immutable contents. The file is deleted when nobody refers to it any more.
#[derive(Debug)]
pub(crate) struct Blob {
    path: PathBuf,
    size: u64,
    md5: String,
    sha1: String,
    sha256: String,
    /// Keeps the directory while contents are being read.
    _directory: Arc<TempDir>,
}

impl BlobStore {
    pub(crate) fn new() -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("pierhead-sandbox-").tempdir()?;
        Ok(Self { directory: Arc::new(directory), next: AtomicU64::new(0) })
    }

    fn next_path(&self) -> PathBuf {
        self.directory.path().join(self.next.fetch_add(1, Ordering::Relaxed).to_string())
    }

    pub(crate) async fn writer(&self) -> io::Result<BlobWriter> {
        let path = self.next_path();
        let file = File::create(&path).await?;
        let remains = Remains { path: Some(path), directory: Arc::clone(&self.directory) };
        Ok(BlobWriter { file, remains, hashes: Hashes::default(), size: 0 })
    }

    /// Small contents at once, for samples.
    pub(crate) fn put(&self, bytes: &[u8]) -> io::Result<Arc<Blob>> {
        let path = self.next_path();
        StdFile::create(&path)?.write_all(bytes)?;
        let mut hashes = Hashes::default();
        hashes.update(bytes);
        Ok(Arc::new(hashes.blob(path, bytes.len() as u64, Arc::clone(&self.directory))))
    }
}

#[derive(Debug, Default)]
struct Hashes {
    md5: Md5,
    sha1: Sha1,
    sha256: Sha256,
}

impl Hashes {
    fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sha1.update(bytes);
        self.sha256.update(bytes);
    }

    fn blob(self, path: PathBuf, size: u64, directory: Arc<TempDir>) -> Blob {
        Blob {
            path,
            size,
            md5: hex::encode(self.md5.finalize()),
            sha1: hex::encode(self.sha1.finalize()),
            sha256: hex::encode(self.sha256.finalize()),
            _directory: directory,
        }
    }
}

/// Contents on their way in. Dropped unfinished, they leave nothing behind.
#[derive(Debug)]
pub(crate) struct BlobWriter {
    file: File,
    remains: Remains,
    hashes: Hashes,
    size: u64,
}

impl BlobWriter {
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await?;
        self.hashes.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) async fn finish(mut self) -> io::Result<Arc<Blob>> {
        self.file.flush().await?;
        let directory = Arc::clone(&self.remains.directory);
        let path = self.remains.path.take().ok_or_else(|| io::Error::other("contents finished twice"))?;
        Ok(Arc::new(self.hashes.blob(path, self.size, directory)))
    }
}

/// Deletes the file of a write that was given up.
#[derive(Debug)]
struct Remains {
    path: Option<PathBuf>,
    directory: Arc<TempDir>,
}

impl Drop for Remains {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            delete(path);
        }
    }
}

impl Blob {
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn md5(&self) -> &str {
        &self.md5
    }

    pub(crate) fn sha1(&self) -> &str {
        &self.sha1
    }

    pub(crate) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// `length` bytes from `start` on.
    pub(crate) async fn stream(&self, start: u64, length: u64) -> io::Result<ReaderStream<Take<File>>> {
        let mut file = File::open(&self.path).await?;
        if start > 0 {
            file.seek(SeekFrom::Start(start)).await?;
        }
        Ok(ReaderStream::with_capacity(file.take(length), READ))
    }

    /// The first `limit` bytes as text, for search and export; bytes that are no text are replaced.
    pub(crate) fn text(&self, limit: u64) -> io::Result<String> {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(StdFile::open(&self.path)?, limit), &mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Drop for Blob {
    fn drop(&mut self) {
        delete(&self.path);
    }
}

fn delete(path: &std::path::Path) {
    // A download under way keeps its open file; the directory's own removal catches what is left.
    if let Err(error) = std::fs::remove_file(path) {
        tracing::debug!(%error, "the double could not delete contents");
    }
}
