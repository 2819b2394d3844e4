//! npm packages of the browser tests.

use std::process::Command;

use crate::peers::debian;
use crate::run::{call, root};

/// Installs what `tests/browser/package-lock.json` pins, unless it is there.
pub(crate) fn browser_tests() -> anyhow::Result<()> {
    debian::ensure("node", "nodejs")?;
    debian::ensure("npm", "npm")?;
    let folder = root().join("tests/browser");
    let (lock, stamp) = (folder.join("package-lock.json"), folder.join("node_modules/.installed-lock.json"));
    let pinned = std::fs::read(lock)?;
    if std::fs::read(&stamp).is_ok_and(|installed| installed == pinned) {
        return Ok(());
    }
    call(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--prefix"]).arg(&folder))?;
    Ok(std::fs::write(stamp, pinned)?)
}
