//! `$filter`: comparison, logic and text functions over the properties of one entity.

use std::cmp::Ordering;

use serde_json::Value;
use time::format_description::well_known::Iso8601;

use super::ODataError;
use super::entity::{Entity, millis};
use super::lexer::{Token, tokens};
use super::schema::{Edm, EntitySet};

/// Deepest nesting of brackets, functions and `not`.
const MAX_DEPTH: usize = 40;
/// Longest expression, in bytes.
const MAX_BYTES: usize = 8 * 1024;

/// A checked expression: every property it names exists.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter(Expression);

#[derive(Debug, Clone, PartialEq)]
enum Expression {
    Literal(Operand),
    Property { path: String, moment: bool },
    Not(Box<Expression>),
    Both(Box<Expression>, Box<Expression>),
    Either(Box<Expression>, Box<Expression>),
    Compare(Comparison, Box<Expression>, Box<Expression>),
    Call(Function, Vec<Expression>),
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Null,
    Boolean(bool),
    Number(f64),
    Text(String),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Comparison {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Function {
    SubstringOf,
    StartsWith,
    EndsWith,
    ToLower,
    ToUpper,
    Length,
    Trim,
}

impl Filter {
    /// Reads an expression over the properties of `set`.
    pub(crate) fn parse(set: &'static EntitySet, text: &str) -> Result<Self, ODataError> {
        if text.len() > MAX_BYTES {
            return Err(ODataError::bad(format!("$filter is longer than {MAX_BYTES} bytes")));
        }
        let tokens = tokens(text).map_err(|error| ODataError::bad(format!("$filter: {error}")))?;
        let mut parser = Parser { set, tokens: tokens.into_iter().peekable(), depth: 0 };
        let expression = parser.either()?;
        match parser.tokens.next() {
            None => Ok(Self(expression)),
            Some(token) => Err(unexpected(Some(&token))),
        }
    }

    /// Whether it holds for `entity`.
    pub(crate) fn holds(&self, entity: &Entity) -> bool {
        truth(&evaluate(&self.0, entity))
    }
}

struct Parser {
    set: &'static EntitySet,
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
}

impl Parser {
    fn either(&mut self) -> Result<Expression, ODataError> {
        let mut left = self.both()?;
        while self.takes_word("or") {
            left = Expression::Either(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Expression, ODataError> {
        let mut left = self.negation()?;
        while self.takes_word("and") {
            left = Expression::Both(Box::new(left), Box::new(self.negation()?));
        }
        Ok(left)
    }

    fn negation(&mut self) -> Result<Expression, ODataError> {
        if self.takes_word("not") {
            self.deeper()?;
            let inner = self.negation()?;
            self.depth -= 1;
            return Ok(Expression::Not(Box::new(inner)));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expression, ODataError> {
        let left = self.operand()?;
        let Some(Token::Word(word)) = self.tokens.peek() else { return Ok(left) };
        let comparison = match word.as_str() {
            "eq" => Comparison::Eq,
            "ne" => Comparison::Ne,
            "gt" => Comparison::Gt,
            "ge" => Comparison::Ge,
            "lt" => Comparison::Lt,
            "le" => Comparison::Le,
            _ => return Ok(left),
        };
        self.tokens.next();
        Ok(Expression::Compare(comparison, Box::new(left), Box::new(self.operand()?)))
    }

    fn operand(&mut self) -> Result<Expression, ODataError> {
        match self.tokens.next() {
            Some(Token::Sign('(')) => {
                self.deeper()?;
                let inner = self.either()?;
                self.depth -= 1;
                self.expect(')')?;
                Ok(inner)
            }
            Some(Token::Text(text)) => Ok(Expression::Literal(Operand::Text(text))),
            Some(Token::Number(number)) => Ok(Expression::Literal(Operand::Number(number))),
            Some(Token::Word(word)) => self.word(word),
            token => Err(unexpected(token.as_ref())),
        }
    }

    fn word(&mut self, word: String) -> Result<Expression, ODataError> {
        match (word.as_str(), self.tokens.peek()) {
            ("true", _) => Ok(Expression::Literal(Operand::Boolean(true))),
            ("false", _) => Ok(Expression::Literal(Operand::Boolean(false))),
            ("null", _) => Ok(Expression::Literal(Operand::Null)),
            ("datetime" | "datetimeoffset", Some(Token::Text(_))) => self.moment(),
            (_, Some(Token::Sign('('))) => self.call(&word),
            _ => property(self.set, word),
        }
    }

    fn moment(&mut self) -> Result<Expression, ODataError> {
        let text = match self.tokens.next() {
            Some(Token::Text(text)) => text,
            token => return Err(unexpected(token.as_ref())),
        };
        let utc = if text.ends_with('Z') { text.clone() } else { format!("{text}Z") };
        let at = time::OffsetDateTime::parse(&utc, &Iso8601::DEFAULT).map_err(|_| {
            ODataError::bad("$filter: a datetime literal is not written as 2026-01-31T12:00:00")
        })?;
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of years near ours fit 53 bits")]
        let millis = (at.unix_timestamp_nanos() / 1_000_000) as f64;
        Ok(Expression::Literal(Operand::Number(millis)))
    }

    fn call(&mut self, name: &str) -> Result<Expression, ODataError> {
        let (function, arguments) = match name {
            "substringof" => (Function::SubstringOf, 2),
            "startswith" => (Function::StartsWith, 2),
            "endswith" => (Function::EndsWith, 2),
            "tolower" => (Function::ToLower, 1),
            "toupper" => (Function::ToUpper, 1),
            "length" => (Function::Length, 1),
            "trim" => (Function::Trim, 1),
            _ => return Err(ODataError::bad(format!("$filter: there is no function '{name}'"))),
        };
        self.deeper()?;
        self.expect('(')?;
        let mut given = vec![self.either()?];
        while self.tokens.peek() == Some(&Token::Sign(',')) {
            self.tokens.next();
            given.push(self.either()?);
        }
        self.expect(')')?;
        self.depth -= 1;
        if given.len() != arguments {
            return Err(ODataError::bad(format!("$filter: '{name}' takes {arguments} arguments")));
        }
        Ok(Expression::Call(function, given))
    }

    fn takes_word(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(known) if known == word)).is_some()
    }

    fn expect(&mut self, sign: char) -> Result<(), ODataError> {
        match self.tokens.next() {
            Some(Token::Sign(found)) if found == sign => Ok(()),
            token => Err(unexpected(token.as_ref())),
        }
    }

    fn deeper(&mut self) -> Result<(), ODataError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ODataError::bad(format!("$filter is nested deeper than {MAX_DEPTH}")));
        }
        Ok(())
    }
}

fn property(set: &'static EntitySet, path: String) -> Result<Expression, ODataError> {
    let moment = matches!(edm_of(set, &path)?, Edm::DateTime);
    Ok(Expression::Property { path, moment })
}

/// The type of a property, or of a field of a complex one (`life_cycle/changed_by`).
pub(super) fn edm_of(set: &'static EntitySet, path: &str) -> Result<Edm, ODataError> {
    let unknown = || ODataError::bad(format!("{} has no property '{path}'", set.name));
    let mut names = path.split('/');
    let first = names.next().and_then(|name| set.property(name)).filter(|property| !property.input_only);
    let mut edm = first.ok_or_else(unknown)?.edm;
    for name in names {
        let Edm::Complex(complex) = edm else { return Err(unknown()) };
        edm = complex.properties.iter().find(|field| field.name == name).ok_or_else(unknown)?.edm;
    }
    Ok(edm)
}

fn unexpected(token: Option<&Token>) -> ODataError {
    let found = match token {
        None => "its end".into(),
        Some(Token::Word(word)) => format!("'{word}'"),
        Some(Token::Sign(sign)) => format!("'{sign}'"),
        Some(Token::Text(_)) => "a text".into(),
        Some(Token::Number(_)) => "a number".into(),
    };
    ODataError::bad(format!("$filter: {found} is not expected there"))
}

fn evaluate(expression: &Expression, entity: &Entity) -> Operand {
    match expression {
        Expression::Literal(operand) => operand.clone(),
        Expression::Property { path, moment } => operand(entity.value(path), *moment),
        Expression::Not(inner) => Operand::Boolean(!truth(&evaluate(inner, entity))),
        Expression::Both(left, right) => {
            Operand::Boolean(truth(&evaluate(left, entity)) && truth(&evaluate(right, entity)))
        }
        Expression::Either(left, right) => {
            Operand::Boolean(truth(&evaluate(left, entity)) || truth(&evaluate(right, entity)))
        }
        Expression::Compare(how, left, right) => {
            Operand::Boolean(compare(*how, &evaluate(left, entity), &evaluate(right, entity)))
        }
        Expression::Call(function, arguments) => {
            let texts: Option<Vec<String>> =
                arguments.iter().map(|argument| text(evaluate(argument, entity))).collect();
            texts.map_or(Operand::Null, |texts| call(*function, &texts))
        }
    }
}

fn call(function: Function, texts: &[String]) -> Operand {
    match (function, texts) {
        // The order is V2's: what is looked for comes first.
        (Function::SubstringOf, [part, whole]) => Operand::Boolean(whole.contains(part.as_str())),
        (Function::StartsWith, [whole, part]) => Operand::Boolean(whole.starts_with(part.as_str())),
        (Function::EndsWith, [whole, part]) => Operand::Boolean(whole.ends_with(part.as_str())),
        (Function::ToLower, [text]) => Operand::Text(text.to_lowercase()),
        (Function::ToUpper, [text]) => Operand::Text(text.to_uppercase()),
        (Function::Trim, [text]) => Operand::Text(text.trim().to_owned()),
        (Function::Length, [text]) => {
            Operand::Number(u32::try_from(text.chars().count()).map_or(f64::MAX, f64::from))
        }
        _ => Operand::Null,
    }
}

fn operand(value: &Value, moment: bool) -> Operand {
    match value {
        Value::Bool(value) => Operand::Boolean(*value),
        Value::Number(value) => value.as_f64().map_or(Operand::Null, Operand::Number),
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of years near ours fit 53 bits")]
        Value::String(text) if moment => millis(text).map_or(Operand::Null, |at| Operand::Number(at as f64)),
        Value::String(text) => Operand::Text(text.clone()),
        _ => Operand::Null,
    }
}

fn text(operand: Operand) -> Option<String> {
    match operand {
        Operand::Text(text) => Some(text),
        _ => None,
    }
}

fn truth(operand: &Operand) -> bool {
    *operand == Operand::Boolean(true)
}

fn compare(how: Comparison, left: &Operand, right: &Operand) -> bool {
    let order = match (left, right) {
        (Operand::Null, Operand::Null) => Some(Ordering::Equal),
        (Operand::Boolean(left), Operand::Boolean(right)) => Some(left.cmp(right)),
        (Operand::Number(left), Operand::Number(right)) => left.partial_cmp(right),
        (Operand::Text(left), Operand::Text(right)) => Some(left.cmp(right)),
        _ => None,
    };
    match (how, order) {
        (Comparison::Ne, order) => order != Some(Ordering::Equal),
        (_, None) => false,
        (Comparison::Eq, Some(order)) => order.is_eq(),
        (Comparison::Gt, Some(order)) => order.is_gt(),
        (Comparison::Ge, Some(order)) => order.is_ge(),
        (Comparison::Lt, Some(order)) => order.is_lt(),
        (Comparison::Le, Some(order)) => order.is_le(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::odata::schema::{ComplexType, Property};

    static HISTORY: ComplexType =
        ComplexType { name: "History", properties: &[Property::moment("at"), Property::text("by")] };
    static SET: EntitySet = EntitySet {
        name: "Things",
        type_name: "Thing",
        title: "thing",
        properties: &[
            Property::key("name"),
            Property::flag("isCopy"),
            Property::number("port"),
            Property::complex("life_cycle", &HISTORY),
            Property::text("secret").input_only(),
        ],
        navigation: &[],
    };

    fn holds(filter: &str) -> bool {
        let entity = Entity::new(
            &SET,
            json!({"name": "Google'd", "isCopy": false, "port": 443, "life_cycle": {"at": "/Date(1000)/", "by": "ann"}}),
        );
        Filter::parse(&SET, filter).unwrap().holds(&entity)
    }

    #[test]
    fn operators_and_functions_mean_what_v2_says() {
        for yes in [
            "isCopy eq false",
            "name eq 'Google''d' and port ge 443L",
            "not (port lt 443) or name eq null",
            "substringof('oog', name)",
            "startswith(tolower(name),'goo') eq true and endswith(name,'d')",
            "toupper(name) eq 'GOOGLE''D'",
            "life_cycle/by eq 'ann' and life_cycle/at le datetime'1970-01-01T00:00:01'",
            "port ne 'x'",
            "length(name) eq 8",
        ] {
            assert!(holds(yes), "{yes}");
        }
        for no in ["isCopy", "port eq '443'", "name eq 'google''d'", "false or port gt 443", "name gt null"] {
            assert!(!holds(no), "{no}");
        }
    }

    #[test]
    fn and_binds_tighter_than_or() {
        assert!(holds("port eq 443 or port eq 443 and false"));
        assert!(!holds("(port eq 443 or port eq 443) and false"));
    }

    #[test]
    fn what_does_not_exist_is_named() {
        for (filter, word) in [
            ("nome eq 'x'", "nome"),
            ("life_cycle/of eq 'x'", "life_cycle/of"),
            ("secret eq 'x'", "secret"),
            ("upper(name) eq 'x'", "upper"),
            ("name eq", "its end"),
            ("name eq 'x' name", "'name'"),
            ("startswith(name)", "startswith"),
        ] {
            let why = Filter::parse(&SET, filter).unwrap_err().to_string();
            assert!(why.contains(word), "{filter}: {why}");
        }
        let deep = format!("{}true{}", "(".repeat(100), ")".repeat(100));
        assert!(Filter::parse(&SET, &deep).unwrap_err().to_string().contains("nested"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}") {
            let _ = Filter::parse(&SET, &text);
        }

        #[test]
        fn a_quoted_text_is_compared_as_it_is(text in ".{0,20}") {
            let entity = Entity::new(&SET, json!({"name": text}));
            let filter = format!("name eq {}", super::super::lexer::quote(&text));
            prop_assert!(Filter::parse(&SET, &filter).unwrap().holds(&entity));
        }
    }
}
