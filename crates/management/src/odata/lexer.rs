//! Literals and words of URLs: in key predicates and in `$filter`.

use super::ODataError;

/// One word of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name or an operator word; may hold `/` (a path into a complex value).
    Word(String),
    /// `'…'` with doubled quotes undone.
    Text(String),
    /// A whole or decimal number, type suffixes removed.
    Number(f64),
    /// `(`, `)` or `,` or `=`.
    Sign(char),
}

/// Cuts decoded text into tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ODataError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            _ if first.is_whitespace() => {
                rest = &rest[first.len_utf8()..];
                continue;
            }
            '(' | ')' | ',' | '=' => (Token::Sign(first), 1),
            '\'' => quoted(rest).ok_or_else(|| ODataError::bad("a text in quotes has no closing quote"))?,
            '0'..='9' | '-' => number(rest)?,
            _ if first.is_alphabetic() || first == '_' || first == '$' => word(rest),
            _ => {
                return Err(ODataError::bad(format!(
                    "the character '{}' is not expected",
                    first.escape_default()
                )));
            }
        };
        tokens.push(token);
        rest = &rest[length..];
    }
    Ok(tokens)
}

/// A quoted text at the beginning of `rest`, and its length with quotes.
fn quoted(rest: &str) -> Option<(Token, usize)> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, char)) = chars.next() {
        if char != '\'' {
            text.push(char);
        } else if chars.peek().is_some_and(|(_, next)| *next == '\'') {
            chars.next();
            text.push('\'');
        } else {
            return Some((Token::Text(text), at + 1));
        }
    }
    None
}

fn number(rest: &str) -> Result<(Token, usize), ODataError> {
    let end = rest
        .char_indices()
        .skip(1)
        .find(|(_, char)| !char.is_ascii_alphanumeric() && *char != '.')
        .map_or(rest.len(), |(at, _)| at);
    let digits = rest[..end].trim_end_matches(['L', 'l', 'M', 'm', 'd', 'D', 'f', 'F']);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    let value = if plain { digits.parse().ok() } else { None };
    value
        .map(|value| (Token::Number(value), end))
        .ok_or_else(|| ODataError::bad("a number is not written as a number"))
}

fn word(rest: &str) -> (Token, usize) {
    let part = |char: char| char.is_alphanumeric() || matches!(char, '_' | '$' | '/' | '.');
    let end = rest.char_indices().find(|(_, char)| !part(*char)).map_or(rest.len(), |(at, _)| at);
    (Token::Word(rest[..end].to_owned()), end)
}

/// A text as an OData literal: in quotes, quotes doubled.
pub(super) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_quoted_text_reads_back(text in ".{0,40}") {
            prop_assert_eq!(tokens(&quote(&text)).unwrap(), [Token::Text(text)]);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}") {
            let _ = tokens(&text);
        }
    }

    #[test]
    fn numbers_lose_their_type_suffix() {
        assert_eq!(tokens("12L 1.5d -3").unwrap(), [12.0, 1.5, -3.0].map(Token::Number));
        assert!(tokens("1x2").is_err());
        assert!(tokens("-").is_err());
        assert!(tokens("'open").is_err());
    }
}
