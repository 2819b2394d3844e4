//! The `transport` block: which driver carries requests, where to, and how long it may take.

use std::time::Duration;

use http::HeaderName;
use pierhead_script::{Escape, Template};

use super::block::Block;
use crate::driver::CallTimes;

/// How requests get to the vendor.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    pub(crate) driver: DriverKind,
    /// Where paths are put behind (the setting `base.url` wins); for `file` the directory.
    pub(crate) base: Option<Template>,
    pub(crate) headers: Vec<(HeaderName, Template)>,
    pub(crate) times: CallTimes,
    /// The largest answer read into memory, in bytes.
    pub(crate) max_answer: usize,
    /// How often a failed request is sent again when that is safe.
    pub(crate) retries: u32,
}

/// A driver, named by protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DriverKind {
    Http,
    File,
}

impl Transport {
    pub(crate) fn read(definition: &Block<'_>) -> Option<Self> {
        let Some(block) = definition.block("transport", "transport") else {
            definition.mistake("transport", "is required");
            return None;
        };
        let drivers = [("http", DriverKind::Http), ("file", DriverKind::File)];
        let driver = block.choice("driver", &drivers).unwrap_or(DriverKind::Http);
        let base = block.template("base_url", Escape::None, &["connection"]);
        let directory = block.template("directory", Escape::None, &["connection"]);
        let base = match driver {
            DriverKind::Http => base,
            DriverKind::File => directory,
        };
        if base.is_none() {
            block.mistake("base_url", "the http driver needs base_url, the file driver needs directory");
        }
        let headers = block.headers("headers", &["connection"]);
        let times = block.block("timeouts", "timeouts");
        let time = |key: &str, default: u64| {
            let given = times.as_ref().and_then(|times| times.duration(key));
            given.unwrap_or(Duration::from_secs(default))
        };
        let times = CallTimes {
            connect: time("connect", 10),
            first_byte: time("first_byte", 60),
            idle: time("idle", 60),
        };
        let max_answer = block.size("max_answer").and_then(|size| usize::try_from(size).ok());
        let retries = block.number("retries").and_then(|retries| u32::try_from(retries).ok());
        Some(Self {
            driver,
            base,
            headers,
            times,
            max_answer: max_answer.unwrap_or(16 << 20),
            retries: retries.unwrap_or(2).min(5),
        })
    }
}
