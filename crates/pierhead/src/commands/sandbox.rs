//! `pierhead sandbox`: a vendor double alone.

use std::sync::Arc;

use anyhow::Context;
use pierhead_domain::{SystemClock, SystemRng};
use pierhead_sandbox::google::{GoogleDrive, GoogleDriveOptions};
use tokio::net::TcpListener;

use crate::cli::SandboxVendor;
use crate::commands::{say, stop_signal};

pub(super) async fn run(vendor: SandboxVendor) -> anyhow::Result<()> {
    let SandboxVendor::Googledrive { listen } = vendor;
    let listener = TcpListener::bind(listen).await.with_context(|| format!("listening on {listen}"))?;
    let double = GoogleDrive::new(GoogleDriveOptions::default(), Arc::new(SystemClock), Arc::new(SystemRng))?;
    let running = double.start(listener)?;
    say(&format!(
        "A double of Google Drive v3 at {url}\n  client id      {id}\n  client secret  {secret}\n  consent page   {url}/o/oauth2/v2/auth\n  token          {url}/token\n  journal        {url}/sandbox/journal\nStop it with Ctrl-C.",
        url = running.base_url(),
        id = running.client_id(),
        // The secret of a double protects nothing: whoever runs it needs it to connect.
        secret = running.client_secret().expose(),
    ));
    stop_signal().await?;
    running.stop().await;
    Ok(())
}
