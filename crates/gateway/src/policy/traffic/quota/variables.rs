//! What a quota tells: computed when somebody reads it.

use crate::exchange::ComputedVariables;
use crate::state::Count;
use crate::variable::Value;

/// The variables below `ratelimit.<policy>.`.
#[derive(Debug)]
pub(super) struct QuotaVariables {
    pub(super) identifier: Box<str>,
    /// Empty when the message has none.
    pub(super) class: Box<str>,
    pub(super) allowed: u64,
    pub(super) count: Count,
}

impl ComputedVariables for QuotaVariables {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        let count = &self.count;
        if let Some(name) = name.strip_prefix("class.") {
            if self.class.is_empty() {
                return None;
            }
            return Some(number(match name {
                "allowed.count" => self.allowed,
                "used.count" => count.used,
                "available.count" => self.allowed.saturating_sub(count.used),
                "exceed.count" => count.refused,
                "total.exceed.count" => count.refused_ever,
                _ => return None,
            }));
        }
        Some(match name {
            "allowed.count" => number(self.allowed),
            "used.count" => number(count.used),
            "available.count" => number(self.allowed.saturating_sub(count.used)),
            // 1 once the quota is exceeded; the numbers are those of the class.
            "exceed.count" => number(count.refused.min(1)),
            "total.exceed.count" => number(count.refused_ever.min(1)),
            "expiry.time" => Value::Long(count.ends),
            "identifier" => Value::text(&self.identifier),
            "class" if !self.class.is_empty() => Value::text(&self.class),
            "failed" => Value::Boolean(!count.granted),
            _ => return None,
        })
    }
}

fn number(number: u64) -> Value<'static> {
    Value::Long(i64::try_from(number).unwrap_or(i64::MAX))
}
