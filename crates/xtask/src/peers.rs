//! Real servers and clients that the tests need: installed when missing, started on free ports, stopped.

pub(crate) mod debian;
pub(crate) mod node;
pub(crate) mod postgres;
pub(crate) mod python;
pub(crate) mod webdav;
