//! What the strict request checker ([`crate::check`]) shares with the double.

use super::drive::fields::Mask;
use super::oauth;

/// The query parameter of partial responses.
pub(crate) const FIELDS_PARAMETER: &str = "fields";

/// What is wrong with a `fields` parameter: its grammar, or a name that `knows` does not know.
pub(crate) fn check_selection(fields: &str, knows: &dyn Fn(&[&str]) -> bool) -> Option<String> {
    match Mask::parse(fields) {
        Err(bad) => Some(bad.to_string()),
        Ok(mask) => unknown(&mask, &mut Vec::new(), knows),
    }
}

fn unknown<'m>(mask: &'m Mask, path: &mut Vec<&'m str>, knows: &dyn Fn(&[&str]) -> bool) -> Option<String> {
    mask.names().find_map(|(name, below)| {
        path.push(name);
        let found = if knows(path) {
            unknown(below, path, knows)
        } else {
            Some(format!("{} is not described", path.join("/")))
        };
        path.pop();
        found
    })
}

/// Whether a path belongs to the OAuth server, which no discovery document describes.
pub(crate) fn is_oauth_path(path: &str) -> bool {
    oauth::TOKEN_PATHS.contains(&path)
        || ["/o/oauth2/", "/oauth2/", "/revoke", "/tokeninfo", "/v1/userinfo"]
            .iter()
            .any(|prefix| path.starts_with(prefix))
}
