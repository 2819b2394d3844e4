//! What messages and variables become (api-management §9.5).

mod assert_condition;
mod assign_message;
mod conversion;
mod extract_variables;
mod http_modifier;
mod json_to_xml;
mod key_value_map_operations;
mod message_validation;
mod oas_validation;
mod raise_fault;
mod read_property_set;
mod xml_to_json;
mod xsl;

use super::{Entry, entry};

pub(super) static POLICIES: &[Entry] = &[
    entry("AssertCondition", "assertcondition", assert_condition::compile),
    entry("AssignMessage", "assignmessage", assign_message::compile),
    entry("ExtractVariables", "extractvariables", extract_variables::compile),
    entry("HTTPModifier", "httpmodifier", http_modifier::compile),
    entry("JSONToXML", "jsontoxml", json_to_xml::compile),
    entry("KeyValueMapOperations", "keyvaluemapoperations", key_value_map_operations::compile),
    entry("MessageValidation", "messagevalidation", message_validation::compile),
    entry("OASValidation", "OASValidation", oas_validation::compile),
    entry("RaiseFault", "raisefault", raise_fault::compile),
    entry("ReadPropertySet", "readpropertyset", read_property_set::compile),
    entry("XMLToJSON", "xmltojson", xml_to_json::compile),
    entry("XSL", "xsl", xsl::compile),
];
