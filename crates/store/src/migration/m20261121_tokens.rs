//! OAuth 2.0 tokens that the gateway's policies issue, and what changed about them lately.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, binary, boolean, string};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum OauthToken {
    Table,
    Organization,
    Kind,
    Hash,
    GrantId,
    App,
    EndUser,
    IssuedMs,
    ExpiresMs,
    Revoked,
    Sealed,
}

#[derive(DeriveIden)]
enum OauthChange {
    Table,
    Id,
    Organization,
    GrantId,
    AtMs,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(tokens()).await?;
        for (name, column) in [
            ("oauth_token_by_grant", OauthToken::GrantId),
            ("oauth_token_by_app", OauthToken::App),
            ("oauth_token_by_end_user", OauthToken::EndUser),
            ("oauth_token_by_expiry", OauthToken::ExpiresMs),
        ] {
            let index = Index::create()
                .name(name)
                .table(OauthToken::Table)
                .col(OauthToken::Organization)
                .col(column)
                .to_owned();
            manager.create_index(index).await?;
        }
        manager.create_table(changes()).await?;
        let by_time = Index::create()
            .name("oauth_change_by_time")
            .table(OauthChange::Table)
            .col(OauthChange::Organization)
            .col(OauthChange::AtMs)
            .to_owned();
        manager.create_index(by_time).await
    }
}

fn tokens() -> TableCreateStatement {
    Table::create()
        .table(OauthToken::Table)
        .col(big_integer(OauthToken::Organization))
        .col(string(OauthToken::Kind))
        .col(string(OauthToken::Hash))
        .col(string(OauthToken::GrantId))
        .col(string(OauthToken::App))
        .col(string(OauthToken::EndUser))
        .col(big_integer(OauthToken::IssuedMs))
        .col(big_integer(OauthToken::ExpiresMs))
        .col(boolean(OauthToken::Revoked))
        .col(binary(OauthToken::Sealed))
        .primary_key(
            Index::create().col(OauthToken::Organization).col(OauthToken::Kind).col(OauthToken::Hash),
        )
        .to_owned()
}

fn changes() -> TableCreateStatement {
    Table::create()
        .table(OauthChange::Table)
        .col(string(OauthChange::Id).primary_key())
        .col(big_integer(OauthChange::Organization))
        .col(string(OauthChange::GrantId))
        .col(big_integer(OauthChange::AtMs))
        .to_owned()
}
