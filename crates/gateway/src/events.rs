//! The text of server-sent events (HTML Standard §9.2.6, "interpreting an event stream").

use std::borrow::Cow;

use memchr::memchr2;

/// Finds where an event ends in bytes that arrive bit by bit. Nothing is looked at twice.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Splitter {
    /// Where the line begins whose end has not come.
    line: usize,
    /// No line end lies between there and here.
    searched: usize,
}

impl Splitter {
    /// The length of the event at the front of `bytes` with the empty line that ends it; `None` when that has not
    /// come. After `Some` the next event begins at the front.
    pub(crate) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(offset) = memchr2(b'\n', b'\r', &bytes[self.searched..]) {
            let end = self.searched + offset;
            let next = match bytes[end..] {
                // It may be the first half of a line end.
                [b'\r'] => return None,
                [b'\r', b'\n', ..] => end + 2,
                _ => end + 1,
            };
            if end == self.line {
                *self = Self::default();
                return Some(next);
            }
            (self.line, self.searched) = (next, next);
        }
        self.searched = bytes.len();
        None
    }
}

/// Whether a client would be told anything: comments only keep a connection open.
pub(crate) fn is_event(block: &[u8]) -> bool {
    lines(block).any(|line| !matches!(line, [] | [b':', ..]))
}

/// The event without the empty line that ends it.
pub(crate) fn content(block: &[u8]) -> Cow<'_, str> {
    let ends = block.iter().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    String::from_utf8_lossy(&block[..block.len() - ends])
}

/// What its `data` lines say.
pub(crate) fn data(block: &[u8]) -> String {
    let values = lines(block).filter_map(|line| match line {
        b"data" => Some(&b""[..]),
        line => line.strip_prefix(b"data:").map(|value| value.strip_prefix(b" ").unwrap_or(value)),
    });
    let values: Vec<Cow<'_, str>> = values.map(String::from_utf8_lossy).collect();
    values.join("\n")
}

/// What a step made of an event, as it is sent: a text that is no event becomes the data of one, and each event
/// ends. An empty text is no event.
pub(crate) fn written(text: &str) -> String {
    const FIELDS: [&str; 5] = ["data", "event", "id", "retry", ":"];
    let body = text.trim_matches(['\r', '\n']);
    if body.is_empty() {
        return String::new();
    }
    let is_field = |line: &str| {
        let name = line.split_once(':').map_or(line, |(name, _)| name);
        line.starts_with(':') || FIELDS.contains(&name)
    };
    if body.lines().next().is_some_and(is_field) {
        return format!("{body}\n\n");
    }
    let lines: Vec<String> = body.lines().map(|line| format!("data: {line}\n")).collect();
    format!("{}\n", lines.concat())
}

fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    block.split(|byte| matches!(byte, b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(wire: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
        let (mut splitter, mut buffer, mut found) = (Splitter::default(), Vec::new(), Vec::new());
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (wire.len() + 1)).collect();
        cuts.push(wire.len());
        cuts.sort_unstable();
        let mut at = 0;
        for cut in cuts {
            buffer.extend_from_slice(&wire[at..cut]);
            at = cut;
            while let Some(end) = splitter.end(&buffer) {
                found.push(buffer.drain(..end).collect());
            }
        }
        found.push(buffer);
        found
    }

    #[test]
    fn an_event_ends_with_an_empty_line_whatever_ends_lines() {
        for wire in ["data: a\n\nb: 1", "data: a\r\n\r\nb: 1", "data: a\r\rb: 1"] {
            let events = split(wire.as_bytes(), &[]);
            assert_eq!((events.len(), content(&events[0])), (2, "data: a".into()), "{wire:?}");
        }
    }

    #[test]
    fn comments_are_no_events() {
        assert!(!is_event(b": ping\n\n") && !is_event(b"\r\n"));
        assert!(is_event(b": ping\ndata: x\n\n") && is_event(b"event: e\n\n"));
    }

    #[test]
    fn data_lines_are_one_text() {
        assert_eq!(data(b"id: 7\r\ndata: {\"a\":1,\r\ndata:\"b\":2}\r\n\r\n"), "{\"a\":1,\n\"b\":2}");
        assert_eq!((data(b"data\n\n"), data(b"event: e\n\n")), (String::new(), String::new()));
    }

    #[test]
    fn what_a_step_writes_is_always_an_event() {
        for (text, sent) in [
            ("data: a", "data: a\n\n"),
            ("data: a\n\ndata: b\n\n", "data: a\n\ndata: b\n\n"),
            ("event: e\r\ndata: a\r\n\r\n", "event: e\r\ndata: a\n\n"),
            ("{\"a\":1}", "data: {\"a\":1}\n\n"),
            ("one\ntwo", "data: one\ndata: two\n\n"),
            ("\n", ""),
            ("", ""),
        ] {
            assert_eq!(written(text), sent, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn however_the_bytes_are_cut_the_events_are_the_same(
            wire in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'a'), Just(b':')], 0..60),
            cuts in prop::collection::vec(any::<usize>(), 0..8),
        ) {
            let once = split(&wire, &[]);
            prop_assert_eq!(once.concat(), wire.clone(), "nothing is lost");
            prop_assert_eq!(once, split(&wire, &cuts));
        }
    }
}
