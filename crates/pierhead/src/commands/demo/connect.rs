//! Step 3: a connector instance, by the vendor's consent or by plain settings.

use anyhow::Context;
use serde_json::{Value, json};

use super::client::Call;
use super::report::Report;
use super::story::{Double, Story, query, text};
use super::vendor::Vendor;

impl Story {
    pub(super) async fn connect(&mut self, report: &mut Report) -> anyhow::Result<Value> {
        let body = match (&self.vendor, &self.double) {
            (Vendor::GoogleDrive, Some(double)) => self.consent(report, double).await?,
            (Vendor::WebDav { url, user, password }, _) => json!({
                "name": "Demo WebDAV",
                "element": {"key": "webdav"},
                "configuration": {"base.url": url, "username": user, "password": password.expose()},
            }),
            (Vendor::Folder(path), _) => json!({
                "name": "Demo folder",
                "element": {"key": "folder"},
                "configuration": {"root.path": path.display().to_string()},
            }),
            (Vendor::GoogleDrive, None) => anyhow::bail!("the Google Drive double is not running"),
        };
        let call = Call::post(self.hub("/instances")).header("Authorization", self.platform()).json(&body);
        report.call(&call);
        let instance = self.client.must(&call).await?.json()?;
        self.token = text(&instance, "token")?;
        report.note(&format!(
            "200  instance {} of {}, token {}…",
            instance["id"],
            self.vendor.key(),
            self.token.chars().take(4).collect::<String>()
        ));
        Ok(json!({"instance": instance["id"], "connector": self.vendor.key()}))
    }

    /// The consent of OAuth 2.0: the URL, the person's yes, the code.
    async fn consent(&self, report: &mut Report, double: &Double) -> anyhow::Result<Value> {
        let callback = format!("{}/console/oauth/callback", self.control);
        let servers = [
            ("base.url", double.url.clone()),
            ("oauth.authorization.url", format!("{}/o/oauth2/v2/auth", double.url)),
            ("oauth.token.url", format!("{}/token", double.url)),
        ];
        let mut pairs = vec![
            ("apiKey", double.client_id.as_str()),
            ("apiSecret", double.client_secret.as_str()),
            ("callbackUrl", callback.as_str()),
        ];
        pairs.extend(servers.iter().map(|(name, value)| (*name, value.as_str())));
        let call = Call::get(self.hub(&format!("/elements/googledrive/oauth/url?{}", query(&pairs))))
            .header("Authorization", self.platform());
        let url = text(&self.must(report, &call).await?.json()?, "oauthUrl")?;
        report.note(&format!("consent page (opened for you; try it in a browser): {url}"));

        let decide =
            Call::post(format!("{}/sandbox/consent", double.url)).json(&json!({"url": url, "allow": true}));
        let location = text(&self.client.must(&decide).await?.json()?, "location")?;
        let back = url::Url::parse(&location).context("the vendor sends the browser back to an address")?;
        let code = back
            .query_pairs()
            .find(|(name, _)| name == "code")
            .map(|(_, code)| code.into_owned())
            .with_context(|| format!("the vendor sent no code back: {location}"))?;
        let state = back.query_pairs().find(|(name, _)| name == "state").map(|(_, state)| state.into_owned());
        let mut configuration = json!({
            "oauth.callback.url": callback,
            "oauth.api.key": double.client_id,
            "oauth.api.secret": double.client_secret,
        });
        for (name, value) in servers {
            configuration[name] = value.into();
        }
        Ok(json!({
            "name": "Demo Google Drive",
            "element": {"key": "googledrive"},
            "providerData": {"code": code, "state": state},
            "configuration": configuration,
        }))
    }
}
