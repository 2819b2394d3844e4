//! Opening a database, reading from it and writing to it.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use crate::StoreError;
use crate::migration::Migrator;

/// Where the database is: `sqlite:<file>` or `postgres://…`. `Display` hides a password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// The embedded database in one file.
    Sqlite(String),
    /// A PostgreSQL server.
    Postgres(String),
}

impl DatabaseUrl {
    /// The embedded database in `file`.
    pub fn file(file: &Path) -> Self {
        Self::Sqlite(file.display().to_string())
    }
}

impl FromStr for DatabaseUrl {
    type Err = StoreError;

    fn from_str(address: &str) -> Result<Self, StoreError> {
        if let Some(file) = address.strip_prefix("sqlite:") {
            Ok(Self::Sqlite(file.trim_start_matches("//").to_owned()))
        } else if address.starts_with("postgres:") || address.starts_with("postgresql:") {
            Ok(Self::Postgres(address.to_owned()))
        } else {
            let scheme = address.split(':').next().unwrap_or_default();
            Err(StoreError::Address(format!("{scheme}:")))
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "sqlite:{file}"),
            Self::Postgres(address) => match address.split_once('@') {
                Some((_, place)) => write!(f, "postgres://***@{place}"),
                None => f.write_str(address),
            },
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The database of an installation. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    reader: DatabaseConnection,
    /// On SQLite a pool of one: writers wait here, in order, instead of failing inside the database.
    writer: DatabaseConnection,
}

/// A writing transaction. Dropped without [`WriteTx::commit`], it leaves nothing.
pub struct WriteTx(pub(crate) DatabaseTransaction);

impl Store {
    /// Opens the database; makes the SQLite file when it is not there. Does not migrate.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        Self::connect(url, false).await
    }

    /// The same without asking whether the database is there: calls fail until it is.
    pub async fn open_unasked(url: &DatabaseUrl) -> Result<Self, StoreError> {
        Self::connect(url, true).await
    }

    async fn connect(url: &DatabaseUrl, unasked: bool) -> Result<Self, StoreError> {
        let connect = async |mut options: ConnectOptions| {
            options.connect_lazy(unasked);
            Database::connect(options).await
        };
        match url {
            DatabaseUrl::Sqlite(file) => {
                Ok(Self { writer: connect(sqlite(file, 1)).await?, reader: connect(sqlite(file, 8)).await? })
            }
            DatabaseUrl::Postgres(address) => {
                let mut options = ConnectOptions::new(address.clone());
                options.max_connections(16).acquire_timeout(Duration::from_secs(5)).sqlx_logging(false);
                let pool = connect(options).await?;
                Ok(Self { reader: pool.clone(), writer: pool })
            }
        }
    }

    /// Brings the schema up to this program's version. Running it again changes nothing.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        Ok(Migrator::up(&self.writer, None).await?)
    }

    /// Names of the migrations that are still to run.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        let pending = Migrator::get_pending_migrations(&self.writer).await?;
        Ok(pending.iter().map(|migration| migration.name().to_owned()).collect())
    }

    /// Begins a writing transaction. On SQLite it holds the write lock from its first moment (BEGIN
    /// IMMEDIATE), so it can never fail half-way because another got there first.
    pub async fn write(&self) -> Result<WriteTx, StoreError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(WriteTx(self.writer.begin_with_options(options).await?))
    }

    /// For queries of this room.
    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.reader.ping().await?)
    }

    /// Closes all connections; what was committed is on disk.
    pub async fn close(self) -> Result<(), StoreError> {
        self.reader.close().await?;
        Ok(self.writer.close().await?)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

impl WriteTx {
    /// Makes everything written durable and visible.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.0.commit().await?)
    }
}

fn sqlite(file: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(format!("sqlite:{file}?mode=rwc"));
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|options| {
            options
                .journal_mode(SqliteJournalMode::Wal)
                // FULL: an acknowledged commit survives losing power, not only `kill -9`.
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(10))
        });
    options
}
