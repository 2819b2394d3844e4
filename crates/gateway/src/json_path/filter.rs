//! Filters: `[?(@.price < 10 && @.title =~ /a.*/i)]`.

use std::borrow::Cow;

use regex::Regex;

use super::evaluate::Walk;
use super::parser::Parser;
use super::{BadJsonPath, Found, JsonPath, TooManySteps};
use crate::condition::java_regex;
use crate::json::Json;

#[derive(Debug, Clone)]
pub(super) enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    /// A path alone: it leads somewhere.
    Exists(Operand),
    Compare(Operand, Operator, Operand),
    Matches(Operand, Regex),
}

#[derive(Debug, Clone)]
pub(super) enum Operand {
    /// From the value that is tested.
    Here(JsonPath),
    /// From the document.
    Document(JsonPath),
    Literal(Json<'static>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    SameType,
    NotSameType,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    SubsetOf,
    AnyOf,
    NoneOf,
    All,
    Contains,
    Size,
    Empty,
}

/// Longer ones first where one begins like another.
const OPERATORS: &[(&str, Operator)] = &[
    ("===", Operator::SameType),
    ("!==", Operator::NotSameType),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("nin", Operator::NotIn),
    ("in", Operator::In),
    ("subsetof", Operator::SubsetOf),
    ("anyof", Operator::AnyOf),
    ("noneof", Operator::NoneOf),
    ("all", Operator::All),
    ("contains", Operator::Contains),
    ("size", Operator::Size),
    ("empty", Operator::Empty),
];

pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Filter, BadJsonPath> {
    let mut any = vec![all(parser)?];
    while has(parser, "||") {
        any.push(all(parser)?);
    }
    Ok(if any.len() == 1 { any.remove(0) } else { Filter::Any(any) })
}

fn all(parser: &mut Parser<'_>) -> Result<Filter, BadJsonPath> {
    let mut all = vec![unary(parser)?];
    while has(parser, "&&") {
        all.push(unary(parser)?);
    }
    Ok(if all.len() == 1 { all.remove(0) } else { Filter::All(all) })
}

fn has(parser: &mut Parser<'_>, what: &str) -> bool {
    parser.skip_blanks();
    parser.take(what)
}

fn unary(parser: &mut Parser<'_>) -> Result<Filter, BadJsonPath> {
    if has(parser, "!") {
        return parser.nested(unary).map(|filter| Filter::Not(Box::new(filter)));
    }
    if has(parser, "(") {
        let inner = parser.nested(parse)?;
        parser.needed(")")?;
        return Ok(inner);
    }
    let left = operand(parser)?;
    parser.skip_blanks();
    if parser.take("=~") {
        parser.skip_blanks();
        return Ok(Filter::Matches(left, pattern(parser)?));
    }
    let found = OPERATORS.iter().find(|(text, _)| parser.take(text));
    match found {
        Some((_, operator)) => {
            parser.skip_blanks();
            Ok(Filter::Compare(left, *operator, operand(parser)?))
        }
        None if matches!(left, Operand::Literal(_)) => Err(parser.bad("a comparison is missing")),
        None => Ok(Filter::Exists(left)),
    }
}

fn operand(parser: &mut Parser<'_>) -> Result<Operand, BadJsonPath> {
    parser.skip_blanks();
    match parser.left().chars().next() {
        Some('@') => parser.nested(Parser::path).map(Operand::Here),
        Some('$') => parser.nested(Parser::path).map(Operand::Document),
        _ => literal(parser).map(Operand::Literal),
    }
}

/// A text in either quotes, a number, a word of JSON, or a list of these.
pub(super) fn literal(parser: &mut Parser<'_>) -> Result<Json<'static>, BadJsonPath> {
    let left = parser.left();
    if left.starts_with(['\'', '"']) {
        return parser.quoted().map(|text| Json::Text(text.into()));
    }
    if parser.take("[") {
        let mut items = Vec::new();
        if has(parser, "]") {
            return Ok(Json::Array(items));
        }
        loop {
            parser.skip_blanks();
            items.push(parser.nested(literal)?);
            if has(parser, "]") {
                return Ok(Json::Array(items));
            }
            parser.needed(",")?;
        }
    }
    for (word, value) in [("true", Json::Bool(true)), ("false", Json::Bool(false)), ("null", Json::Null)] {
        if parser.take(word) {
            return Ok(value);
        }
    }
    let end =
        left.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(left.len());
    match Json::parse(&left[..end]) {
        Ok(Json::Number(number)) => {
            parser.at += end;
            Ok(Json::Number(number.into_owned().into()))
        }
        _ => Err(parser.bad("a value is missing")),
    }
}

/// `/…/flags`.
fn pattern(parser: &mut Parser<'_>) -> Result<Regex, BadJsonPath> {
    if !parser.take("/") {
        return Err(parser.bad("a regular expression is written /…/"));
    }
    let mut pattern = String::new();
    let mut chars = parser.left().char_indices();
    let end = loop {
        match chars.next() {
            None => return Err(parser.bad("the regular expression is not closed")),
            Some((at, '/')) => break at + 1,
            Some((_, '\\')) => match chars.next() {
                Some((_, '/')) => pattern.push('/'),
                Some((_, c)) => pattern.extend(['\\', c]),
                None => pattern.push('\\'),
            },
            Some((_, c)) => pattern.push(c),
        }
    };
    parser.at += end;
    let left = parser.left();
    let flags = &left[..left.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(left.len())];
    if let Some(flag) = flags.chars().find(|flag| !"imsx".contains(*flag)) {
        return Err(parser.bad(format!("there is no flag {flag}")));
    }
    parser.at += flags.len();
    let pattern = if flags.is_empty() { pattern } else { format!("(?{flags}){pattern}") };
    java_regex::whole(&pattern).map_err(|why| parser.bad(why))
}

impl Filter {
    pub(super) fn holds<'t>(&self, walk: &Walk<'_, 't>, here: &Json<'t>) -> Result<bool, TooManySteps> {
        Ok(match self {
            Self::Any(any) => {
                for one in any {
                    if one.holds(walk, here)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::All(all) => {
                for one in all {
                    if !one.holds(walk, here)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Not(inner) => !inner.holds(walk, here)?,
            Self::Exists(operand) => operand.exists(walk, here)?,
            Self::Compare(left, operator, right) => {
                operator.holds(left.value(walk, here)?.as_deref(), right.value(walk, here)?.as_deref())
            }
            Self::Matches(operand, pattern) => match operand.value(walk, here)?.as_deref() {
                Some(Json::Array(items)) => items.iter().any(|item| pattern.is_match(&regex_input(item))),
                Some(value) => pattern.is_match(&regex_input(value)),
                None => false,
            },
        })
    }
}

/// Containers and null are the empty text to a regular expression.
fn regex_input<'v>(value: &'v Json<'_>) -> Cow<'v, str> {
    match value {
        Json::Text(_) | Json::Number(_) | Json::Bool(_) => value.shown(),
        _ => Cow::Borrowed(""),
    }
}

impl Operand {
    /// `None` when the path leads nowhere. What an indefinite path finds is an array.
    fn value<'v, 't>(
        &'v self,
        walk: &Walk<'v, 't>,
        here: &'v Json<'t>,
    ) -> Result<Option<Cow<'v, Json<'t>>>, TooManySteps> {
        let found = match self {
            Self::Here(path) => walk.path(path, here)?,
            Self::Document(path) => walk.path(path, walk.document)?,
            Self::Literal(value) => return Ok(Some(Cow::Borrowed(value))),
        };
        Ok(match found {
            Found::Nothing => None,
            Found::One(value) => Some(value),
            Found::Many(values) => {
                Some(Cow::Owned(Json::Array(values.into_iter().map(Cow::into_owned).collect())))
            }
        })
    }

    fn exists<'t>(&self, walk: &Walk<'_, 't>, here: &Json<'t>) -> Result<bool, TooManySteps> {
        let found = match self {
            Self::Here(path) => walk.path(path, here)?,
            Self::Document(path) => walk.path(path, walk.document)?,
            Self::Literal(_) => return Ok(true),
        };
        Ok(match found {
            Found::Nothing => false,
            Found::One(_) => true,
            Found::Many(values) => !values.is_empty(),
        })
    }
}

impl Operator {
    fn holds(self, left: Option<&Json<'_>>, right: Option<&Json<'_>>) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let both = || left.zip(right);
        let order = || both().and_then(|(left, right)| compare(left, right));
        match self {
            Self::Equal => both().is_some_and(|(left, right)| equal(left, right)),
            Self::NotEqual => !Self::Equal.holds(left, right),
            Self::SameType => both().is_some_and(|(left, right)| {
                std::mem::discriminant(left) == std::mem::discriminant(right) && equal(left, right)
            }),
            Self::NotSameType => !Self::SameType.holds(left, right),
            Self::Less => order() == Some(Less),
            Self::LessOrEqual => matches!(order(), Some(Less | Equal)),
            Self::Greater => order() == Some(Greater),
            Self::GreaterOrEqual => matches!(order(), Some(Greater | Equal)),
            Self::In => both().is_some_and(|(left, right)| is_in(left, right)),
            Self::NotIn => !Self::In.holds(left, right),
            Self::SubsetOf => {
                lists(left, right).is_some_and(|(left, right)| left.iter().all(|item| is_among(item, right)))
            }
            Self::AnyOf => {
                lists(left, right).is_some_and(|(left, right)| left.iter().any(|item| is_among(item, right)))
            }
            Self::NoneOf => {
                lists(left, right).is_some_and(|(left, right)| !left.iter().any(|item| is_among(item, right)))
            }
            Self::All => {
                lists(left, right).is_some_and(|(left, right)| right.iter().all(|item| is_among(item, left)))
            }
            Self::Contains => match both() {
                Some((Json::Text(left), Json::Text(right))) => left.contains(&**right),
                Some((left, right)) => is_in(right, left),
                None => false,
            },
            Self::Size => match both() {
                Some((left, right)) => {
                    length(left).is_some_and(|length| right.as_f64() == Some(length as f64))
                }
                None => false,
            },
            Self::Empty => match both() {
                Some((left, Json::Bool(wanted))) => {
                    length(left).is_some_and(|length| (length == 0) == *wanted)
                }
                _ => false,
            },
        }
    }
}

fn lists<'v, 't>(
    left: Option<&'v Json<'t>>,
    right: Option<&'v Json<'t>>,
) -> Option<(&'v [Json<'t>], &'v [Json<'t>])> {
    match (left?, right?) {
        (Json::Array(left), Json::Array(right)) => Some((left, right)),
        _ => None,
    }
}

fn is_in(item: &Json<'_>, list: &Json<'_>) -> bool {
    matches!(list, Json::Array(list) if is_among(item, list))
}

fn is_among(item: &Json<'_>, list: &[Json<'_>]) -> bool {
    list.iter().any(|one| equal(one, item))
}

fn length(value: &Json<'_>) -> Option<usize> {
    match value {
        Json::Text(text) => Some(text.chars().count()),
        Json::Array(items) => Some(items.len()),
        Json::Object(members) => Some(members.len()),
        _ => None,
    }
}

/// A number equals a text that says the same.
fn equal(left: &Json<'_>, right: &Json<'_>) -> bool {
    match (left, right) {
        (Json::Number(a), Json::Number(b)) => a == b || left.as_f64() == right.as_f64(),
        (Json::Number(number), Json::Text(text)) | (Json::Text(text), Json::Number(number)) => number == text,
        _ => left == right,
    }
}

fn compare(left: &Json<'_>, right: &Json<'_>) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Json::Text(a), Json::Text(b)) => Some(a.cmp(b)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}
