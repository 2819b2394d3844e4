//! What messages and variables become (api-management §9.5).

mod assign_message;
mod extract_variables;
mod key_value_map_operations;
mod raise_fault;

use super::{Entry, entry};

pub(super) static POLICIES: &[Entry] = &[
    entry("AssignMessage", "assignmessage", assign_message::compile),
    entry("ExtractVariables", "extractvariables", extract_variables::compile),
    entry("KeyValueMapOperations", "keyvaluemapoperations", key_value_map_operations::compile),
    entry("RaiseFault", "raisefault", raise_fault::compile),
];
