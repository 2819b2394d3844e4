//! Organizations, accounts, users, their roles and logins, and service keys.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, binary, boolean, string, text, text_null,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Installation {
    Table,
    Id,
    Organization,
    CreatedMs,
}

#[derive(DeriveIden)]
enum Organization {
    Table,
    Id,
    Name,
    ExternalId,
    SecretHash,
    SecretSealed,
    Active,
    CreatedMs,
    UpdatedMs,
}

#[derive(DeriveIden)]
enum Account {
    Table,
    Id,
    Organization,
    Name,
    ExternalId,
    Description,
    IsDefault,
    Active,
    CreatedMs,
    UpdatedMs,
}

#[derive(DeriveIden)]
enum Person {
    Table,
    Id,
    Organization,
    Account,
    Email,
    FirstName,
    LastName,
    Profile,
    ExternalId,
    PasswordHash,
    SecretHash,
    SecretSealed,
    Active,
    LastLoginMs,
    CreatedMs,
    UpdatedMs,
}

#[derive(DeriveIden)]
enum RoleGrant {
    Table,
    Holder,
    HolderId,
    Role,
}

#[derive(DeriveIden)]
enum LoginSession {
    Table,
    TokenHash,
    Person,
    CreatedMs,
    ExpiresMs,
}

#[derive(DeriveIden)]
enum ServiceKey {
    Table,
    ClientId,
    Organization,
    Name,
    SecretHash,
    Roles,
    CreatedBy,
    CreatedMs,
    ExpiresMs,
}

#[derive(DeriveIden)]
enum AccessToken {
    Table,
    TokenHash,
    ClientId,
    Roles,
    ExpiresMs,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            installation(),
            organizations(),
            accounts(),
            people(),
            role_grants(),
            login_sessions(),
            service_keys(),
            access_tokens(),
        ] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

/// One row, written by the first start: two first starts at once cannot both write it.
fn installation() -> TableCreateStatement {
    Table::create()
        .table(Installation::Table)
        .col(big_integer(Installation::Id).primary_key())
        .col(big_integer(Installation::Organization))
        .col(big_integer(Installation::CreatedMs))
        .to_owned()
}

fn organizations() -> TableCreateStatement {
    Table::create()
        .table(Organization::Table)
        .col(big_pk_auto(Organization::Id))
        .col(text(Organization::Name))
        .col(text_null(Organization::ExternalId))
        .col(string(Organization::SecretHash).unique_key())
        .col(binary(Organization::SecretSealed))
        .col(boolean(Organization::Active))
        .col(big_integer(Organization::CreatedMs))
        .col(big_integer(Organization::UpdatedMs))
        .to_owned()
}

fn accounts() -> TableCreateStatement {
    Table::create()
        .table(Account::Table)
        .col(big_pk_auto(Account::Id))
        .col(big_integer(Account::Organization))
        .col(text(Account::Name))
        .col(text_null(Account::ExternalId))
        .col(text_null(Account::Description))
        .col(boolean(Account::IsDefault))
        .col(boolean(Account::Active))
        .col(big_integer(Account::CreatedMs))
        .col(big_integer(Account::UpdatedMs))
        .to_owned()
}

fn people() -> TableCreateStatement {
    Table::create()
        .table(Person::Table)
        .col(big_pk_auto(Person::Id))
        .col(big_integer(Person::Organization))
        .col(big_integer(Person::Account))
        .col(string(Person::Email).unique_key())
        .col(text(Person::FirstName))
        .col(text(Person::LastName))
        .col(text(Person::Profile))
        .col(text_null(Person::ExternalId))
        .col(text(Person::PasswordHash))
        .col(string(Person::SecretHash).unique_key())
        .col(binary(Person::SecretSealed))
        .col(boolean(Person::Active))
        .col(big_integer_null(Person::LastLoginMs))
        .col(big_integer(Person::CreatedMs))
        .col(big_integer(Person::UpdatedMs))
        .to_owned()
}

fn role_grants() -> TableCreateStatement {
    Table::create()
        .table(RoleGrant::Table)
        .col(string(RoleGrant::Holder))
        .col(big_integer(RoleGrant::HolderId))
        .col(string(RoleGrant::Role))
        .primary_key(Index::create().col(RoleGrant::Holder).col(RoleGrant::HolderId).col(RoleGrant::Role))
        .to_owned()
}

fn login_sessions() -> TableCreateStatement {
    Table::create()
        .table(LoginSession::Table)
        .col(string(LoginSession::TokenHash).primary_key())
        .col(big_integer(LoginSession::Person))
        .col(big_integer(LoginSession::CreatedMs))
        .col(big_integer(LoginSession::ExpiresMs))
        .to_owned()
}

fn service_keys() -> TableCreateStatement {
    Table::create()
        .table(ServiceKey::Table)
        .col(string(ServiceKey::ClientId).primary_key())
        .col(big_integer(ServiceKey::Organization))
        .col(text(ServiceKey::Name))
        .col(string(ServiceKey::SecretHash))
        .col(text(ServiceKey::Roles))
        .col(text(ServiceKey::CreatedBy))
        .col(big_integer(ServiceKey::CreatedMs))
        .col(big_integer_null(ServiceKey::ExpiresMs))
        .to_owned()
}

fn access_tokens() -> TableCreateStatement {
    Table::create()
        .table(AccessToken::Table)
        .col(string(AccessToken::TokenHash).primary_key())
        .col(string(AccessToken::ClientId))
        .col(text(AccessToken::Roles))
        .col(big_integer(AccessToken::ExpiresMs))
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        Index::create()
            .name("account_by_organization")
            .table(Account::Table)
            .col(Account::Organization)
            .col(Account::Id)
            .to_owned(),
        Index::create()
            .name("person_by_account")
            .table(Person::Table)
            .col(Person::Organization)
            .col(Person::Account)
            .col(Person::Id)
            .to_owned(),
        Index::create()
            .name("login_session_by_person")
            .table(LoginSession::Table)
            .col(LoginSession::Person)
            .to_owned(),
        Index::create()
            .name("login_session_by_expiry")
            .table(LoginSession::Table)
            .col(LoginSession::ExpiresMs)
            .to_owned(),
        Index::create()
            .name("service_key_by_organization")
            .table(ServiceKey::Table)
            .col(ServiceKey::Organization)
            .to_owned(),
        Index::create()
            .name("access_token_by_client")
            .table(AccessToken::Table)
            .col(AccessToken::ClientId)
            .to_owned(),
        Index::create()
            .name("access_token_by_expiry")
            .table(AccessToken::Table)
            .col(AccessToken::ExpiresMs)
            .to_owned(),
    ]
}
