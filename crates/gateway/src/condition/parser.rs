//! The grammar: `or` of `and` of `not` of comparisons.

use super::glob::Glob;
use super::java_regex;
use super::lexer::{Token, tokens};
use super::{BadCondition, Expression, Operand, Operator, Pattern, PatternKind};
use crate::variable::Variable;

/// Nesting deeper than this is refused, so that hostile text cannot exhaust the stack.
const MAX_DEPTH: usize = 100;

/// The expression, and whether a parenthesis at its end had to be thought of.
pub(super) fn parse(text: &str) -> Result<Option<(Expression, bool)>, BadCondition> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut parser = Parser { tokens: &tokens, at: 0, end: text.len(), depth: 0, unclosed: false };
    let parsed = parser.or()?;
    match parser.peek() {
        None => Ok(Some((parsed, parser.unclosed))),
        Some(_) => Err(parser.wrong("expected 'and', 'or' or the end")),
    }
}

struct Parser<'t> {
    tokens: &'t [(usize, Token<'t>)],
    at: usize,
    end: usize,
    depth: usize,
    unclosed: bool,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<&'t Token<'t>> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn position(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |(position, _)| *position)
    }

    fn wrong(&self, why: impl Into<String>) -> BadCondition {
        BadCondition::at(self.position(), why)
    }

    fn take(&mut self, symbol: &str, word: &str) -> bool {
        let found = match self.peek() {
            Some(Token::Symbol(s)) => *s == symbol,
            Some(Token::Word(w)) => !word.is_empty() && w.eq_ignore_ascii_case(word),
            _ => false,
        };
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<Expression, BadCondition> {
        let mut any = vec![self.and()?];
        while self.take("||", "or") {
            any.push(self.and()?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Expression::Any(any) })
    }

    fn and(&mut self) -> Result<Expression, BadCondition> {
        let mut all = vec![self.unary()?];
        while self.take("&&", "and") {
            all.push(self.unary()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::All(all) })
    }

    fn unary(&mut self) -> Result<Expression, BadCondition> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong(format!("nested deeper than {MAX_DEPTH}")));
        }
        let parsed = if self.take("!", "not") {
            Expression::Not(Box::new(self.unary()?))
        } else if self.take("(", "") {
            let inner = self.or()?;
            if self.peek().is_none() {
                // Only one thing can be meant, and what SAP exported this way it also ran.
                self.unclosed = true;
            } else if !self.take(")", "") {
                return Err(self.wrong("expected ')'"));
            }
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(parsed)
    }

    fn comparison(&mut self) -> Result<Expression, BadCondition> {
        let Some(Token::Word(name)) = self.peek() else {
            return Err(self.wrong("expected a variable, 'not' or '('"));
        };
        if is_reserved(name) {
            return Err(self.wrong(format!("expected a variable, found the word '{name}'")));
        }
        self.at += 1;
        if let Some(constant) = boolean(name) {
            return Ok(Expression::Constant(constant));
        }
        let variable = Variable::new(name);
        let negated = self.take_not_before_pattern();
        match self.operator() {
            None if negated => {
                Err(self.wrong("expected StartsWith, Matches, MatchesPath or JavaRegex after 'not'"))
            }
            None => Ok(Expression::Truth(variable)),
            Some(Found::Compare(operator)) => Ok(Expression::Compare(variable, operator, self.operand()?)),
            Some(Found::Pattern(kind, not)) => {
                let pattern = self.pattern(kind)?;
                Ok(Expression::Pattern { variable, negated: negated || not, pattern })
            }
        }
    }

    /// `variable not Matches "…"`.
    fn take_not_before_pattern(&mut self) -> bool {
        let Some(Token::Word(word)) = self.peek() else { return false };
        let next = self.tokens.get(self.at + 1).map(|(_, token)| token);
        let is_pattern =
            matches!(next, Some(Token::Word(w)) if matches!(word_operator(w), Some(Found::Pattern(..))));
        let found = word.eq_ignore_ascii_case("not") && is_pattern;
        self.at += usize::from(found);
        found
    }

    fn operator(&mut self) -> Option<Found> {
        use Operator::*;
        let found = match self.peek()? {
            Token::Word(word) => word_operator(word)?,
            Token::Symbol(symbol) => match *symbol {
                "=" | "==" => Found::Compare(Equals),
                "!=" => Found::Compare(NotEquals),
                ":=" => Found::Compare(EqualsIgnoringCase),
                ">" => Found::Compare(Greater),
                ">=" => Found::Compare(GreaterOrEqual),
                "<" => Found::Compare(Lesser),
                "<=" => Found::Compare(LesserOrEqual),
                "=|" => Found::Pattern(PatternKind::StartsWith, false),
                "~" => Found::Pattern(PatternKind::Matches, false),
                "~/" | "/~" => Found::Pattern(PatternKind::MatchesPath, false),
                "~~" => Found::Pattern(PatternKind::JavaRegex, false),
                "!~" => Found::Pattern(PatternKind::Matches, true),
                "!~/" => Found::Pattern(PatternKind::MatchesPath, true),
                "!~~" => Found::Pattern(PatternKind::JavaRegex, true),
                _ => return None,
            },
            _ => return None,
        };
        self.at += 1;
        Some(found)
    }

    fn operand(&mut self) -> Result<Operand, BadCondition> {
        let operand = match self.peek() {
            Some(Token::Text(text)) => Operand::Text((*text).into()),
            Some(Token::Number(number)) => self.number(number)?,
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("null") => Operand::Null,
            Some(Token::Word(word)) if is_reserved(word) => {
                return Err(self.wrong(format!("expected a value, found the word '{word}'")));
            }
            Some(Token::Word(word)) => match boolean(word) {
                Some(value) => Operand::Boolean(value),
                None => Operand::Variable(Variable::new(word)),
            },
            _ => return Err(self.wrong("expected a value after the operator")),
        };
        self.at += 1;
        Ok(operand)
    }

    fn number(&self, text: &str) -> Result<Operand, BadCondition> {
        let bad = || self.wrong(format!("'{text}' is not a number"));
        let (digits, suffix) = match text.as_bytes().last() {
            Some(suffix @ (b'f' | b'F' | b'd' | b'D' | b'l' | b'L')) => (&text[..text.len() - 1], *suffix),
            _ => (text, b' '),
        };
        if !digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.')) {
            return Err(bad());
        }
        match suffix.to_ascii_lowercase() {
            b'f' => digits.parse().map(Operand::Float).map_err(|_| bad()),
            b'd' => digits.parse().map(Operand::Double).map_err(|_| bad()),
            b'l' => digits.parse().map(Operand::Long).map_err(|_| bad()),
            _ if digits.contains('.') => digits.parse().map(Operand::Double).map_err(|_| bad()),
            _ => match digits.parse() {
                Ok(small) => Ok(Operand::Integer(small)),
                Err(_) => digits.parse().map(Operand::Long).map_err(|_| bad()),
            },
        }
    }

    fn pattern(&mut self, kind: PatternKind) -> Result<Pattern, BadCondition> {
        let text = match self.peek() {
            Some(Token::Text(text)) => *text,
            Some(Token::Word(word))
                if kind == PatternKind::StartsWith && word.eq_ignore_ascii_case("null") =>
            {
                self.at += 1;
                return Ok(Pattern::StartsWithNull);
            }
            _ => return Err(self.wrong(format!("{} needs a pattern in double quotes", kind.word()))),
        };
        let pattern = match kind {
            PatternKind::StartsWith => Pattern::StartsWith(text.into()),
            PatternKind::Matches => Pattern::Matches(Glob::text(text)),
            PatternKind::MatchesPath => Pattern::MatchesPath(Glob::path(text)),
            PatternKind::JavaRegex => {
                Pattern::JavaRegex(text.into(), java_regex::whole(text).map_err(|why| self.wrong(why))?)
            }
        };
        self.at += 1;
        Ok(pattern)
    }
}

enum Found {
    Compare(Operator),
    /// With the negation that is part of the symbol.
    Pattern(PatternKind, bool),
}

fn word_operator(word: &str) -> Option<Found> {
    use Operator::*;
    Some(match word.to_ascii_lowercase().as_str() {
        "equals" | "is" => Found::Compare(Equals),
        "notequals" | "isnot" => Found::Compare(NotEquals),
        "equalscaseinsensitive" => Found::Compare(EqualsIgnoringCase),
        "greaterthan" => Found::Compare(Greater),
        "greaterthanorequals" => Found::Compare(GreaterOrEqual),
        "lesserthan" | "lessthan" => Found::Compare(Lesser),
        "lesserthanorequals" | "lessthanorequals" => Found::Compare(LesserOrEqual),
        "startswith" => Found::Pattern(PatternKind::StartsWith, false),
        "matches" | "like" => Found::Pattern(PatternKind::Matches, false),
        "matchespath" | "likepath" => Found::Pattern(PatternKind::MatchesPath, false),
        "javaregex" => Found::Pattern(PatternKind::JavaRegex, false),
        _ => return None,
    })
}

fn is_reserved(word: &str) -> bool {
    word_operator(word).is_some()
        || ["and", "or", "not"].iter().any(|reserved| word.eq_ignore_ascii_case(reserved))
}

fn boolean(word: &str) -> Option<bool> {
    match word {
        _ if word.eq_ignore_ascii_case("true") => Some(true),
        _ if word.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}
