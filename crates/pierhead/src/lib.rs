//! The program: command line, configuration, wiring. No rule of any domain lives here.

pub mod cli;
pub mod commands;
pub mod config;
mod control;
mod start;
pub mod server;
mod telemetry;
mod wiring;
