//! Lines that steps log: where they go, and how they look there.

mod folder;
mod writer;

use std::sync::Arc;

use bytes::Bytes;

pub use self::folder::{LogFile, LogFolder, Rotation};
use crate::target_tls::TargetTls;

/// A line of a MessageLogging step on its way.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// Where it goes.
    pub to: Arc<LogDestination>,
    /// The line, without a line end; at most [`LogLine::MOST_BYTES`].
    pub text: Bytes,
}

impl LogLine {
    /// Longer lines are cut.
    pub const MOST_BYTES: usize = 64 * 1024 - 512;
}

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LogDestination {
    /// A syslog server.
    Syslog {
        /// Name or address.
        host: Arc<str>,
        /// Port.
        port: u16,
        /// What is spoken.
        transport: SyslogTransport,
    },
    /// A file of this machine.
    File {
        /// The folder that no file leaves.
        folder: LogFolder,
        /// The file in it.
        file: Arc<LogFile>,
    },
    /// This program's own log: what the originals write to a log of their cloud.
    OwnLog {
        /// The name of the log as the design has it, once its variables are replaced.
        name: Arc<str>,
    },
}

/// How a syslog server is spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SyslogTransport {
    /// One datagram a line (RFC 5426).
    Udp,
    /// Lines ended by a line feed (RFC 6587 §3.4.2).
    Tcp,
    /// The same over TLS.
    Tls {
        /// Accepts any certificate.
        trust_all: bool,
        /// What its `SSLInfo` asks for beyond that.
        identity: Option<Arc<TargetTls>>,
    },
}
