//! The console's four cookies and how they are written.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
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

/// The value of one cookie; the first one wins.
pub(crate) fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

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
    fn a_cookie_is_found_among_others_and_in_any_line() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "a=1; pierhead_theme=dark".parse().unwrap());
        headers.append(COOKIE, "pierhead_session=abc".parse().unwrap());

        assert_eq!(read(&headers, THEME).as_deref(), Some("dark"));
        assert_eq!(read(&headers, SESSION).as_deref(), Some("abc"));
        assert_eq!(read(&headers, "pierhead"), None);
    }

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
