//! The pages people see: consent and refusal. Self-contained, light and dark, usable without a mouse.

use axum::response::{Html, IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS};
use http::{HeaderValue, StatusCode};

use super::super::drive::tree::Person;
use super::super::options::Account;
use super::{Asked, scope};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1f2328;--soft:#57606a;--paper:#fff;--back:#f0f2f5;--line:#d0d7de;--go:#0b57d0;--on-go:#fff;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#a3adb8;--paper:#1c2128;--back:#0f1318;--line:#3d444d;--go:#a8c7fa;--on-go:#062e6f;--bad:#f2b8b5}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--back);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{width:min(30rem,100%);background:var(--paper);border:1px solid var(--line);border-radius:1rem;padding:2rem}
h1{font-size:1.4rem;line-height:1.3;margin:.25rem 0 1rem}
p{margin:.5rem 0}.soft{color:var(--soft);font-size:.9rem}.bad{color:var(--bad)}
fieldset{border:1px solid var(--line);border-radius:.75rem;margin:1rem 0;padding:.5rem 1rem}legend{padding:0 .4rem;font-weight:600}
label{display:flex;gap:.75rem;align-items:center;padding:.4rem 0;cursor:pointer}label small{color:var(--soft);display:block}
ul{padding-left:1.2rem;margin:.5rem 0 1rem}li{margin:.35rem 0}
.row{display:flex;flex-wrap:wrap;gap:.75rem;justify-content:flex-end;margin-top:1.5rem}
button{font:inherit;font-weight:600;padding:.6rem 1.4rem;border-radius:2rem;border:1px solid var(--line);background:transparent;color:var(--go);cursor:pointer}
button[value=allow]{background:var(--go);border-color:var(--go);color:var(--on-go)}
:focus-visible{outline:3px solid var(--go);outline-offset:2px}
code{overflow-wrap:anywhere}";

/// The page that asks for consent. It posts `request`, `account` and `decision` to where it came from.
pub(super) fn consent(id: &str, asked: &Asked, accounts: &[Account], preselected: Person) -> String {
    let app = redirect_host(&asked.redirect_uri);
    let people: String = accounts
        .iter()
        .enumerate()
        .map(|(at, account)| {
            let checked = if Person::at(at) == preselected { " checked" } else { "" };
            format!(
                "<label><input type=\"radio\" name=\"account\" value=\"{email}\"{checked}>\
                 <span>{name}<small>{email}</small></span></label>",
                email = escape(&account.email),
                name = escape(&account.display_name),
            )
        })
        .collect();
    let mut said: Vec<&str> = asked.scopes.iter().filter_map(|scope| scope::explain(scope)).collect();
    said.dedup();
    let rights: String = said.iter().map(|says| format!("<li>{}</li>", escape(says))).collect();
    let offline = if asked.offline {
        "<p class=\"soft\">It can do so while you are away, until you take the permission back.</p>"
    } else {
        ""
    };
    document(
        "Sandbox sign-in: consent",
        &format!(
            "<p class=\"soft\">Sandbox of Google Drive: no real account is touched</p>\
             <h1>{app} wants to use a Drive</h1>\
             <form method=\"post\"><input type=\"hidden\" name=\"request\" value=\"{id}\">\
             <fieldset><legend>Whose Drive</legend>{people}</fieldset>\
             <p>It will be able to:</p><ul>{rights}</ul>{offline}\
             <div class=\"row\"><button name=\"decision\" value=\"deny\">Deny</button>\
             <button name=\"decision\" value=\"allow\">Allow</button></div></form>",
            app = escape(&app),
            id = escape(id),
        ),
    )
}

/// The page that says why no consent is asked for, as Google's: a status, a code, what to mend.
pub(super) fn refusal(status: u16, why: &str) -> String {
    let (code, text) = why.split_once(": ").unwrap_or((why, ""));
    document(
        "Sandbox sign-in: refused",
        &format!(
            "<h1>Access blocked</h1><p>The app that sent you here made a request that cannot be answered.</p>\
             <p>{}</p><p class=\"bad\"><strong>Error {status}: <code>{}</code></strong></p>\
             <p class=\"soft\">If you are the app's developer, compare its client id, redirect URI and scopes \
             with the settings this sandbox was started with.</p>",
            escape(text),
            escape(code),
        ),
    )
}

pub(super) fn html(status: StatusCode, page: String) -> Response {
    let mut response = (status, Html(page)).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // No form-action: Chromium applies it to the redirect that leads back to the app.
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    );
    response
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><style>{STYLE}</style></head>\
         <body><main>{body}</main></body></html>"
    )
}

fn redirect_host(uri: &str) -> String {
    url::Url::parse(uri).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for symbol in text.chars() {
        match symbol {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_refusal_cannot_carry_markup() {
        let page = super::refusal(400, "redirect_uri_mismatch: <script>alert(1)</script>");
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("Error 400: <code>redirect_uri_mismatch"));
    }
}
