//! Statements; expressions are in [`expression`].

mod expression;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use self::expression::{KEYWORDS, MAX_DEPTH, NAME, NAME_END, deleted, unpack};
use super::lexer::{Kind, Token};
use super::{MODULES, NotTranslated};

type Parsed<T> = Result<T, NotTranslated>;

pub(super) struct Parser {
    tokens: Vec<Token>,
    at: usize,
    out: String,
    /// Line of the text written last.
    line: usize,
    /// The blocks that names belong to: the module, then functions.
    scopes: Vec<Scope>,
    /// Every name that some block has.
    assigned: BTreeSet<String>,
    depth: usize,
    loops: usize,
    temporaries: usize,
}

#[derive(Default)]
struct Scope {
    names: BTreeSet<String>,
    /// Parameters, and what `global` names.
    given: BTreeSet<String>,
}

impl Parser {
    pub(super) fn new(tokens: Vec<Token>) -> Self {
        Self {
            tokens,
            at: 0,
            out: String::new(),
            line: 1,
            scopes: vec![Scope::default()],
            assigned: BTreeSet::new(),
            depth: 0,
            loops: 0,
            temporaries: 0,
        }
    }

    pub(super) fn module(mut self) -> Parsed<String> {
        self.out.push_str("var $ = __python;");
        while self.peek().kind != Kind::End {
            self.statement()?;
        }
        self.close_scope();
        Ok(self.resolved())
    }

    fn peek(&self) -> &Token {
        // The last token is the end, and nothing goes beyond it.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn is(&self, text: &str) -> bool {
        self.sign_at(0, text)
    }

    fn sign_at(&self, ahead: usize, text: &str) -> bool {
        let token = self.tokens.get(self.at + ahead);
        token.is_some_and(|token| matches!(token.kind, Kind::Sign | Kind::Name) && token.text == text)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.is(text);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, text: &str) -> Parsed<()> {
        if self.eat(text) { Ok(()) } else { Err(self.bad(&format!("'{text}' is missing"))) }
    }

    fn bad(&self, message: &str) -> NotTranslated {
        let token = self.peek();
        let near = if token.text.is_empty() { String::new() } else { format!(" before '{}'", token.text) };
        NotTranslated { line: token.line, message: format!("{message}{near}") }
    }

    fn refuse(&self, what: &str) -> NotTranslated {
        NotTranslated {
            line: self.peek().line,
            message: format!("Python's {what} is not understood here; give a script that does the same"),
        }
    }

    fn name(&mut self) -> Parsed<String> {
        let token = self.next();
        if token.kind == Kind::Name && !KEYWORDS.contains(&token.text.as_str()) {
            return Ok(token.text);
        }
        self.at -= 1;
        Err(self.bad("a name is missing"))
    }

    /// Makes a name the present block's own; gives what it is called in JavaScript.
    fn assign(&mut self, name: &str) -> String {
        self.assigned.insert(name.to_owned());
        if let Some(scope) = self.scopes.last_mut()
            && !scope.given.contains(name)
        {
            scope.names.insert(name.to_owned());
        }
        format!("p_{name}")
    }

    fn temporary(&mut self) -> String {
        self.temporaries += 1;
        format!("t_{}", self.temporaries)
    }

    fn close_scope(&mut self) {
        let scope = self.scopes.pop().unwrap_or_default();
        for name in scope.names {
            // Writing to a text cannot fail.
            let _ = write!(self.out, "var p_{name};");
        }
    }

    /// Starts a statement on the line it has in the source.
    fn begin(&mut self, line: usize) {
        while self.line < line {
            self.out.push('\n');
            self.line += 1;
        }
    }

    fn block(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.bad("blocks nest too deeply"));
        }
        self.expect(":")?;
        self.out.push('{');
        if self.peek().kind == Kind::Newline {
            self.at += 1;
            if self.next().kind != Kind::Indent {
                self.at -= 1;
                return Err(self.bad("an indented block is missing"));
            }
            while self.peek().kind != Kind::Dedent {
                self.statement()?;
            }
            self.at += 1;
        } else {
            self.simple_line()?;
        }
        self.out.push('}');
        self.depth -= 1;
        Ok(())
    }

    fn statement(&mut self) -> Parsed<()> {
        let token = self.peek().clone();
        self.begin(token.line);
        if token.kind == Kind::Indent {
            return Err(self.bad("the indentation is not expected"));
        }
        if token.kind != Kind::Name {
            return if self.is("@") { Err(self.refuse("decorator")) } else { self.simple_line() };
        }
        match token.text.as_str() {
            "if" => self.if_statement(),
            "while" => {
                self.at += 1;
                let condition = self.expression()?;
                let _ = write!(self.out, "while($.t({condition}))");
                self.in_loop()
            }
            "for" => self.for_statement(),
            "def" => self.function(),
            "try" => self.try_statement(),
            "class" | "with" => Err(self.refuse(&token.text)),
            _ => self.simple_line(),
        }
    }

    fn in_loop(&mut self) -> Parsed<()> {
        self.loops += 1;
        self.block()?;
        self.loops -= 1;
        if self.is("else") { Err(self.refuse("else of a loop")) } else { Ok(()) }
    }

    fn if_statement(&mut self) -> Parsed<()> {
        self.at += 1;
        let condition = self.expression()?;
        let _ = write!(self.out, "if($.t({condition}))");
        self.block()?;
        let mut open = 0;
        loop {
            if self.eat("elif") {
                let condition = self.expression()?;
                let _ = write!(self.out, "else{{if($.t({condition}))");
                open += 1;
                self.block()?;
            } else if self.eat("else") {
                self.out.push_str("else");
                self.block()?;
                break;
            } else {
                break;
            }
        }
        self.out.push_str(&"}".repeat(open));
        Ok(())
    }

    fn for_statement(&mut self) -> Parsed<()> {
        self.at += 1;
        let item = self.temporary();
        let targets = self.targets()?;
        self.expect("in")?;
        let sequence = self.expression_list()?;
        let _ = write!(self.out, "for(const {item} of $.each({sequence})){{{}", unpack(&targets, &item));
        self.in_loop()?;
        self.out.push('}');
        Ok(())
    }

    /// Names parted by commas, as `for` and comprehensions bind them.
    fn targets(&mut self) -> Parsed<Vec<String>> {
        let parenthesis = self.eat("(");
        let mut targets = Vec::new();
        loop {
            let name = self.name()?;
            targets.push(self.assign(&name));
            if !self.eat(",") || self.is("in") {
                break;
            }
        }
        if parenthesis {
            self.expect(")")?;
        }
        Ok(targets)
    }

    fn function(&mut self) -> Parsed<()> {
        self.at += 1;
        let name = self.name()?;
        let name = self.assign(&name);
        self.expect("(")?;
        let (parameters, given) = self.parameters(")")?;
        self.expect(")")?;
        self.scopes.push(Scope { given, ..Scope::default() });
        let loops = std::mem::take(&mut self.loops);
        let _ = write!(self.out, "{name}=$.def(function({parameters}){{");
        self.block()?;
        self.loops = loops;
        self.close_scope();
        self.out.push_str("return null;});");
        Ok(())
    }

    /// Parameters up to `end`, as JavaScript's.
    fn parameters(&mut self, end: &str) -> Parsed<(String, BTreeSet<String>)> {
        let (mut text, mut given) = (String::new(), BTreeSet::new());
        while !self.is(end) {
            if self.is("*") || self.is("**") {
                return Err(self.refuse("variable number of parameters"));
            }
            let name = self.name()?;
            self.assigned.insert(name.clone());
            let _ = write!(text, "{}p_{name}", if text.is_empty() { "" } else { "," });
            given.insert(name);
            if self.eat("=") {
                let default = self.expression()?;
                let _ = write!(text, "={default}");
            }
            if !self.eat(",") {
                break;
            }
        }
        Ok((text, given))
    }

    fn try_statement(&mut self) -> Parsed<()> {
        self.at += 1;
        self.out.push_str("try");
        self.block()?;
        let error = self.temporary();
        let (mut handlers, mut catches_all) = (0, false);
        while self.eat("except") {
            if handlers == 0 {
                let _ = write!(self.out, "catch({error}){{");
            } else {
                self.out.push_str("else ");
            }
            handlers += 1;
            if self.is(":") {
                catches_all = true;
                self.block()?;
                break;
            }
            let kind = self.primary()?;
            let name = if self.eat("as") || self.eat(",") { Some(self.name()?) } else { None };
            let _ = write!(self.out, "if($.catches({error},{kind})){{");
            if let Some(name) = name {
                let name = self.assign(&name);
                let _ = write!(self.out, "{name}=$.caught({error});");
            }
            self.block()?;
            self.out.push('}');
        }
        if handlers > 0 {
            let _ = write!(
                self.out,
                "{}}}",
                if catches_all { String::new() } else { format!("else throw {error};") }
            );
        }
        if self.is("else") {
            return Err(self.refuse("else of a try"));
        }
        if self.eat("finally") {
            self.out.push_str("finally");
            self.block()?;
        } else if handlers == 0 {
            return Err(self.bad("except or finally is missing"));
        }
        Ok(())
    }

    fn simple_line(&mut self) -> Parsed<()> {
        loop {
            self.simple()?;
            if !self.eat(";") || self.peek().kind == Kind::Newline {
                break;
            }
        }
        match self.next().kind {
            Kind::Newline | Kind::End => Ok(()),
            _ => {
                self.at -= 1;
                Err(self.bad("this is not understood"))
            }
        }
    }

    fn simple(&mut self) -> Parsed<()> {
        let token = self.peek().clone();
        self.begin(token.line);
        let is_name = token.kind == Kind::Name;
        let word = if is_name { token.text.as_str() } else { "" };
        let js = match word {
            "pass" => {
                self.at += 1;
                String::new()
            }
            "break" | "continue" => {
                self.at += 1;
                if self.loops == 0 {
                    return Err(self.bad(&format!("{word} stands outside of a loop")));
                }
                word.to_owned()
            }
            "return" => {
                self.at += 1;
                if self.scopes.len() < 2 {
                    return Err(self.bad("return stands outside of a function"));
                }
                let value = if self.ends() { "null".into() } else { self.expression_list()? };
                format!("return {value}")
            }
            "print" => self.print()?,
            "import" | "from" => self.import()?,
            "raise" => {
                self.at += 1;
                if self.ends() {
                    return Err(self.refuse("raise without an exception"));
                }
                let kind = self.expression()?;
                let text = if self.eat(",") { self.expression()? } else { "null".into() };
                format!("$.raise({kind},{text})")
            }
            "global" => {
                self.at += 1;
                loop {
                    let name = self.name()?;
                    self.assigned.insert(name.clone());
                    if let [module, .., present] = self.scopes.as_mut_slice() {
                        module.names.insert(name.clone());
                        present.given.insert(name);
                    }
                    if !self.eat(",") {
                        break;
                    }
                }
                String::new()
            }
            "del" => {
                self.at += 1;
                let target = self.primary()?;
                deleted(&target).ok_or_else(|| self.refuse("del of a name"))?
            }
            "yield" | "exec" | "assert" | "lambda" if word != "lambda" => return Err(self.refuse(word)),
            _ => self.assignment()?,
        };
        self.out.push_str(&js);
        self.out.push(';');
        Ok(())
    }

    fn ends(&self) -> bool {
        matches!(self.peek().kind, Kind::Newline | Kind::End) || self.is(";")
    }

    fn print(&mut self) -> Parsed<String> {
        self.at += 1;
        if self.is(">>") {
            return Err(self.refuse("print to a file"));
        }
        let mut parts = Vec::new();
        while !self.ends() {
            parts.push(self.expression()?);
            if !self.eat(",") {
                break;
            }
        }
        Ok(format!("$.print([{}])", parts.join(",")))
    }

    fn import(&mut self) -> Parsed<String> {
        let from = self.next().text == "from";
        let mut js = String::new();
        loop {
            let mut module = self.name()?;
            while self.eat(".") {
                module.push('.');
                module.push_str(&self.name()?);
            }
            if !MODULES.contains(&module.as_str()) {
                return Err(self.refuse(&format!("module {module}")));
            }
            if from {
                self.expect("import")?;
                let parenthesis = self.eat("(");
                loop {
                    if self.is("*") {
                        return Err(self.refuse("import of everything"));
                    }
                    let function = self.name()?;
                    let name = if self.eat("as") { self.name()? } else { function.clone() };
                    let name = self.assign(&name);
                    let _ = write!(js, "{name}=$.attribute($.module(\"{module}\"),\"{function}\");");
                    if !self.eat(",") {
                        break;
                    }
                }
                if parenthesis {
                    self.expect(")")?;
                }
                return Ok(js);
            }
            let name = if self.eat("as") { self.name()? } else { module.clone() };
            let name = self.assign(&name);
            let _ = write!(js, "{name}=$.module(\"{module}\");");
            if !self.eat(",") {
                return Ok(js);
            }
        }
    }

    /// Every name in the place of its mark: a block's own, else a built-in one, else an error when it is reached.
    fn resolved(self) -> String {
        let mut text = String::with_capacity(self.out.len());
        let mut rest = self.out.as_str();
        while let Some((before, after)) = rest.split_once(NAME) {
            text.push_str(before);
            let (name, after) = after.split_once(NAME_END).unwrap_or((after, ""));
            if self.assigned.contains(name) {
                let _ = write!(
                    text,
                    "$.known(typeof p_{name}===\"undefined\"?$.builtin(\"{name}\"):p_{name},\"{name}\")"
                );
            } else {
                let _ = write!(text, "$.known($.builtin(\"{name}\"),\"{name}\")");
            }
            rest = after;
        }
        text.push_str(rest);
        text
    }
}
