//! How often one may call, and what is remembered between calls (api-management §9.4).

use super::Entry;

pub(super) static POLICIES: &[Entry] = &[];
