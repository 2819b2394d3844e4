//! The vendors of the demo: the Google Drive double, a real WebDAV server, a real folder.

use anyhow::Context;
use pierhead_domain::SecretString;
use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::{Demo, DemoVendor};

/// Which vendor, and what it takes to connect it.
#[derive(Debug, Clone)]
pub(super) enum Vendor {
    /// The double, started by the demo.
    GoogleDrive,
    /// A server of the user's.
    WebDav { url: String, user: String, password: SecretString },
    /// A folder of this machine.
    Folder(PathBuf),
}

/// Names the variable with the WebDAV password.
const PASSWORD: &str = "PIERHEAD_DEMO_PASSWORD";

impl Vendor {
    pub(super) fn read(arguments: &Demo) -> anyhow::Result<Self> {
        let of_another = [
            ("--url", arguments.url.is_some(), DemoVendor::Webdav),
            ("--user", arguments.user.is_some(), DemoVendor::Webdav),
            ("--path", arguments.path.is_some(), DemoVendor::Folder),
        ];
        for (flag, given, vendor) in of_another {
            anyhow::ensure!(
                !given || arguments.vendor == vendor,
                "{flag} goes with --vendor {}",
                format!("{vendor:?}").to_lowercase()
            );
        }
        Ok(match arguments.vendor {
            DemoVendor::Googledrive => Self::GoogleDrive,
            DemoVendor::Webdav => Self::WebDav {
                url: arguments.url.clone().context("--vendor webdav needs --url")?,
                user: arguments.user.clone().context("--vendor webdav needs --user")?,
                password: password()?,
            },
            DemoVendor::Folder => {
                let path = arguments.path.as_ref().context("--vendor folder needs --path")?;
                Self::Folder(
                    std::fs::canonicalize(path)
                        .with_context(|| format!("finding the folder {}", path.display()))?,
                )
            }
        })
    }

    /// The connector's key.
    pub(super) fn key(&self) -> &'static str {
        match self {
            Self::GoogleDrive => "googledrive",
            Self::WebDav { .. } => "webdav",
            Self::Folder(_) => "folder",
        }
    }

    /// The proxy's name, as the first founding document spells it.
    pub(super) fn proxy(&self) -> &'static str {
        match self {
            Self::GoogleDrive => "Googledrive",
            Self::WebDav { .. } => "Webdav",
            Self::Folder(_) => "Folder",
        }
    }

    /// Starts the double where the vendor is one.
    pub(super) async fn start(&self) -> anyhow::Result<Option<pierhead_sandbox::google::RunningGoogleDrive>> {
        if !matches!(self, Self::GoogleDrive) {
            return Ok(None);
        }
        let listener =
            tokio::net::TcpListener::bind("127.0.0.1:0").await.context("finding a port for the vendor")?;
        let (clock, rng) = (Arc::new(pierhead_domain::SystemClock), Arc::new(pierhead_domain::SystemRng));
        let double = pierhead_sandbox::google::GoogleDrive::new(
            pierhead_sandbox::google::GoogleDriveOptions::default(),
            clock,
            rng,
        )?;
        Ok(Some(double.start(listener)?))
    }
}

fn password() -> anyhow::Result<SecretString> {
    match std::env::var(PASSWORD) {
        Ok(password) => Ok(password.into()),
        Err(_) => rpassword::prompt_password("WebDAV password: ")
            .map(SecretString::new)
            .with_context(|| format!("reading the password (or set {PASSWORD})")),
    }
}
