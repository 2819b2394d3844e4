//! The parts of a message that have names.

use http::HeaderName;

/// A part of a message, as the rest of a variable's name says it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum MessageField {
    Content,
    Header(HeaderName, Which),
    HeadersCount,
    HeadersNames,
    QueryParam(Box<str>, Which),
    QueryParamsCount,
    QueryParamsNames,
    QueryString,
    FormParam(Box<str>, Which),
    FormParamsCount,
    FormParamsNames,
    FormString,
    Verb,
    Path,
    Uri,
    Url,
    Version,
    StatusCode,
    ReasonPhrase,
    TransportMessage,
    TransportId,
}

/// Which of several values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    First,
    /// Counted from 1.
    Nth(usize),
    All,
    Count,
    /// All in one text, parted by commas.
    Joined,
}

impl MessageField {
    /// Splits `request.header.accept` into `request` and the field; `None` when no message has such a part.
    pub(crate) fn split(name: &str) -> Option<(&str, Self)> {
        // The first dot that leaves a field behind it: header names may hold dots, message names may too.
        name.match_indices('.').find_map(|(dot, _)| Some((&name[..dot], Self::named(&name[dot + 1..])?)))
    }

    fn named(field: &str) -> Option<Self> {
        Some(match field {
            "content" => Self::Content,
            "headers.count" => Self::HeadersCount,
            "headers.names" => Self::HeadersNames,
            "queryparams.count" => Self::QueryParamsCount,
            "queryparams.names" => Self::QueryParamsNames,
            "querystring" => Self::QueryString,
            "formparams.count" => Self::FormParamsCount,
            "formparams.names" => Self::FormParamsNames,
            "formstring" => Self::FormString,
            "verb" => Self::Verb,
            "path" => Self::Path,
            "uri" => Self::Uri,
            "url" => Self::Url,
            "version" => Self::Version,
            "status.code" => Self::StatusCode,
            "reason.phrase" => Self::ReasonPhrase,
            "transport.message" => Self::TransportMessage,
            "transportid" | "transport.id" => Self::TransportId,
            _ => return Self::multiple(field),
        })
    }

    fn multiple(field: &str) -> Option<Self> {
        if let Some(rest) = field.strip_prefix("header.") {
            let (name, which) = Which::split(rest);
            return Some(Self::Header(HeaderName::from_bytes(name.as_bytes()).ok()?, which));
        }
        if let Some(rest) = field.strip_prefix("queryparam.") {
            let (name, which) = Which::split(rest);
            return (!name.is_empty()).then(|| Self::QueryParam(name.into(), which));
        }
        let (name, which) = Which::split(field.strip_prefix("formparam.")?);
        (!name.is_empty()).then(|| Self::FormParam(name.into(), which))
    }

    /// Whether reading it needs the body in memory.
    pub(crate) const fn is_of_body(&self) -> bool {
        matches!(
            self,
            Self::Content
                | Self::FormParam(..)
                | Self::FormParamsCount
                | Self::FormParamsNames
                | Self::FormString
        )
    }
}

impl Which {
    fn split(rest: &str) -> (&str, Self) {
        for (suffix, which) in
            [(".values.count", Self::Count), (".values.string", Self::Joined), (".values", Self::All)]
        {
            if let Some(name) = rest.strip_suffix(suffix).filter(|name| !name.is_empty()) {
                return (name, which);
            }
        }
        if let Some((name, digits)) = rest.rsplit_once('.')
            && let Some(index) = digits.parse().ok().filter(|index| *index > 0 && !name.is_empty())
        {
            return (name, Self::Nth(index));
        }
        (rest, Self::First)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_messages_are_told_from_their_names() {
        let header = |name: &'static str, which| {
            Some(("request", MessageField::Header(HeaderName::from_static(name), which)))
        };
        assert_eq!(MessageField::split("request.header.Accept"), header("accept", Which::First));
        assert_eq!(MessageField::split("request.header.a.b.2"), header("a.b", Which::Nth(2)));
        assert_eq!(MessageField::split("request.header.a.values"), header("a", Which::All));
        assert_eq!(MessageField::split("request.header.a.values.count"), header("a", Which::Count));
        assert_eq!(MessageField::split("my.msg.content"), Some(("my.msg", MessageField::Content)));
        assert_eq!(
            MessageField::split("request.queryparam.A.b"),
            Some(("request", MessageField::QueryParam("A.b".into(), Which::First)))
        );
        for name in ["request", "flow.x", "content", "a.header", "a.queryparam.", "a.header.b c"] {
            assert_eq!(MessageField::split(name), None, "{name}");
        }
    }
}
