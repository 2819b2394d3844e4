//! `Content-Range` of a resumable upload's requests.

/// What a request says about the bytes it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ContentRange {
    /// `bytes */N` or `bytes */*`: how much has arrived?
    Status { total: Option<u64> },
    /// `bytes A-B/N` or `bytes A-B/*`.
    Bytes { first: u64, last: u64, total: Option<u64> },
}

impl ContentRange {
    /// `None` when the text breaks the grammar, or the numbers contradict each other.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
        let total = match total {
            "*" => None,
            number => Some(digits(number)?),
        };
        if range == "*" {
            return Some(Self::Status { total });
        }
        let (first, last) = range.split_once('-')?;
        let (first, last) = (digits(first)?, digits(last)?);
        (first <= last && total.is_none_or(|total| last < total)).then_some(Self::Bytes {
            first,
            last,
            total,
        })
    }
}

fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::ContentRange::{self, Bytes, Status};

    #[test]
    fn chunks_and_status_queries_are_told_apart() {
        assert_eq!(ContentRange::parse("bytes 0-9/10"), Some(Bytes { first: 0, last: 9, total: Some(10) }));
        assert_eq!(ContentRange::parse("bytes 5-9/*"), Some(Bytes { first: 5, last: 9, total: None }));
        assert_eq!(ContentRange::parse("bytes */10"), Some(Status { total: Some(10) }));
        assert_eq!(ContentRange::parse("bytes */*"), Some(Status { total: None }));
        for bad in [
            "",
            "bytes",
            "bytes 0-10/10",
            "bytes 5-4/10",
            "0-9/10",
            "bytes a-b/c",
            "bytes -9/10",
            "bytes 0-/10",
        ] {
            assert_eq!(ContentRange::parse(bad), None, "{bad:?}");
        }
    }
}
