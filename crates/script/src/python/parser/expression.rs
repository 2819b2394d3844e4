//! Expressions.

use std::fmt::Write as _;

use super::{Kind, Parsed, Parser};

/// Expressions and blocks within each other.
pub(super) const MAX_DEPTH: usize = 60;
/// Marks a name whose meaning is known only at the end: Python's names belong to the block that assigns them.
pub(super) const NAME: char = '\u{1}';
pub(super) const NAME_END: char = '\u{2}';

/// Operators by how tightly they bind, the loosest first, with the runtime's function of each.
const BINARY: &[&[(&str, &str)]] = &[
    &[("|", "or")],
    &[("^", "xor")],
    &[("&", "and")],
    &[("<<", "shl"), (">>", "shr")],
    &[("+", "add"), ("-", "sub")],
    &[("*", "mul"), ("/", "div"), ("//", "floor"), ("%", "mod")],
];
const COMPARISONS: &[(&str, &str)] =
    &[("==", "eq"), ("!=", "ne"), ("<>", "ne"), ("<=", "le"), (">=", "ge"), ("<", "lt"), (">", "gt")];

impl Parser {
    /// An assignment, or an expression alone.
    pub(super) fn assignment(&mut self) -> Parsed<String> {
        let began = self.at;
        let first = self.expression_list()?;
        for sign in ["+", "-", "*", "/", "//", "%", "**", "|", "&", "^", "<<", ">>"] {
            if self.eat(&format!("{sign}=")) {
                let value = self.expression_list()?;
                let function = if sign == "**" {
                    "pow"
                } else {
                    BINARY
                        .iter()
                        .copied()
                        .flatten()
                        .find(|(known, _)| *known == sign)
                        .map_or("add", |(_, f)| f)
                };
                let value = format!("$.{function}({first},{value})");
                return self.store(began, &first, &value);
            }
        }
        if !self.is("=") {
            return Ok(first);
        }
        let mut targets = vec![(began, first)];
        while self.eat("=") {
            let began = self.at;
            targets.push((began, self.expression_list()?));
        }
        let (_, value) = targets.pop().unwrap_or_default();
        if let [(began, target)] = targets.as_slice() {
            return self.store(*began, target, &value);
        }
        let kept = self.temporary();
        let mut js = format!("const {kept}={value};");
        for (began, target) in targets {
            js.push_str(&self.store(began, &target, &kept)?);
            js.push(';');
        }
        Ok(js)
    }

    /// Puts a value where an expression that was read as `target` says.
    fn store(&mut self, began: usize, target: &str, value: &str) -> Parsed<String> {
        if let Some(arguments) = target.strip_prefix("$.item(").and_then(|rest| rest.strip_suffix(')')) {
            return Ok(format!("$.put({arguments},{value})"));
        }
        if let Some(arguments) = target.strip_prefix("$.attribute(").and_then(|rest| rest.strip_suffix(')')) {
            return Ok(format!("$.putAttribute({arguments},{value})"));
        }
        let end = std::mem::replace(&mut self.at, began);
        let closing = if self.eat("(") {
            Some(")")
        } else if self.eat("[") {
            Some("]")
        } else {
            None
        };
        let mut names = Vec::new();
        loop {
            let name = self.name().map_err(|_| self.bad("this cannot be assigned to"))?;
            names.push(self.assign(&name));
            if !self.eat(",") || self.is("=") || closing.is_some_and(|closing| self.is(closing)) {
                break;
            }
        }
        if let Some(closing) = closing {
            self.expect(closing)?;
        }
        if !self.tokens.get(self.at).is_some_and(|token| token.text.ends_with('=')) {
            return Err(self.bad("this cannot be assigned to"));
        }
        self.at = end;
        Ok(unpack(&names, value).trim_end_matches(';').to_owned())
    }

    /// Expressions parted by commas make a tuple.
    pub(super) fn expression_list(&mut self) -> Parsed<String> {
        let first = self.expression()?;
        if !self.is(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.eat(",") {
            if self.ends() || self.is("=") || self.is(")") || self.is("]") {
                break;
            }
            items.push(self.expression()?);
        }
        Ok(format!("$.tuple([{}])", items.join(",")))
    }

    pub(super) fn expression(&mut self) -> Parsed<String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.bad("expressions nest too deeply"));
        }
        let js = self.conditional()?;
        self.depth -= 1;
        Ok(js)
    }

    fn conditional(&mut self) -> Parsed<String> {
        if self.eat("lambda") {
            let (parameters, given) = self.parameters(":")?;
            self.expect(":")?;
            self.scopes.push(super::Scope { given, ..super::Scope::default() });
            let body = self.expression()?;
            // What a comprehension in it binds belongs to the block around it.
            let names = self.scopes.pop().unwrap_or_default().names;
            if let Some(around) = self.scopes.last_mut() {
                around.names.extend(names);
            }
            return Ok(format!("$.def(({parameters})=>({body}))"));
        }
        let value = self.either()?;
        if !self.eat("if") {
            return Ok(value);
        }
        let condition = self.either()?;
        self.expect("else")?;
        let otherwise = self.expression()?;
        Ok(format!("($.t({condition})?{value}:{otherwise})"))
    }

    fn either(&mut self) -> Parsed<String> {
        let mut left = self.both()?;
        while self.eat("or") {
            let kept = self.both()?;
            left = format!("$.either({left},()=>{kept})");
        }
        Ok(left)
    }

    fn both(&mut self) -> Parsed<String> {
        let mut left = self.negation()?;
        while self.eat("and") {
            let right = self.negation()?;
            left = format!("$.both({left},()=>{right})");
        }
        Ok(left)
    }

    fn negation(&mut self) -> Parsed<String> {
        let mut times = 0;
        while self.eat("not") {
            times += 1;
        }
        let mut js = self.comparison()?;
        for _ in 0..times {
            js = format!("!$.t({js})");
        }
        Ok(js)
    }

    fn comparison(&mut self) -> Parsed<String> {
        let mut left = self.binary(0)?;
        let mut parts = Vec::new();
        loop {
            let function = if let Some((_, function)) = COMPARISONS.iter().find(|(sign, _)| self.is(sign)) {
                self.at += 1;
                *function
            } else if self.is("not") && self.sign_at(1, "in") {
                self.at += 2;
                "notIn"
            } else if self.is("in") {
                self.at += 1;
                "isIn"
            } else if self.eat("is") {
                if self.eat("not") { "isNot" } else { "same" }
            } else {
                break;
            };
            let right = self.binary(0)?;
            parts.push(format!("$.{function}({left},{right})"));
            left = right;
        }
        match parts.len() {
            0 => Ok(left),
            1 => Ok(parts.remove(0)),
            _ => Ok(format!("({})", parts.join("&&"))),
        }
    }

    fn binary(&mut self, level: usize) -> Parsed<String> {
        let Some(operators) = BINARY.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some((_, function)) = operators.iter().find(|(sign, _)| self.is(sign)) {
            self.at += 1;
            let right = self.binary(level + 1)?;
            left = format!("$.{function}({left},{right})");
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.bad("expressions nest too deeply"));
        }
        let js = if self.eat("-") {
            format!("$.sub(0,{})", self.unary()?)
        } else if self.eat("+") {
            self.unary()?
        } else if self.eat("~") {
            format!("$.sub(-1,{})", self.unary()?)
        } else {
            let base = self.primary()?;
            if self.eat("**") { format!("$.pow({base},{})", self.unary()?) } else { base }
        };
        self.depth -= 1;
        Ok(js)
    }

    /// A value with what is called, indexed and asked of it.
    pub(super) fn primary(&mut self) -> Parsed<String> {
        let mut js = self.atom()?;
        loop {
            if self.eat(".") {
                let name = self.name()?;
                js = format!("$.attribute({js},\"{name}\")");
            } else if self.eat("(") {
                js = self.call(&js)?;
            } else if self.eat("[") {
                js = self.index(&js)?;
            } else {
                return Ok(js);
            }
        }
    }

    fn call(&mut self, function: &str) -> Parsed<String> {
        let (mut positional, mut named) = (Vec::new(), String::new());
        while !self.is(")") {
            if self.is("*") || self.is("**") {
                return Err(self.refuse("call with a list of arguments"));
            }
            if self.peek().kind == Kind::Name && self.sign_at(1, "=") {
                let name = self.name()?;
                self.at += 1;
                let value = self.expression()?;
                let _ = write!(named, "{name}:{value},");
            } else {
                let value = self.expression()?;
                let value = if self.is("for") { self.comprehension(&value)? } else { value };
                positional.push(value);
            }
            if !self.eat(",") {
                break;
            }
        }
        self.expect(")")?;
        let named = if named.is_empty() { String::new() } else { format!(",{{{named}}}") };
        Ok(format!("$.call({function},[{}]{named})", positional.join(",")))
    }

    fn index(&mut self, of: &str) -> Parsed<String> {
        let mut parts: Vec<String> = vec![String::new()];
        while !self.is("]") {
            if self.eat(":") {
                parts.push(String::new());
            } else {
                let value = self.expression_list()?;
                match parts.last_mut().filter(|last| last.is_empty()) {
                    Some(last) => *last = value,
                    None => return Err(self.bad("']' is missing")),
                }
            }
        }
        self.expect("]")?;
        if let [index] = parts.as_slice() {
            return if index.is_empty() {
                Err(self.bad("an index is missing"))
            } else {
                Ok(format!("$.item({of},{index})"))
            };
        }
        let parts: Vec<&str> = parts.iter().map(|part| if part.is_empty() { "null" } else { part }).collect();
        Ok(format!("$.slice({of},{})", parts.join(",")))
    }

    fn atom(&mut self) -> Parsed<String> {
        let token = self.next();
        match token.kind {
            Kind::Whole => Ok(token.text),
            Kind::Fraction => Ok(format!("$.fraction({})", token.text)),
            Kind::Text => {
                let mut value = token.text;
                while self.peek().kind == Kind::Text {
                    value.push_str(&self.next().text);
                }
                Ok(quoted(&value))
            }
            Kind::Name => match token.text.as_str() {
                "None" => Ok("null".into()),
                "True" => Ok("true".into()),
                "False" => Ok("false".into()),
                word if KEYWORDS.contains(&word) => {
                    self.at -= 1;
                    Err(self.bad("a value is missing"))
                }
                name => Ok(format!("{NAME}{name}{NAME_END}")),
            },
            Kind::Sign if token.text == "(" => self.parenthesis(),
            Kind::Sign if token.text == "[" => {
                if self.eat("]") {
                    return Ok("[]".into());
                }
                let first = self.expression()?;
                if self.is("for") {
                    let list = self.comprehension(&first)?;
                    self.expect("]")?;
                    return Ok(list);
                }
                let items = self.items(first, "]")?;
                Ok(format!("[{items}]"))
            }
            Kind::Sign if token.text == "{" => self.dictionary(),
            _ => {
                self.at -= 1;
                Err(self.bad("a value is missing"))
            }
        }
    }

    fn parenthesis(&mut self) -> Parsed<String> {
        if self.eat(")") {
            return Ok("$.tuple([])".into());
        }
        let first = self.expression()?;
        if self.is("for") {
            let list = self.comprehension(&first)?;
            self.expect(")")?;
            return Ok(list);
        }
        if self.is(",") {
            let items = self.items(first, ")")?;
            return Ok(format!("$.tuple([{items}])"));
        }
        self.expect(")")?;
        Ok(first)
    }

    /// The rest of a list up to `end`.
    fn items(&mut self, first: String, end: &str) -> Parsed<String> {
        let mut items = vec![first];
        while self.eat(",") && !self.is(end) {
            items.push(self.expression()?);
        }
        self.expect(end)?;
        Ok(items.join(","))
    }

    fn dictionary(&mut self) -> Parsed<String> {
        let mut pairs = Vec::new();
        while !self.is("}") {
            let key = self.expression()?;
            if !self.eat(":") {
                return Err(self.refuse("set"));
            }
            let value = self.expression()?;
            if self.is("for") {
                return Err(self.refuse("dictionary comprehension"));
            }
            pairs.push(format!("[{key},{value}]"));
            if !self.eat(",") {
                break;
            }
        }
        self.expect("}")?;
        Ok(format!("$.dictionary([{}])", pairs.join(",")))
    }

    /// `value for x in y if z …`, as a list.
    fn comprehension(&mut self, value: &str) -> Parsed<String> {
        let (kept, mut head, mut tail) = (self.temporary(), String::new(), String::new());
        while self.eat("for") {
            let item = self.temporary();
            let targets = self.targets()?;
            self.expect("in")?;
            let sequence = self.either()?;
            let _ = write!(head, "for(const {item} of $.each({sequence})){{{}", unpack(&targets, &item));
            tail.push('}');
            while self.eat("if") {
                let condition = self.either()?;
                let _ = write!(head, "if($.t({condition})){{");
                tail.push('}');
            }
        }
        Ok(format!("(()=>{{const {kept}=[];{head}{kept}.push({value});{tail}return {kept};}})()"))
    }
}

/// A text in JavaScript.
fn quoted(value: &str) -> String {
    let mut js = String::with_capacity(value.len() + 2);
    js.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => js.extend(['\\', c]),
            '\n' => js.push_str("\\n"),
            '\r' => js.push_str("\\r"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                // Writing to a text cannot fail.
                let _ = write!(js, "\\u{:04x}", c as u32);
            }
            c => js.push(c),
        }
    }
    js.push('"');
    js
}

/// Gives a value to each target.
pub(super) fn unpack(targets: &[String], value: &str) -> String {
    match targets {
        [one] => format!("{one}={value};"),
        many => format!("[{}]=$.unpack({value},{});", many.join(","), many.len()),
    }
}

/// `del x[i]`, from the expression that reads it.
pub(super) fn deleted(target: &str) -> Option<String> {
    target.strip_prefix("$.item(").map(|arguments| format!("$.remove({arguments}"))
}

pub(super) const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "break", "class", "continue", "def", "del", "elif", "else", "except", "exec",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "not", "or", "pass", "print",
    "raise", "return", "try", "while", "with", "yield",
];
