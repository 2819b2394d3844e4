//! Downloads: whole files and single ranges.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use futures_util::TryStreamExt;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use rustix::fs::{FileType, Mode, OFlags, openat};
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::answer::Fault;
use super::entry;
use super::walk::{ItemPath, Jail};
use crate::engine::{Body, empty_body};

/// Bytes read at once.
const PIECE: usize = 128 * 1024;

/// `GET`: the file's bytes, or the part that `Range` asks for.
pub(super) async fn file(jail: Jail, path: ItemPath, headers: &HeaderMap) -> Result<Response<Body>, Fault> {
    let asked = Asked {
        range: text(headers, header::RANGE),
        if_range: text(headers, header::IF_RANGE),
        if_none_match: text(headers, header::IF_NONE_MATCH),
    };
    let opened = tokio::task::spawn_blocking(move || open(&jail, &path, &asked)).await;
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
        Part::Outside => {
            return Err(Fault::new(StatusCode::RANGE_NOT_SATISFIABLE, "the range lies outside of the file"));
        }
        Part::Bytes { from, length, whole } => {
            headers.insert(header::CONTENT_LENGTH, length.into());
            if !whole {
                let range = format!("bytes {from}-{}/{}", from + length - 1, opened.size);
                insert(headers, header::CONTENT_RANGE, &range);
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            }
            let reader = tokio::fs::File::from_std(opened.file).take(length);
            let frames = ReaderStream::with_capacity(reader, PIECE).map_ok(Frame::data).map_err(Into::into);
            *response.body_mut() = StreamBody::new(frames).boxed_unsync();
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
    file: File,
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

fn open(jail: &Jail, path: &ItemPath, asked: &Asked) -> Result<Opened, Fault> {
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
    let mut file = File::from(file);
    if let Part::Bytes { from, .. } = part {
        file.seek(SeekFrom::Start(from))?;
    }
    let media_type = mime_guess::from_path(name).first_raw().unwrap_or("application/octet-stream");
    Ok(Opened { file, size, version, modified, media_type, part })
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
