//! Wrapped data keys.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, binary, string};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum DataKey {
    Table,
    Id,
    Organization,
    RingKey,
    Wrapped,
    CreatedMs,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(DataKey::Table)
            .col(string(DataKey::Id).primary_key())
            .col(big_integer(DataKey::Organization))
            .col(string(DataKey::RingKey))
            .col(binary(DataKey::Wrapped))
            .col(big_integer(DataKey::CreatedMs))
            .to_owned();
        manager.create_table(table).await
    }
}
