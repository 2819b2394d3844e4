//! How often one may call, and what is remembered between calls (api-management §9.4).

mod cache;
mod concurrent_ratelimit;
mod invalidate_cache;
mod lookup_cache;
mod populate_cache;
mod quota;
mod reset_quota;
mod response_cache;
mod spike_arrest;

use super::{Entry, entry};

pub(super) static POLICIES: &[Entry] = &[
    entry("ConcurrentRatelimit", "concurrentratelimit", concurrent_ratelimit::compile),
    entry("InvalidateCache", "invalidatecache", invalidate_cache::compile),
    entry("LookupCache", "lookupcache", lookup_cache::compile),
    entry("PopulateCache", "populatecache", populate_cache::compile),
    entry("Quota", "ratelimit", quota::compile),
    entry("ResetQuota", "resetquota", reset_quota::compile),
    entry("ResponseCache", "responsecache", response_cache::compile),
    entry("SpikeArrest", "ratelimit", spike_arrest::compile),
];
