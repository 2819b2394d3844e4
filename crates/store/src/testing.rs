//! For store tests of any room: each runs on SQLite always and on PostgreSQL where one is given.

#![expect(clippy::expect_used, reason = "a test without its database cannot go on")]

use std::sync::atomic::{AtomicU64, Ordering};

use sea_orm::{ConnectionTrait, Database};

use crate::{DatabaseUrl, Store};

/// Names the environment variable that holds the address of a PostgreSQL server for tests.
pub const POSTGRES: &str = "PIERHEAD_TEST_POSTGRES";

/// An empty, migrated SQLite database; it goes when the folder is dropped.
pub async fn sqlite() -> (Store, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(&DatabaseUrl::file(&folder.path().join("test.db"))).await.expect("opens");
    store.migrate().await.expect("migrates");
    (store, folder)
}

/// The address of an empty PostgreSQL database made for this call, or `None` when no server is given.
pub async fn postgres_url() -> Option<DatabaseUrl> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let server = std::env::var(POSTGRES).ok()?;
    let name = format!("pierhead_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let admin = Database::connect(&server).await.expect("the test server answers");
    admin.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}")).await.expect("drops");
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("creates");
    admin.close().await.expect("closes");
    let (base, _) = server.rsplit_once('/').expect("an address with a database name");
    Some(DatabaseUrl::Postgres(format!("{base}/{name}")))
}

/// An empty, migrated PostgreSQL database, or `None` when no server is given.
pub async fn postgres() -> Option<Store> {
    let store = Store::open(&postgres_url().await?).await.expect("opens");
    store.migrate().await.expect("migrates");
    Some(store)
}

/// Makes each function two tests: `<name>::sqlite` and `<name>::postgres`. The second passes without
/// doing anything where no server is given; `cargo xtask test` always gives one.
#[macro_export]
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($store:ident: Store) $body:block)+) => {$(
        $(#[$meta])*
        async fn $name($store: $crate::Store) $body

        mod $name {
            #[tokio::test]
            async fn sqlite() {
                let (store, _folder) = $crate::testing::sqlite().await;
                super::$name(store).await;
            }

            #[tokio::test]
            async fn postgres() {
                if let Some(store) = $crate::testing::postgres().await {
                    super::$name(store).await;
                }
            }
        }
    )+};
}
