//! The `Range` header, RFC 9110 §14: one range of bytes.

/// What part of contents is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Whole,
    /// The first byte and how many.
    Part {
        start: u64,
        length: u64,
    },
    /// Nothing of it is there: 416.
    Outside,
}

/// Reads the header for contents of `size` bytes. What is no single range of bytes is ignored, as the RFC
/// allows and Google does.
pub(crate) fn read(header: Option<&str>, size: u64) -> Wanted {
    let Some(spec) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
        return Wanted::Whole;
    };
    let Some((first, last)) = spec.split_once('-') else { return Wanted::Whole };
    let (first, last) = (first.trim(), last.trim());
    let number =
        |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    match (number(first), number(last)) {
        (Some(start), _) if start >= size && (last.is_empty() || number(last).is_some()) => Wanted::Outside,
        (Some(start), None) if last.is_empty() => Wanted::Part { start, length: size - start },
        (Some(start), Some(last)) if last >= start => {
            Wanted::Part { start, length: last.min(size - 1) - start + 1 }
        }
        (None, Some(0)) if first.is_empty() => Wanted::Outside,
        (None, Some(_)) if first.is_empty() && size == 0 => Wanted::Outside,
        (None, Some(suffix)) if first.is_empty() => {
            let length = suffix.min(size);
            Wanted::Part { start: size - length, length }
        }
        _ => Wanted::Whole,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        let part = |start, length| Wanted::Part { start, length };
        for (header, wanted) in [
            ("bytes=0-0", part(0, 1)),
            ("bytes=2-", part(2, 8)),
            ("bytes=-3", part(7, 3)),
            ("bytes=-30", part(0, 10)),
            ("bytes=8-100", part(8, 2)),
            ("bytes=10-", Wanted::Outside),
            ("bytes=-0", Wanted::Outside),
            ("bytes=5-2", Wanted::Whole),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
        ] {
            assert_eq!(read(Some(header), 10), wanted, "{header}");
        }
        assert_eq!(read(Some("bytes=0-"), 0), Wanted::Outside);
        assert_eq!(read(None, 0), Wanted::Whole);
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_contents(header in "bytes=[0-9]{0,3}-[0-9]{0,3}", size in 0u64..500) {
            if let Wanted::Part { start, length } = read(Some(&header), size) {
                prop_assert!(length > 0 && start + length <= size);
            }
        }
    }
}
