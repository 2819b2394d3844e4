//! What steps collect about an exchange, for reports.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use pierhead_domain::EpochMillis;

use crate::exchange::Exchange;
use crate::variable::Value;

/// Takes what exchanges collected. Never blocks and never fails: a sink that cannot keep up drops records.
pub trait AnalyticsSink: Send + Sync {
    /// Called once for each exchange that collected something, when it ends.
    fn record(&self, record: AnalyticsRecord);
}

/// What one exchange collected.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalyticsRecord {
    /// Name of the proxy.
    pub proxy: Arc<str>,
    /// Its revision.
    pub revision: Arc<str>,
    /// `messageid` of the exchange.
    pub message_id: String,
    /// When its first byte arrived.
    pub received: EpochMillis,
    /// Of the last StatisticsCollector that ran.
    pub statistics: Vec<(Arc<str>, CollectedValue)>,
    /// Of DataCapture policies, by data collector; of one collected twice the last.
    pub captured: Vec<(Arc<str>, CollectedValue)>,
    /// Of TraceCapture policies.
    pub traced: Vec<(Arc<str>, CollectedValue)>,
}

/// A value of a report: a dimension when it is text, else a measure.
#[derive(Debug, Clone, PartialEq)]
pub enum CollectedValue {
    /// `string`.
    Text(String),
    /// `boolean`.
    Boolean(bool),
    /// `integer` and `long`.
    Whole(i64),
    /// `float` and `double`.
    Decimal(f64),
}

/// The most values of each kind in one record; more are not kept.
const MAX_VALUES: usize = 100;

/// The longest text that is kept, in characters; the rest is cut off (SAP's statistics, api-management §9.6).
pub(crate) const MAX_TEXT: usize = 1000;

impl CollectedValue {
    /// As it is; text is cut.
    pub(crate) fn of(value: Value<'_>) -> Option<Self> {
        Some(match value {
            Value::Null => return None,
            Value::Boolean(value) => Self::Boolean(value),
            Value::Integer(value) => Self::Whole(value.into()),
            Value::Long(value) => Self::Whole(value),
            Value::Float(value) => Self::Decimal(value.into()),
            Value::Double(value) => Self::Decimal(value),
            Value::Text(text) => Self::Text(text.chars().take(MAX_TEXT).collect()),
        })
    }
}

/// A record under way; it goes to the sink when the exchange ends, whichever way that is.
pub(crate) struct Collecting {
    sink: Arc<dyn AnalyticsSink>,
    record: Option<AnalyticsRecord>,
}

impl Drop for Collecting {
    fn drop(&mut self) {
        if let Some(record) = self.record.take() {
            self.sink.record(record);
        }
    }
}

/// Which part of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collected {
    Statistic,
    Captured,
    Traced,
}

impl Exchange {
    /// Adds values to the record of this exchange. Statistics replace those of an earlier step.
    pub(crate) fn collect(&mut self, what: Collected, values: Vec<(Arc<str>, CollectedValue)>) {
        if self.collecting.is_none() {
            let record = AnalyticsRecord {
                proxy: self.proxy().name.clone(),
                revision: self.proxy().revision.clone(),
                message_id: self.message_id().as_str().to_owned(),
                received: self.times.client_received_start,
                statistics: Vec::new(),
                captured: Vec::new(),
                traced: Vec::new(),
            };
            let sink = self.services.ports.analytics.clone();
            self.collecting = Some(Box::new(Collecting { sink, record: Some(record) }));
        }
        let Some(record) = self.collecting.as_mut().and_then(|collecting| collecting.record.as_mut()) else {
            return;
        };
        let list = match what {
            Collected::Statistic => {
                record.statistics.clear();
                &mut record.statistics
            }
            Collected::Captured => &mut record.captured,
            Collected::Traced => &mut record.traced,
        };
        for (name, value) in values {
            match list.iter().position(|(known, _)| *known == name) {
                Some(place) => list[place].1 = value,
                None if list.len() < MAX_VALUES => list.push((name, value)),
                None => {}
            }
        }
    }
}

/// Keeps the latest records in memory.
#[derive(Debug)]
pub struct RecentAnalytics {
    records: Mutex<VecDeque<AnalyticsRecord>>,
    most: usize,
}

impl RecentAnalytics {
    /// Keeps at most `most` records; an older one makes room for a newer.
    pub fn new(most: usize) -> Self {
        Self { records: Mutex::new(VecDeque::new()), most: most.max(1) }
    }

    /// The records, oldest first.
    pub fn records(&self) -> Vec<AnalyticsRecord> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Default for RecentAnalytics {
    /// Keeps a thousand.
    fn default() -> Self {
        Self::new(1000)
    }
}

impl AnalyticsSink for RecentAnalytics {
    fn record(&self, record: AnalyticsRecord) {
        // A record is rather lost than waited for.
        let Ok(mut records) = self.records.try_lock() else { return };
        if records.len() >= self.most {
            records.pop_front();
        }
        records.push_back(record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(message_id: &str) -> AnalyticsRecord {
        AnalyticsRecord {
            proxy: "P".into(),
            revision: "1".into(),
            message_id: message_id.into(),
            received: EpochMillis::new(0),
            statistics: Vec::new(),
            captured: Vec::new(),
            traced: Vec::new(),
        }
    }

    #[test]
    fn only_the_latest_records_are_kept() {
        let recent = RecentAnalytics::new(2);
        ["a", "b", "c"].iter().for_each(|id| recent.record(record(id)));
        let ids: Vec<String> = recent.records().into_iter().map(|record| record.message_id).collect();
        assert_eq!(ids, ["b", "c"]);
    }

    #[test]
    fn a_record_is_rather_lost_than_waited_for() {
        let recent = RecentAnalytics::new(2);
        let busy = recent.records.lock().unwrap();
        recent.record(record("a"));
        drop(busy);
        assert!(recent.records().is_empty());
    }
}
