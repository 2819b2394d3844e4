//! What nodes on one database tell each other, and files of environments and organizations.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, binary, string, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum DesignChangeLog {
    Table,
    Id,
    Organization,
    Node,
    Part,
    AtMs,
}

#[derive(DeriveIden)]
enum ResourceFile {
    Table,
    Organization,
    Scope,
    Kind,
    Name,
    Content,
    CreatedMs,
    CreatedBy,
    ChangedMs,
    ChangedBy,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut id = ColumnDef::new(DesignChangeLog::Id);
        id.big_integer().not_null().auto_increment().primary_key();
        let log = Table::create()
            .table(DesignChangeLog::Table)
            .col(&mut id)
            .col(big_integer(DesignChangeLog::Organization))
            .col(string(DesignChangeLog::Node))
            .col(text(DesignChangeLog::Part))
            .col(big_integer(DesignChangeLog::AtMs))
            .to_owned();
        manager.create_table(log).await?;
        let by_time = Index::create()
            .name("design_change_log_by_time")
            .table(DesignChangeLog::Table)
            .col(DesignChangeLog::AtMs)
            .to_owned();
        manager.create_index(by_time).await?;
        let files = Table::create()
            .table(ResourceFile::Table)
            .col(big_integer(ResourceFile::Organization))
            .col(string(ResourceFile::Scope))
            .col(string(ResourceFile::Kind))
            .col(string(ResourceFile::Name))
            .col(binary(ResourceFile::Content))
            .col(big_integer(ResourceFile::CreatedMs))
            .col(string(ResourceFile::CreatedBy))
            .col(big_integer(ResourceFile::ChangedMs))
            .col(string(ResourceFile::ChangedBy))
            .primary_key(
                Index::create()
                    .col(ResourceFile::Organization)
                    .col(ResourceFile::Scope)
                    .col(ResourceFile::Kind)
                    .col(ResourceFile::Name),
            )
            .to_owned();
        manager.create_table(files).await
    }
}
