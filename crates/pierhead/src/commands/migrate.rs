//! `pierhead migrate`: the database's schema, without starting the server.

use anyhow::Context;
use pierhead_store::Store;

use crate::cli::Settings;
use crate::commands::say;
use crate::config::Config;
use crate::start;

pub(super) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let config = Config::load(settings.config.as_deref(), settings.flags())?;
    start::data_dir(&config)?;
    let url = config.database_url()?;
    let store = Store::open(&url).await.with_context(|| format!("opening {url}"))?;
    let pending = store.pending_migrations().await.context("reading the schema's version")?;
    store.migrate().await.context("migrating")?;
    match pending.len() {
        0 => say(&format!("{url} is up to date")),
        _ => pending.iter().for_each(|name| say(&format!("applied {name}"))),
    }
    store.close().await.context("closing the database")
}
