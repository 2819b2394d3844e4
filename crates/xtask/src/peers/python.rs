//! PyPI packages in private environments below `.cache/python`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers::debian;
use crate::run::{cache, call};

/// An environment that holds `packages` (pinned); made at the first call. Returns its `bin` folder.
pub(crate) fn environment(name: &str, packages: &[&str]) -> anyhow::Result<PathBuf> {
    debian::ensure("python3", "python3-venv")?;
    let folder = cache()?.join("python").join(name);
    let stamp = folder.join("installed");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder.join("bin"));
    }
    call(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    call(Command::new(folder.join("bin/pip")).args(["install", "-q"]).args(packages))?;
    std::fs::write(stamp, wanted)?;
    Ok(folder.join("bin"))
}

/// The packages of a requirements file.
pub(crate) fn requirements(file: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(file)?;
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect())
}

/// A program that comes in one package.
pub(crate) fn tool(program: &str, package: &str) -> anyhow::Result<PathBuf> {
    Ok(environment(program, &[package])?.join(program))
}
