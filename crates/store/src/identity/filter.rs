//! Conditions of lists: a field has one of some values.

use sea_orm::sea_query::{Expr, ExprTrait, Func, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, EntityTrait};

/// Values that a field may have; a row passes when it has one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Text, compared in any case of ASCII letters.
    Text(Vec<String>),
    /// Whole numbers.
    Number(Vec<i64>),
    /// Yes or no.
    Flag(bool),
}

pub(super) fn condition<E: EntityTrait, C: ColumnTrait>(entity: E, column: C, wanted: &Wanted) -> Condition {
    let place = || Expr::col((entity, column));
    let test: SimpleExpr = match wanted {
        Wanted::Text(values) => {
            let values = values.iter().filter(|value| storable(value));
            Expr::expr(Func::lower(place())).is_in(values.map(|value| value.to_ascii_lowercase()))
        }
        Wanted::Number(values) => place().is_in(values.iter().copied()),
        Wanted::Flag(value) => place().eq(*value),
    };
    Condition::all().add(test)
}

/// PostgreSQL's text holds every character but NUL, and fails on it: nothing stored can be equal to it.
pub(super) fn storable(text: &str) -> bool {
    !text.contains('\0')
}
