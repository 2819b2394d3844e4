//! The server that the command talks to, over its public wire.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use http_body_util::BodyExt;
use pierhead_egress::{CallLimits, Egress, EgressSettings, SystemResolver, bytes_body};
use serde_json::Value;

use crate::cli::trace::Server as Flags;

/// The largest session that is exported.
const MOST_BYTES: u64 = 256 << 20;

/// A server and the login that goes with each call. Its `Debug` shows no secret: there is none.
pub(super) struct Server {
    egress: Egress,
    base: String,
    organization: String,
    environment: String,
    authorization: String,
}

impl Server {
    /// Asks for what the environment does not say. Nothing is sent yet.
    pub(super) fn open(flags: &Flags) -> anyhow::Result<Self> {
        let url = url::Url::parse(&flags.url).with_context(|| format!("--url {} is no URL", flags.url))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            bail!("--url must be http://… or https://…");
        }
        // Who types the address may call it, wherever it is.
        let everywhere = ["0.0.0.0/0", "::/0"].iter().filter_map(|net| net.parse().ok());
        let settings = EgressSettings { allow: everywhere.collect(), ..EgressSettings::default() };
        Ok(Self {
            egress: Egress::new(&settings, Arc::new(SystemResolver))?,
            base: flags.url.trim_end_matches('/').to_owned(),
            organization: flags.organization.clone(),
            environment: flags.environment.clone(),
            authorization: authorization(flags)?,
        })
    }

    /// Below the organization.
    pub(super) fn organization(&self, path: &str) -> String {
        format!("/v1/organizations/{}{path}", escape(&self.organization))
    }

    /// Below the environment.
    pub(super) fn environment(&self, path: &str) -> String {
        self.organization(&format!("/environments/{}{path}", escape(&self.environment)))
    }

    /// A call whose answer is JSON.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> anyhow::Result<Value> {
        let bytes = self.bytes(method, path, body).await?;
        serde_json::from_slice(&bytes).context("the answer is no JSON: is --url the control address?")
    }

    /// A call; the answer's bytes.
    pub(super) async fn bytes(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> anyhow::Result<Vec<u8>> {
        let url = format!("{}{path}", self.base);
        let request = Request::builder()
            .method(method)
            .uri(&url)
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/json")
            .body(bytes_body(body.unwrap_or_default()))
            .context("the request")?;
        let limits = CallLimits {
            first_byte: Duration::from_secs(120),
            max_body: Some(MOST_BYTES),
            ..CallLimits::default()
        };
        let answer =
            self.egress.send(request, limits).await.with_context(|| format!("calling {}", self.base))?;
        let (head, body) = answer.into_parts();
        let body =
            body.collect().await.map_err(|why| anyhow::anyhow!("reading the answer: {why}"))?.to_bytes();
        if head.status.is_success() {
            return Ok(body.to_vec());
        }
        let said: Value = serde_json::from_slice(&body).unwrap_or_default();
        match (head.status.as_u16(), said["message"].as_str()) {
            (401, _) => {
                bail!("the login was refused: see PIERHEAD_USER, PIERHEAD_PASSWORD and PIERHEAD_TOKEN")
            }
            (_, Some(message)) => bail!("{message}"),
            (status, None) => bail!("{} answered {status}: is it the control address?", self.base),
        }
    }
}

/// The header, from the environment or a prompt.
fn authorization(flags: &Flags) -> anyhow::Result<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(token) = variable("PIERHEAD_TOKEN") {
        return Ok(format!("Bearer {token}"));
    }
    let Some(user) = flags.user.clone().filter(|user| !user.is_empty()) else {
        bail!("who logs in? Set PIERHEAD_USER and PIERHEAD_PASSWORD, or PIERHEAD_TOKEN, or give --user");
    };
    let password = match variable("PIERHEAD_PASSWORD") {
        Some(password) => password,
        None => rpassword::prompt_password(format!("Password of {user}: "))
            .context("no password: set PIERHEAD_PASSWORD where none can be typed")?,
    };
    Ok(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

/// Text as one part of a path or a value of a query.
pub(super) fn escape(text: &str) -> String {
    // A form's space is a plus, which a path would keep as it is.
    form_urlencoded(text).replace('+', "%20")
}

fn form_urlencoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn a_name_is_one_part_of_a_path() {
        assert_eq!(escape("a b/c+d?é"), "a%20b%2Fc%2Bd%3F%C3%A9");
    }
}
