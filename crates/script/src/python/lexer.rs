//! Lines, blocks and tokens.

use super::NotTranslated;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Whole,
    Fraction,
    Text,
    Sign,
    Newline,
    Indent,
    Dedent,
    End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// As written; of a text its value.
    pub(super) text: String,
    /// 1-based.
    pub(super) line: usize,
}

/// The longest first.
const SIGNS: &[&str] = &[
    "**=", "//=", ">>=", "<<=", "**", "//", "==", "!=", "<>", "<=", ">=", "+=", "-=", "*=", "/=", "%=", "|=",
    "&=", "^=", "<<", ">>", "+", "-", "*", "/", "%", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ":",
    ".", ";", "@", "|", "&", "^", "~", "`",
];

struct Lexer<'s> {
    rest: &'s str,
    line: usize,
    /// Open brackets: a line that ends within goes on.
    depth: usize,
    indents: Vec<usize>,
    tokens: Vec<Token>,
}

pub(super) fn tokens(source: &str) -> Result<Vec<Token>, NotTranslated> {
    let rest = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mut lexer = Lexer { rest, line: 1, depth: 0, indents: vec![0], tokens: Vec::new() };
    lexer.run()?;
    Ok(lexer.tokens)
}

impl Lexer<'_> {
    fn run(&mut self) -> Result<(), NotTranslated> {
        self.indentation()?;
        while let Some(first) = self.rest.chars().next() {
            match first {
                '\n' => {
                    self.take(1);
                    if self.depth == 0 {
                        self.newline();
                        self.line += 1;
                        self.indentation()?;
                    } else {
                        self.line += 1;
                    }
                }
                ' ' | '\t' | '\r' | '\u{c}' => self.take(1),
                '#' => self.take(self.rest.find('\n').unwrap_or(self.rest.len())),
                '\\' if self.rest[1..].trim_start_matches('\r').starts_with('\n') => {
                    self.take(self.rest.find('\n').unwrap_or(0) + 1);
                    self.line += 1;
                }
                _ => self.token(first)?,
            }
        }
        self.newline();
        while self.indents.len() > 1 {
            self.indents.pop();
            self.push(Kind::Dedent, "");
        }
        self.push(Kind::End, "");
        Ok(())
    }

    fn take(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    fn push(&mut self, kind: Kind, text: &str) {
        self.tokens.push(Token { kind, text: text.to_owned(), line: self.line });
    }

    fn newline(&mut self) {
        let ends_a_line = |token: &Token| !matches!(token.kind, Kind::Newline | Kind::Indent | Kind::Dedent);
        if self.tokens.last().is_some_and(ends_a_line) {
            self.push(Kind::Newline, "");
        }
    }

    fn bad(&self, message: &str) -> NotTranslated {
        NotTranslated { line: self.line, message: message.to_owned() }
    }

    /// At the beginning of a line: blocks begin and end. Empty lines and comments say nothing about blocks.
    fn indentation(&mut self) -> Result<(), NotTranslated> {
        let mut width = 0;
        let mut bytes = 0;
        for c in self.rest.chars() {
            match c {
                ' ' => width += 1,
                '\t' => width = width / 8 * 8 + 8,
                '\u{c}' => width = 0,
                _ => break,
            }
            bytes += 1;
        }
        let after = self.rest[bytes..].trim_start_matches('\r');
        if after.is_empty() || after.starts_with(['\n', '#']) {
            return Ok(());
        }
        self.take(bytes);
        if width > self.indents.last().copied().unwrap_or(0) {
            self.indents.push(width);
            if self.indents.len() > 40 {
                return Err(self.bad("blocks nest too deeply"));
            }
            self.push(Kind::Indent, "");
        }
        while width < self.indents.last().copied().unwrap_or(0) {
            self.indents.pop();
            self.push(Kind::Dedent, "");
        }
        if width != self.indents.last().copied().unwrap_or(0) {
            return Err(self.bad("the indentation fits no block around it"));
        }
        Ok(())
    }

    fn token(&mut self, first: char) -> Result<(), NotTranslated> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if first.is_ascii_digit() || first == '.' && self.rest[1..].starts_with(|c: char| c.is_ascii_digit())
        {
            return self.number();
        }
        if first == '"' || first == '\'' {
            return self.string(false);
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let length = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
            let (word, after) = self.rest.split_at(length);
            if length <= 2 && after.starts_with(['"', '\'']) {
                let prefix = word.to_ascii_lowercase();
                if prefix.bytes().all(|b| matches!(b, b'r' | b'u' | b'b')) {
                    self.take(length);
                    return self.string(prefix.contains('r'));
                }
            }
            self.push(Kind::Name, word);
            self.take(length);
            return Ok(());
        }
        let Some(sign) = SIGNS.iter().find(|sign| self.rest.starts_with(**sign)) else {
            return Err(self.bad(&format!("'{first}' is not understood here")));
        };
        match *sign {
            "(" | "[" | "{" => self.depth += 1,
            ")" | "]" | "}" => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.push(Kind::Sign, sign);
        self.take(sign.len());
        Ok(())
    }

    fn number(&mut self) -> Result<(), NotTranslated> {
        let mut length =
            self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(self.rest.len());
        let is_hex = self.rest.starts_with("0x") || self.rest.starts_with("0X");
        if !is_hex && self.rest[..length].ends_with(['e', 'E']) && self.rest[length..].starts_with(['+', '-'])
        {
            let digits = self.rest[length + 1..].bytes().take_while(u8::is_ascii_digit).count();
            length += 1 + digits;
        }
        let written = self.rest[..length].trim_end_matches(['l', 'L']).to_ascii_lowercase();
        let whole = match written.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None if written.len() > 1 && written.starts_with('0') && !written.contains('.') => {
                u64::from_str_radix(written.trim_start_matches("0o"), 8).ok()
            }
            None => written.parse().ok(),
        };
        match (whole, written.parse::<f64>()) {
            (Some(whole), _) if whole < (1 << 53) => self.push(Kind::Whole, &whole.to_string()),
            (None, Ok(fraction)) if fraction.is_finite() && written.contains(['.', 'e']) => {
                self.push(Kind::Fraction, &format!("{fraction:?}"));
            }
            _ => return Err(self.bad(&format!("'{written}' is no number that is understood here"))),
        }
        self.take(length);
        Ok(())
    }

    fn string(&mut self, raw: bool) -> Result<(), NotTranslated> {
        let quote = if self.rest.starts_with("\"\"\"") || self.rest.starts_with("'''") { 3 } else { 1 };
        let (mark, began) = (self.rest[..quote].to_owned(), self.line);
        self.take(quote);
        let mut value = String::new();
        loop {
            if self.rest.starts_with(&*mark) {
                self.take(quote);
                break;
            }
            let Some(c) = self.rest.chars().next() else { return Err(self.bad("a text is not closed")) };
            if c == '\n' {
                if quote == 1 {
                    return Err(self.bad("a text is not closed"));
                }
                self.line += 1;
            }
            self.take(c.len_utf8());
            if c == '\\' {
                self.escape(raw, &mut value)?;
            } else {
                value.push(c);
            }
        }
        let line = self.line;
        self.line = began;
        self.push(Kind::Text, &value);
        self.line = line;
        Ok(())
    }

    fn escape(&mut self, raw: bool, value: &mut String) -> Result<(), NotTranslated> {
        let Some(c) = self.rest.chars().next() else { return Err(self.bad("a text is not closed")) };
        self.take(c.len_utf8());
        if c == '\n' {
            self.line += 1;
        }
        if raw {
            value.extend(['\\', c]);
            return Ok(());
        }
        match c {
            '\n' => {}
            'n' => value.push('\n'),
            't' => value.push('\t'),
            'r' => value.push('\r'),
            'a' => value.push('\u{7}'),
            'b' => value.push('\u{8}'),
            'f' => value.push('\u{c}'),
            'v' => value.push('\u{b}'),
            '\\' | '\'' | '"' => value.push(c),
            'x' | 'u' => {
                let digits = if c == 'x' { 2 } else { 4 };
                let code = self.rest.get(..digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
                let c = code.and_then(char::from_u32).ok_or_else(|| self.bad("a bad escape in a text"))?;
                self.take(digits);
                value.push(c);
            }
            '0'..='7' => {
                let more = self.rest.bytes().take(2).take_while(|b| (b'0'..=b'7').contains(b)).count();
                let code = u32::from_str_radix(&format!("{c}{}", &self.rest[..more]), 8);
                self.take(more);
                value.extend(code.ok().and_then(char::from_u32));
            }
            other => value.extend(['\\', other]),
        }
        Ok(())
    }
}
