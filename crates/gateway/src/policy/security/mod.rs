//! Who may call (api-management §9.3).

mod verify_api_key;

use super::{Entry, entry};

pub(super) static POLICIES: &[Entry] = &[entry("VerifyAPIKey", "verifyapikey", verify_api_key::compile)];
