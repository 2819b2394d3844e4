//! Words, literals and symbols of conditions.

use super::BadCondition;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'t> {
    /// A variable or a word operator.
    Word(&'t str),
    Text(&'t str),
    Number(&'t str),
    Symbol(&'static str),
}

/// Longest first, so that `~~` is not two `~`.
const SYMBOLS: &[&str] = &[
    "!~~", "!~/", "!~", "!=", "!", "==", "=|", "=", ":=", ">=", ">", "<=", "<", "~~", "~/", "/~", "~", "&&",
    "||", "(", ")",
];

/// Splits `text` into tokens, each with its byte position.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token<'_>)>, BadCondition> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let rest = &text[at..];
        let (token, length) = token(rest).map_err(|why| BadCondition::at(at, why))?;
        out.push((at, token));
        at += length;
    }
    Ok(out)
}

fn token(rest: &str) -> Result<(Token<'_>, usize), String> {
    let first = rest.chars().next().unwrap_or(' ');
    match first {
        '"' => {
            let end = rest[1..].find('"').ok_or("the text has no closing double quote")?;
            Ok((Token::Text(&rest[1..=end]), end + 2))
        }
        '\'' => Err("text is written in double quotes, not in single ones".into()),
        '{' | '}' => Err("braces are not allowed: write a variable by its bare name".into()),
        'a'..='z' | 'A'..='Z' => {
            let end = end_of(rest, |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
            Ok((Token::Word(&rest[..end]), end))
        }
        '0'..='9' | '-' | '.' => {
            let end = 1 + end_of(&rest[1..], |c| c.is_ascii_alphanumeric() || c == '.');
            Ok((Token::Number(&rest[..end]), end))
        }
        _ => SYMBOLS
            .iter()
            .find(|symbol| rest.starts_with(**symbol))
            .map(|symbol| (Token::Symbol(symbol), symbol.len()))
            .ok_or_else(|| format!("unexpected character '{}'", first.escape_debug())),
    }
}

fn end_of(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}
