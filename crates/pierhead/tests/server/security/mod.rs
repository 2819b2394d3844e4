//! Attacks on the whole server.

mod drain;
mod listeners;
mod tls;
