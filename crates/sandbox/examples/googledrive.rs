//! The Google Drive double alone: prints its address and client, and serves until interrupted.
//!
//! `cargo run -p pierhead-sandbox --example googledrive -- [ADDRESS]` (default `127.0.0.1:0`). One line of
//! JSON goes to standard output once it serves: `{"baseUrl", "clientId", "clientSecret"}`.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;

use pierhead_domain::{SystemClock, SystemRng};
use pierhead_sandbox::google::{GoogleDrive, GoogleDriveOptions};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let listener = TcpListener::bind(address).await?;
    let double = GoogleDrive::new(GoogleDriveOptions::default(), Arc::new(SystemClock), Arc::new(SystemRng))?;
    let handle = double.handle(listener.local_addr()?);
    let ready = serde_json::json!({
        "baseUrl": handle.base_url(),
        "clientId": handle.client_id(),
        "clientSecret": handle.client_secret().expose(),
    });
    let mut out = std::io::stdout();
    writeln!(out, "{ready}")?;
    out.flush()?;
    double.serve(listener, stopped()).await?;
    Ok(())
}

/// Completes on the first interrupt or termination signal, so that the contents' directory is removed.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers the default action ends the program.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
