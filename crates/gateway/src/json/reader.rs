//! JSON token by token (RFC 8259), in one pass and without a stack of calls.

use std::borrow::Cow;

/// A part of a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token<'t> {
    BeginObject,
    EndObject,
    BeginArray,
    EndArray,
    /// Of a member; its value follows.
    Name(Cow<'t, str>),
    Text(Cow<'t, str>),
    /// As written.
    Number(&'t str),
    Bool(bool),
    Null,
}

/// Text that is no JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why} at line {line}")]
pub(crate) struct BadJson {
    /// 1-based.
    pub(crate) line: usize,
    pub(crate) why: &'static str,
}

/// Reads tokens. After an error there are no more.
#[derive(Debug)]
pub(crate) struct Reader<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    /// Open containers; true for objects.
    open: Vec<bool>,
    expect: Expect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    Name,
    NameOrEnd,
    CommaOrEnd,
    Nothing,
}

impl<'t> Reader<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        // A byte order mark is no part of the document.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { text, at: 0, line: 1, open: Vec::new(), expect: Expect::Value }
    }

    /// The line of the last token, from 1. No token spans lines.
    pub(crate) const fn line(&self) -> usize {
        self.line
    }

    /// How many containers are open.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Whether what lies in `depth` open containers is an item of an array.
    pub(crate) fn is_in_array(&self, depth: usize) -> bool {
        depth.checked_sub(1).and_then(|last| self.open.get(last)).is_some_and(|is_object| !is_object)
    }

    pub(crate) const fn bad(&self, why: &'static str) -> BadJson {
        BadJson { line: self.line, why }
    }

    /// The next token; `None` after the end of a whole document.
    pub(crate) fn next(&mut self) -> Result<Option<Token<'t>>, BadJson> {
        self.skip_blanks();
        if self.expect == Expect::CommaOrEnd && self.peek() == Some(b',') {
            self.at += 1;
            self.expect = if self.in_object() { Expect::Name } else { Expect::Value };
            self.skip_blanks();
        }
        let Some(byte) = self.peek() else {
            return match self.expect {
                Expect::Nothing => Ok(None),
                _ => Err(self.bad("the document ends too early")),
            };
        };
        match (self.expect, byte) {
            (Expect::Nothing, _) => Err(self.bad("something follows the document")),
            (Expect::CommaOrEnd | Expect::NameOrEnd, b'}') if self.in_object() => {
                Ok(Some(self.close(Token::EndObject)))
            }
            (Expect::CommaOrEnd | Expect::ValueOrEnd, b']') if !self.in_object() => {
                Ok(Some(self.close(Token::EndArray)))
            }
            (Expect::CommaOrEnd, _) => Err(self.bad("a comma or the end is missing")),
            (Expect::Name | Expect::NameOrEnd, b'"') => {
                let name = self.string()?;
                self.skip_blanks();
                if self.peek() != Some(b':') {
                    return Err(self.bad("a colon is missing"));
                }
                self.at += 1;
                self.expect = Expect::Value;
                Ok(Some(Token::Name(name)))
            }
            (Expect::Name | Expect::NameOrEnd, _) => Err(self.bad("a name is missing")),
            (Expect::Value | Expect::ValueOrEnd, byte) => self.value(byte).map(Some),
        }
    }

    fn value(&mut self, byte: u8) -> Result<Token<'t>, BadJson> {
        let token = match byte {
            b'{' | b'[' => {
                self.at += 1;
                self.open.push(byte == b'{');
                let (token, expect) = match byte {
                    b'{' => (Token::BeginObject, Expect::NameOrEnd),
                    _ => (Token::BeginArray, Expect::ValueOrEnd),
                };
                self.expect = expect;
                return Ok(token);
            }
            b'"' => Token::Text(self.string()?),
            b't' => self.word("true", Token::Bool(true))?,
            b'f' => self.word("false", Token::Bool(false))?,
            b'n' => self.word("null", Token::Null)?,
            b'-' | b'0'..=b'9' => Token::Number(self.number()?),
            _ => return Err(self.bad("a value is missing")),
        };
        self.after_value();
        Ok(token)
    }

    fn close(&mut self, token: Token<'t>) -> Token<'t> {
        self.at += 1;
        self.open.pop();
        self.after_value();
        token
    }

    fn after_value(&mut self) {
        self.expect = if self.open.is_empty() { Expect::Nothing } else { Expect::CommaOrEnd };
    }

    fn in_object(&self) -> bool {
        self.open.last().copied().unwrap_or(false)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while let Some(byte @ (b' ' | b'\n' | b'\r' | b'\t')) = self.peek() {
            self.line += usize::from(byte == b'\n');
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str, token: Token<'t>) -> Result<Token<'t>, BadJson> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.bad("an unknown word"));
        }
        self.at += word.len();
        Ok(token)
    }

    fn number(&mut self) -> Result<&'t str, BadJson> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Result<(), BadJson> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.bad("a digit is missing")) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<Cow<'t, str>, BadJson> {
        self.at += 1;
        let mut plain = self.at;
        let mut out = String::new();
        loop {
            match self.peek() {
                None => return Err(self.bad("a text is not closed")),
                Some(b'"') => {
                    let rest = &self.text[plain..self.at];
                    self.at += 1;
                    if out.is_empty() {
                        return Ok(Cow::Borrowed(rest));
                    }
                    out.push_str(rest);
                    return Ok(Cow::Owned(out));
                }
                Some(b'\\') => {
                    out.push_str(&self.text[plain..self.at]);
                    self.at += 1;
                    out.push(self.escaped()?);
                    plain = self.at;
                }
                Some(0..0x20) => return Err(self.bad("a text has a control character")),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escaped(&mut self) -> Result<char, BadJson> {
        let byte = self.peek();
        self.at += 1;
        Ok(match byte {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.hex4()?;
                // Half of a pair stands for nothing.
                let mut code = u32::from(first);
                if (0xd800..0xdc00).contains(&first) && self.text.as_bytes()[self.at..].starts_with(b"\\u") {
                    let back = self.at;
                    self.at += 2;
                    let second = self.hex4()?;
                    if (0xdc00..0xe000).contains(&second) {
                        code = 0x10000 + ((u32::from(first) - 0xd800) << 10) + (u32::from(second) - 0xdc00);
                    } else {
                        self.at = back;
                    }
                }
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(self.bad("an unknown escape")),
        })
    }

    fn hex4(&mut self) -> Result<u16, BadJson> {
        let digits = self
            .text
            .as_bytes()
            .get(self.at..self.at + 4)
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits else { return Err(self.bad("\\u needs four hex digits")) };
        self.at += 4;
        Ok(digits
            .iter()
            .fold(0, |code, digit| code << 4 | u16::from(crate::exchange::hex(*digit).unwrap_or(0))))
    }
}
