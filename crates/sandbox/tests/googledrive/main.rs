//! The Google Drive double, driven over real HTTP as a client would.

mod files;
mod oauth;
mod search;
mod sharing;
mod steering;
mod support;
mod uploads;
