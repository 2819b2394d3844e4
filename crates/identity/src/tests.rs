//! The routes of this room over HTTP, each rule as a client meets it.

mod accounts;
mod first_start;
mod house;
mod login;
mod oauth;
mod users;
