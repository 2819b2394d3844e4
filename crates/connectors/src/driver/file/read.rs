//! Downloads: whole files and single ranges. A small one is read while the file is opened, in one step of a
//! blocking thread; a larger one piece by piece, as its reader takes them.

use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use rustix::buffer::spare_capacity;
use rustix::fs::{FileType, Mode, OFlags, openat};
use rustix::io::{Errno, pread};
use tokio::task::JoinHandle;

use super::answer::Fault;
use super::walk::ItemPath;
use super::{Root, entry};
use crate::engine::{Body, BoxError, empty_body};

/// Bytes read at once.
const PIECE: u64 = 128 * 1024;

/// `GET`: the file's bytes, or the part that `Range` asks for.
pub(super) async fn file(root: Root, path: ItemPath, headers: &HeaderMap) -> Result<Response<Body>, Fault> {
    let asked = Asked {
        range: text(headers, header::RANGE),
        if_range: text(headers, header::IF_RANGE),
        if_none_match: text(headers, header::IF_NONE_MATCH),
    };
    let opened = tokio::task::spawn_blocking(move || open(&root, &path, &asked)).await;
    let opened =
        opened.map_err(|_| Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "the work was given up"))??;
    let mut response = Response::new(empty_body());
    let headers = response.headers_mut();
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    insert(headers, header::ETAG, &opened.version);
    insert(headers, header::LAST_MODIFIED, &opened.modified);
    insert(headers, header::CONTENT_TYPE, opened.media_type);
    match opened.part {
        Part::Unchanged => *response.status_mut() = StatusCode::NOT_MODIFIED,
        Part::Outside => return Err(Fault::outside(opened.size)),
        Part::Bytes { from, length, whole } => {
            headers.insert(header::CONTENT_LENGTH, length.into());
            if !whole {
                let range = format!("bytes {from}-{}/{}", from + length - 1, opened.size);
                insert(headers, header::CONTENT_RANGE, &range);
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            }
            *response.body_mut() = Pieces::new(opened.file, from, length, opened.first).boxed_unsync();
        }
    }
    Ok(response)
}

struct Asked {
    range: Option<String>,
    if_range: Option<String>,
    if_none_match: Option<String>,
}

struct Opened {
    file: OwnedFd,
    /// The first piece of what was asked for.
    first: Bytes,
    size: u64,
    version: String,
    modified: String,
    media_type: &'static str,
    part: Part,
}

enum Part {
    Unchanged,
    Outside,
    Bytes { from: u64, length: u64, whole: bool },
}

fn open(root: &Root, path: &ItemPath, asked: &Asked) -> Result<Opened, Fault> {
    let jail = root.open()?;
    let (parent, name) = jail.parent(path)?;
    // NONBLOCK: opening a pipe must not wait for its writer.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(&parent, name, flags, Mode::empty())?;
    let stat = entry::of_file(&file)?;
    if FileType::from_raw_mode(u32::from(stat.stx_mode)) != FileType::RegularFile {
        return Err(Fault::missing());
    }
    let version = entry::version(&stat);
    let seconds = u64::try_from(stat.stx_mtime.tv_sec).unwrap_or(0);
    let modified = httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds));
    let size = stat.stx_size;
    let unchanged = asked.if_none_match.as_deref().is_some_and(|tags| tags == "*" || tags.contains(&version));
    let may_range = asked.if_range.as_deref().is_none_or(|tag| tag == version || tag == modified);
    let range = asked.range.as_deref().filter(|_| may_range).and_then(|range| byte_range(range, size));
    let part = match range {
        _ if unchanged => Part::Unchanged,
        None => Part::Bytes { from: 0, length: size, whole: true },
        Some(None) => Part::Outside,
        Some(Some((from, length))) => Part::Bytes { from, length, whole: false },
    };
    let first = match part {
        Part::Bytes { from, length, .. } => piece(&file, from, length)?,
        Part::Unchanged | Part::Outside => Bytes::new(),
    };
    let media_type = mime_guess::from_path(name).first_raw().unwrap_or("application/octet-stream");
    Ok(Opened { file, first, size, version, modified, media_type, part })
}

/// At most one piece of the `left` bytes at `at`. Fails where the file ends before them: it was cut meanwhile,
/// and the length is announced already.
fn piece(file: &OwnedFd, at: u64, left: u64) -> Result<Bytes, Errno> {
    let wanted = usize::try_from(left.min(PIECE)).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(wanted);
    while bytes.len() < wanted {
        let next = at + bytes.len() as u64;
        match pread(file, spare_capacity(&mut bytes), next) {
            Ok(0) => return Err(Errno::IO),
            Ok(_) => {}
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    // The allocator may have given more room than was asked for.
    bytes.truncate(wanted);
    Ok(bytes.into())
}

/// The bytes of a file: the first piece is there, each further one is read when it is asked for.
struct Pieces {
    file: Arc<OwnedFd>,
    at: u64,
    left: u64,
    first: Bytes,
    reading: Option<JoinHandle<Result<Bytes, Errno>>>,
}

impl Pieces {
    fn new(file: OwnedFd, at: u64, left: u64, first: Bytes) -> Self {
        Self { file: Arc::new(file), at, left, first, reading: None }
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let mut bytes = std::mem::take(&mut this.first);
        if bytes.is_empty() {
            let reading = this.reading.get_or_insert_with(|| {
                let (file, at, left) = (Arc::clone(&this.file), this.at, this.left);
                tokio::task::spawn_blocking(move || piece(&file, at, left))
            });
            let read = ready!(Pin::new(reading).poll(cx));
            this.reading = None;
            bytes = match read.map_err(BoxError::from).and_then(|read| read.map_err(BoxError::from)) {
                Ok(bytes) => bytes,
                Err(error) => return Poll::Ready(Some(Err(error))),
            };
        }
        let length = bytes.len() as u64;
        (this.at, this.left) = (this.at + length, this.left.saturating_sub(length));
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Reads one byte range (RFC 9110 §14.1.2): none when the header is to be ignored (malformed, or several
/// ranges), inner none when it lies outside; else first byte and length.
fn byte_range(range: &str, size: u64) -> Option<Option<(u64, u64)>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    if first.is_empty() {
        let length = number(last)?.min(size);
        return Some((length > 0).then(|| (size - length, length)));
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < first {
        return None;
    }
    Some((first < size).then(|| (first, last.min(size - 1) - first + 1)))
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_of(bytes: &[u8]) -> (tempfile::TempDir, OwnedFd) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, bytes).unwrap();
        (folder, std::fs::File::open(path).unwrap().into())
    }

    #[tokio::test]
    async fn a_file_of_many_pieces_arrives_whole_from_any_place() {
        let content: Vec<u8> = (0..300_000u32).flat_map(u32::to_le_bytes).collect();
        for from in [0, 1, 200_000] {
            let (_folder, file) = file_of(&content);
            let left = (content.len() - from) as u64;
            let first = piece(&file, from as u64, left).unwrap();
            let pieces = Pieces::new(file, from as u64, left, first);
            assert!(pieces.collect().await.unwrap().to_bytes() == content[from..], "from {from}");
        }
    }

    #[tokio::test]
    async fn a_file_that_was_cut_after_its_length_was_announced_breaks_off() {
        let (_folder, file) = file_of(b"short");
        let pieces = Pieces::new(file, 0, 6, Bytes::new());
        assert_eq!(http_body::Body::size_hint(&pieces).exact(), Some(6));
        assert!(pieces.collect().await.is_err());
    }

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        assert_eq!(byte_range("bytes=0-3", 10), Some(Some((0, 4))));
        assert_eq!(byte_range("bytes=8-", 10), Some(Some((8, 2))));
        assert_eq!(byte_range("bytes=-3", 10), Some(Some((7, 3))));
        assert_eq!(byte_range("bytes=-30", 10), Some(Some((0, 10))));
        assert_eq!(byte_range("bytes=5-99", 10), Some(Some((5, 5))));
        assert_eq!(byte_range("bytes=10-", 10), Some(None));
        assert_eq!(byte_range("bytes=-0", 10), Some(None));
        for ignored in ["bytes=5-3", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1", "bytes=+1-2"] {
            assert_eq!(byte_range(ignored, 10), None, "{ignored}");
        }
    }
}
