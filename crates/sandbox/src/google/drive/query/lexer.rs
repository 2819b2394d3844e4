//! Words, quoted values and signs of a query.

use super::BadQuery;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A field, an operator or a keyword, as written.
    Word(String),
    /// A quoted value, its escapes resolved.
    Text(String),
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`.
    Sign(&'static str),
    Open,
    Close,
    OpenBrace,
    CloseBrace,
}

const SIGNS: &[&str] = &["!=", "<=", ">=", "=", "<", ">"];

/// The tokens of a query with the byte each begins at.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, BadQuery> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let (token, next) = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'(' => (Token::Open, at + 1),
            b')' => (Token::Close, at + 1),
            b'{' => (Token::OpenBrace, at + 1),
            b'}' => (Token::CloseBrace, at + 1),
            quote @ (b'\'' | b'"') => quoted(text, at, quote)?,
            b'=' | b'!' | b'<' | b'>' => {
                let sign = SIGNS.iter().find(|sign| text[at..].starts_with(**sign));
                let sign = sign.ok_or(BadQuery { at, why: "an unknown operator" })?;
                (Token::Sign(sign), at + sign.len())
            }
            b if b.is_ascii_alphanumeric() => {
                let rest = &text[at..];
                let length = rest
                    .find(|symbol: char| !(symbol.is_ascii_alphanumeric() || "._-:+".contains(symbol)))
                    .unwrap_or(rest.len());
                (Token::Word(rest[..length].to_owned()), at + length)
            }
            _ => return Err(BadQuery { at, why: "an unexpected character" }),
        };
        found.push((at, token));
        at = next;
    }
    Ok(found)
}

/// A value in quotes; a backslash makes a quote or a backslash literal.
fn quoted(text: &str, start: usize, quote: u8) -> Result<(Token, usize), BadQuery> {
    let mut value = String::new();
    let mut symbols = text[start + 1..].char_indices();
    while let Some((offset, symbol)) = symbols.next() {
        let at = start + 1 + offset;
        match symbol {
            '\\' => match symbols.next() {
                Some((_, escaped @ ('\\' | '\'' | '"'))) => value.push(escaped),
                _ => return Err(BadQuery { at, why: "a backslash before something it cannot escape" }),
            },
            symbol if symbol == char::from(quote) => return Ok((Token::Text(value), at + 1)),
            symbol => value.push(symbol),
        }
    }
    Err(BadQuery { at: start, why: "a value whose quote is never closed" })
}
