//! Reads the text of an expression: recursive descent, lowest precedence first.

mod literals;

use std::sync::Arc;

use serde_json::Value;

use crate::ast::{Expr, Kind, Operator};
use crate::error::CompileError;
use crate::functions;

const MAX_TEXT: usize = 64 * 1024;
const MAX_DEPTH: usize = 64;
/// Operators and path parts of one expression: each may deepen the tree by one, and evaluation recurses.
const MAX_LINKS: usize = 256;
const RESERVED: &[&str] = &["and", "or", "if", "then", "elif", "else", "end", "as"];

type Parsed = Result<Expr, CompileError>;

/// Reads a whole text as one expression; also gives the names of its free variables.
pub(crate) fn program(text: &str) -> Result<(Expr, Vec<String>), CompileError> {
    let mut parser = Parser::new(text, 0)?;
    let expr = parser.pipe()?;
    parser.blanks();
    match parser.peek() {
        None => Ok((expr, parser.names)),
        Some(other) => Err(parser.error(format!("unexpected {other:?}"))),
    }
}

/// Reads one expression that starts at byte `from` of `text` and ends with `}`; gives the offset behind it.
pub(crate) fn braced(text: &str, from: usize) -> Result<(Expr, Vec<String>, usize), CompileError> {
    let mut parser = Parser::new(text, from)?;
    let expr = parser.pipe()?;
    parser.expect("}")?;
    Ok((expr, parser.names, parser.at))
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    links: usize,
    bound: Vec<Arc<str>>,
    names: Vec<String>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, at: usize) -> Result<Self, CompileError> {
        if text.len() > MAX_TEXT {
            return Err(CompileError::new(0, format!("an expression has at most {MAX_TEXT} bytes")));
        }
        Ok(Self { text, at, depth: 0, links: 0, bound: Vec::new(), names: Vec::new() })
    }

    fn pipe(&mut self) -> Parsed {
        self.descend()?;
        let left = self.comma()?;
        let whole = if self.word("as") {
            let at = left.at;
            self.expect("$")?;
            let name: Arc<str> = self.identifier()?.into();
            self.expect("|")?;
            self.bound.push(name.clone());
            let body = self.pipe()?;
            self.bound.pop();
            Expr { at, kind: Kind::Bind(Box::new(left), name, Box::new(body)) }
        } else if self.symbol("|") {
            let right = self.pipe()?;
            Expr { at: left.at, kind: Kind::Pipe(Box::new(left), Box::new(right)) }
        } else {
            left
        };
        self.depth -= 1;
        Ok(whole)
    }

    fn comma(&mut self) -> Parsed {
        let mut left = self.default()?;
        while self.symbol(",") {
            self.link()?;
            let right = self.default()?;
            left = Expr { at: left.at, kind: Kind::Comma(Box::new(left), Box::new(right)) };
        }
        Ok(left)
    }

    fn default(&mut self) -> Parsed {
        let left = self.or()?;
        if !self.symbol("//") {
            return Ok(left);
        }
        self.descend()?;
        let right = self.default()?;
        self.depth -= 1;
        Ok(Expr { at: left.at, kind: Kind::Default(Box::new(left), Box::new(right)) })
    }

    fn or(&mut self) -> Parsed {
        let mut left = self.and()?;
        while self.word("or") {
            self.link()?;
            let right = self.and()?;
            left = Expr { at: left.at, kind: Kind::Or(Box::new(left), Box::new(right)) };
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed {
        let mut left = self.comparison()?;
        while self.word("and") {
            self.link()?;
            let right = self.comparison()?;
            left = Expr { at: left.at, kind: Kind::And(Box::new(left), Box::new(right)) };
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Parsed {
        const SIGNS: &[(&str, Operator)] = &[
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let left = self.sum()?;
        match self.operator(SIGNS) {
            Some((at, operator)) => Ok(binary(at, operator, left, self.sum()?)),
            None => Ok(left),
        }
    }

    fn sum(&mut self) -> Parsed {
        let mut left = self.product()?;
        while let Some((at, operator)) = self.operator(&[("+", Operator::Add), ("-", Operator::Subtract)]) {
            self.link()?;
            left = binary(at, operator, left, self.product()?);
        }
        Ok(left)
    }

    fn product(&mut self) -> Parsed {
        const SIGNS: &[(&str, Operator)] =
            &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)];
        let mut left = self.unary()?;
        while !self.ahead("//")
            && let Some((at, operator)) = self.operator(SIGNS)
        {
            self.link()?;
            left = binary(at, operator, left, self.unary()?);
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        self.blanks();
        let at = self.at;
        if self.symbol("-") {
            let inner = self.postfix()?;
            return Ok(Expr { at, kind: Kind::Negate(Box::new(inner)) });
        }
        self.postfix()
    }

    fn postfix(&mut self) -> Parsed {
        let mut target = self.term()?;
        loop {
            let at = self.at;
            target = if self.rest().starts_with('.') && !self.rest().starts_with("..") {
                self.at += 1;
                self.suffix(at, target)?
            } else if self.rest().starts_with('[') {
                self.bracket(target)?
            } else if self.rest().starts_with('?') {
                self.at += 1;
                Expr { at, kind: Kind::Optional(Box::new(target)) }
            } else {
                return Ok(target);
            };
            self.link()?;
        }
    }

    /// What follows a dot: a name, a string, or a bracket.
    fn suffix(&mut self, at: usize, target: Expr) -> Parsed {
        match self.peek() {
            Some('"' | '\'') => {
                let index = self.string()?;
                Ok(index_by(at, target, index))
            }
            Some('[') => self.bracket(target),
            Some(c) if is_name_start(c) => {
                let name: Arc<str> = self.identifier()?.into();
                Ok(Expr { at, kind: Kind::Field(Box::new(target), name) })
            }
            _ => Err(self.error("expected a member's name behind the dot")),
        }
    }

    fn bracket(&mut self, target: Expr) -> Parsed {
        let at = self.at;
        self.expect("[")?;
        if self.symbol("]") {
            return Ok(Expr { at, kind: Kind::Iterate(Box::new(target)) });
        }
        if self.symbol(":") {
            let to = self.pipe()?;
            self.expect("]")?;
            return Ok(Expr { at, kind: Kind::Slice(Box::new(target), None, Some(Box::new(to))) });
        }
        let index = self.pipe()?;
        if self.symbol(":") {
            let to = if self.ahead("]") { None } else { Some(Box::new(self.pipe()?)) };
            self.expect("]")?;
            return Ok(Expr { at, kind: Kind::Slice(Box::new(target), Some(Box::new(index)), to) });
        }
        self.expect("]")?;
        Ok(index_by(at, target, index))
    }

    fn term(&mut self) -> Parsed {
        self.blanks();
        let at = self.at;
        let kind = match self.peek() {
            None => return Err(self.error("the expression ends too early")),
            Some('.') => {
                self.at += 1;
                let here = Expr { at, kind: Kind::Identity };
                return match self.peek() {
                    Some(c) if is_name_start(c) || c == '"' || c == '\'' => self.suffix(at, here),
                    Some('.') => Err(self.error("recursion (..) is not part of the language")),
                    _ => Ok(here),
                };
            }
            Some('"' | '\'') => return self.string(),
            Some(c) if c.is_ascii_digit() => self.number()?,
            Some('$') => {
                self.at += 1;
                let name = self.identifier()?;
                self.variable(name)
            }
            Some('(') => {
                self.at += 1;
                let inner = self.pipe()?;
                self.expect(")")?;
                return Ok(inner);
            }
            Some('[') => {
                self.at += 1;
                if self.symbol("]") {
                    Kind::Array(None)
                } else {
                    let inner = self.pipe()?;
                    self.expect("]")?;
                    Kind::Array(Some(Box::new(inner)))
                }
            }
            Some('{') => {
                self.at += 1;
                self.object()?
            }
            Some(c) if is_name_start(c) => self.named()?,
            Some(other) => return Err(self.error(format!("unexpected {other:?}"))),
        };
        Ok(Expr { at, kind })
    }

    /// A keyword, a constant, a call, or the bare name of a variable.
    fn named(&mut self) -> Result<Kind, CompileError> {
        let at = self.at;
        let name = self.identifier()?;
        match name {
            "null" => return Ok(Kind::Literal(Value::Null)),
            "true" => return Ok(Kind::Literal(true.into())),
            "false" => return Ok(Kind::Literal(false.into())),
            "if" => return self.condition(),
            "def" | "reduce" | "foreach" | "while" | "until" | "recurse" | "repeat" => {
                return Err(CompileError::new(at, format!("{name} is not part of the language")));
            }
            _ if RESERVED.contains(&name) => {
                return Err(CompileError::new(at, format!("{name} stands in the wrong place")));
            }
            _ => {}
        }
        let mut arguments = Vec::new();
        let called = self.rest().starts_with('(');
        if called {
            self.at += 1;
            loop {
                arguments.push(self.pipe()?);
                if !self.symbol(";") {
                    break;
                }
            }
            self.expect(")")?;
        }
        match functions::find(name) {
            Some(function) if function.arity.contains(&arguments.len()) => {
                Ok(Kind::Call(function, arguments))
            }
            Some(function) if called || !self.bound.iter().any(|bound| **bound == *name) => {
                let (least, most) = (function.arity.start(), function.arity.end());
                let message = format!("{name} takes {least} to {most} arguments, not {}", arguments.len());
                Err(CompileError::new(at, message))
            }
            None if called => Err(CompileError::new(at, format!("no function {name}"))),
            _ => Ok(self.variable(name)),
        }
    }

    fn variable(&mut self, name: &str) -> Kind {
        let free = !self.bound.iter().any(|bound| **bound == *name);
        if free && !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
        Kind::Variable(name.into())
    }

    /// What follows `if`; `elif` chains count as levels.
    fn condition(&mut self) -> Result<Kind, CompileError> {
        self.descend()?;
        let condition = Box::new(self.pipe()?);
        if !self.word("then") {
            return Err(self.error("expected then"));
        }
        let then = Box::new(self.pipe()?);
        self.blanks();
        let at = self.at;
        let otherwise = if self.word("elif") {
            let kind = self.condition()?;
            self.depth -= 1;
            return Ok(Kind::If(condition, then, Some(Box::new(Expr { at, kind }))));
        } else if self.word("else") {
            Some(Box::new(self.pipe()?))
        } else {
            None
        };
        if !self.word("end") {
            return Err(self.error("expected end"));
        }
        self.depth -= 1;
        Ok(Kind::If(condition, then, otherwise))
    }

    fn object(&mut self) -> Result<Kind, CompileError> {
        let mut members = Vec::new();
        if self.symbol("}") {
            return Ok(Kind::Object(members));
        }
        loop {
            self.blanks();
            let at = self.at;
            let (key, shorthand) = match self.peek() {
                Some('"' | '\'') => (self.string()?, None),
                Some('(') => {
                    self.at += 1;
                    let key = self.pipe()?;
                    self.expect(")")?;
                    (key, None)
                }
                Some('$') => {
                    self.at += 1;
                    let name = self.identifier()?;
                    let kind = self.variable(name);
                    (literal(at, name), Some(Expr { at, kind }))
                }
                _ => {
                    let name = self.identifier()?;
                    let here = Box::new(Expr { at, kind: Kind::Identity });
                    (literal(at, name), Some(Expr { at, kind: Kind::Field(here, name.into()) }))
                }
            };
            let value = if self.symbol(":") {
                self.default()?
            } else {
                shorthand.ok_or_else(|| self.error("expected : and a value"))?
            };
            members.push((key, value));
            if self.symbol("}") {
                return Ok(Kind::Object(members));
            }
            self.expect(",")?;
        }
    }

    fn identifier(&mut self) -> Result<&'t str, CompileError> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        if !rest.starts_with(is_name_start) {
            return Err(self.error("expected a name"));
        }
        self.at += end;
        Ok(&rest[..end])
    }

    fn operator(&mut self, signs: &[(&str, Operator)]) -> Option<(usize, Operator)> {
        self.blanks();
        let at = self.at;
        let (_, operator) = signs.iter().find(|(sign, _)| self.symbol(sign))?;
        Some((at, *operator))
    }

    fn ahead(&mut self, symbol: &str) -> bool {
        self.blanks();
        self.rest().starts_with(symbol)
    }

    /// Consumes `symbol` if it is next; `|` and `/` are never half of a longer sign.
    fn symbol(&mut self, symbol: &str) -> bool {
        let next = self.ahead(symbol);
        if next {
            self.at += symbol.len();
        }
        next
    }

    fn word(&mut self, word: &str) -> bool {
        self.blanks();
        let Some(behind) = self.rest().strip_prefix(word) else { return false };
        let whole = !behind.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        if whole {
            self.at += word.len();
        }
        whole
    }

    fn expect(&mut self, symbol: &str) -> Result<(), CompileError> {
        if self.symbol(symbol) { Ok(()) } else { Err(self.error(format!("expected {symbol}"))) }
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn descend(&mut self) -> Result<(), CompileError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(format!("an expression has at most {MAX_DEPTH} levels")));
        }
        Ok(())
    }

    fn link(&mut self) -> Result<(), CompileError> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(self.error(format!("an expression has at most {MAX_LINKS} operators and path parts")));
        }
        Ok(())
    }

    fn error(&self, message: impl Into<String>) -> CompileError {
        CompileError::new(self.at, message)
    }
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn literal(at: usize, text: &str) -> Expr {
    Expr { at, kind: Kind::Literal(text.into()) }
}

fn binary(at: usize, operator: Operator, left: Expr, right: Expr) -> Expr {
    Expr { at, kind: Kind::Binary(operator, Box::new(left), Box::new(right)) }
}

fn index_by(at: usize, target: Expr, index: Expr) -> Expr {
    let kind = match index.kind {
        Kind::Literal(Value::String(name)) => Kind::Field(Box::new(target), name.into()),
        kind => Kind::Index(Box::new(target), Box::new(Expr { at: index.at, kind })),
    };
    Expr { at, kind }
}
