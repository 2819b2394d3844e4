//! What an environment has beside proxies: shared flows with their revisions, target servers, flow hooks.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, string, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum SharedFlow {
    Table,
    Organization,
    Name,
    LiveRevision,
    CreatedMs,
    CreatedBy,
    ChangedMs,
    ChangedBy,
}

#[derive(DeriveIden)]
enum SharedFlowRevision {
    Table,
    Organization,
    SharedFlow,
    Revision,
    Design,
}

#[derive(DeriveIden)]
enum EnvironmentItem {
    Table,
    Organization,
    Kind,
    Name,
    Document,
    CreatedMs,
    CreatedBy,
    ChangedMs,
    ChangedBy,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let flows = Table::create()
            .table(SharedFlow::Table)
            .col(big_integer(SharedFlow::Organization))
            .col(string(SharedFlow::Name))
            .col(big_integer(SharedFlow::LiveRevision))
            .col(big_integer(SharedFlow::CreatedMs))
            .col(string(SharedFlow::CreatedBy))
            .col(big_integer(SharedFlow::ChangedMs))
            .col(string(SharedFlow::ChangedBy))
            .primary_key(Index::create().col(SharedFlow::Organization).col(SharedFlow::Name))
            .to_owned();
        manager.create_table(flows).await?;
        let revisions = Table::create()
            .table(SharedFlowRevision::Table)
            .col(big_integer(SharedFlowRevision::Organization))
            .col(string(SharedFlowRevision::SharedFlow))
            .col(big_integer(SharedFlowRevision::Revision))
            .col(text(SharedFlowRevision::Design))
            .primary_key(
                Index::create()
                    .col(SharedFlowRevision::Organization)
                    .col(SharedFlowRevision::SharedFlow)
                    .col(SharedFlowRevision::Revision),
            )
            .to_owned();
        manager.create_table(revisions).await?;
        let items = Table::create()
            .table(EnvironmentItem::Table)
            .col(big_integer(EnvironmentItem::Organization))
            .col(string(EnvironmentItem::Kind))
            .col(string(EnvironmentItem::Name))
            .col(text(EnvironmentItem::Document))
            .col(big_integer(EnvironmentItem::CreatedMs))
            .col(string(EnvironmentItem::CreatedBy))
            .col(big_integer(EnvironmentItem::ChangedMs))
            .col(string(EnvironmentItem::ChangedBy))
            .primary_key(
                Index::create()
                    .col(EnvironmentItem::Organization)
                    .col(EnvironmentItem::Kind)
                    .col(EnvironmentItem::Name),
            )
            .to_owned();
        manager.create_table(items).await
    }
}
