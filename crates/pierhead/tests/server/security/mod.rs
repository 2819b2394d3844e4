//! Attacks on the whole server.

mod listeners;
mod tls;
