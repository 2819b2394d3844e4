//! What all peers share: the upstream, what it serves, the keys and the token.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::upstream::Upstream;
use crate::bench::nginx::Nginx;
use crate::run::{cache, free_port, output};

/// API keys that are known; requests carry `key-0`.
pub(super) const KEYS: usize = 10_000;

/// Who issued the token.
pub(super) const ISSUER: &str = "https://issuer.example.com";

/// A path at which the upstream says which headers reached it.
pub(super) const SEEN: &str = "/seen";

const GIB: u64 = 1 << 30;

/// Everything that is there before the first peer starts, and goes with this value.
pub(super) struct Ground {
    pub(super) scratch: PathBuf,
    /// nginx with the files.
    pub(super) files_port: u16,
    /// Ours: takes uploads and WebSockets.
    pub(super) sink: Upstream,
    /// Bytes of the largest transfer.
    pub(super) large: u64,
    /// Of the token's issuer, as PEM.
    pub(super) public_key: String,
    pub(super) public_key_file: PathBuf,
    /// The same as a set of JSON web keys.
    pub(super) key_set: String,
    /// A token that is good for years.
    pub(super) token: String,
    _files: Nginx,
}

impl Ground {
    pub(super) fn prepare(quick: bool) -> anyhow::Result<Self> {
        let scratch = cache()?.join("bench-gateway");
        let files = scratch.join("files");
        std::fs::create_dir_all(&files)?;
        for (name, size) in [("1k", 1 << 10), ("100k", 100 << 10), ("1m", 1 << 20), ("10m", 10 << 20)] {
            std::fs::write(files.join(name), vec![b'p'; size])?;
        }
        std::fs::write(files.join("order.json"), order())?;
        let (json, xml) = table();
        std::fs::write(files.join("table.json"), json)?;
        std::fs::write(files.join("table.xml"), xml)?;
        let large = if quick { GIB / 16 } else { GIB };
        // Holes: no disk is measured.
        std::fs::File::create(files.join("large"))?.set_len(large)?;

        let files_port = free_port()?;
        let server = format!(
            "sendfile on; types {{ application/json json; application/xml xml; }} default_type text/plain;
             server {{ listen 127.0.0.1:{files_port}; root {};
               location {SEEN} {{ return 200 \"$http_x_region|$http_x_app|$http_apikey\"; }} }}",
            files.display()
        );
        let nginx = Nginx::start(&scratch, "files", &server, files_port)?;
        let issuer = Issuer::made(&scratch)?;
        Ok(Self {
            files_port,
            sink: Upstream::start()?,
            large,
            public_key: std::fs::read_to_string(&issuer.public)?,
            public_key_file: issuer.public.clone(),
            key_set: issuer.key_set()?,
            token: issuer.token()?,
            scratch,
            _files: nginx,
        })
    }

    /// A file of the upstream.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.scratch.join("files").join(name)
    }

    /// A place of our own for one peer in one case.
    pub(super) fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.scratch.join("peers").join(name);
        if folder.is_dir() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// The cases' bundle, as it is in the source.
    pub(super) fn bundle() -> PathBuf {
        crate::run::root().join("crates/xtask/bench-bundle")
    }
}

/// The key that signs the token, made once.
struct Issuer {
    private: PathBuf,
    public: PathBuf,
}

impl Issuer {
    fn made(folder: &Path) -> anyhow::Result<Self> {
        let this = Self { private: folder.join("issuer.pem"), public: folder.join("issuer-public.pem") };
        if !this.public.is_file() {
            openssl(&["genrsa", "-out", &text(&this.private), "2048"])?;
            openssl(&["rsa", "-in", &text(&this.private), "-pubout", "-out", &text(&this.public)])?;
        }
        Ok(this)
    }

    fn key_set(&self) -> anyhow::Result<String> {
        let said = openssl(&["rsa", "-in", &text(&self.private), "-noout", "-modulus"])?;
        let modulus = said.trim().strip_prefix("Modulus=").context("openssl prints the modulus")?;
        let n = URL_SAFE_NO_PAD.encode(hex::decode(modulus)?);
        Ok(serde_json::json!({"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "n": n, "e": "AQAB"}]})
            .to_string())
    }

    fn token(&self) -> anyhow::Result<String> {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = part(serde_json::json!({"alg": "RS256", "typ": "JWT"}));
        // Until 2100: no clock matters here.
        let claims = part(serde_json::json!({"iss": ISSUER, "sub": "bench", "exp": 4_102_444_800_u64}));
        let (message, signature) =
            (self.private.with_extension("message"), self.private.with_extension("signature"));
        std::fs::write(&message, format!("{head}.{claims}"))?;
        let (private, out) = (text(&self.private), text(&signature));
        openssl(&["dgst", "-sha256", "-sign", &private, "-out", &out, &text(&message)])?;
        Ok(format!("{head}.{claims}.{}", URL_SAFE_NO_PAD.encode(std::fs::read(&signature)?)))
    }
}

fn openssl(arguments: &[&str]) -> anyhow::Result<String> {
    output(Command::new("openssl").args(arguments))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// About 2 KiB: 17 lines, as an order has them.
fn order() -> String {
    let lines: Vec<_> = (0..17)
        .map(|index| {
            serde_json::json!({
                "sku": format!(" ab-{index:04} "), "name": format!("Part  number {index}, of  steel"),
                "quantity": index % 5, "price": f64::from(index) * 1.37 + 0.5,
            })
        })
        .collect();
    serde_json::json!({
        "id": "o-4711", "created": "2026-11-21T10:20:30Z",
        "customer": {"name": "Pier & Head", "city": "Hamburg"},
        "tags": ["new", "_internal", "export", "_draft"], "lines": lines, "note": "x".repeat(300),
    })
    .to_string()
}

/// The same 10 KiB as JSON and as XML.
fn table() -> (String, String) {
    let (mut rows, mut xml) = (Vec::new(), String::from("<table>"));
    for index in 0..90 {
        let (name, city) = (format!("Customer {index}"), format!("City {}", index % 7));
        xml.push_str(&format!(
            "<row><id>{index}</id><name>{name}</name><city>{city}</city><open>{}</open><sum>{}.25</sum><a>north</a></row>",
            index % 2 == 0,
            index * 13
        ));
        rows.push(serde_json::json!({
            "id": index, "name": name, "city": city, "open": index % 2 == 0,
            "sum": f64::from(index * 13) + 0.25, "currency": "EUR", "region": "north"
        }));
    }
    xml.push_str("</table>");
    (serde_json::json!({"table": {"row": rows}}).to_string(), xml)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_have_the_sizes_that_the_cases_are_named_after() {
        let (json, xml) = table();
        for (name, size, meant) in
            [("order", order().len(), 2 << 10), ("json", json.len(), 10 << 10), ("xml", xml.len(), 10 << 10)]
        {
            assert!(size.abs_diff(meant) < meant / 10, "{name}: {size} bytes instead of {meant}");
        }
    }
}
