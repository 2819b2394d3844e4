//! The condition language (api-management §5).

pub(crate) mod glob;
pub(crate) mod java_regex;
mod lexer;
mod never;
mod operators;
mod parser;

use std::fmt;

use regex::Regex;

use crate::variable::{Value, Variable};
use glob::Glob;

/// A compiled condition. Evaluating it allocates nothing unless a variable has to be computed.
#[derive(Debug, Clone)]
pub struct Condition {
    expression: Expression,
    unclosed: bool,
}

/// A condition that does not parse, with where and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("condition, character {position}: {why}")]
pub struct BadCondition {
    /// Byte position in the text, from 0.
    pub position: usize,
    /// What is wrong there.
    pub why: String,
}

impl BadCondition {
    fn at(position: usize, why: impl Into<String>) -> Self {
        Self { position, why: why.into() }
    }
}

/// Where a condition reads its variables.
pub trait Lookup {
    /// The value of a variable; null when there is none.
    fn value<'a>(&'a self, variable: &'a Variable) -> Value<'a>;
}

impl Condition {
    /// Parses `text`. `None` when it is empty, which always holds.
    pub fn parse(text: &str) -> Result<Option<Self>, BadCondition> {
        Ok(parser::parse(text)?.map(|(expression, unclosed)| Self { expression, unclosed }))
    }

    /// Whether the condition holds.
    pub fn holds(&self, variables: &impl Lookup) -> bool {
        self.expression.holds(variables)
    }

    /// Whether parentheses at its end were missing, which changes nothing.
    pub fn is_unclosed(&self) -> bool {
        self.unclosed
    }

    /// The variables it reads.
    pub(crate) fn each_variable(&self, visit: &mut dyn FnMut(&Variable)) {
        self.expression.each_variable(visit);
    }
}

#[derive(Debug, Clone)]
enum Expression {
    Any(Vec<Expression>),
    All(Vec<Expression>),
    Not(Box<Expression>),
    Constant(bool),
    /// A bare variable.
    Truth(Variable),
    Compare(Variable, Operator, Operand),
    Pattern {
        variable: Variable,
        negated: bool,
        pattern: Pattern,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equals,
    NotEquals,
    EqualsIgnoringCase,
    Greater,
    GreaterOrEqual,
    Lesser,
    LesserOrEqual,
}

#[derive(Debug, Clone)]
enum Operand {
    Null,
    Boolean(bool),
    Integer(i32),
    Long(i64),
    Float(f32),
    Double(f64),
    Text(Box<str>),
    Variable(Variable),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PatternKind {
    StartsWith,
    Matches,
    MatchesPath,
    JavaRegex,
}

impl PatternKind {
    const fn word(self) -> &'static str {
        match self {
            Self::StartsWith => "StartsWith",
            Self::Matches => "Matches",
            Self::MatchesPath => "MatchesPath",
            Self::JavaRegex => "JavaRegex",
        }
    }
}

#[derive(Debug, Clone)]
enum Pattern {
    StartsWith(Box<str>),
    /// Never holds.
    StartsWithNull,
    Matches(Glob),
    MatchesPath(Glob),
    JavaRegex(Box<str>, Regex),
}

impl Expression {
    fn holds(&self, variables: &impl Lookup) -> bool {
        match self {
            Self::Any(any) => any.iter().any(|one| one.holds(variables)),
            Self::All(all) => all.iter().all(|one| one.holds(variables)),
            Self::Not(inner) => !inner.holds(variables),
            Self::Constant(value) => *value,
            Self::Truth(variable) => variables.value(variable).is_true(),
            Self::Compare(variable, operator, operand) => {
                operator.holds(&variables.value(variable), &operand.value(variables))
            }
            Self::Pattern { variable, negated, pattern } => match variables.value(variable).into_text() {
                // Null against a pattern: `!~` holds, all others do not.
                None => *negated && !matches!(pattern, Pattern::StartsWithNull),
                Some(text) => pattern.matches(&text) != *negated,
            },
        }
    }

    fn each_variable(&self, visit: &mut dyn FnMut(&Variable)) {
        match self {
            Self::Any(many) | Self::All(many) => many.iter().for_each(|one| one.each_variable(visit)),
            Self::Not(inner) => inner.each_variable(visit),
            Self::Constant(_) => {}
            Self::Truth(variable) | Self::Pattern { variable, .. } => visit(variable),
            Self::Compare(left, _, right) => {
                visit(left);
                if let Operand::Variable(right) = right {
                    visit(right);
                }
            }
        }
    }
}

impl Operand {
    fn value<'a>(&'a self, variables: &'a impl Lookup) -> Value<'a> {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(v) => Value::Boolean(*v),
            Self::Integer(v) => Value::Integer(*v),
            Self::Long(v) => Value::Long(*v),
            Self::Float(v) => Value::Float(*v),
            Self::Double(v) => Value::Double(*v),
            Self::Text(v) => Value::text(v),
            Self::Variable(variable) => variables.value(variable),
        }
    }
}

impl Pattern {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::StartsWith(prefix) => text.starts_with(&**prefix),
            Self::StartsWithNull => false,
            Self::Matches(glob) | Self::MatchesPath(glob) => glob.matches(text),
            Self::JavaRegex(_, regex) => regex.is_match(text),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, items: &[Self], word: &str| {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    write!(f, " {word} ")?;
                }
                match item {
                    Self::Any(_) | Self::All(_) => write!(f, "({item})")?,
                    _ => item.fmt(f)?,
                }
            }
            Ok(())
        };
        match self {
            Self::Any(any) => list(f, any, "or"),
            Self::All(all) => list(f, all, "and"),
            Self::Not(inner) => match &**inner {
                Self::Any(_) | Self::All(_) => write!(f, "not ({inner})"),
                _ => write!(f, "not {inner}"),
            },
            Self::Constant(value) => value.fmt(f),
            Self::Truth(variable) => variable.fmt(f),
            Self::Compare(variable, operator, operand) => {
                write!(f, "{variable} {} {operand}", operator.symbol())
            }
            Self::Pattern { variable, negated, pattern } => {
                write!(f, "{variable} {}{pattern}", if *negated { "not " } else { "" })
            }
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(v) => v.fmt(f),
            Self::Integer(v) => v.fmt(f),
            Self::Long(v) => write!(f, "{v}L"),
            Self::Float(v) => write!(f, "{v}f"),
            Self::Double(v) => write!(f, "{v}d"),
            Self::Text(v) => write!(f, "\"{v}\""),
            Self::Variable(v) => v.fmt(f),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StartsWith(text) => write!(f, "StartsWith \"{text}\""),
            Self::StartsWithNull => f.write_str("StartsWith null"),
            Self::Matches(glob) => write!(f, "Matches \"{glob}\""),
            Self::MatchesPath(glob) => write!(f, "MatchesPath \"{glob}\""),
            Self::JavaRegex(text, _) => write!(f, "JavaRegex \"{text}\""),
        }
    }
}

#[cfg(test)]
mod tests;
