//! The Google Drive double, driven over real HTTP as a client would.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it does not expect")]

mod files;
mod oauth;
mod search;
mod sharing;
mod steering;
mod support;
mod uploads;
