//! Connector instances, their credentials, and consents under way.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, binary, boolean, string, text, text_null,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum ConnectorInstance {
    Table,
    Id,
    Organization,
    Account,
    Owner,
    OwnerName,
    Element,
    Name,
    Tags,
    Search,
    TokenHash,
    TokenSealed,
    Settings,
    SecretsSealed,
    ExternalAuthentication,
    Disabled,
    TraceUntilMs,
    CreatedMs,
    UpdatedMs,
    Version,
}

#[derive(DeriveIden)]
enum ConnectorCredential {
    Table,
    Instance,
    Generation,
    Sealed,
    ExpiresMs,
    RefreshAtMs,
    LeaseOwner,
    LeaseUntilMs,
    State,
    Reason,
    SinceMs,
    NextTryMs,
}

#[derive(DeriveIden)]
enum ConnectorConsent {
    Table,
    Id,
    Client,
    Nonce,
    Shared,
    ExpiresMs,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(instances()).await?;
        manager.create_index(by_account()).await?;
        manager.create_table(credentials()).await?;
        manager.create_index(by_refresh_time()).await?;
        manager.create_table(consents()).await?;
        manager.create_index(by_client()).await
    }
}

fn instances() -> TableCreateStatement {
    Table::create()
        .table(ConnectorInstance::Table)
        .col(big_pk_auto(ConnectorInstance::Id))
        .col(big_integer(ConnectorInstance::Organization))
        .col(big_integer(ConnectorInstance::Account))
        .col(big_integer_null(ConnectorInstance::Owner))
        .col(text(ConnectorInstance::OwnerName))
        .col(string(ConnectorInstance::Element))
        .col(text(ConnectorInstance::Name))
        .col(text(ConnectorInstance::Tags))
        .col(text(ConnectorInstance::Search))
        .col(string(ConnectorInstance::TokenHash).unique_key())
        .col(binary(ConnectorInstance::TokenSealed))
        .col(text(ConnectorInstance::Settings))
        .col(binary(ConnectorInstance::SecretsSealed))
        .col(text(ConnectorInstance::ExternalAuthentication))
        .col(boolean(ConnectorInstance::Disabled))
        .col(big_integer_null(ConnectorInstance::TraceUntilMs))
        .col(big_integer(ConnectorInstance::CreatedMs))
        .col(big_integer(ConnectorInstance::UpdatedMs))
        .col(big_integer(ConnectorInstance::Version))
        .to_owned()
}

fn by_account() -> IndexCreateStatement {
    Index::create()
        .name("connector_instance_by_account")
        .table(ConnectorInstance::Table)
        .col(ConnectorInstance::Organization)
        .col(ConnectorInstance::Account)
        .col(ConnectorInstance::Id)
        .to_owned()
}

fn credentials() -> TableCreateStatement {
    Table::create()
        .table(ConnectorCredential::Table)
        .col(big_integer(ConnectorCredential::Instance).primary_key())
        .col(big_integer(ConnectorCredential::Generation))
        .col(binary(ConnectorCredential::Sealed))
        .col(big_integer_null(ConnectorCredential::ExpiresMs))
        .col(big_integer_null(ConnectorCredential::RefreshAtMs))
        .col(text_null(ConnectorCredential::LeaseOwner))
        .col(big_integer(ConnectorCredential::LeaseUntilMs))
        .col(string(ConnectorCredential::State))
        .col(text_null(ConnectorCredential::Reason))
        .col(big_integer_null(ConnectorCredential::SinceMs))
        .col(big_integer_null(ConnectorCredential::NextTryMs))
        .to_owned()
}

fn by_refresh_time() -> IndexCreateStatement {
    Index::create()
        .name("connector_credential_by_refresh_time")
        .table(ConnectorCredential::Table)
        .col(ConnectorCredential::RefreshAtMs)
        .to_owned()
}

fn consents() -> TableCreateStatement {
    Table::create()
        .table(ConnectorConsent::Table)
        .col(string(ConnectorConsent::Id).primary_key())
        .col(string(ConnectorConsent::Client))
        .col(string(ConnectorConsent::Nonce))
        .col(boolean(ConnectorConsent::Shared))
        .col(big_integer(ConnectorConsent::ExpiresMs))
        .to_owned()
}

fn by_client() -> IndexCreateStatement {
    Index::create()
        .name("connector_consent_by_client")
        .table(ConnectorConsent::Table)
        .col(ConnectorConsent::Client)
        .to_owned()
}
