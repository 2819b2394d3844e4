//! Where operands begin and end: values, and chains of members and calls.

use super::is_colons;
use crate::js::rhino::{Kind, Token, begins_expression};

/// The token that closes the bracket at `open`.
pub(super) fn closing(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open).filter(|(_, token)| token.kind == Kind::Sign) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

fn opening(tokens: &[Token<'_>], close: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens[..=close].iter().enumerate().rev().filter(|(_, token)| token.kind == Kind::Sign)
    {
        match token.text {
            ")" | "]" | "}" => depth += 1,
            "(" | "[" | "{" => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Where the operand begins that ends before `sign`; `None` when it is more than a chain of members and calls.
pub(super) fn first_of(tokens: &[Token<'_>], sign: usize) -> Option<usize> {
    let text = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map_or("", |token| token.text);
    let mut at = sign.checked_sub(1)?;
    loop {
        let token = tokens[at];
        let before = text(at.checked_sub(1));
        match (token.kind, token.text) {
            (Kind::Sign, ")" | "]") => {
                let open = opening(tokens, at)?;
                let Some(last) = open.checked_sub(1) else { return Some(0) };
                if tokens[last].text == "." {
                    at = last.checked_sub(1)?;
                } else if begins_expression(&tokens[last]) || is_statement(tokens[last].text) {
                    at = open;
                    break;
                } else {
                    at = last;
                }
            }
            (Kind::Sign, sign) if sign != "*" => return None,
            // A name or a value; what may stand before it belongs to it.
            _ => match before {
                "." => at = at.checked_sub(if text(at.checked_sub(2)) == "." { 3 } else { 2 })?,
                "@" => match text(at.checked_sub(2)) {
                    "." => at = at.checked_sub(if text(at.checked_sub(3)) == "." { 4 } else { 3 })?,
                    _ => {
                        at -= 1;
                        break;
                    }
                },
                ":" if text(at.checked_sub(2)) == ":" => at = at.checked_sub(3)?,
                _ if token.text == "*" => return None,
                _ => break,
            },
        }
    }
    if text(at.checked_sub(1)) == "new" {
        at -= 1;
    }
    let Some(last) = at.checked_sub(1) else { return Some(at) };
    let binds_tighter = match tokens[last].text {
        "+" | "-" | "*" | "/" | "%" | "<" | ">" | "!" | "~" | "." | "in" | "instanceof" | "typeof"
        | "void" | "delete" => true,
        // An assignment; a comparison goes first.
        "=" => matches!(text(last.checked_sub(1)), "=" | "!" | "<" | ">"),
        _ => false,
    };
    (!binds_tighter).then_some(at)
}

/// Words that parentheses follow without being a call.
fn is_statement(word: &str) -> bool {
    matches!(word, "if" | "while" | "for" | "with" | "switch" | "catch" | "each")
}

/// The last token of the operand that begins at `first`.
pub(super) fn last_of(tokens: &[Token<'_>], first: usize) -> Option<usize> {
    let mut at = first + usize::from(tokens.get(first)?.text == "new");
    match (tokens.get(at)?.kind, tokens.get(at)?.text) {
        (Kind::Sign, "(") => at = closing(tokens, at)?,
        (Kind::Sign, "@") => at += 1,
        (Kind::Word, "typeof" | "void" | "delete" | "function" | "new" | "await" | "yield") => return None,
        (Kind::Word | Kind::Number | Kind::Text | Kind::Xml, _) => {}
        _ => return None,
    }
    loop {
        let Some(next) = tokens.get(at + 1) else { return Some(at) };
        at = match (next.kind, next.text) {
            (Kind::Sign, "(" | "[") => closing(tokens, at + 1)?,
            (Kind::Sign, ".") => {
                // Up to the end of the name or the filter.
                let mut end = at + 2;
                while tokens.get(end).is_some_and(|token| matches!(token.text, "." | "@")) {
                    end += 1;
                }
                if is_colons(tokens, end + 1) {
                    end += 3;
                }
                match tokens.get(end)?.text {
                    "(" | "[" => closing(tokens, end)?,
                    _ => end,
                }
            }
            (Kind::Sign, "+" | "-" | "*" | "/" | "%" | "<" | ">") => return None,
            (Kind::Word, "in" | "instanceof") => return None,
            _ => return Some(at),
        };
    }
}
