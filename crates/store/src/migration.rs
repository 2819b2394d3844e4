//! The schema, one migration per face and change. Migrations expand first and contract a release later.

use sea_orm_migration::prelude::*;

mod m20261121_connectors;
mod m20261121_environment;
mod m20261121_identity;
mod m20261121_keys;
mod m20261121_management;
mod m20261121_tokens;
mod m20261122_counters;
mod m20261122_nodes;

pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_keys::Migration),
            Box::new(m20261121_identity::Migration),
            Box::new(m20261121_management::Migration),
            Box::new(m20261121_connectors::Migration),
            Box::new(m20261121_environment::Migration),
            Box::new(m20261121_tokens::Migration),
            Box::new(m20261122_counters::Migration),
            Box::new(m20261122_nodes::Migration),
        ]
    }
}
