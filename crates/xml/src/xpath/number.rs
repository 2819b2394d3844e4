//! Numbers as text and back (XPath 1.0, 4.4).

use crate::names::is_space;

/// The number that `text` is; NaN when it is none.
pub(crate) fn parse_number(text: &str) -> f64 {
    let text = text.trim_matches(is_space);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = digits.bytes().any(|byte| byte.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.bytes().filter(|byte| *byte == b'.').count() <= 1;
    if is_number { text.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}

/// A number as the function `string` writes it: no exponent, no point without digits after it.
pub(crate) fn write_number(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else if number == 0.0 {
        "0".to_owned()
    } else {
        number.to_string()
    }
}

/// Half goes up, as `round` has it; -0.2 gives -0.
pub(super) fn round(number: f64) -> f64 {
    if number.fract() == 0.0 {
        number
    } else if (-0.5..0.0).contains(&number) {
        -0.0
    } else {
        (number + 0.5).floor()
    }
}
