//! From text to steps.

use super::function::{Argument, Function};
use super::{BadJsonPath, JsonPath, Step, filter};

/// The longest path.
const MAX_BYTES: usize = 16 * 1024;
/// Filters within filters, parentheses and calls deeper than this are refused.
const MAX_DEPTH: usize = 20;

pub(super) fn parse(text: &str) -> Result<JsonPath, BadJsonPath> {
    let trimmed = text.trim();
    let mut parser = Parser { text: trimmed, at: 0, depth: 0 };
    if trimmed.is_empty() {
        return Err(parser.bad("there is no path"));
    }
    if trimmed.len() > MAX_BYTES {
        return Err(parser.bad(format!("a path may have {MAX_BYTES} bytes")));
    }
    if !parser.take("$") && !parser.take("@") && !trimmed.starts_with(['.', '[']) {
        // A path that begins with a name.
        let mut path = JsonPath { steps: Box::default(), function: None };
        let mut steps = Vec::new();
        path.function = parser.name_or_call(&mut steps, false)?;
        return parser.rest(steps, path.function, false).and_then(|path| parser.done(path));
    }
    if parser.left() == "." {
        parser.at += 1;
    }
    let path = parser.rest(Vec::new(), None, false)?;
    parser.done(path)
}

pub(super) struct Parser<'p> {
    pub(super) text: &'p str,
    pub(super) at: usize,
    depth: usize,
}

type Call = (Function, Box<[Argument]>);

impl<'p> Parser<'p> {
    pub(super) fn bad(&self, why: impl Into<String>) -> BadJsonPath {
        BadJsonPath { position: self.at, why: why.into() }
    }

    pub(super) fn left(&self) -> &'p str {
        &self.text[self.at..]
    }

    pub(super) fn take(&mut self, what: &str) -> bool {
        let is_there = self.left().starts_with(what);
        if is_there {
            self.at += what.len();
        }
        is_there
    }

    pub(super) fn skip_blanks(&mut self) {
        self.at += self.left().len() - self.left().trim_start().len();
    }

    pub(super) fn needed(&mut self, what: &str) -> Result<(), BadJsonPath> {
        self.skip_blanks();
        if self.take(what) { Ok(()) } else { Err(self.bad(format!("'{what}' is missing"))) }
    }

    /// Runs `inner` one level deeper.
    pub(super) fn nested<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, BadJsonPath>,
    ) -> Result<T, BadJsonPath> {
        self.depth += 1;
        let inside =
            if self.depth > MAX_DEPTH { Err(self.bad("the path nests too deeply")) } else { inner(self) };
        self.depth -= 1;
        inside
    }

    fn done(&self, path: JsonPath) -> Result<JsonPath, BadJsonPath> {
        if self.left().is_empty() { Ok(path) } else { Err(self.bad("something follows the path")) }
    }

    /// A path that begins here with `$` or `@`, as a filter or a function has it.
    pub(super) fn path(&mut self) -> Result<JsonPath, BadJsonPath> {
        self.at += 1;
        self.rest(Vec::new(), None, true)
    }

    fn rest(
        &mut self,
        mut steps: Vec<Step>,
        mut function: Option<Call>,
        inside: bool,
    ) -> Result<JsonPath, BadJsonPath> {
        loop {
            let after_dot = if self.take("..") {
                steps.push(Step::Scan);
                true
            } else {
                self.take(".")
            };
            if after_dot && self.left().is_empty() {
                return Err(self.bad("a path does not end with a dot"));
            }
            let is_bracket = self.left().starts_with('[');
            if !after_dot && !is_bracket {
                return Ok(JsonPath { steps: steps.into(), function });
            }
            if function.is_some() {
                return Err(self.bad("a function is the end of a path"));
            }
            if is_bracket {
                steps.push(self.bracket()?);
            } else if self.take("*") {
                steps.push(Step::Wildcard);
            } else {
                function = self.name_or_call(&mut steps, inside)?;
            }
        }
    }

    fn name_or_call(&mut self, steps: &mut Vec<Step>, inside: bool) -> Result<Option<Call>, BadJsonPath> {
        let is_end = |c: char| {
            matches!(c, '.' | '[' | '(')
                || c.is_whitespace()
                || (inside && matches!(c, ')' | '=' | '!' | '<' | '>' | '&' | '|' | ',' | ']' | '~'))
        };
        let left = self.left();
        let name = &left[..left.find(is_end).unwrap_or(left.len())];
        if name.is_empty() {
            return Err(self.bad("a name is missing"));
        }
        if left[name.len()..].starts_with(|c: char| c.is_whitespace()) && !inside {
            return Err(self.bad("a name with blanks is written ['…']"));
        }
        self.at += name.len();
        if !self.take("(") {
            steps.push(Step::Names([name.into()].into()));
            return Ok(None);
        }
        let Some(function) = Function::named(name) else {
            return Err(self.bad(format!("there is no function {name}")));
        };
        let arguments = self.nested(Self::arguments)?;
        function.check(arguments.len()).map_err(|why| self.bad(why))?;
        Ok(Some((function, arguments.into())))
    }

    fn arguments(&mut self) -> Result<Vec<Argument>, BadJsonPath> {
        let mut arguments = Vec::new();
        self.skip_blanks();
        if self.take(")") {
            return Ok(arguments);
        }
        loop {
            self.skip_blanks();
            arguments.push(if self.left().starts_with('$') {
                Argument::Path(self.path()?)
            } else {
                Argument::Literal(filter::literal(self)?)
            });
            self.skip_blanks();
            if self.take(")") {
                return Ok(arguments);
            }
            self.needed(",")?;
        }
    }

    fn bracket(&mut self) -> Result<Step, BadJsonPath> {
        self.at += 1;
        self.skip_blanks();
        let step = if self.take("*") {
            Step::Wildcard
        } else if self.take("?") {
            self.skip_blanks();
            if !self.take("(") {
                return Err(self.bad("a filter is written [?(…)]"));
            }
            let filter = self.nested(filter::parse)?;
            self.needed(")")?;
            Step::Filter(filter)
        } else if self.left().starts_with(['\'', '"']) {
            self.names()?
        } else {
            self.numbers()?
        };
        self.needed("]")?;
        Ok(step)
    }

    fn names(&mut self) -> Result<Step, BadJsonPath> {
        let mut names = Vec::new();
        loop {
            self.skip_blanks();
            names.push(self.quoted()?.into());
            self.skip_blanks();
            if !self.take(",") {
                return Ok(Step::Names(names.into()));
            }
        }
    }

    fn numbers(&mut self) -> Result<Step, BadJsonPath> {
        let first = self.number()?;
        self.skip_blanks();
        if self.take(":") {
            let end = self.number()?;
            if first.is_none() && end.is_none() {
                return Ok(Step::Slice(Some(0), None));
            }
            return Ok(Step::Slice(first, end));
        }
        let mut indexes = vec![first.ok_or_else(|| self.bad("an index, a name, * or a filter is missing"))?];
        while self.take(",") {
            indexes.push(self.number()?.ok_or_else(|| self.bad("an index is missing"))?);
            self.skip_blanks();
        }
        Ok(Step::Indexes(indexes.into()))
    }

    fn number(&mut self) -> Result<Option<i64>, BadJsonPath> {
        self.skip_blanks();
        let left = self.left();
        let end = left.find(|c: char| c != '-' && !c.is_ascii_digit()).unwrap_or(left.len());
        if end == 0 {
            return Ok(None);
        }
        let number = left[..end].parse().map_err(|_| self.bad(format!("'{}' is no index", &left[..end])))?;
        self.at += end;
        Ok(Some(number))
    }

    /// Text in single or double quotes; a backslash takes the next character as it is.
    pub(super) fn quoted(&mut self) -> Result<String, BadJsonPath> {
        let mut chars = self.left().char_indices();
        let quote = match chars.next() {
            Some((_, quote @ ('\'' | '"'))) => quote,
            _ => return Err(self.bad("a quoted text is missing")),
        };
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => text.extend(chars.next().map(|(_, c)| c)),
                c if c == quote => {
                    self.at += at + 1;
                    return Ok(text);
                }
                c => text.push(c),
            }
        }
        Err(self.bad("a quoted text is not closed"))
    }
}
