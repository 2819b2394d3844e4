//! From characters to tokens (XPath 1.0, 3.7).

use super::BadXPath;
use crate::names::{is_name_char, is_name_start, is_space};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'x> {
    /// A parenthesis, a bracket, `..`, `::` or an operator that is no word.
    Sign(&'static str),
    /// A word where an operator must stand.
    Word(&'x str),
    /// A name where an operand must stand; `*` may be either part.
    Name {
        prefix: &'x str,
        local: &'x str,
    },
    Variable {
        prefix: &'x str,
        local: &'x str,
    },
    Literal(String),
    Number(f64),
    End,
}

const SIGNS: &[&str] = &[
    "::", "//", "..", "!=", "<=", ">=", "||", "<<", ">>", "(", ")", "[", "]", ".", "@", ",", "/", "|", "+",
    "-", "=", "<", ">", "*",
];

/// Tokens with the byte they begin at; the last is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Token<'_>, usize)>, BadXPath> {
    let mut tokens: Vec<(Token<'_>, usize)> = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start_matches(is_space).len();
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else {
            tokens.push((Token::End, at));
            return Ok(tokens);
        };
        let bad = |why: &str| BadXPath { position: at, why: why.to_owned() };
        let operator_next = tokens.last().is_some_and(|(token, _)| match token {
            Token::Sign(sign) => matches!(*sign, ")" | "]" | "." | ".."),
            Token::Word(_) => false,
            _ => true,
        });
        let (token, length) = match first {
            '"' | '\'' => {
                let (literal, length) =
                    literal(rest, first).ok_or_else(|| bad("the literal does not end"))?;
                (Token::Literal(literal), length)
            }
            '0'..='9' => number(rest),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => number(rest),
            '$' => {
                let (prefix, local, length) =
                    name(&rest[1..]).ok_or_else(|| bad("a variable has no name"))?;
                if prefix == "*" || local == "*" {
                    return Err(bad("a variable has no name"));
                }
                (Token::Variable { prefix, local }, length + 1)
            }
            '*' if operator_next => (Token::Sign("*"), 1),
            _ => match name(rest) {
                Some((_, _, _)) if operator_next => {
                    let length = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
                    (Token::Word(&rest[..length]), length)
                }
                Some((prefix, local, length)) => (Token::Name { prefix, local }, length),
                None => {
                    let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                    let sign = sign.ok_or_else(|| bad("a character that has no meaning here"))?;
                    (Token::Sign(sign), sign.len())
                }
            },
        };
        tokens.push((token, at));
        at += length;
    }
}

/// A literal and its length with the quotes. A doubled quote is one quote (XPath 2.0; an error before, where
/// two literals cannot stand side by side).
fn literal(rest: &str, quote: char) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut at = 1;
    loop {
        let end = at + rest[at..].find(quote)?;
        text.push_str(&rest[at..end]);
        if !rest[end + 1..].starts_with(quote) {
            return Some((text, end + 1));
        }
        text.push(quote);
        at = end + 2;
    }
}

fn number(rest: &str) -> (Token<'_>, usize) {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut length = digits(rest);
    if rest[length..].starts_with('.') {
        length += 1 + digits(&rest[length + 1..]);
    }
    (Token::Number(rest[..length].parse().unwrap_or(f64::NAN)), length)
}

/// `local`, `prefix:local`, `prefix:*`, `*:local` or `*`, and how long it is.
fn name(rest: &str) -> Option<(&str, &str, usize)> {
    let part = |text: &str| -> Option<usize> {
        if text.starts_with('*') {
            return Some(1);
        }
        text.starts_with(is_name_start).then(|| text.find(|c| !is_name_char(c)).unwrap_or(text.len()))
    };
    let first = part(rest)?;
    if let Some(after) = rest[first..].strip_prefix(':')
        && !after.starts_with(':')
        && let Some(second) = part(after)
        && !(rest.starts_with('*') && after.starts_with('*'))
    {
        return Some((&rest[..first], &after[..second], first + 1 + second));
    }
    Some(("", &rest[..first], first))
}
