//! Debian packages, installed as root when a program they bring is missing.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::run::{call, exists, output};

/// Makes sure that `program` exists, from `package` if need be.
pub(crate) fn ensure(program: &str, package: &str) -> anyhow::Result<()> {
    if exists(program) { Ok(()) } else { install(program, package) }
}

/// Makes sure that a file exists that `package` brings.
pub(crate) fn ensure_at(file: &str, package: &str) -> anyhow::Result<()> {
    if Path::new(file).exists() { Ok(()) } else { install(file, package) }
}

fn install(program: &str, package: &str) -> anyhow::Result<()> {
    if !exists("apt-get") || output(Command::new("id").arg("-u"))?.trim() != "0" {
        bail!("'{program}' is missing; install it (Debian package {package}) or run this as root");
    }
    call(Command::new("apt-get").args(["update", "-q"]))?;
    call(
        Command::new("apt-get")
            .args(["install", "-q", "-y", "--no-install-recommends", package])
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}
