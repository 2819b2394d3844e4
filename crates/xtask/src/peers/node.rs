//! npm packages of the browser tests, below `.cache/browser`.

use std::path::PathBuf;
use std::process::Command;

use crate::peers::debian;
use crate::run::{cache, call, root};

/// Installs what `tests/browser/package.json` pins. Returns the folder that holds `node_modules`.
pub(crate) fn browser_tests() -> anyhow::Result<PathBuf> {
    debian::ensure("node", "nodejs")?;
    debian::ensure("npm", "npm")?;
    let folder = cache()?.join("browser");
    std::fs::create_dir_all(&folder)?;
    let pinned = std::fs::read_to_string(root().join("tests/browser/package.json"))?;
    let stamp = folder.join("package.json");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == pinned)
        && folder.join("node_modules").is_dir()
    {
        return Ok(folder);
    }
    std::fs::write(&stamp, pinned)?;
    call(Command::new("npm").args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&folder))?;
    Ok(folder)
}
