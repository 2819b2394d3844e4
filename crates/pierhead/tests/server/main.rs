//! The whole server, driven over HTTP as its clients do. One binary: each module is a part of the story.

mod command_line;
mod crash;
mod door;
mod refresh;
mod start;
mod story;
