//! `pierhead check` and `pierhead convert`: bundles looked at and rewritten, with nothing served.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use pierhead_bundle::local::{LocalGateway, Options, Settings};
use pierhead_bundle::{Limits, Verdict, export, read_path, read_substitutes, write_archive};
use pierhead_gateway::dialect::Dialect;
use pierhead_gateway::logging::LogFolder;
use pierhead_gateway::{KeyEntry, KeyStore, KeyStores};

use crate::cli::{Beside, Check, Convert, Layout};
use crate::commands::{say, say_error};
use crate::wiring::google_account;

/// The settings file beside a bundle.
pub(super) const SETTINGS: &str = "pierhead-run.toml";

/// `Ok(false)` when the bundle could not be deployed.
pub(super) async fn check(arguments: Check) -> anyhow::Result<bool> {
    let bundle = read_path(&arguments.bundle, &Limits::default())?;
    let settings = settings(&arguments.bundle, arguments.settings.as_deref())?;
    // It serves nothing; it is the world that the bundle is compiled in.
    let options = Options { settings, mock_targets: true, ..beside(&arguments.beside)? };
    let gateway = LocalGateway::start(options).await.context("starting")?;
    let report = gateway.examine(&bundle);
    if arguments.json {
        say(&serde_json::to_string(&report)?);
    } else {
        say(report.to_string().trim_end());
    }
    gateway.stop().await;
    Ok(report.verdict != Verdict::Refused)
}

pub(super) fn convert(arguments: &Convert) -> anyhow::Result<()> {
    let bundle = read_path(&arguments.bundle, &Limits::default())?;
    if bundle.is_broken() {
        for finding in &bundle.findings {
            say_error(&finding.to_string());
        }
        bail!("{} has errors: nothing was written", arguments.bundle.display());
    }
    let dialect = match arguments.to {
        Layout::Sap => Dialect::Sap,
        Layout::Apigee => Dialect::Apigee,
    };
    let exported = export(&bundle.content, dialect)?;
    let bytes = write_archive(&exported.files)?;
    std::fs::write(&arguments.out, bytes).with_context(|| format!("writing {}", arguments.out.display()))?;
    for finding in bundle.findings.iter().chain(&exported.findings) {
        say(&finding.to_string());
    }
    let (noun, name, files) = (bundle.content.noun(), bundle.content.name(), exported.files.len());
    say(&format!("{noun} {name}: {files} files written to {}", arguments.out.display()));
    Ok(())
}

/// Options with what flags put beside a bundle.
pub(super) fn beside(flags: &Beside) -> anyhow::Result<Options> {
    let substitutes = match &flags.substitutes {
        Some(folder) => read_substitutes(folder, &Limits::default())?,
        None => BTreeMap::new(),
    };
    let google = google_account(flags.google_service_account.as_deref().unwrap_or(Path::new("")))?;
    let options = Options::default();
    let log_folder = Some(LogFolder::new(&flags.message_logs, Arc::clone(&options.clock)));
    let mut stores: BTreeMap<String, KeyStore> = BTreeMap::new();
    for flag in &flags.keystore {
        let (name, alias, entry) = key_entry(flag)
            .with_context(|| format!("--keystore {}", flag.split('=').next().unwrap_or(flag)))?;
        let store = stores.remove(name).unwrap_or_default();
        stores.insert(name.to_owned(), store.with(alias, entry));
    }
    let key_stores =
        stores.into_iter().fold(KeyStores::default(), |all, (name, store)| all.with(&name, Arc::new(store)));
    Ok(Options { substitutes, google, log_folder, key_stores, ..options })
}

/// Reads `NAME[/ALIAS]=CERT[,KEY]` and its files. A reference is a name that begins with `ref://`.
fn key_entry(flag: &str) -> anyhow::Result<(&str, &str, KeyEntry)> {
    let (place, files) = flag.split_once('=').context("must be NAME[/ALIAS]=CERT[,KEY]")?;
    let scheme = if place.starts_with("ref://") { "ref://".len() } else { 0 };
    let (name, alias) = match place[scheme..].find('/') {
        Some(slash) => (&place[..scheme + slash], &place[scheme + slash + 1..]),
        None => (place, "default"),
    };
    if name.len() == scheme || alias.is_empty() {
        bail!("the name and the alias must not be empty");
    }
    let (certificates, key) = match files.split_once(',') {
        Some((certificates, key)) => (certificates, Some(key)),
        None => (files, None),
    };
    let read = |file: &str| std::fs::read(file).with_context(|| format!("reading {file}"));
    let key = key.map(read).transpose()?;
    let entry = KeyEntry::read_pem(&read(certificates)?, key.as_deref()).map_err(anyhow::Error::msg)?;
    Ok((name, alias, entry))
}

/// The settings: of the file that was named, else of the one beside the bundle or in its folder, else none.
pub(super) fn settings(bundle: &Path, named: Option<&Path>) -> anyhow::Result<Settings> {
    let beside: Vec<PathBuf> = if bundle.is_dir() {
        let own = [bundle.join(SETTINGS), bundle.join("..").join(SETTINGS)];
        own.into()
    } else {
        vec![bundle.with_file_name(SETTINGS)]
    };
    match named.map(Path::to_path_buf).or_else(|| beside.into_iter().find(|file| file.is_file())) {
        Some(file) => Ok(Settings::read(&file)?),
        None => Ok(Settings::default()),
    }
}
