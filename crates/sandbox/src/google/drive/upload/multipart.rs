//! `multipart/related`, RFC 2387, read as it streams in. Lines may end in CR LF or, as Google's own Python
//! client writes them, in LF alone; the first boundary line settles which.

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use memchr::memmem::Finder;

use super::super::super::problem::Problem;
use super::malformed;

/// One line of a part's headers, or all of them, are no longer than this.
const HEADERS_LIMIT: usize = 16 << 10;

/// What a part says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PartHead {
    pub(super) content_type: Option<String>,
    pub(super) base64: bool,
}

/// Where the reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// In a part. At its very beginning the blank line's own end is still in the buffer, since the
    /// delimiter of an empty part begins with it.
    Part {
        fresh: bool,
    },
    /// Right behind a boundary.
    Boundary,
    End,
}

pub(super) struct Related<S> {
    stream: S,
    buffer: BytesMut,
    boundary: String,
    newline: &'static str,
    /// The line end, then `--boundary`; known once the first line was read.
    delimiter: Finder<'static>,
    place: Place,
}

impl<S: Stream<Item = Result<Bytes, Problem>> + Unpin> Related<S> {
    pub(super) fn open(content_type: &str, stream: S) -> Result<Self, Problem> {
        let boundary = boundary(content_type).ok_or_else(|| malformed("Content-Type names no boundary"))?;
        let delimiter = Finder::new(b"").into_owned();
        Ok(Self { stream, buffer: BytesMut::new(), boundary, newline: "\n", delimiter, place: Place::Start })
    }

    /// The next part's head; what is left of the part before is skipped.
    pub(super) async fn next_part(&mut self) -> Result<Option<PartHead>, Problem> {
        if self.place == Place::Start {
            self.first_line().await?;
        } else {
            while self.next_chunk().await?.is_some() {}
            if self.place == Place::End || !self.goes_on().await? {
                self.place = Place::End;
                return Ok(None);
            }
        }
        let mut head = PartHead::default();
        let mut length = 0;
        loop {
            let end = self.line_end().await?;
            let line = String::from_utf8_lossy(self.buffer[..end].trim_ascii()).into_owned();
            if line.is_empty() {
                // Only the blanks before the line's end are taken.
                self.buffer.advance((end + 1).saturating_sub(self.newline.len()));
                break;
            }
            self.buffer.advance(end + 1);
            length += end;
            if length > HEADERS_LIMIT {
                return Err(malformed("a part's headers are too long"));
            }
            let (name, value) = line.split_once(':').ok_or_else(|| malformed("a header has no colon"))?;
            match name.trim().to_ascii_lowercase().as_str() {
                "content-type" => head.content_type = Some(value.trim().to_owned()),
                "content-transfer-encoding" => head.base64 = value.trim().eq_ignore_ascii_case("base64"),
                _ => {}
            }
        }
        self.place = Place::Part { fresh: true };
        Ok(Some(head))
    }

    /// The next bytes of the part's contents; `None` at their end.
    pub(super) async fn next_chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        let Place::Part { fresh } = self.place else { return Ok(None) };
        let blank = if fresh { self.newline.len() } else { 0 };
        let needle = self.delimiter.needle().len();
        loop {
            if let Some(at) = self.delimiter.find(&self.buffer) {
                let mut contents = self.buffer.split_to(at + needle).freeze();
                contents.truncate(at);
                contents.advance(blank.min(at));
                self.place = Place::Boundary;
                return Ok(Some(contents).filter(|contents| !contents.is_empty()));
            }
            // What may be the beginning of a delimiter has to wait.
            let ready = self.buffer.len().saturating_sub(needle - 1);
            if ready > blank {
                let mut contents = self.buffer.split_to(ready).freeze();
                contents.advance(blank);
                self.place = Place::Part { fresh: false };
                return Ok(Some(contents));
            }
            self.more().await?;
        }
    }

    /// Reads the first boundary line, which settles how lines end.
    async fn first_line(&mut self) -> Result<(), Problem> {
        let end = self.line_end().await?;
        let line = self.buffer.split_to(end + 1);
        self.newline = if line.ends_with(b"\r\n") { "\r\n" } else { "\n" };
        if line.trim_ascii_end() != format!("--{}", self.boundary).as_bytes() {
            return Err(malformed("it does not begin with its boundary"));
        }
        let delimiter = format!("{}--{}", self.newline, self.boundary);
        self.delimiter = Finder::new(delimiter.as_bytes()).into_owned();
        Ok(())
    }

    /// Whether another part follows the boundary just passed.
    async fn goes_on(&mut self) -> Result<bool, Problem> {
        while self.buffer.len() < 2 {
            self.more().await?;
        }
        if self.buffer.starts_with(b"--") {
            return Ok(false);
        }
        let end = self.line_end().await?;
        let line = self.buffer.split_to(end + 1);
        if line.trim_ascii().is_empty() { Ok(true) } else { Err(malformed("something follows a boundary")) }
    }

    /// The place of the next LF.
    async fn line_end(&mut self) -> Result<usize, Problem> {
        let mut searched = 0;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[searched..]) {
                return Ok(searched + at);
            }
            searched = self.buffer.len();
            if searched > HEADERS_LIMIT {
                return Err(malformed("a line is too long"));
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Result<(), Problem> {
        match self.stream.next().await {
            Some(chunk) => {
                self.buffer.extend_from_slice(&chunk?);
                Ok(())
            }
            None => Err(malformed("it ends before its last boundary")),
        }
    }
}

/// The boundary of `multipart/related; boundary="…"`. RFC 2046 allows 70 characters.
fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let value = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    })?;
    (1..=70).contains(&value.len()).then_some(value)
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use proptest::prelude::*;

    use super::*;

    /// Contents and head of every part of a body that arrives in pieces of `cut` bytes.
    async fn read(body: &[u8], cut: usize) -> Result<Vec<(PartHead, Vec<u8>)>, Problem> {
        let pieces: Vec<_> = body.chunks(cut).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let mut related = Related::open("multipart/related; boundary=\"b=1\"", stream::iter(pieces))?;
        let mut parts = Vec::new();
        while let Some(head) = related.next_part().await? {
            let mut contents = Vec::new();
            while let Some(chunk) = related.next_chunk().await? {
                contents.extend_from_slice(&chunk);
            }
            parts.push((head, contents));
        }
        Ok(parts)
    }

    fn body(newline: &str, first: &[u8], second: &[u8]) -> Vec<u8> {
        let head = |kind: &str| format!("--b=1{newline}Content-Type: {kind}{newline}{newline}").into_bytes();
        let end = |text: &str| format!("{newline}{text}").into_bytes();
        [head("application/json"), first.to_vec(), end(""), head("text/x"), second.to_vec(), end("--b=1--")]
            .concat()
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_or_lacks_its_boundary_is_refused() {
        let whole = body("\n", b"{}", b"abc");
        assert_eq!(read(&whole, 7).await.unwrap().len(), 2);
        for end in [0, 3, 30, whole.len() - 3] {
            assert!(read(&whole[..end], 7).await.is_err(), "{end}");
        }
        assert!(read(b"hello\nworld\n", 7).await.is_err());
        assert!(Related::open("multipart/related", stream::iter([Ok(Bytes::new())])).is_err());
        assert!(Related::open("text/plain; boundary=x", stream::iter([Ok(Bytes::new())])).is_err());
    }

    proptest! {
        #[test]
        fn contents_come_out_as_they_went_in(
            contents in "[-\r\nb=1x]{0,60}",
            crlf in any::<bool>(),
            cut in 1usize..40,
        ) {
            prop_assume!(!contents.contains("--b=1"));
            let newline = if crlf { "\r\n" } else { "\n" };
            let whole = body(newline, b"{}", contents.as_bytes());
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let parts = runtime.block_on(read(&whole, cut)).unwrap();
            prop_assert_eq!(&parts[0].1, b"{}");
            prop_assert_eq!(&parts[1].1, contents.as_bytes());
            prop_assert_eq!(parts[1].0.content_type.as_deref(), Some("text/x"));
        }
    }
}
