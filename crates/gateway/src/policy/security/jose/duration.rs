//! Lengths of time as the token policies write them: `30`, `30s`, `10m`, `2h`, `1d`.

use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;

/// Milliseconds behind a text; a bare number is seconds.
pub(crate) fn read(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1000,
        "ms" => 1,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    digits.trim().parse::<i64>().ok().filter(|number| *number >= 0)?.checked_mul(unit)
}

/// The length of time in an element.
pub(crate) fn of(policy: &mut Blueprint<'_>, element: &Element) -> Option<i64> {
    let read = read(element.text());
    if read.is_none() {
        let message = format!("'{}' is not a number followed by s, m, h or d", element.text());
        policy.problem(element, "InvalidValueForElement", message);
    }
    read
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn durations_are_seconds_unless_they_say_otherwise() {
        for (text, millis) in
            [("5", 5000), ("5s", 5000), ("60m", 3_600_000), ("2h", 7_200_000), ("1d", 86_400_000)]
        {
            assert_eq!(read(text), Some(millis), "{text}");
        }
        for text in ["", "m", "-1", "1w", "1 000", "99999999999999999999d", "9223372036854775807d"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
