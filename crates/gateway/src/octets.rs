//! What single bytes of HTTP/1.1 heads may be.

/// One table for all classes: a head costs one look-up per byte.
const CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    mark(&mut table, b"!#$%&'*+-.^_`|~", IS_TOKEN);
    let mut byte = 0;
    while byte < 256 {
        if (byte as u8).is_ascii_alphanumeric() {
            table[byte] |= IS_TOKEN | IS_HOST;
        }
        if 0x21 <= byte && byte < 0x7f {
            table[byte] |= IS_TARGET;
        }
        byte += 1;
    }
    mark(&mut table, b"-._~!$&'()*+;=:[]%", IS_HOST);
    let not_in_targets = b"#<>`";
    let mut at = 0;
    while at < not_in_targets.len() {
        table[not_in_targets[at] as usize] &= !IS_TARGET;
        at += 1;
    }
    table
};

/// RFC 9110 §5.6.2, `tchar`.
const IS_TOKEN: u8 = 1;
/// RFC 3986 §3.2.2 and a port.
const IS_HOST: u8 = 2;
/// What a request target may hold unescaped, and what clients leave unescaped without harm.
const IS_TARGET: u8 = 4;

const fn mark(table: &mut [u8; 256], bytes: &[u8], class: u8) {
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] |= class;
        at += 1;
    }
}

pub(crate) const fn is_token(byte: u8) -> bool {
    CLASSES[byte as usize] & IS_TOKEN != 0
}

pub(crate) const fn is_host(byte: u8) -> bool {
    CLASSES[byte as usize] & IS_HOST != 0
}

pub(crate) const fn is_target(byte: u8) -> bool {
    CLASSES[byte as usize] & IS_TARGET != 0
}

/// A control character other than a tab.
const fn is_control(byte: u8) -> bool {
    ((byte < b' ') & (byte != b'\t')) | (byte == 0x7f)
}

/// Whether a header value or a reason phrase holds a control character other than a tab.
pub(crate) fn has_control(value: &[u8]) -> bool {
    // A fold without an early exit compiles to vector instructions.
    value.iter().fold(false, |found, &byte| found | is_control(byte))
}

/// How many control characters other than tabs there are.
pub(crate) fn count_controls(bytes: &[u8]) -> usize {
    // Sums of single bytes compile to vector instructions; no sum of 255 overflows one.
    let of = |part: &[u8]| part.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(u8::from(is_control(byte))));
    bytes.chunks(255).map(|part| usize::from(of(part))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_counted_whatever_the_length() {
        for length in [0, 1, 16, 254, 255, 256, 1000] {
            assert_eq!(count_controls(&vec![b'\n'; length]), length);
            assert_eq!(count_controls(&vec![b'\t'; length]), 0);
        }
        assert_eq!(count_controls(b"a: b\x7f \xff\r\n"), 3);
    }
}
