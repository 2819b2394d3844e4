//! How often one may call, and what is remembered between calls (api-management §9.4).

mod quota;
mod reset_quota;
mod setting;
mod spike_arrest;

use super::{Entry, entry};
use setting::Setting;

pub(super) static POLICIES: &[Entry] = &[
    entry("Quota", "ratelimit", quota::compile),
    entry("ResetQuota", "resetquota", reset_quota::compile),
    entry("SpikeArrest", "ratelimit", spike_arrest::compile),
];
