//! The Google Drive double on a port of its own.

use std::sync::Arc;
use std::time::Duration;

use pierhead_domain::{Clock, StoppedClock, SystemClock, SystemRng};
use pierhead_sandbox::google::{GoogleDrive, GoogleDriveOptions, RunningGoogleDrive};
use serde_json::Value;

/// A running double with a stopped clock of its own.
pub struct Drive {
    double: RunningGoogleDrive,
    clock: StoppedClock,
}

impl Drive {
    /// Starts the double with its defaults on a free port.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let clock = StoppedClock::at(SystemClock.now());
        let double =
            GoogleDrive::new(GoogleDriveOptions::default(), Arc::new(clock.clone()), Arc::new(SystemRng));
        Self { double: double.unwrap().start(listener).unwrap(), clock }
    }

    /// Moves the double's clock forward.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Stops serving.
    pub async fn stop(self) {
        self.double.stop().await;
    }

    /// The page's owner allows or denies: the parameters that come back to the callback, as `providerData`.
    pub fn came_back(&self, consent_url: &str, allow: bool) -> Value {
        let location = self.consent(consent_url, allow, None).unwrap();
        let pairs = url::Url::parse(&location).unwrap();
        pairs
            .query_pairs()
            .map(|(name, value)| (name.into_owned(), Value::from(value.into_owned())))
            .collect()
    }
}

impl std::ops::Deref for Drive {
    type Target = RunningGoogleDrive;

    fn deref(&self) -> &RunningGoogleDrive {
        &self.double
    }
}
