//! The Google Drive double on a port of its own.

use std::sync::Arc;

use pierhead_domain::{SystemClock, SystemRng};
use pierhead_sandbox::google::{GoogleDrive, GoogleDriveOptions, RunningGoogleDrive};

/// A running double.
pub struct Drive(RunningGoogleDrive);

impl Drive {
    /// Starts the double with its defaults on a free port.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let double =
            GoogleDrive::new(GoogleDriveOptions::default(), Arc::new(SystemClock), Arc::new(SystemRng))
                .unwrap();
        Self(double.start(listener).unwrap())
    }
}

impl std::ops::Deref for Drive {
    type Target = RunningGoogleDrive;

    fn deref(&self) -> &RunningGoogleDrive {
        &self.0
    }
}
