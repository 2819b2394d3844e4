//! Which recorded requests a list shows.

use pierhead_domain::EpochMillis;

use crate::fields::Fields;

/// Statuses one can choose, with what people call them.
const STATUSES: &[(&str, &str)] = &[
    ("", "Any status"),
    ("failed", "Failed"),
    ("2xx", "2xx"),
    ("3xx", "3xx"),
    ("4xx", "4xx"),
    ("5xx", "5xx"),
];

/// Spans of time one can choose, in minutes.
const SPANS: &[(&str, &str)] =
    &[("", "Any time"), ("1", "Last minute"), ("10", "Last 10 minutes"), ("60", "Last hour")];

/// What a person asked to see.
#[derive(Debug, Clone, Default)]
pub(super) struct TraceFilter {
    /// Empty for all.
    pub(super) proxy: String,
    pub(super) status: String,
    pub(super) path: String,
    /// Minutes back from now.
    pub(super) minutes: String,
}

impl TraceFilter {
    pub(super) fn read(query: &Fields) -> Self {
        let said = |name: &str| query.trimmed(name).to_owned();
        Self { proxy: said("proxy"), status: said("status"), path: said("path"), minutes: said("minutes") }
    }

    pub(super) fn is_empty(&self) -> bool {
        [&self.proxy, &self.status, &self.path, &self.minutes].iter().all(|part| part.is_empty())
    }

    pub(super) fn statuses(&self) -> &'static [(&'static str, &'static str)] {
        STATUSES
    }

    pub(super) fn spans(&self) -> &'static [(&'static str, &'static str)] {
        SPANS
    }

    /// The wire's query, each part with `&` before it.
    pub(super) fn query(&self, now: EpochMillis) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("status", &self.status), ("path", &self.path)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        if let Ok(minutes) = self.minutes.parse::<u32>() {
            query.append_pair("since", &(now.as_i64() - i64::from(minutes) * 60_000).to_string());
        }
        match query.finish() {
            query if query.is_empty() => query,
            query => format!("&{query}"),
        }
    }

    /// The page's own query, to ask for the same again.
    pub(super) fn own_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("proxy", &self.proxy),
            ("status", &self.status),
            ("path", &self.path),
            ("minutes", &self.minutes),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_goes_to_the_wire() {
        let filter = TraceFilter::read(&Fields::parse(b"status=4xx&path=%2Fa+b&minutes=1&proxy=x"));
        assert_eq!(filter.query(EpochMillis::new(100_000)), "&status=4xx&path=%2Fa+b&since=40000");
        assert_eq!(TraceFilter::default().query(EpochMillis::new(1)), "");
        assert_eq!(filter.own_query(), "proxy=x&status=4xx&path=%2Fa+b&minutes=1");
    }
}
