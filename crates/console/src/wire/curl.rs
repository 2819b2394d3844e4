//! A request as a line for the terminal, with every secret masked.

use http::{Method, StatusCode};
use serde_json::Value;

use super::control::Authority;

/// One request behind a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShownCall {
    /// `GET`, `POST`, …
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// The whole `curl` command.
    pub(crate) curl: String,
    /// How it was answered; `None` when it is only an example.
    pub(crate) status: Option<u16>,
}

impl ShownCall {
    pub(super) fn new(
        base: &str,
        authority: &Authority,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Self {
        let mut curl = String::from("curl");
        if method != Method::GET {
            curl.push_str(&format!(" -X {method}"));
        }
        match authority {
            Authority::Nobody => {}
            Authority::Login(_) => curl.push_str(" -H \"Authorization: Bearer $TOKEN\""),
            Authority::Instance { .. } => {
                curl.push_str(" -H \"Authorization: User $USER_SECRET, Element $TOKEN\"");
            }
        }
        if path.contains("/Management.svc") {
            curl.push_str(" -H 'Accept: application/json'");
        }
        if let Some(body) = body {
            let json = masked(body).to_string().replace('\'', "'\\''");
            curl.push_str(&format!(" \\\n  -H 'Content-Type: application/json' \\\n  -d '{json}'"));
        }
        let path = masked_query(path);
        curl.push_str(&format!(" \\\n  '{base}{}'", path.replace('\'', "%27")));
        Self { method: method.to_string(), path, curl, status: None }
    }

    /// The same with a file as its body.
    pub(crate) fn with_file(mut self, content_type: &str) -> Self {
        let option = format!("curl -H 'Content-Type: {content_type}' --data-binary @file");
        self.curl = self.curl.replacen("curl", &option, 1);
        self
    }

    pub(super) fn answered(mut self, status: StatusCode) -> Self {
        self.status = Some(status.as_u16());
        self
    }
}

/// Whether a field of this name holds a secret.
fn secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "secret", "token", "code", "apikey", "api.key", "value"]
        .iter()
        .any(|word| name.ends_with(word) || name.contains("secret"))
        && name != "service_code"
}

fn masked(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| {
                let hide = secret(name) && (field.is_string() || field.is_number());
                (name.clone(), if hide { Value::from("…") } else { masked(field) })
            })
            .collect(),
        Value::Array(items) => items.iter().map(masked).collect(),
        other => other.clone(),
    }
}

fn masked_query(path: &str) -> String {
    let Some((path, query)) = path.split_once('?') else { return path.to_owned() };
    let masked = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if secret(name) => format!("{name}=…"),
        _ => pair.to_owned(),
    });
    format!("{path}?{}", masked.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_domain::SecretString;
    use serde_json::json;

    fn curl(authority: &Authority, method: Method, path: &str, body: Option<Value>) -> String {
        ShownCall::new("http://h:1", authority, &method, path, body.as_ref()).curl
    }

    #[test]
    fn no_secret_reaches_the_page() {
        let login = Authority::Login(SecretString::new("login-token-1"));
        let body = json!({
            "name": "n", "providerData": {"code": "c-1"}, "service_code": "REST",
            "configuration": {"oauth.api.key": "k-1", "oauth.api.secret": "s-1", "password": "p-1"},
            "organizationSecret": "o-1", "userSecret": "u-1",
            "genericKeyMapEntryValues": [{"name": "default", "value": "e-1"}],
        });
        let text = curl(&login, Method::POST, "/x?apiKey=k-2&apiSecret=s-2&state=st", Some(body));

        for hidden in ["login-token-1", "c-1", "k-1", "s-1", "p-1", "o-1", "u-1", "e-1", "k-2", "s-2"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
        assert!(text.contains("\"name\":\"n\"") && text.contains("\"service_code\":\"REST\""));
        assert!(text.contains("state=st"));
    }

    #[test]
    fn the_line_can_be_pasted_into_a_shell() {
        assert_eq!(
            curl(&Authority::Login(SecretString::new("t")), Method::GET, "/a", None),
            "curl -H \"Authorization: Bearer $TOKEN\" \\\n  'http://h:1/a'"
        );
        assert_eq!(
            curl(&Authority::Nobody, Method::POST, "/a('b')", Some(json!({"n": "it's"}))),
            "curl -X POST \\\n  -H 'Content-Type: application/json' \\\n  -d '{\"n\":\"it'\\''s\"}' \\\n  \
             'http://h:1/a(%27b%27)'"
        );
    }
}
