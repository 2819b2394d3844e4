//! Characters and names (XML 1.0 fifth edition, 2.2 and 2.3; Namespaces in XML 1.0, 4).

/// The namespace of the prefix `xml`.
pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of the prefix `xmlns`, which nothing may be in.
pub(crate) const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// Whether a character may stand in a document at all.
pub const fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether `text` has only characters that may stand in a document.
pub(crate) fn is_xml_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    // U+FFFE and U+FFFF begin with 0xef; other bytes from 0x20 on are always allowed.
    bytes.iter().all(|byte| (*byte >= 0x20 && *byte != 0xef) || matches!(byte, b'\t' | b'\n' | b'\r'))
        || text.chars().all(is_xml_char)
}

/// Whether a name may begin with a character; a colon is none here.
pub(crate) const fn is_name_start(c: char) -> bool {
    matches!(c, 'a'..='z' | 'A'..='Z' | '_'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}'
        | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

/// Whether a character may stand in a name after its first.
pub(crate) const fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// Whether `text` is a name without a colon.
pub fn is_nc_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if text.bytes().all(plain) {
        return text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    }
    let mut chars = text.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_char)
}

/// Splits `prefix:local` or `local`; `None` when it is neither.
pub(crate) fn split_qname(text: &str) -> Option<(&str, &str)> {
    match text.split_once(':') {
        None => is_nc_name(text).then_some(("", text)),
        Some((prefix, local)) => (is_nc_name(prefix) && is_nc_name(local)).then_some((prefix, local)),
    }
}

/// What XML calls white space.
pub(crate) const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Whether there is nothing but white space.
pub(crate) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}
