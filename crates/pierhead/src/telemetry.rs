//! Log lines: on standard error, as text for people or one JSON object a line.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::TryInitError;

use crate::config::{Log, LogFormat};

/// Starts logging; a second call in one process changes nothing.
pub(crate) fn start(log: &Log) {
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _: Result<(), TryInitError> = match log.format {
        LogFormat::Json => tracing_subscriber::util::SubscriberInitExt::try_init(builder.json().finish()),
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal();
            tracing_subscriber::util::SubscriberInitExt::try_init(builder.with_ansi(colours).finish())
        }
    };
}
