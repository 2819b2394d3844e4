//! The whole server, driven over HTTP as its clients do. One binary: each module is a part of the story.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod authorization;
mod bodies;
mod bundles;
mod command_line;
mod consent;
mod crash;
mod csrf;
mod documents;
mod door;
mod events;
mod leaks;
mod names;
mod neighbours;
mod nodes;
mod oauth_v1;
mod paths;
mod process;
mod races;
mod refresh;
mod security;
mod start;
mod story;
mod targets;
mod trace;
mod trace_command;
