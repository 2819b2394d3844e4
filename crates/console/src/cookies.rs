//! The console's four cookies and how they are written.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The login token of the wire. `SameSite=Lax`, not `Strict`: a vendor's consent page must be able to send
/// its reader back to the callback with the session. Every POST carries a form token besides.
pub(crate) const SESSION: &str = "pierhead_session";
/// Who is signed in, for display; signed, so that a page never shows an invented name.
pub(crate) const WHO: &str = "pierhead_who";
/// What form tokens are bound to before there is a session.
pub(crate) const FORM: &str = "pierhead_form";
/// `light` or `dark`; absent: as the system says.
pub(crate) const THEME: &str = "pierhead_theme";

/// A `Set-Cookie` line. `max_age_s` of `None` lasts as long as the browser session.
pub(crate) fn write(name: &str, value: &str, max_age_s: Option<u32>, secure: bool) -> String {
    let age = max_age_s.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/console; HttpOnly; SameSite=Lax{age}{secure}")
}

/// A `Set-Cookie` line that takes the cookie away.
pub(crate) fn forget(name: &str, secure: bool) -> String {
    write(name, "", Some(0), secure)
}

/// Text as a cookie value: tokens may hold `+ / =` and blanks.
pub(crate) fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// The reverse of [`encode`]; `None` for what it never made.
pub(crate) fn decode(value: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(value).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_for_the_console_and_never_for_scripts() {
        assert_eq!(
            write("n", "v", Some(5), true),
            "n=v; Path=/console; HttpOnly; SameSite=Lax; Max-Age=5; Secure"
        );
        assert_eq!(write("n", "v", None, false), "n=v; Path=/console; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn any_token_survives_a_cookie() {
        let token = "fJ5H+Q13/5fW=; \"x\"";
        assert_eq!(decode(&encode(token)).as_deref(), Some(token));
    }
}
