//! `if`, `for` and quantified expressions of XPath 2.0.

use super::super::ast::{Expr, Later};
use super::super::lexer::Token;
use super::{Deep, MAX_DEPTH, Parsed, Parser};

impl Parser<'_, '_> {
    pub(super) fn conditional(&mut self) -> Parsed {
        self.later("'if'")?;
        self.at += 1;
        self.need_sign("(")?;
        let Deep(test, a) = self.nested(Self::sequence)?;
        self.need_sign(")")?;
        self.need_word("then")?;
        let Deep(then, b) = self.nested(Self::single)?;
        self.need_word("else")?;
        let Deep(otherwise, c) = self.nested(Self::single)?;
        self.over(Expr::Later(Box::new(Later::If { test, then, otherwise })), a.max(b).max(c))
    }

    /// `for $x in … return …`, `some` and `every`, each with one variable or several.
    pub(super) fn binding(&mut self, word: &str) -> Parsed {
        self.later(word)?;
        self.at += 1;
        self.bindings(word)
    }

    fn bindings(&mut self, word: &str) -> Parsed {
        let Token::Variable { prefix, local } = self.peek().clone() else {
            return Err(self.bad("a variable was expected"));
        };
        let variable = self.expand(prefix, local, "")?;
        self.at += 1;
        self.need_word("in")?;
        let Deep(over, a) = self.nested(Self::single)?;
        self.bound.push(variable.clone());
        let Deep(inner, b) = if self.take_sign(",") {
            if self.depth >= MAX_DEPTH {
                return Err(self.bad(format!("expressions nest deeper than {MAX_DEPTH}")));
            }
            self.depth += 1;
            let inner = self.bindings(word);
            self.depth -= 1;
            inner?
        } else {
            self.need_word(if word == "for" { "return" } else { "satisfies" })?;
            self.nested(Self::single)?
        };
        self.bound.pop();
        let later = match word {
            "for" => Later::For { variable, over, each: inner },
            _ => Later::Quantified { every: word == "every", variable, over, holds: inner },
        };
        self.over(Expr::Later(Box::new(later)), a.max(b))
    }
}
