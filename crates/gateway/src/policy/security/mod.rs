//! Who may call (api-management §9.3).

mod basic_authentication;
mod hmac;
mod json_threat_protection;
mod regular_expression_protection;
mod setting;
mod verify_api_key;

use super::{Entry, entry};

pub(super) static POLICIES: &[Entry] = &[
    entry("BasicAuthentication", "BasicAuthentication", basic_authentication::compile),
    entry("HMAC", "hmac", hmac::compile),
    entry("JSONThreatProtection", "jsonattack", json_threat_protection::compile),
    entry(
        "RegularExpressionProtection",
        "regularexpressionprotection",
        regular_expression_protection::compile,
    ),
    entry("VerifyAPIKey", "verifyapikey", verify_api_key::compile),
];
