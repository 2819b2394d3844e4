//! Operators between two expressions.

use super::super::ast::{Arithmetic, Comparison, Expr, Later};
use super::super::lexer::Token;
use super::Parser;

#[derive(Clone, Copy)]
pub(super) enum Operator {
    Compare(Comparison),
    Arithmetic(Arithmetic),
    Value(Comparison),
    Is,
    Range,
}

impl Operator {
    pub(super) const fn is_later(self) -> bool {
        matches!(self, Self::Value(_) | Self::Is | Self::Range | Self::Arithmetic(Arithmetic::DivideWhole))
    }

    pub(super) fn over(self, left: Expr, right: Expr) -> Expr {
        match self {
            Self::Compare(comparison) => Expr::Compare(comparison, Box::new(left), Box::new(right)),
            Self::Arithmetic(arithmetic) => Expr::Arithmetic(arithmetic, Box::new(left), Box::new(right)),
            Self::Value(comparison) => Expr::Later(Box::new(Later::ValueCompare(comparison, left, right))),
            Self::Is => Expr::Later(Box::new(Later::Is(left, right))),
            Self::Range => Expr::Later(Box::new(Later::Range(left, right))),
        }
    }
}

impl Parser<'_, '_> {
    /// The operators between `and` and the unary minus, by how tight they bind.
    pub(super) fn operator(&self) -> Option<(u8, Operator)> {
        use Comparison::*;
        Some(match self.peek() {
            Token::Sign(sign) => match *sign {
                "=" => (0, Operator::Compare(Equal)),
                "!=" => (0, Operator::Compare(NotEqual)),
                "<" => (1, Operator::Compare(Less)),
                "<=" => (1, Operator::Compare(LessOrEqual)),
                ">" => (1, Operator::Compare(Greater)),
                ">=" => (1, Operator::Compare(GreaterOrEqual)),
                "+" => (3, Operator::Arithmetic(Arithmetic::Add)),
                "-" => (3, Operator::Arithmetic(Arithmetic::Subtract)),
                "*" => (4, Operator::Arithmetic(Arithmetic::Multiply)),
                _ => return None,
            },
            Token::Word(word) => match *word {
                "div" => (4, Operator::Arithmetic(Arithmetic::Divide)),
                "mod" => (4, Operator::Arithmetic(Arithmetic::Modulo)),
                "idiv" => (4, Operator::Arithmetic(Arithmetic::DivideWhole)),
                "eq" => (0, Operator::Value(Equal)),
                "ne" => (0, Operator::Value(NotEqual)),
                "lt" => (0, Operator::Value(Less)),
                "le" => (0, Operator::Value(LessOrEqual)),
                "gt" => (0, Operator::Value(Greater)),
                "ge" => (0, Operator::Value(GreaterOrEqual)),
                "is" => (0, Operator::Is),
                "to" => (2, Operator::Range),
                _ => return None,
            },
            _ => return None,
        })
    }
}
