//! The program: command line, configuration, wiring. No rule of any domain lives here.

pub mod cli;
pub mod commands;
pub mod config;
mod control;
pub mod server;
mod start;
mod telemetry;
mod wiring;
