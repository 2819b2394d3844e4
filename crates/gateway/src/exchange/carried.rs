//! Headers that go through unread.

use std::ops::Range;

use bytes::Bytes;

/// The end-to-end header lines of a target's response as they came, for an exchange in which nobody can look
/// at them any more: neither names nor values are taken out of the bytes.
#[derive(Debug, Clone)]
pub(crate) struct Carried {
    head: Bytes,
    /// The lines that go on, in runs without a gap; the rest concerned the connection to the target.
    runs: [(u32, u32); RUNS],
    used: usize,
    has_date: bool,
}

/// Few responses say something about the connection in more than three places.
const RUNS: usize = 4;

impl Carried {
    pub(crate) fn new(head: Bytes) -> Self {
        Self { head, runs: [(0, 0); RUNS], used: 0, has_date: false }
    }

    /// Keeps a line, which ends with CR LF. False when there is no room for it.
    pub(crate) fn keep(&mut self, name: &[u8], line: Range<usize>) -> bool {
        // Ours is the name of the request.
        if name.eq_ignore_ascii_case(b"x-request-id") {
            return true;
        }
        self.has_date |= name.eq_ignore_ascii_case(b"date");
        let (Ok(start), Ok(end)) = (u32::try_from(line.start), u32::try_from(line.end)) else { return false };
        match self.used.checked_sub(1).map(|last| &mut self.runs[last]) {
            Some(last) if last.1 == start => last.1 = end,
            _ if self.used == RUNS => return false,
            _ => {
                self.runs[self.used] = (start, end);
                self.used += 1;
            }
        }
        true
    }

    /// Whether a Date is among them.
    pub(crate) fn has_date(&self) -> bool {
        self.has_date
    }

    /// The lines, each with its CR LF.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.runs[..self.used].iter().map(|&(start, end)| &self.head[start as usize..end as usize])
    }
}
