//! Conditions and orders from text.

use super::lexer::{Placed, Token, tokens};
use super::{BadQuery, Comparison, Condition, Field, Literal, Order};

const MAX_DEPTH: usize = 50;

/// Parses the value of `where`.
pub(crate) fn where_clause(text: &str) -> Result<Condition, BadQuery> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, end: text.chars().count() + 1 };
    let condition = parser.any()?;
    match parser.peek() {
        None => Ok(condition),
        Some(_) => Err(parser.error("AND, OR or the end was expected")),
    }
}

/// Parses the value of `orderBy`: fields with `asc` or `desc`, comma separated.
pub(crate) fn order_by(text: &str) -> Result<Vec<Order>, BadQuery> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, end: text.chars().count() + 1 };
    let mut orders = Vec::new();
    loop {
        let field = parser.field()?;
        let descending = parser.keyword("desc");
        if !descending {
            parser.keyword("asc");
        }
        orders.push(Order { field, descending });
        if !parser.sign(",") {
            break;
        }
    }
    match parser.peek() {
        None => Ok(orders),
        Some(_) => Err(parser.error("a comma or the end was expected")),
    }
}

struct Parser {
    tokens: Vec<Placed>,
    at: usize,
    depth: usize,
    end: usize,
}

impl Parser {
    fn any(&mut self) -> Result<Condition, BadQuery> {
        let mut parts = vec![self.all()?];
        while self.keyword("or") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) })
    }

    fn all(&mut self) -> Result<Condition, BadQuery> {
        let mut parts = vec![self.one()?];
        while self.keyword("and") {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) })
    }

    fn one(&mut self) -> Result<Condition, BadQuery> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(&format!("a query has at most {MAX_DEPTH} levels, too deep")));
        }
        let condition = if self.keyword("not") {
            Condition::Not(Box::new(self.one()?))
        } else if self.sign("(") {
            let inner = self.any()?;
            if !self.sign(")") {
                return Err(self.error(") was expected"));
            }
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn comparison(&mut self) -> Result<Condition, BadQuery> {
        let field = self.field()?;
        if self.keyword("is") {
            let not = self.keyword("not");
            if !self.keyword("null") {
                return Err(self.error("NULL was expected"));
            }
            return Ok(negate_if(not, Condition::IsNull(field)));
        }
        let not = self.keyword("not");
        if self.keyword("like") {
            let Literal::Text(pattern) = self.literal()? else {
                return Err(self.error("LIKE needs a quoted text"));
            };
            return Ok(negate_if(not, Condition::Like { field, pattern }));
        }
        if self.keyword("in") {
            return Ok(negate_if(not, self.list(&field)?));
        }
        if not {
            return Err(self.error("LIKE or IN was expected"));
        }
        const SIGNS: &[(&str, Comparison)] = &[
            ("=", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let Some((_, operator)) = SIGNS.iter().find(|(sign, _)| self.sign(sign)) else {
            return Err(self.error("an operator (=, !=, <, <=, >, >=, LIKE, IN, IS) was expected"));
        };
        if self.keyword("null") {
            let is_null = Condition::IsNull(field);
            return match operator {
                Comparison::Equal => Ok(is_null),
                Comparison::NotEqual => Ok(negate_if(true, is_null)),
                _ => Err(self.error("NULL has no order; a value was expected")),
            };
        }
        Ok(Condition::Compare { field, operator: *operator, value: self.literal()? })
    }

    fn list(&mut self, field: &Field) -> Result<Condition, BadQuery> {
        if !self.sign("(") {
            return Err(self.error("( was expected"));
        }
        let mut parts = Vec::new();
        loop {
            let value = self.literal()?;
            parts.push(Condition::Compare { field: field.clone(), operator: Comparison::Equal, value });
            if !self.sign(",") {
                break;
            }
        }
        if !self.sign(")") {
            return Err(self.error(") was expected"));
        }
        Ok(Condition::Any(parts))
    }

    fn field(&mut self) -> Result<Field, BadQuery> {
        match self.peek().cloned() {
            Some(Token::Word { text, exact }) if !text.is_empty() => {
                self.at += 1;
                let path =
                    if exact { vec![text.clone()] } else { text.split('.').map(str::to_owned).collect() };
                Ok(Field { name: text, path })
            }
            _ => Err(self.error("a field's name was expected")),
        }
    }

    fn literal(&mut self) -> Result<Literal, BadQuery> {
        let literal = match self.peek() {
            Some(Token::Text(text)) => Literal::Text(text.clone()),
            Some(Token::Number(number)) => Literal::Number(*number),
            Some(Token::Word { text, exact: false }) if text.eq_ignore_ascii_case("true") => {
                Literal::Bool(true)
            }
            Some(Token::Word { text, exact: false }) if text.eq_ignore_ascii_case("false") => {
                Literal::Bool(false)
            }
            _ => return Err(self.error("a value ('text', a number, true or false) was expected")),
        };
        self.at += 1;
        Ok(literal)
    }

    fn keyword(&mut self, word: &str) -> bool {
        let next = matches!(self.peek(),
            Some(Token::Word { text, exact: false }) if text.eq_ignore_ascii_case(word));
        self.at += usize::from(next);
        next
    }

    fn sign(&mut self, sign: &str) -> bool {
        let next = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(next);
        next
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn error(&self, message: &str) -> BadQuery {
        let at = self.tokens.get(self.at).map_or(self.end, |(at, _)| *at);
        BadQuery { at, message: message.to_owned() }
    }
}

fn negate_if(not: bool, condition: Condition) -> Condition {
    if not { Condition::Not(Box::new(condition)) } else { condition }
}
