//! Design time of the gateway.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, binary, boolean, string, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// A table whose first key column is the organization.
fn table(name: &'static str, keys: &[&'static str]) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(Alias::new(name)).col(big_integer(Alias::new("organization")));
    let mut index = Index::create();
    index.col(Alias::new("organization"));
    for key in keys {
        // A revision number is the one key column that is no text.
        table.col(if *key == "revision" { big_integer(Alias::new(*key)) } else { string(Alias::new(*key)) });
        index.col(Alias::new(*key));
    }
    table.primary_key(&mut index);
    table
}

fn texts<'t>(table: &'t mut TableCreateStatement, columns: &[&'static str]) -> &'t mut TableCreateStatement {
    for column in columns {
        table.col(text(Alias::new(*column)));
    }
    table
}

fn numbers<'t>(
    table: &'t mut TableCreateStatement,
    columns: &[&'static str],
) -> &'t mut TableCreateStatement {
    for column in columns {
        table.col(big_integer(Alias::new(*column)));
    }
    table
}

fn stamped(table: &mut TableCreateStatement) -> TableCreateStatement {
    numbers(texts(table, &["created_by", "changed_by"]), &["created_ms", "changed_ms"]).to_owned()
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        numbers(&mut table("design_change", &[]), &["generation"]).to_owned(),
        stamped(
            texts(&mut table("api_provider", &["name"]), &["settings"]).col(binary(Alias::new("sealed"))),
        ),
        stamped(numbers(
            texts(&mut table("api_proxy", &["name"]), &["design", "settings"]),
            &["revision", "live_revision"],
        )),
        texts(&mut table("api_proxy_revision", &["proxy", "revision"]), &["design"]).to_owned(),
        texts(&mut table("api_base_path", &["host", "path"]), &["proxy"]).to_owned(),
        table("api_provider_use", &["provider", "proxy"]),
        stamped(table("kvm_map", &["scope", "scope_id", "name"]).col(boolean(Alias::new("encrypted")))),
        numbers(
            table("kvm_entry", &["scope", "scope_id", "map", "name"]).col(binary(Alias::new("sealed"))),
            &["changed_ms"],
        )
        .to_owned(),
        stamped(texts(&mut table("api_product", &["name"]), &["document"])),
        stamped(texts(&mut table("api_developer", &["id"]), &["email", "document"])),
        stamped(texts(&mut table("api_app", &["id"]), &["developer", "name", "document"])),
        numbers(
            texts(&mut table("api_key", &["hash"]), &["app", "status", "products"])
                .col(binary(Alias::new("sealed"))),
            &["issued_ms", "expires_ms"],
        )
        .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    let index = |name: &'static str, table: &'static str, columns: &[&'static str], unique: bool| {
        let mut index = Index::create();
        index.name(name).table(Alias::new(table)).col(Alias::new("organization"));
        for column in columns {
            index.col(Alias::new(*column));
        }
        if unique {
            index.unique();
        }
        index
    };
    vec![
        index("api_base_path_of_proxy", "api_base_path", &["proxy"], false),
        index("api_provider_use_of_proxy", "api_provider_use", &["proxy"], false),
        index("api_developer_email", "api_developer", &["email"], true),
        index("api_app_name", "api_app", &["developer", "name"], true),
        index("api_key_app", "api_key", &["app"], false),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
