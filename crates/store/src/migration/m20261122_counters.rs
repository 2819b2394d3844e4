//! Quota counters that several nodes have together.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, string, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum QuotaCounter {
    Table,
    Organization,
    Name,
    State,
    OverMs,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(QuotaCounter::Table)
            .col(big_integer(QuotaCounter::Organization))
            .col(string(QuotaCounter::Name))
            .col(text(QuotaCounter::State))
            .col(big_integer(QuotaCounter::OverMs))
            .primary_key(Index::create().col(QuotaCounter::Organization).col(QuotaCounter::Name))
            .to_owned();
        manager.create_table(table).await?;
        let by_end = Index::create()
            .name("quota_counter_by_end")
            .table(QuotaCounter::Table)
            .col(QuotaCounter::Organization)
            .col(QuotaCounter::OverMs)
            .to_owned();
        manager.create_index(by_end).await
    }
}
