//! What the store can fail with.

use sea_orm::{DbErr, SqlErr};

/// A failed store call. The texts are for our log, never for a client.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The row to insert has the same key as an existing one; the text names the constraint.
    #[error("already there: {0}")]
    Duplicate(String),
    /// A row holds what the program never writes.
    #[error("table {table}, column {column}, row {id}: {why}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// Key of the row.
        id: String,
        /// What is wrong with the value.
        why: String,
    },
    /// The database address is not one we speak.
    #[error("the database address must begin with sqlite: or postgres:, not '{0}'")]
    Address(String),
    /// The database failed or is away.
    #[error("the database failed")]
    Database(#[source] DbErr),
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(which)) => Self::Duplicate(which),
            _ => Self::Database(error),
        }
    }
}
