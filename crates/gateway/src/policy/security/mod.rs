//! Who may call (api-management §9.3).

mod access_control;
mod access_entity;
mod basic_authentication;
mod cors;
mod decode_jws;
mod decode_jwt;
mod delete_oauth_v1_info;
mod delete_oauth_v2_info;
mod generate_jws;
mod generate_jwt;
mod generate_saml_assertion;
mod get_oauth_v1_info;
mod get_oauth_v2_info;
mod hmac;
mod jose;
mod json_threat_protection;
mod oauth;
mod oauth_v1;
mod oauth_v2;
mod regular_expression_protection;
mod revoke_oauth_v2;
mod saml;
mod set_oauth_v2_info;
mod validate_saml_assertion;
mod verify_api_key;
mod verify_jws;
mod verify_jwt;
mod xml_threat_protection;

use super::{Entry, entry};

pub use jose::KeySets;

pub(super) static POLICIES: &[Entry] = &[
    entry("AccessControl", "acl", access_control::compile),
    entry("AccessEntity", "accessentity", access_entity::compile),
    entry("BasicAuthentication", "BasicAuthentication", basic_authentication::compile),
    entry("CORS", "cors", cors::compile),
    entry("DecodeJWS", "jws", decode_jws::compile),
    entry("DecodeJWT", "jwt", decode_jwt::compile),
    entry("DeleteOAuthV1Info", "deleteoauthv1info", delete_oauth_v1_info::compile),
    entry("DeleteOAuthV2Info", "deleteoauthv2info", delete_oauth_v2_info::compile),
    entry("GenerateJWS", "jws", generate_jws::compile),
    entry("GenerateJWT", "jwt", generate_jwt::compile),
    entry("GenerateSAMLAssertion", "GenerateSAMLAssertion", generate_saml_assertion::compile),
    entry("GetOAuthV1Info", "oauthV1", get_oauth_v1_info::compile),
    entry("GetOAuthV2Info", "oauthV2", get_oauth_v2_info::compile),
    entry("HMAC", "hmac", hmac::compile),
    entry("JSONThreatProtection", "jsonattack", json_threat_protection::compile),
    entry("OAuthV1", "oauthV1", oauth_v1::compile),
    entry("OAuthV2", "oauthV2", oauth_v2::compile),
    entry(
        "RegularExpressionProtection",
        "regularexpressionprotection",
        regular_expression_protection::compile,
    ),
    entry("RevokeOAuthV2", "oauthV2", revoke_oauth_v2::compile),
    entry("SetOAuthV2Info", "setoauthv2info", set_oauth_v2_info::compile),
    entry("ValidateSAMLAssertion", "ValidateSAMLAssertion", validate_saml_assertion::compile),
    entry("VerifyAPIKey", "verifyapikey", verify_api_key::compile),
    entry("VerifyJWS", "jws", verify_jws::compile),
    entry("VerifyJWT", "jwt", verify_jwt::compile),
    entry("XMLThreatProtection", "xmlattack", xml_threat_protection::compile),
];
