//! `format`.

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine as _;
use serde_json::Number;
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, OffsetDateTime};

/// Formats that are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Int32,
    Int64,
    Byte,
    Date,
    DateTime,
    Email,
    Uuid,
    Uri,
    Ipv4,
    Ipv6,
}

impl Format {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "byte" => Self::Byte,
            "date" => Self::Date,
            "date-time" => Self::DateTime,
            "email" => Self::Email,
            "uuid" => Self::Uuid,
            "uri" | "url" => Self::Uri,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            _ => return None,
        })
    }

    pub(super) fn number(self, number: &Number) -> Result<(), String> {
        let fits = match self {
            Self::Int32 => number.as_i64().is_none_or(|value| i32::try_from(value).is_ok()),
            Self::Int64 => !number.is_u64() || number.is_i64(),
            _ => true,
        };
        if fits { Ok(()) } else { Err(format!("{number} is outside of the range of {self:?}")) }
    }

    pub(super) fn text(self, text: &str) -> Result<(), String> {
        let hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
        let fits = match self {
            Self::Int32 | Self::Int64 => true,
            Self::Byte => base64::engine::general_purpose::STANDARD.decode(text.as_bytes()).is_ok(),
            Self::Date => text.len() == 10 && Date::parse(text, &Iso8601::DATE).is_ok(),
            Self::DateTime => OffsetDateTime::parse(text, &Rfc3339).is_ok(),
            Self::Email => text.rsplit_once('@').is_some_and(|(name, host)| {
                !name.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace)
            }),
            Self::Uuid => {
                let parts: Vec<&str> = text.split('-').collect();
                parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(|part| hex(part))
            }
            Self::Uri => text.split_once(':').is_some_and(|(scheme, rest)| {
                scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                    && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
                    && !rest.is_empty()
                    && !text.contains(char::is_whitespace)
            }),
            Self::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
        };
        if fits { Ok(()) } else { Err(format!("the text is no {}", self.name())) }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Byte => "Base64",
            Self::Date => "date",
            Self::DateTime => "date-time",
            Self::Email => "email",
            Self::Uuid => "uuid",
            Self::Uri => "uri",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }
}
