//! From tokens to expressions (XPath 1.0, 2 and 3; of 2.0 what [`Later`] has, where the host allows it).

mod later;
mod operator;

use super::BadXPath;
use super::ast::{Axis, ExpandedName, Expr, Later, NameTest, NodeTest, Path, Predicate, Start, Step};
use super::focus::Statics;
use super::functions::Function;
use super::lexer::{Token, tokens};

/// Longer expressions are refused.
const MAX_BYTES: usize = 64 * 1024;
/// Expressions in expressions; evaluating recurses as deep.
const MAX_DEPTH: usize = 80;

/// Parses a whole expression, as written: nothing is rewritten yet.
pub(crate) fn parse(text: &str, statics: &dyn Statics) -> Result<Expr, BadXPath> {
    if text.len() > MAX_BYTES {
        return Err(BadXPath {
            position: MAX_BYTES,
            why: format!("an expression may have {MAX_BYTES} bytes"),
        });
    }
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, bound: Vec::new(), statics };
    let Deep(expr, _) = parser.sequence()?;
    match parser.peek() {
        Token::End => Ok(expr),
        _ => Err(parser.bad("an operator or the end was expected")),
    }
}

/// An expression and how deep it nests.
struct Deep(Expr, usize);

struct Parser<'x, 's> {
    tokens: Vec<(Token<'x>, usize)>,
    at: usize,
    depth: usize,
    /// Variables that the expression itself binds, innermost last.
    bound: Vec<ExpandedName>,
    statics: &'s dyn Statics,
}

type Parsed = Result<Deep, BadXPath>;

impl<'x> Parser<'x, '_> {
    fn peek(&self) -> &Token<'x> {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn peek_second(&self) -> &Token<'x> {
        self.tokens.get(self.at + 1).map_or(&Token::End, |(token, _)| token)
    }

    fn bad(&self, why: impl Into<String>) -> BadXPath {
        let position = self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |(_, at)| *at);
        BadXPath { position, why: why.into() }
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let is_it = matches!(self.peek(), Token::Sign(found) if *found == sign);
        self.at += usize::from(is_it);
        is_it
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_it = matches!(self.peek(), Token::Word(found) if *found == word);
        self.at += usize::from(is_it);
        is_it
    }

    fn need_sign(&mut self, sign: &str) -> Result<(), BadXPath> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.bad(format!("'{sign}' was expected"))) }
    }

    fn need_word(&mut self, word: &str) -> Result<(), BadXPath> {
        if self.take_word(word) { Ok(()) } else { Err(self.bad(format!("'{word}' was expected"))) }
    }

    /// One level deeper than its parts.
    fn over(&self, expr: Expr, parts: usize) -> Parsed {
        if parts >= MAX_DEPTH {
            return Err(self.bad(format!("expressions nest deeper than {MAX_DEPTH}")));
        }
        Ok(Deep(expr, parts + 1))
    }

    fn nested(&mut self, parse: fn(&mut Self) -> Parsed) -> Parsed {
        if self.depth >= MAX_DEPTH {
            return Err(self.bad(format!("expressions nest deeper than {MAX_DEPTH}")));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn later(&self, what: &str) -> Result<(), BadXPath> {
        if self.statics.is_later() { Ok(()) } else { Err(self.bad(format!("XPath 1.0 has no {what}"))) }
    }

    /// Expressions parted by commas: more than one only in XPath 2.0.
    fn sequence(&mut self) -> Parsed {
        let Deep(first, mut depth) = self.nested(Self::single)?;
        if !matches!(self.peek(), Token::Sign(",")) {
            return Ok(Deep(first, depth));
        }
        self.later("sequences")?;
        let mut all = vec![first];
        while self.take_sign(",") {
            let Deep(next, deep) = self.nested(Self::single)?;
            depth = depth.max(deep);
            all.push(next);
        }
        self.over(Expr::Later(Box::new(Later::Sequence(all))), depth)
    }

    fn single(&mut self) -> Parsed {
        if let (Token::Name { prefix: "", local }, next) = (self.peek().clone(), self.peek_second()) {
            match (local, next) {
                ("if", Token::Sign("(")) => return self.conditional(),
                ("for" | "some" | "every", Token::Variable { .. }) => return self.binding(local),
                _ => {}
            }
        }
        self.or()
    }

    fn chain(&mut self, word: &str, part: fn(&mut Self) -> Parsed, make: fn(Vec<Expr>) -> Expr) -> Parsed {
        let Deep(first, mut depth) = part(self)?;
        if !matches!(self.peek(), Token::Word(found) if *found == word) {
            return Ok(Deep(first, depth));
        }
        let mut all = vec![first];
        while self.take_word(word) {
            let Deep(next, deep) = part(self)?;
            depth = depth.max(deep);
            all.push(next);
        }
        self.over(make(all), depth)
    }

    fn or(&mut self) -> Parsed {
        self.chain("or", Self::and, Expr::Or)
    }

    fn and(&mut self) -> Parsed {
        self.chain("and", |parser| parser.binary(0), Expr::And)
    }

    fn binary(&mut self, tightest: u8) -> Parsed {
        let Deep(mut left, mut depth) = self.unary()?;
        while let Some((binds, operator)) = self.operator() {
            if binds < tightest {
                break;
            }
            if operator.is_later() {
                self.later("such operator")?;
            }
            self.at += 1;
            let Deep(right, deep) = self.binary(binds + 1)?;
            let expr = operator.over(left, right);
            Deep(left, depth) = self.over(expr, depth.max(deep))?;
        }
        Ok(Deep(left, depth))
    }

    fn unary(&mut self) -> Parsed {
        let mut negative = false;
        let mut any = false;
        while self.take_sign("-") {
            negative = !negative;
            any = true;
        }
        let Deep(expr, depth) = self.union()?;
        if !any {
            return Ok(Deep(expr, depth));
        }
        // Two signs still make a number of it.
        let once = self.over(Expr::Negate(Box::new(expr)), depth)?;
        if negative { Ok(once) } else { self.over(Expr::Negate(Box::new(once.0)), once.1) }
    }

    fn union(&mut self) -> Parsed {
        let Deep(first, mut depth) = self.intersection()?;
        let is_union = |parser: &mut Self| {
            parser.take_sign("|") || (parser.statics.is_later() && parser.take_word("union"))
        };
        if !is_union(self) {
            return Ok(Deep(first, depth));
        }
        let mut all = vec![first];
        loop {
            let Deep(next, deep) = self.intersection()?;
            depth = depth.max(deep);
            all.push(next);
            if !is_union(self) {
                return self.over(Expr::Union(all), depth);
            }
        }
    }

    fn intersection(&mut self) -> Parsed {
        let Deep(mut left, mut depth) = self.path()?;
        while let Token::Word(word @ ("intersect" | "except")) = *self.peek() {
            self.later(word)?;
            self.at += 1;
            let Deep(right, deep) = self.path()?;
            let later =
                if word == "except" { Later::Except(left, right) } else { Later::Intersect(left, right) };
            Deep(left, depth) = self.over(Expr::Later(Box::new(later)), depth.max(deep))?;
        }
        Ok(Deep(left, depth))
    }

    fn path(&mut self) -> Parsed {
        let (mut path, mut depth) = match self.peek() {
            Token::Sign("/") => {
                self.at += 1;
                let path = Path { start: Start::Root, predicates: Vec::new(), steps: Vec::new() };
                if !self.is_step_next() {
                    return self.over(Expr::Path(path), 0);
                }
                (path, 0)
            }
            Token::Sign("//") => {
                self.at += 1;
                let steps = vec![Step::descendants_or_self()];
                (Path { start: Start::Root, predicates: Vec::new(), steps }, 0)
            }
            _ if self.is_primary_next() => {
                let Deep(primary, mut depth) = self.primary()?;
                let predicates = self.predicates(&mut depth)?;
                let goes_on = matches!(self.peek(), Token::Sign("/" | "//"));
                if predicates.is_empty() && !goes_on {
                    return Ok(Deep(primary, depth));
                }
                let path = Path { start: Start::Expr(Box::new(primary)), predicates, steps: Vec::new() };
                if !goes_on {
                    return self.over(Expr::Path(path), depth);
                }
                if self.take_sign("//") {
                    let mut path = path;
                    path.steps.push(Step::descendants_or_self());
                    (path, depth)
                } else {
                    self.need_sign("/")?;
                    (path, depth)
                }
            }
            _ => (Path { start: Start::Context, predicates: Vec::new(), steps: Vec::new() }, 0),
        };
        loop {
            let step = self.step(&mut depth)?;
            path.steps.push(step);
            if self.take_sign("//") {
                path.steps.push(Step::descendants_or_self());
            } else if !self.take_sign("/") {
                return self.over(Expr::Path(path), depth);
            }
        }
    }

    fn is_step_next(&self) -> bool {
        matches!(self.peek(), Token::Name { .. } | Token::Sign("." | ".." | "@"))
    }

    /// Whether a variable, a literal, a number, a parenthesis or a call of a function begins here.
    fn is_primary_next(&self) -> bool {
        match self.peek() {
            Token::Variable { .. } | Token::Literal(_) | Token::Number(_) | Token::Sign("(") => true,
            Token::Name { prefix, local } => {
                matches!(self.peek_second(), Token::Sign("("))
                    && !(prefix.is_empty() && NODE_TYPES.contains(local))
            }
            _ => false,
        }
    }

    fn primary(&mut self) -> Parsed {
        let token = self.peek().clone();
        let name_at = self.at;
        self.at += 1;
        match token {
            Token::Literal(text) => Ok(Deep(Expr::Literal(text.into()), 1)),
            Token::Number(number) => Ok(Deep(Expr::Number(number), 1)),
            Token::Variable { prefix, local } => {
                let name = self.expand(prefix, local, "")?;
                if !self.bound.contains(&name) && !self.statics.has_variable(&name) {
                    self.at = name_at;
                    return Err(self.bad(format!("there is no variable ${local} here")));
                }
                Ok(Deep(Expr::Variable(name), 1))
            }
            Token::Sign("(") => {
                if self.statics.is_later() && self.take_sign(")") {
                    return Ok(Deep(Expr::Later(Box::new(Later::Sequence(Vec::new()))), 1));
                }
                let inner = self.nested(Self::sequence)?;
                self.need_sign(")")?;
                Ok(inner)
            }
            Token::Name { prefix, local } => self.call(prefix, local, name_at),
            _ => Err(self.bad("an expression was expected")),
        }
    }

    fn call(&mut self, prefix: &str, local: &str, name_at: usize) -> Parsed {
        let name = self.expand(prefix, local, "")?;
        self.need_sign("(")?;
        let (mut arguments, mut depth) = (Vec::new(), 0);
        if !self.take_sign(")") {
            loop {
                let Deep(argument, deep) = self.nested(Self::single)?;
                depth = depth.max(deep);
                arguments.push(argument);
                if self.take_sign(")") {
                    break;
                }
                self.need_sign(",")?;
            }
        }
        let end = std::mem::replace(&mut self.at, name_at);
        let count = arguments.len();
        let expr = if let Some(host) = self.statics.function(&name, count) {
            Expr::HostCall(host.map_err(|why| self.bad(why))?, arguments)
        } else if let Some(function) = Function::named(&name, self.statics.is_later()) {
            if !function.takes(count) {
                return Err(self.bad(format!("the function {local} does not take {count} arguments")));
            }
            Expr::Call(function, arguments)
        } else {
            return Err(self.bad(format!("there is no function {local}")));
        };
        self.at = end;
        self.over(expr, depth)
    }

    fn predicates(&mut self, depth: &mut usize) -> Result<Vec<Predicate>, BadXPath> {
        let mut predicates = Vec::new();
        while self.take_sign("[") {
            let Deep(expr, deep) = self.nested(Self::sequence)?;
            self.need_sign("]")?;
            *depth = (*depth).max(deep);
            predicates.push(match expr {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to fit")]
                Expr::Number(n) if n.fract() == 0.0 && (1.0..=4e9).contains(&n) => {
                    Predicate::Position(n as usize)
                }
                expr => Predicate::Expr(expr),
            });
        }
        Ok(predicates)
    }

    fn step(&mut self, depth: &mut usize) -> Result<Step, BadXPath> {
        let own = |axis| Step { axis, test: NodeTest::Node, predicates: Vec::new() };
        if self.take_sign(".") {
            return Ok(own(Axis::Own));
        }
        if self.take_sign("..") {
            return Ok(own(Axis::Parent));
        }
        let mut axis = Axis::Child;
        if self.take_sign("@") {
            axis = Axis::Attribute;
        } else if let (Token::Name { prefix: "", local }, Token::Sign("::")) =
            (self.peek(), self.peek_second())
        {
            axis = Axis::named(local).ok_or_else(|| self.bad(format!("there is no axis {local}")))?;
            self.at += 2;
        }
        let test = self.node_test(axis)?;
        let predicates = self.predicates(depth)?;
        Ok(Step { axis, test, predicates })
    }

    fn node_test(&mut self, axis: Axis) -> Result<NodeTest, BadXPath> {
        let Token::Name { prefix, local } = *self.peek() else {
            return Err(self.bad("a step of a path was expected"));
        };
        if prefix.is_empty() && NODE_TYPES.contains(&local) && matches!(self.peek_second(), Token::Sign("("))
        {
            self.at += 2;
            let target = match (local, self.peek().clone()) {
                ("processing-instruction", Token::Literal(target)) => {
                    self.at += 1;
                    Some(target.into())
                }
                _ => None,
            };
            self.need_sign(")")?;
            return Ok(match local {
                "text" => NodeTest::Text,
                "comment" => NodeTest::Comment,
                "processing-instruction" => NodeTest::Instruction(target),
                _ => NodeTest::Node,
            });
        }
        let test = match (prefix, local) {
            ("", "*") => NameTest::Any,
            ("*", local) => {
                self.later("'*:' before a name")?;
                NameTest::Local(local.into())
            }
            (prefix, "*") => NameTest::In(self.namespace(prefix)?.into()),
            (prefix, local) => {
                let default = match axis {
                    Axis::Attribute | Axis::Namespace => "",
                    _ => self.statics.element_namespace(),
                };
                NameTest::Name(self.expand(prefix, local, default)?)
            }
        };
        self.at += 1;
        Ok(NodeTest::Name(test))
    }

    fn namespace(&self, prefix: &str) -> Result<String, BadXPath> {
        self.statics.namespace(prefix).ok_or_else(|| self.bad(format!("the prefix {prefix} is not bound")))
    }

    fn expand(&self, prefix: &str, local: &str, default: &str) -> Result<ExpandedName, BadXPath> {
        if prefix == "*" || local == "*" {
            return Err(self.bad("a name was expected"));
        }
        let uri = if prefix.is_empty() { default.to_owned() } else { self.namespace(prefix)? };
        Ok(ExpandedName { uri: uri.into(), local: local.into() })
    }
}

const NODE_TYPES: &[&str] = &["node", "text", "comment", "processing-instruction"];
