//! The policies' fact sheets: `docs/policies.md` is written from them, and each fact names the test that shows it.
//!
//! A sheet lies beside its policy (`crates/gateway/src/policy/<family>/<policy>.toml`) and lists every element,
//! variable and fault that the originals document.

mod mutation;
mod page;
mod sheet;
mod sources;
mod vocabulary;

use std::collections::BTreeSet;

use anyhow::Context;

use self::mutation::Mutations;
use self::sheet::Sheet;
use self::sources::Sources;
use crate::run::root;

/// Where the page is written.
const PAGE: &str = "docs/policies.md";

/// Writes the page anew, or only says what is wrong with the sheets.
pub(crate) fn run(only_check: bool) -> anyhow::Result<()> {
    if only_check {
        let breaks = check()?;
        breaks.iter().for_each(|rule| eprintln!("{rule}"));
        anyhow::ensure!(breaks.is_empty(), "{} things are wrong with the fact sheets", breaks.len());
        return Ok(());
    }
    let sheets = Sheet::all()?;
    std::fs::write(root().join(PAGE), page::text(&sheets, &Mutations::read()?)).context(PAGE)?;
    std::fs::write(root().join(vocabulary::FILE), vocabulary::text(&sheets)?).context(vocabulary::FILE)?;
    println!("{PAGE}: {} policies", sheets.len());
    Ok(())
}

/// Removes the body of each policy in turn and notes how many of its tests fail then.
pub(crate) fn mutate() -> anyhow::Result<()> {
    mutation::run(&Sheet::all()?)?;
    run(false)
}

/// What is wrong with the sheets, and whether the page is out of date.
pub(crate) fn check() -> anyhow::Result<Vec<String>> {
    let (sheets, sources) = (Sheet::all()?, Sources::read()?);
    let mut breaks = Vec::new();
    let described: BTreeSet<&str> = sheets.iter().map(|sheet| sheet.kind.as_str()).collect();
    for kind in sources.kinds() {
        if !described.contains(kind) {
            breaks.push(format!("policy {kind} has no fact sheet"));
        }
    }
    for sheet in &sheets {
        breaks.extend(sheet.breaks(&sources));
    }
    let mutations = Mutations::read()?;
    for sheet in &sheets {
        if !mutations.fails_without(&sheet.kind) {
            breaks.push(format!(
                "no test fails when the body of {} is removed, or nobody tried: `cargo xtask policies --mutate`",
                sheet.kind
            ));
        }
    }
    let page = std::fs::read_to_string(root().join(PAGE)).unwrap_or_default();
    if page != page::text(&sheets, &mutations) {
        breaks.push(format!("{PAGE} is out of date: `cargo xtask policies` writes it anew"));
    }
    let offered = std::fs::read_to_string(root().join(vocabulary::FILE)).unwrap_or_default();
    if offered != vocabulary::text(&sheets)? {
        breaks.push(format!("{} is out of date: `cargo xtask policies` writes it anew", vocabulary::FILE));
    }
    Ok(breaks)
}
