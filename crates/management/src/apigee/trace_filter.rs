//! `?status=4xx&path=/orders&since=…&until=…`: which recorded exchanges a list holds. Not the originals'.

use pierhead_gateway::trace::Transaction;

use super::problem::ApigeeProblem;
use super::proxy_call::ProxyCall;

/// What a list holds; empty lets all through.
#[derive(Debug, Default)]
pub(super) struct TraceFilter {
    status: Option<Statuses>,
    /// Stands in the path or query of the request, in any case.
    path: String,
    /// Milliseconds since 1970.
    since: Option<i64>,
    until: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Statuses {
    One(u16),
    /// `4xx`: 4.
    Class(u16),
    /// 400 and more, or no answer at all.
    Failed,
}

impl TraceFilter {
    pub(super) fn read(call: &ProxyCall<'_>) -> Result<Self, ApigeeProblem> {
        let said = |name: &str| call.query(name).filter(|text| !text.is_empty());
        let time = |name: &'static str| match said(name) {
            None => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| ApigeeProblem::Bad(format!("{name} must be a time in milliseconds since 1970"))),
        };
        Ok(Self {
            status: said("status").map(|text| statuses(&text)).transpose()?,
            path: said("path").unwrap_or_default().to_lowercase(),
            since: time("since")?,
            until: time("until")?,
        })
    }

    pub(super) fn fits(&self, transaction: &Transaction) -> bool {
        let status = match (self.status, transaction.status) {
            (None, _) => true,
            (Some(Statuses::One(wanted)), status) => status == Some(wanted),
            (Some(Statuses::Class(class)), status) => status.is_some_and(|status| status / 100 == class),
            (Some(Statuses::Failed), status) => status.is_none_or(|status| status >= 400),
        };
        let began = transaction.began.as_i64();
        status
            && self.since.is_none_or(|since| began >= since)
            && self.until.is_none_or(|until| began <= until)
            && (self.path.is_empty()
                || transaction.request().is_some_and(|shot| {
                    let target = shot.line.split_once(' ').map_or("", |(_, target)| target);
                    target.to_lowercase().contains(&self.path)
                }))
    }
}

fn statuses(text: &str) -> Result<Statuses, ApigeeProblem> {
    let class = |text: &str| text.parse().ok().filter(|class| (1..=5).contains(class));
    match (text, text.strip_suffix("xx")) {
        ("failed", _) => Some(Statuses::Failed),
        (_, Some(number)) => class(number).map(Statuses::Class),
        (number, None) => {
            number.parse().ok().filter(|status| (100..=599).contains(status)).map(Statuses::One)
        }
    }
    .ok_or_else(|| ApigeeProblem::bad("status must be a status such as 404, a class such as 4xx, or failed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_a_number_a_class_or_a_failure() {
        assert_eq!(statuses("404").unwrap(), Statuses::One(404));
        assert_eq!(statuses("5xx").unwrap(), Statuses::Class(5));
        assert_eq!(statuses("failed").unwrap(), Statuses::Failed);
        for bad in ["", "4x", "9xx", "99", "600", "many", "xx"] {
            assert!(statuses(bad).is_err(), "{bad}");
        }
    }
}
