//! Java's regular expressions, as far as they mean the same without backtracking.

use regex::{Regex, RegexBuilder};

/// A regular expression that must match the whole text.
pub(crate) fn whole(java: &str) -> Result<Regex, String> {
    build(&format!("^(?:{})$", translate(java)?), java)
}

/// A regular expression that may match anywhere.
pub(crate) fn anywhere(java: &str) -> Result<Regex, String> {
    build(&translate(java)?, java)
}

/// The expression in the syntax of the `regex` crates.
pub(crate) fn translated(java: &str) -> Result<String, String> {
    translate(java)
}

fn build(pattern: &str, java: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern).size_limit(1 << 20).build().map_err(|error| {
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        format!("the regular expression \"{java}\" does not compile: {why}")
    })
}

/// Rewrites what Java means differently (`\d`, `\w`, `\s` and `\b` are ASCII there, `\Q…\E` quotes) and
/// names what cannot be run without backtracking. An engine that backtracks can be stopped by one request.
fn translate(java: &str) -> Result<String, String> {
    let mut out = String::with_capacity(java.len() + 8);
    let mut rest = java;
    // After a quantifier, another `+` makes it possessive.
    let mut quantified = false;
    let mut class_depth = 0usize;
    while let Some(c) = rest.chars().next() {
        if class_depth == 0 {
            for (construct, name) in UNSUPPORTED_GROUPS {
                if rest.starts_with(construct) {
                    return Err(unsupported(name, construct));
                }
            }
            if quantified && c == '+' {
                return Err(unsupported("possessive quantifier", "+"));
            }
        }
        let mut length = c.len_utf8();
        let mut is_quantifier = false;
        match c {
            '\\' => length = escape(rest, class_depth > 0, &mut out)?,
            '[' => {
                class_depth += 1;
                out.push(c);
            }
            ']' => {
                class_depth = class_depth.saturating_sub(1);
                out.push(c);
            }
            _ => {
                is_quantifier = class_depth == 0 && matches!(c, '*' | '+' | '?' | '}') && !quantified;
                out.push(c);
            }
        }
        // `(?` opens a group, it quantifies nothing.
        if c == '?' && out.ends_with("(?") {
            is_quantifier = false;
        }
        quantified = is_quantifier;
        rest = &rest[length..];
    }
    Ok(out)
}

const UNSUPPORTED_GROUPS: &[(&str, &str)] = &[
    ("(?=", "look-ahead"),
    ("(?!", "negative look-ahead"),
    ("(?<=", "look-behind"),
    ("(?<!", "negative look-behind"),
    ("(?>", "atomic group"),
];

/// Writes one escape and returns its length in `rest`.
fn escape(rest: &str, in_class: bool, out: &mut String) -> Result<usize, String> {
    let Some(next) = rest[1..].chars().next() else {
        return Err("the regular expression ends in '\\'".into());
    };
    match next {
        'd' => out.push_str("[0-9]"),
        'D' => out.push_str("[^0-9]"),
        'w' => out.push_str("[A-Za-z0-9_]"),
        'W' => out.push_str("[^A-Za-z0-9_]"),
        's' => out.push_str("[ \\t\\n\\x0B\\f\\r]"),
        'S' => out.push_str("[^ \\t\\n\\x0B\\f\\r]"),
        'b' if !in_class => out.push_str("(?-u:\\b)"),
        'h' => out.push_str("[ \\t\\x{A0}]"),
        'e' => out.push_str("\\x1B"),
        'Z' => out.push_str("\\n?\\z"),
        'u' => {
            let digits = rest.get(2..6).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
            let digits = digits.ok_or("\\u needs four hex digits")?;
            out.push_str(&format!("\\x{{{digits}}}"));
            return Ok(6);
        }
        'Q' => {
            let quoted = &rest[2..];
            let (quoted, length) =
                quoted.find("\\E").map_or((quoted, rest.len()), |end| (&quoted[..end], end + 4));
            out.push_str(&regex::escape(quoted));
            return Ok(length);
        }
        '1'..='9' | 'k' => return Err(unsupported("back-reference", &rest[..2])),
        'G' | 'R' | 'X' | 'H' | 'V' | 'v' | 'B' | 'c' | 'N' | '0' => {
            return Err(unsupported("Java escape", &rest[..2]));
        }
        '<' | '>' => out.push(next),
        _ => {
            out.push('\\');
            out.push(next);
        }
    }
    Ok(1 + next.len_utf8())
}

fn unsupported(name: &str, construct: &str) -> String {
    format!("the regular expression uses a {name} ('{construct}'), which is not supported")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_only_constructs_are_named() {
        for (pattern, name) in [
            ("(?=a)b", "look-ahead"),
            ("(?!a)b", "negative look-ahead"),
            ("(?<=a)b", "look-behind"),
            ("(?<!a)b", "negative look-behind"),
            ("(?>a)b", "atomic group"),
            ("(a)\\1", "back-reference"),
            ("(?<x>a)\\k<x>", "back-reference"),
            ("a*+b", "possessive quantifier"),
            ("a++b", "possessive quantifier"),
            ("a?+b", "possessive quantifier"),
            ("a{2}+b", "possessive quantifier"),
            ("\\Ga", "Java escape"),
        ] {
            let why = whole(pattern).unwrap_err();
            assert!(why.contains(name), "{pattern}: {why}");
        }
    }

    #[test]
    fn the_whole_text_must_match() {
        for (pattern, text, fits) in [
            ("a|b", "ab", false),
            ("a|b", "b", true),
            ("\\d{3}", "123", true),
            ("\\d", "٣", false),
            ("[\\w.]+", "a_1.b", true),
            ("\\Qa.b\\E+", "a.bb", true),
            ("\\Qa.b\\E", "axb", false),
            ("a+?b??", "aab", true),
            ("(?i)get", "GET", true),
            ("(?:x)?y", "y", true),
            ("\\u0041", "A", true),
            ("[+*]+", "+*", true),
        ] {
            assert_eq!(whole(pattern).unwrap().is_match(text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn a_broken_expression_is_quoted() {
        assert!(whole("(a").unwrap_err().contains("\"(a\""));
        assert!(whole("a\\").is_err());
    }

    proptest::proptest! {
        #[test]
        fn translating_never_panics(pattern in "\\PC{0,40}") {
            let _ = anywhere(&pattern);
        }
    }
}
