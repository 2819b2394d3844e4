//! Attacks on the whole server.

mod drain;
mod listeners;
mod stored_certificates;
mod tls;
