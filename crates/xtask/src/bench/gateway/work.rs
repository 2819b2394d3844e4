//! What a proxy does in a case, and the load it gets.

/// One case of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    Bare,
    Quota,
    KeyQuota,
    Token,
    Headers,
    All,
    Script,
    ToXml,
    ToJson,
    Download,
    DownloadLarge,
    Upload,
}

/// The load of one turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    /// Requests per second over 32 connections.
    Rate(u32),
    /// As fast as it goes over so many connections.
    Closed(u32),
}

impl Work {
    pub(super) const ALL: [Self; 12] = [
        Self::Bare,
        Self::Quota,
        Self::KeyQuota,
        Self::Token,
        Self::Headers,
        Self::All,
        Self::Script,
        Self::ToXml,
        Self::ToJson,
        Self::Download,
        Self::DownloadLarge,
        Self::Upload,
    ];

    /// What `--case` calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Quota => "quota",
            Self::KeyQuota => "key-quota",
            Self::Token => "jwt",
            Self::Headers => "headers",
            Self::All => "all-policies",
            Self::Script => "javascript",
            Self::ToXml => "json-to-xml",
            Self::ToJson => "xml-to-json",
            Self::Download => "download-100k",
            Self::DownloadLarge => "download-10m",
            Self::Upload => "upload-1m",
        }
    }

    /// What the reader of a table wants to know.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Bare => "bare, 1 KiB",
            Self::Quota => "+ quota",
            Self::KeyQuota => "+ key + quota",
            Self::Token => "+ JWT (RS256)",
            Self::Headers => "+ KVM and headers",
            Self::All => "key + quota + KVM + headers + access log",
            Self::Script => "JavaScript on 2 KiB of JSON",
            Self::ToXml => "JSON to XML, 10 KiB",
            Self::ToJson => "XML to JSON, 10 KiB",
            Self::Download => "download of 100 KiB",
            Self::DownloadLarge => "download of 10 MiB",
            Self::Upload => "upload of 1 MiB",
        }
    }

    /// The path below a target.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Script => "/order.json",
            Self::ToXml => "/table.json",
            Self::ToJson => "/table.xml",
            Self::Download => "/100k",
            Self::DownloadLarge => "/10m",
            Self::Upload => "/sink",
            _ => "/1k",
        }
    }

    pub(super) const fn load(self) -> Load {
        match self {
            Self::Script | Self::ToXml | Self::ToJson => Load::Rate(1000),
            Self::Download => Load::Closed(32),
            Self::DownloadLarge => Load::Closed(8),
            Self::Upload => Load::Closed(16),
            _ => Load::Rate(4000),
        }
    }

    pub(super) const fn counts(self) -> bool {
        matches!(self, Self::Quota | Self::KeyQuota | Self::All)
    }

    pub(super) const fn checks_keys(self) -> bool {
        matches!(self, Self::KeyQuota | Self::All)
    }

    pub(super) const fn checks_tokens(self) -> bool {
        matches!(self, Self::Token)
    }

    pub(super) const fn sets_headers(self) -> bool {
        matches!(self, Self::Headers | Self::All)
    }

    pub(super) const fn logs(self) -> bool {
        matches!(self, Self::All)
    }

    /// No peer without a program of its own can do it.
    pub(super) const fn changes_bodies(self) -> bool {
        matches!(self, Self::Script | Self::ToXml | Self::ToJson)
    }

    pub(super) const fn sends_a_body(self) -> bool {
        matches!(self, Self::Upload)
    }

    /// Bodies alone: proxies pass everything through.
    pub(super) const fn is_bulk(self) -> bool {
        matches!(self, Self::Download | Self::DownloadLarge | Self::Upload)
    }

    /// What a proxy that does its work answers with has this in it.
    pub(super) const fn proof(self) -> &'static str {
        match self {
            Self::Script => "\"total\":",
            Self::ToXml => "</row>",
            Self::ToJson => "\"row\":[",
            _ => "",
        }
    }

    /// The policies of our bundle: on the request, then on the response.
    pub(super) const fn policies(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Quota => (&["Limit"], &[]),
            Self::KeyQuota => (&["Key", "Limit-By-App"], &[]),
            Self::Token => (&["Token"], &[]),
            Self::Headers => (&["Read-Map", "Set-Headers"], &[]),
            Self::All => (&["Key", "Limit-By-App", "Read-Map", "Set-Headers"], &[]),
            Self::Script => (&[], &["Transform"]),
            Self::ToXml => (&[], &["To-Xml"]),
            Self::ToJson => (&[], &["To-Json"]),
            Self::Bare | Self::Download | Self::DownloadLarge | Self::Upload => (&[], &[]),
        }
    }
}
