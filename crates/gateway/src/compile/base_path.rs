//! Base paths: the form in which they are routed.

use crate::exchange::normalise;

/// Checks a base path and brings it into the form of request paths, without a slash at its end.
pub(super) fn check(base_path: &str) -> Result<String, String> {
    const MAX_BYTES: usize = 1000;
    let base_path = base_path.trim();
    if base_path.len() > MAX_BYTES {
        return Err(format!("the base path is longer than {MAX_BYTES} bytes"));
    }
    if let Some(c) = base_path.chars().find(|c| c.is_whitespace() || matches!(c, '?' | '#' | '"' | '<' | '>'))
    {
        return Err(format!(
            "the base path '{}' has the character '{}'",
            base_path.escape_debug(),
            c.escape_debug()
        ));
    }
    let path =
        normalise(base_path).map_err(|bad| format!("base path '{}': {bad}", base_path.escape_debug()))?;
    let path = path.trim_end_matches('/');
    for (index, segment) in path.split('/').skip(1).enumerate() {
        if segment.is_empty() {
            return Err(format!("the base path '{base_path}' has an empty segment"));
        }
        if segment.contains('*') && (segment != "*" || index == 0) {
            return Err(format!(
                "in the base path '{base_path}' a * must be a whole segment and not the first"
            ));
        }
    }
    Ok(if path.is_empty() { "/".to_owned() } else { path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_base_path_is_brought_into_the_form_of_request_paths() {
        for (given, routed) in [
            ("/", "/"),
            ("/googledrive", "/googledrive"),
            ("/googledrive/", "/googledrive"),
            ("/%67oogle%2fdrive", "/google%2Fdrive"),
            ("/a%20b", "/a b"),
            ("/team/*/members", "/team/*/members"),
            (" /a ", "/a"),
        ] {
            assert_eq!(check(given).as_deref(), Ok(routed), "{given}");
        }
    }

    #[test]
    fn a_base_path_that_no_request_could_have_is_refused() {
        let long = format!("/{}", "a".repeat(1000));
        for bad in [
            "", "a", "/a//b", "/a/../b", "/*", "/a/b*", "/a b", "/a?b", "/a#b", "/a\\b", "/a%00", "/%", &long,
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
