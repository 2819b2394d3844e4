//! Finds the variables and calls in a template.

use super::functions::{Argument, Call};
use super::{BadTemplate, Piece};
use crate::variable::Variable;

pub(super) fn parse(text: &str, prefix: &str, suffix: &str) -> Result<Vec<Piece>, BadTemplate> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    let mut escapes = false;
    while let Some(found) = text[at..].find(prefix) {
        let open = at + found;
        let before = &text[at..open];
        // JSON as the originals first asked to write it: `\{"a": "{variable}"\}`.
        if prefix == "{"
            && let Some(before) = before.strip_suffix('\\')
        {
            push(&mut literal, before, escapes);
            escapes = suffix == "}";
            literal.push('{');
            at = open + 1;
            continue;
        }
        push(&mut literal, before, escapes);
        let inside = open + prefix.len();
        match placeholder(&text[inside..], suffix).map_err(|why| BadTemplate { position: open, why })? {
            Some((piece, length)) => {
                flush(&mut literal, &mut pieces);
                pieces.push(piece);
                at = inside + length;
            }
            // Not the syntax of a variable: a brace of JSON or of a script, left as it is.
            None => {
                literal.push_str(prefix);
                at = inside;
            }
        }
    }
    push(&mut literal, &text[at..], escapes);
    flush(&mut literal, &mut pieces);
    Ok(pieces)
}

/// Text outside of placeholders. Behind an escaped brace a closing one may be escaped as well; elsewhere a
/// backslash is what it is, in a regular expression for example.
fn push(literal: &mut String, text: &str, escapes: bool) {
    if escapes {
        literal.push_str(&text.replace("\\}", "}"));
    } else {
        literal.push_str(text);
    }
}

fn flush(literal: &mut String, pieces: &mut Vec<Piece>) {
    if !literal.is_empty() {
        pieces.push(Piece::Literal(std::mem::take(literal).into()));
    }
}

/// Reads what follows the prefix up to and with the suffix, and says how long it is.
fn placeholder(rest: &str, suffix: &str) -> Result<Option<(Piece, usize)>, String> {
    let name_end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
    // A suffix made of name characters ends the name too.
    let name_end = rest.find(suffix).map_or(name_end, |end| name_end.min(end));
    let name = &rest[..name_end];
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok(None);
    }
    if rest[name_end..].starts_with(suffix) {
        return Ok(Some((Piece::Variable(Variable::new(name)), name_end + suffix.len())));
    }
    let Some(arguments) = rest[name_end..].strip_prefix('(') else { return Ok(None) };
    let Some((arguments, length)) = read_arguments(arguments) else { return Ok(None) };
    let end = name_end + 1 + length;
    if !rest[end..].starts_with(suffix) {
        return Ok(None);
    }
    let call = Call::compile(name, arguments)?;
    Ok(Some((Piece::Call(Box::new(call)), end + suffix.len())))
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
}

/// Reads arguments up to and with the closing parenthesis; `None` when this is no call.
fn read_arguments(text: &str) -> Option<(Vec<Argument>, usize)> {
    let mut arguments = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        let rest = &text[at..];
        if rest.starts_with(')') && arguments.is_empty() {
            return Some((arguments, at + 1));
        }
        let (argument, length) = read_argument(rest)?;
        arguments.push(argument);
        at += length;
        at += text[at..].len() - text[at..].trim_start().len();
        match text[at..].chars().next()? {
            ',' => at += 1,
            ')' => return Some((arguments, at + 1)),
            _ => return None,
        }
    }
}

fn read_argument(rest: &str) -> Option<(Argument, usize)> {
    if let Some(quoted) = rest.strip_prefix('\'') {
        let mut text = String::new();
        let mut chars = quoted.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\'' => return Some((Argument::Literal(text.into()), at + 2)),
                // Only the quote needs escaping; other backslashes belong to regular expressions.
                '\\' if quoted[at + 1..].starts_with('\'') => {
                    chars.next();
                    text.push('\'');
                }
                c => text.push(c),
            }
        }
        return None;
    }
    let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
    let word = &rest[..end];
    if word.is_empty() {
        return None;
    }
    let is_number = word.strip_prefix('-').unwrap_or(word).bytes().all(|b| b.is_ascii_digit()) && word != "-";
    let is_literal = is_number || matches!(word, "true" | "false");
    let argument =
        if is_literal { Argument::Literal(word.into()) } else { Argument::Variable(Variable::new(word)) };
    Some((argument, end))
}
