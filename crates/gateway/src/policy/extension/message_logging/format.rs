//! How a line looks to a syslog server.

use crate::exchange::Exchange;
use crate::template::format_time;

/// What stands before the message.
#[derive(Debug)]
pub(super) struct Format {
    pub(super) level: Level,
    /// `FormatMessage`: priority, version, date, id and program, as RFC 5424 orders them.
    pub(super) whole: bool,
    /// `PayloadOnly`: nothing at all.
    pub(super) payload_only: bool,
    /// Instead of the usual pattern.
    pub(super) date: Option<Box<str>>,
}

/// Severities by the originals' names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Level {
    Alert,
    Error,
    Warn,
    #[default]
    Info,
}

impl Level {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "ALERT" => Self::Alert,
            "ERROR" => Self::Error,
            "WARN" => Self::Warn,
            "INFO" => Self::Info,
            _ => return None,
        })
    }

    /// Facility "user" and the severity (RFC 5424 §6.2.1).
    const fn priority(self) -> u8 {
        const USER: u8 = 8;
        USER + match self {
            Self::Alert => 1,
            Self::Error => 3,
            Self::Warn => 4,
            Self::Info => 6,
        }
    }
}

/// The program that the originals' lines name; log servers sort by it.
const PROGRAM: &str = "Apigee";

impl Format {
    pub(super) fn line(&self, message: &str, cx: &Exchange) -> String {
        if self.payload_only {
            return message.to_owned();
        }
        let priority = self.level.priority();
        let date = |usual: &str| format_time(self.date.as_deref().unwrap_or(usual), cx.now());
        if self.whole {
            let (date, id) = (date("yyyy-MM-dd'T'HH:mm:ss.SSSZ"), cx.message_id().as_str());
            return format!("<{priority}>1 {date} {id} {PROGRAM} - - - {message}");
        }
        // The older form (RFC 3164 §4.1).
        format!("<{priority}>{} {PROGRAM} {message}", date("MMM dd HH:mm:ss"))
    }
}
