//! Numbers and strings in expressions.

use super::{Parsed, Parser};
use crate::ast::{Expr, Kind, Piece};
use crate::error::CompileError;

impl Parser<'_> {
    pub(super) fn number(&mut self) -> Result<Kind, CompileError> {
        let rest = self.rest().as_bytes();
        let digits = |from: usize| rest[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut length = digits(0);
        if rest.get(length) == Some(&b'.') && rest.get(length + 1).is_some_and(u8::is_ascii_digit) {
            length += 1 + digits(length + 1);
        }
        if matches!(rest.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(rest.get(length + 1), Some(b'+' | b'-')));
            let exponent = digits((length + 1 + sign).min(rest.len()));
            if exponent > 0 {
                length += 1 + sign + exponent;
            }
        }
        let value = serde_json::from_str(&self.rest()[..length]);
        let value = value.map_err(|_| self.error("this is not a number JSON knows"))?;
        self.at += length;
        Ok(Kind::Literal(value))
    }

    pub(super) fn string(&mut self) -> Parsed {
        let at = self.at;
        let quote = self.take().unwrap_or('"');
        let (mut pieces, mut text) = (Vec::new(), String::new());
        loop {
            match self.take() {
                None => return Err(CompileError::new(at, "the string does not end")),
                Some(c) if c == quote => break,
                Some('\\') => match self.take() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some('b') => text.push('\u{8}'),
                    Some('f') => text.push('\u{c}'),
                    Some('u') => text.push(self.unicode()?),
                    Some('(') => {
                        pieces.push(Piece::Text(std::mem::take(&mut text)));
                        pieces.push(Piece::Expr(self.pipe()?));
                        self.expect(")")?;
                    }
                    Some(c @ ('"' | '\'' | '\\' | '/')) => text.push(c),
                    _ => return Err(self.error("unknown escape in a string")),
                },
                Some(c) => text.push(c),
            }
        }
        if pieces.is_empty() {
            return Ok(Expr { at, kind: Kind::Literal(text.into()) });
        }
        pieces.push(Piece::Text(text));
        Ok(Expr { at, kind: Kind::Text(pieces) })
    }

    fn unicode(&mut self) -> Result<char, CompileError> {
        let unit = |parser: &mut Self| {
            let digits =
                parser.rest().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
            let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
            parser.at += if unit.is_some() { 4 } else { 0 };
            unit.ok_or_else(|| parser.error("\\u needs four hexadecimal digits"))
        };
        let first = unit(self)?;
        let mut units = vec![first];
        if (0xD800..0xDC00).contains(&first) && self.rest().starts_with("\\u") {
            self.at += 2;
            units.push(unit(self)?);
        }
        let decoded: Option<String> = char::decode_utf16(units).collect::<Result<_, _>>().ok();
        let mut chars = decoded.iter().flat_map(|text| text.chars());
        chars.next().ok_or_else(|| self.error("half a surrogate pair"))
    }
}
