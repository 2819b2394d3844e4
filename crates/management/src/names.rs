//! What names may be.

use crate::odata::ODataError;

/// Checks a name that becomes part of ids and paths of the wire: 1 to `max` bytes of letters, digits,
/// `_`, `-`, `.`, `$`, `%` and blanks inside.
pub(crate) fn check_name(field: &str, name: &str, max: usize) -> Result<(), ODataError> {
    let allowed = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-' | '.' | '$' | '%' | ' ');
    if name.is_empty() || name.len() > max {
        return Err(ODataError::bad(format!("{field} must have 1 to {max} bytes")));
    }
    if !name.chars().all(allowed) || name.trim() != name || name.chars().all(|char| char == '.') {
        return Err(ODataError::bad(format!(
            "{field} may hold letters, digits, '_', '-', '.', '$', '%' and blanks inside only"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_lead_out_of_its_place() {
        for good in ["Googledrive", "a", "a.b-c_d", "Überweisung 2"] {
            assert!(check_name("f", good, 255).is_ok(), "{good}");
        }
        for bad in ["", " a", "a ", "a/b", "a:b", "..", "a\n", "a'b", "a\0"] {
            let why = check_name("APIProxies.name", bad, 255).unwrap_err().to_string();
            assert!(why.contains("APIProxies.name"), "{bad}");
        }
        assert!(check_name("f", &"x".repeat(256), 255).is_err());
    }
}
