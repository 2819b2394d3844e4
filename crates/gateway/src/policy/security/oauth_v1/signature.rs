//! Signatures of OAuth 1.0 requests (RFC 5849, section 3.4).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pierhead_vault::constant_time_eq;
use pierhead_vault::jose::{PublicKey, verify_rsa_sha1};

use crate::template::{Mac, decode_base64};

/// All but the unreserved characters (section 3.6).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    HmacSha1,
    /// Not in the RFC, and what many clients send.
    HmacSha256,
    RsaSha1,
    Plaintext,
}

impl Method {
    /// By its name in `oauth_signature_method`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "HMAC-SHA1" => Self::HmacSha1,
            "HMAC-SHA256" => Self::HmacSha256,
            "RSA-SHA1" => Self::RsaSha1,
            "PLAINTEXT" => Self::Plaintext,
            _ => return None,
        })
    }

    /// Whether `signature` is that of `base`. `secrets` are the client's and the token's; `key` is the client's.
    pub(crate) fn verifies(
        self,
        base: &str,
        signature: &str,
        secrets: (&str, &str),
        key: Option<&PublicKey>,
    ) -> bool {
        let shared = format!("{}&{}", encoded(secrets.0), encoded(secrets.1));
        let code = |digest: &str| {
            let right = Mac::with(digest).map(|mac| mac.of(shared.as_bytes(), base.as_bytes()));
            right.zip(decode_base64(signature)).is_some_and(|(right, sent)| constant_time_eq(&right, &sent))
        };
        match self {
            Self::HmacSha1 => code("sha1"),
            Self::HmacSha256 => code("sha256"),
            Self::Plaintext => constant_time_eq(shared.as_bytes(), signature.as_bytes()),
            Self::RsaSha1 => key
                .zip(decode_base64(signature))
                .is_some_and(|(key, sent)| verify_rsa_sha1(key, base.as_bytes(), &sent).is_ok()),
        }
    }
}

/// Percent-encoded (section 3.6).
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The signature base string (section 3.4.1). `uri` has neither query nor fragment; `parameters` are decoded, and
/// without `realm` and `oauth_signature`.
pub(crate) fn base_string(verb: &str, uri: &str, parameters: &[(String, String)]) -> String {
    let mut pairs: Vec<(String, String)> =
        parameters.iter().map(|(name, value)| (encoded(name), encoded(value))).collect();
    pairs.sort_unstable();
    let joined: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}&{}&{}", verb.to_ascii_uppercase(), encoded(uri), encoded(&joined.join("&")))
}

/// The base string URI (section 3.4.1.2): scheme and host in lower case, no default port.
pub(crate) fn base_uri(scheme: &str, host: &str, path: &str) -> String {
    let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
    let default = if scheme == "https" { ":443" } else { ":80" };
    let host = host.strip_suffix(default).unwrap_or(&host);
    let path = if path.is_empty() { "/" } else { path };
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_base_string_is_that_of_rfc_5849() {
        // Section 3.4.1.1.
        let parameters = pairs(&[
            ("b5", "=%3D"),
            ("a3", "a"),
            ("c@", ""),
            ("a2", "r b"),
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
            ("c2", ""),
            ("a3", "2 q"),
        ]);
        let uri = base_uri("HTTP", "EXAMPLE.com:80", "/request");
        assert_eq!(
            base_string("post", &uri, &parameters),
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        );
        assert_eq!(base_uri("https", "a.example:8443", ""), "https://a.example:8443/");
        assert_eq!(base_uri("https", "a.example:443", "/x"), "https://a.example/x");
    }

    #[test]
    fn the_signature_is_that_of_rfc_5849() {
        // Section 1.2, the request for temporary credentials' resource request with its known signature.
        let parameters = pairs(&[
            ("file", "vacation.jpg"),
            ("size", "original"),
            ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
            ("oauth_token", "nnch734d00sl2jdk"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131202"),
            ("oauth_nonce", "chapoH"),
        ]);
        let base = base_string("GET", "http://photos.example.net/photos", &parameters);
        let secrets = ("kd94hf93k423kf44", "pfkkdhi9sl3r4s00");
        let signature = "MdpQcU8iPSUjWoN/UDMsK2sui9I=";
        assert!(Method::HmacSha1.verifies(&base, signature, secrets, None));
        assert!(!Method::HmacSha1.verifies(&base, signature, ("kd94hf93k423kf44", "x"), None));
        assert!(!Method::HmacSha256.verifies(&base, signature, secrets, None));
        assert!(!Method::RsaSha1.verifies(&base, signature, secrets, None));
        // Section 3.4.4: both secrets encoded.
        assert!(Method::Plaintext.verifies(
            "",
            "djr9rjt0jd78jf88&jjd999tj88uiths3",
            ("djr9rjt0jd78jf88", "jjd999tj88uiths3"),
            None
        ));
        assert!(Method::Plaintext.verifies("", "a%26b&", ("a&b", ""), None));
    }
}
