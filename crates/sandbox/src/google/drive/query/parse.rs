//! From tokens to meaning. `not` binds tightest, then `and`, then `or`.

use super::lexer::{Token, tokens};
use super::{BadQuery, Expr, Order, Part, Term, TextOp, TimeField, Visibility};
use crate::google::drive::moment;

/// Nesting deeper than this is refused, so that no query exhausts the stack.
const DEEPEST: usize = 64;

pub(super) fn parse(text: &str) -> Result<Expr, BadQuery> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, end: text.len() };
    let expr = parser.either(0)?;
    match parser.peek() {
        None => Ok(expr),
        Some(_) => Err(parser.bad("something after the end of the query")),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
}

impl Parser {
    fn either(&mut self, depth: usize) -> Result<Expr, BadQuery> {
        let mut left = self.both(depth)?;
        while self.eat_word("or") {
            left = Expr::Or(Box::new(left), Box::new(self.both(depth)?));
        }
        Ok(left)
    }

    fn both(&mut self, depth: usize) -> Result<Expr, BadQuery> {
        let mut left = self.single(depth)?;
        while self.eat_word("and") {
            left = Expr::And(Box::new(left), Box::new(self.single(depth)?));
        }
        Ok(left)
    }

    fn single(&mut self, depth: usize) -> Result<Expr, BadQuery> {
        if depth > DEEPEST {
            return Err(self.bad("too deeply nested"));
        }
        if self.eat_word("not") {
            return Ok(Expr::Not(Box::new(self.single(depth + 1)?)));
        }
        if self.eat(&Token::Open) {
            let inner = self.either(depth + 1)?;
            return if self.eat(&Token::Close) { Ok(inner) } else { Err(self.bad("a missing )")) };
        }
        self.term().map(Expr::Is)
    }

    fn term(&mut self) -> Result<Term, BadQuery> {
        match self.take() {
            Some(Token::Text(value)) => self.membership(value),
            Some(Token::Word(field)) => self.comparison(&field),
            _ => Err(self.bad_before("a field or a quoted value is needed here")),
        }
    }

    /// `'value' in collection`
    fn membership(&mut self, value: String) -> Result<Term, BadQuery> {
        if !self.eat_word("in") {
            return Err(self.bad("only 'in' can follow a value"));
        }
        let Some(Token::Word(collection)) = self.take() else {
            return Err(self.bad_before("'in' needs a collection"));
        };
        match collection.as_str() {
            "parents" => Ok(Term::Parent(value)),
            "owners" => Ok(Term::Member(Part::Owners, value)),
            "writers" => Ok(Term::Member(Part::Writers, value)),
            "readers" => Ok(Term::Member(Part::Readers, value)),
            _ => Err(self.bad_before("an unknown collection")),
        }
    }

    fn comparison(&mut self, field: &str) -> Result<Term, BadQuery> {
        match field {
            "name" => Ok(Term::Name(self.text_op()?, self.text()?)),
            "mimeType" => Ok(Term::MimeType(self.text_op()?, self.text()?)),
            "fullText" => match self.text_op()? {
                TextOp::Contains => Ok(Term::FullText(self.text()?)),
                TextOp::Equal | TextOp::NotEqual => Err(self.bad_before("fullText has contains only")),
            },
            "createdTime" => self.time(TimeField::Created),
            "modifiedTime" => self.time(TimeField::Modified),
            "viewedByMeTime" => self.time(TimeField::ViewedByMe),
            "sharedWithMeTime" => self.time(TimeField::SharedWithMe),
            "trashed" => self.flag().map(Term::Trashed),
            "starred" => self.flag().map(Term::Starred),
            "sharedWithMe" => self.flag().map(Term::SharedWithMe),
            "properties" => self.property(false),
            "appProperties" => self.property(true),
            "visibility" => {
                let equal = self.equality()?;
                let wanted = match self.text()?.as_str() {
                    "anyoneCanFind" => Visibility::AnyoneCanFind,
                    "anyoneWithLink" => Visibility::AnyoneWithLink,
                    "domainCanFind" => Visibility::DomainCanFind,
                    "domainWithLink" => Visibility::DomainWithLink,
                    "limited" => Visibility::Limited,
                    _ => return Err(self.bad_before("an unknown visibility")),
                };
                Ok(Term::Visibility(wanted, equal))
            }
            "shortcutDetails.targetId" => {
                let equal = self.equality()?;
                Ok(Term::ShortcutTarget(self.text()?, equal))
            }
            _ => Err(self.bad_before("an unknown field")),
        }
    }

    fn text_op(&mut self) -> Result<TextOp, BadQuery> {
        match self.take() {
            Some(Token::Sign("=")) => Ok(TextOp::Equal),
            Some(Token::Sign("!=")) => Ok(TextOp::NotEqual),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("contains") => Ok(TextOp::Contains),
            _ => Err(self.bad_before("=, != or contains is needed here")),
        }
    }

    fn equality(&mut self) -> Result<bool, BadQuery> {
        match self.take() {
            Some(Token::Sign("=")) => Ok(true),
            Some(Token::Sign("!=")) => Ok(false),
            _ => Err(self.bad_before("= or != is needed here")),
        }
    }

    /// `= true`, `!= true`, or nothing, which means true.
    fn flag(&mut self) -> Result<bool, BadQuery> {
        if !matches!(self.peek(), Some(Token::Sign("=" | "!="))) {
            return Ok(true);
        }
        let equal = self.equality()?;
        match self.take() {
            Some(Token::Word(word)) if word == "true" => Ok(equal),
            Some(Token::Word(word)) if word == "false" => Ok(!equal),
            _ => Err(self.bad_before("true or false is needed here")),
        }
    }

    fn time(&mut self, field: TimeField) -> Result<Term, BadQuery> {
        let order = match self.take() {
            Some(Token::Sign("<")) => Order::Less,
            Some(Token::Sign("<=")) => Order::LessOrEqual,
            Some(Token::Sign("=")) => Order::Equal,
            Some(Token::Sign("!=")) => Order::NotEqual,
            Some(Token::Sign(">=")) => Order::GreaterOrEqual,
            Some(Token::Sign(">")) => Order::Greater,
            _ => return Err(self.bad_before("a comparison of times is needed here")),
        };
        let text = self.text()?;
        let at = moment::read(&text).ok_or_else(|| self.bad_before("a time must be RFC 3339"))?;
        Ok(Term::Time(field, order, at))
    }

    /// `has { key='…' and value='…' }`
    fn property(&mut self, private: bool) -> Result<Term, BadQuery> {
        let shape = "properties are asked for as has { key='…' and value='…' }";
        if !(self.eat_word("has") && self.eat(&Token::OpenBrace)) {
            return Err(self.bad(shape));
        }
        let (mut key, mut value) = (None, None);
        loop {
            let slot = match self.take() {
                Some(Token::Word(word)) if word == "key" => &mut key,
                Some(Token::Word(word)) if word == "value" => &mut value,
                _ => return Err(self.bad_before(shape)),
            };
            if !self.equality()? {
                return Err(self.bad_before(shape));
            }
            *slot = Some(self.text()?);
            if !self.eat_word("and") {
                break;
            }
        }
        match (self.eat(&Token::CloseBrace), key, value) {
            (true, Some(key), Some(value)) => Ok(Term::Property { private, key, value }),
            _ => Err(self.bad(shape)),
        }
    }

    fn text(&mut self) -> Result<String, BadQuery> {
        match self.take() {
            Some(Token::Text(value)) => Ok(value),
            _ => Err(self.bad_before("a quoted value is needed here")),
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.next += 1;
        token
    }

    fn eat(&mut self, wanted: &Token) -> bool {
        let found = self.peek() == Some(wanted);
        self.next += usize::from(found);
        found
    }

    fn eat_word(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        self.next += usize::from(found);
        found
    }

    fn bad(&self, why: &'static str) -> BadQuery {
        BadQuery { at: self.tokens.get(self.next).map_or(self.end, |(at, _)| *at), why }
    }

    /// As [`Self::bad`], of the token just taken.
    fn bad_before(&self, why: &'static str) -> BadQuery {
        let at = self.tokens.get(self.next.saturating_sub(1)).map_or(self.end, |(at, _)| *at);
        BadQuery { at, why }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn not_binds_tighter_than_and_than_or() {
        let expr = parse("not starred = true and trashed = false or sharedWithMe").unwrap();
        let is = |term| Box::new(Expr::Is(term));
        let starred = Expr::Not(is(Term::Starred(true)));
        let both = Expr::And(Box::new(starred), is(Term::Trashed(false)));
        assert_eq!(expr, Expr::Or(Box::new(both), is(Term::SharedWithMe(true))));
    }

    #[test]
    fn quotes_and_backslashes_are_escaped_by_a_backslash() {
        let expr = parse(r"name = 'Valentine\'s C:\\tmp'").unwrap();
        assert_eq!(expr, Expr::Is(Term::Name(TextOp::Equal, r"Valentine's C:\tmp".into())));
    }

    #[test]
    fn a_property_needs_its_key_and_its_value() {
        let expr = parse("appProperties has { key='a' and value='b' }").unwrap();
        let term = Term::Property { private: true, key: "a".into(), value: "b".into() };
        assert_eq!(expr, Expr::Is(term));
        assert!(parse("properties has { key='a' }").is_err());
    }

    #[test]
    fn what_is_outside_the_language_is_refused() {
        for bad in [
            "",
            "name",
            "name = ",
            "name = x",
            "name like 'x'",
            "title = 'x'",
            "name = 'x' and",
            "(name = 'x'",
            "name = 'x')",
            "'x' in children",
            "'x' parents",
            "trashed = 'true'",
            "fullText = 'x'",
            "modifiedTime > 'today'",
            "modifiedTime contains '2012'",
            "name = 'x",
            "name = 'x\\y'",
            "name = 'x' name = 'y'",
            "mimeType > 'x'",
            "name = 'x' & trashed = true",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_folder_is_a_shortcut_only_where_every_match_lies_in_it() {
        assert_eq!(parse("'f' in parents and trashed = false").unwrap().within(), Some("f"));
        assert_eq!(parse("'f' in parents or trashed = false").unwrap().within(), None);
        assert_eq!(parse("not 'f' in parents").unwrap().within(), None);
    }

    #[test]
    fn deep_nesting_is_refused_rather_than_followed() {
        assert!(parse(&"(".repeat(100_000)).is_err());
        assert!(parse(&"not ".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in "\\PC{0,60}") {
            drop(parse(&text));
        }

        #[test]
        fn every_value_survives_quoting(value in "\\PC{0,40}") {
            let quoted = value.replace('\\', r"\\").replace('\'', r"\'");
            let expr = parse(&format!("name = '{quoted}'")).unwrap();
            prop_assert_eq!(expr, Expr::Is(Term::Name(TextOp::Equal, value)));
        }
    }
}
