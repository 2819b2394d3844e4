//! `where=` of platform lists: comparisons for equality joined by AND (open-connectors §5.2, the forms that
//! platform lists are asked with).

use pierhead_store::identity::Wanted;

use crate::IdentityProblem;

/// A literal of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    Text(String),
    Number(i64),
    Flag(bool),
}

/// `field = value` or `field IN (value, …)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) field: String,
    pub(crate) values: Vec<Literal>,
}

/// How a field compares.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Number,
    Flag,
}

/// Reads a condition against the fields of a list: wire name, column and kind.
pub(crate) fn read<F: Copy>(
    condition: Option<&str>,
    fields: &[(&str, F, Kind)],
) -> Result<Vec<(F, Wanted)>, IdentityProblem> {
    let Some(condition) = condition.filter(|condition| !condition.trim().is_empty()) else {
        return Ok(Vec::new());
    };
    let terms = Parser { rest: condition }.condition()?;
    terms.into_iter().map(|term| wanted(term, fields)).collect()
}

fn wanted<F: Copy>(term: Term, fields: &[(&str, F, Kind)]) -> Result<(F, Wanted), IdentityProblem> {
    let bad = |why: &str| IdentityProblem::Query(format!("{} {why}", term.field));
    let known = fields.iter().find(|(name, _, _)| *name == term.field);
    let (_, column, kind) = known.ok_or_else(|| bad("is no field of this list"))?;
    let wanted = match kind {
        Kind::Text => Wanted::Text(term.values.iter().map(text).collect()),
        Kind::Number => {
            let numbers: Option<Vec<i64>> =
                term.values.iter().map(|value| text(value).parse().ok()).collect();
            Wanted::Number(numbers.ok_or_else(|| bad("is a whole number"))?)
        }
        Kind::Flag => match term.values.as_slice() {
            [value] if text(value) == "true" => Wanted::Flag(true),
            [value] if text(value) == "false" => Wanted::Flag(false),
            _ => return Err(bad("is true or false")),
        },
    };
    Ok((*column, wanted))
}

fn text(literal: &Literal) -> String {
    match literal {
        Literal::Text(text) => text.clone(),
        Literal::Number(number) => number.to_string(),
        Literal::Flag(flag) => flag.to_string(),
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn condition(mut self) -> Result<Vec<Term>, IdentityProblem> {
        let mut terms = vec![self.term()?];
        loop {
            self.skip_blanks();
            if self.rest.is_empty() {
                return Ok(terms);
            }
            if !self.keyword("and") {
                return self.fail("AND or the end of the condition is expected");
            }
            terms.push(self.term()?);
        }
    }

    fn term(&mut self) -> Result<Term, IdentityProblem> {
        let field = self.field()?;
        self.skip_blanks();
        let values = if self.take('=') {
            vec![self.literal()?]
        } else if self.keyword("in") {
            self.list()?
        } else {
            return self.fail("= or IN is expected after the field");
        };
        Ok(Term { field, values })
    }

    fn field(&mut self) -> Result<String, IdentityProblem> {
        self.skip_blanks();
        let quoted = self.take('`');
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        if name.is_empty() || (quoted && !self.take('`')) {
            return self.fail("a field is expected");
        }
        Ok(name.into())
    }

    fn list(&mut self) -> Result<Vec<Literal>, IdentityProblem> {
        self.skip_blanks();
        if !self.take('(') {
            return self.fail("( is expected after IN");
        }
        let mut values = vec![self.literal()?];
        loop {
            self.skip_blanks();
            if self.take(')') {
                return Ok(values);
            }
            if !self.take(',') {
                return self.fail(", or ) is expected");
            }
            values.push(self.literal()?);
        }
    }

    fn literal(&mut self) -> Result<Literal, IdentityProblem> {
        self.skip_blanks();
        // Typographic quotes come from copied samples.
        if ['\'', '‘', '’'].into_iter().any(|quote| self.take(quote)) {
            return self.quoted();
        }
        let end = self.rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | ')' | '(' | '\'' | '='));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        if word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false") {
            return Ok(Literal::Flag(word.eq_ignore_ascii_case("true")));
        }
        match word.parse() {
            Ok(number) => Ok(Literal::Number(number)),
            Err(_) => self.fail("a value in single quotes, a number, true or false is expected"),
        }
    }

    /// The rest of a text after its first quote; two quotes stand for one.
    fn quoted(&mut self) -> Result<Literal, IdentityProblem> {
        let mut text = String::new();
        loop {
            let mut letters = self.rest.chars();
            let Some(letter) = letters.next() else { return self.fail("a quote is not closed") };
            self.rest = letters.as_str();
            match letter {
                '\'' if self.take('\'') => text.push('\''),
                '\'' | '’' => return Ok(Literal::Text(text)),
                other => text.push(other),
            }
        }
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, letter: char) -> bool {
        self.rest.strip_prefix(letter).is_some_and(|rest| {
            self.rest = rest;
            true
        })
    }

    fn keyword(&mut self, word: &str) -> bool {
        let Some((head, rest)) = self.rest.split_at_checked(word.len()) else { return false };
        let ends = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let found = head.eq_ignore_ascii_case(word) && ends;
        if found {
            self.rest = rest;
        }
        found
    }

    fn fail<T>(&self, why: &str) -> Result<T, IdentityProblem> {
        Err(IdentityProblem::Query(why.into()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIELDS: &[(&str, char, Kind)] =
        &[("name", 'n', Kind::Text), ("id", 'i', Kind::Number), ("active", 'a', Kind::Flag)];

    fn parsed(condition: &str) -> Result<Vec<(char, Wanted)>, String> {
        read(Some(condition), FIELDS).map_err(|why| why.to_string())
    }

    #[test]
    fn the_forms_of_the_reference_are_understood() {
        let text = |values: &[&str]| Wanted::Text(values.iter().map(|v| (*v).to_owned()).collect());
        assert_eq!(parsed("name='x'"), Ok(vec![('n', text(&["x"]))]));
        assert_eq!(parsed("name = 'Churro''s'"), Ok(vec![('n', text(&["Churro's"]))]));
        assert_eq!(parsed("`name` = ‘x’"), Ok(vec![('n', text(&["x"]))]));
        assert_eq!(parsed("active=true"), Ok(vec![('a', Wanted::Flag(true))]));
        assert_eq!(
            parsed("active = 'false' AND id=7"),
            Ok(vec![('a', Wanted::Flag(false)), ('i', Wanted::Number(vec![7]))])
        );
        assert_eq!(
            parsed("name in ('a','b') and id IN (1, 2)"),
            Ok(vec![('n', text(&["a", "b"])), ('i', Wanted::Number(vec![1, 2]))])
        );
        assert_eq!(parsed("name = ''"), Ok(vec![('n', text(&[""]))]));
        assert_eq!(parsed("  "), Ok(vec![]));
    }

    #[test]
    fn what_is_not_understood_is_an_error_parsing_the_query() {
        for bad in [
            "name",
            "name=",
            "name='x",
            "=1",
            "name='x' or id=1",
            "unknown='x'",
            "id='x'",
            "active=1",
            "name in ()",
            "name in ('a'",
            "name in 'a'",
            "name like 'a'",
            "active in (true,false)",
            "name='a' and",
            "name='a'id=1",
            "`name='a'",
        ] {
            let why = parsed(bad).unwrap_err();
            assert!(why.starts_with("Error parsing query"), "{bad}: {why}");
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back_from_its_quotes(value in "[^‘’]{0,30}") {
            let condition = format!("name = '{}'", value.replace('\'', "''"));
            prop_assert_eq!(parsed(&condition), Ok(vec![('n', Wanted::Text(vec![value]))]));
        }

        #[test]
        fn no_input_panics(condition in ".{0,60}") {
            let _ = parsed(&condition);
        }
    }
}
