//! The steps of the demo, in the order of the founding documents.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::client::{Answer, Call, DemoClient, Download, fingerprint};
use super::report::Report;
use super::vendor::Vendor;
use crate::server::Server;

/// Everything learnt on the way.
pub(super) struct Story {
    pub(super) client: DemoClient,
    pub(super) gateway: String,
    pub(super) control: String,
    pub(super) vendor: Vendor,
    pub(super) double: Option<Double>,
    pub(super) email: String,
    pub(super) password: String,
    file: PathBuf,
    sha256: String,
    size: u64,
    pub(super) user_secret: String,
    pub(super) organization_secret: String,
    pub(super) token: String,
}

/// Where the double is and who may connect to it.
pub(super) struct Double {
    pub(super) url: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
}

impl Story {
    pub(super) fn new(
        server: &Server,
        vendor: Vendor,
        double: Option<&pierhead_sandbox::google::RunningGoogleDrive>,
        file: PathBuf,
        email: &str,
        password: &str,
    ) -> Self {
        let double = double.map(|double| Double {
            url: double.base_url(),
            client_id: double.client_id().to_owned(),
            client_secret: double.client_secret().expose().to_owned(),
        });
        Self {
            client: DemoClient::new(),
            gateway: format!("http://{}", server.gateway()),
            control: format!("http://{}", server.control()),
            vendor,
            double,
            email: email.into(),
            password: password.into(),
            file,
            sha256: String::new(),
            size: 0,
            user_secret: String::new(),
            organization_secret: String::new(),
            token: String::new(),
        }
    }

    /// Tells all steps; the first failure ends the story, since each step builds on the one before.
    pub(super) async fn tell(&mut self, report: &mut Report) {
        if let Err(error) = self.steps(report).await {
            report.failed(&error);
        }
    }

    async fn steps(&mut self, report: &mut Report) -> anyhow::Result<()> {
        report.begin("login", "Log in and read the organization secret and the user secret");
        let facts = self.log_in(report).await?;
        report.done(facts);

        report.begin("connect", "Connect the vendor: a connector instance and its token");
        let facts = self.connect(report).await?;
        report.done(facts);

        report.begin("hub", "Upload through the hub, list the folder, download by path and by id");
        let facts = self.use_hub(report).await?;
        report.done(facts);

        report.begin("publish", "API provider, API proxy, key value map with the instance token, deploy");
        let facts = self.publish(report).await?;
        report.done(facts);

        report.begin("download", "Download through the API proxy with no credentials at all");
        let facts = self.download_through_proxy(report).await?;
        report.done(facts);

        report.begin("refresh", "Let the vendor's access token expire and download again");
        match self.expire_and_download(report).await? {
            Some(facts) => report.done(facts),
            None => report.skipped("this vendor's credentials do not expire"),
        }
        Ok(())
    }

    /// Makes a call, shown, that must succeed.
    pub(super) async fn must(&self, report: &mut Report, call: &Call) -> anyhow::Result<Answer> {
        report.call(call);
        let answer = self.client.must(call).await?;
        report.answer(&answer);
        Ok(answer)
    }

    /// `User …, Organization …`.
    pub(super) fn platform(&self) -> String {
        format!("User {}, Organization {}", self.user_secret, self.organization_secret)
    }

    /// `User …, Element …`.
    fn element(&self) -> String {
        format!("User {}, Element {}", self.user_secret, self.token)
    }

    pub(super) fn hub(&self, path: &str) -> String {
        format!("{}/elements/api-v2{path}", self.control)
    }

    async fn log_in(&mut self, report: &mut Report) -> anyhow::Result<Value> {
        let login = json!({"username": self.email, "password": self.password});
        let answer = self.must(report, &Call::post(self.hub("/authentication")).json(&login)).await?;
        let bearer = text(&answer.json()?, "token")?;
        let call = Call::get(self.hub("/authentication/secrets"))
            .header("Authorization", format!("Bearer {bearer}"));
        report.call(&call);
        let secrets = self.client.must(&call).await?.json()?;
        report.note("200  {\"userSecret\":\"…\",\"organizationSecret\":\"…\"}");
        self.user_secret = text(&secrets, "userSecret")?;
        self.organization_secret = text(&secrets, "organizationSecret")?;
        Ok(json!({"user": self.email}))
    }

    fn path(&self) -> anyhow::Result<String> {
        let name = self.file.file_name().context("the file has a name")?.to_string_lossy();
        Ok(format!("/pierhead-demo/{name}"))
    }

    async fn use_hub(&mut self, report: &mut Report) -> anyhow::Result<Value> {
        (self.sha256, self.size) =
            fingerprint(&self.file).await.with_context(|| format!("reading {}", self.file.display()))?;
        let path = self.path()?;
        report.note(&format!(
            "{} ({} bytes, SHA-256 {}…)",
            self.file.display(),
            self.size,
            &self.sha256[..16]
        ));
        let query = query(&[("path", &path), ("overwrite", "true")]);
        let upload = Call::post(self.hub(&format!("/hubs/documents/files?{query}")))
            .header("Authorization", self.element())
            .upload(&self.file);
        let uploaded = self.must(report, &upload).await?.json()?;
        let id = text(&uploaded, "id")?;
        ensure!(
            uploaded["size"].as_u64() == Some(self.size),
            "the vendor holds {} bytes, not {}",
            uploaded["size"],
            self.size
        );

        let list = Call::get(self.hub("/hubs/documents/folders/contents?path=/pierhead-demo"))
            .header("Authorization", self.element());
        let items = self.must(report, &list).await?.json()?;
        let listed = items.as_array().context("a folder's contents are a list")?;
        ensure!(
            listed.iter().any(|item| item["id"] == uploaded["id"]),
            "the folder does not list the uploaded file"
        );

        let query = self::query(&[("path", &path)]);
        let by_path = Call::get(self.hub(&format!("/hubs/documents/files?{query}")))
            .header("Authorization", self.element());
        self.download(report, &by_path).await?;
        let by_id = Call::get(self.hub(&format!("/hubs/documents/files/{id}")))
            .header("Authorization", self.element());
        self.download(report, &by_id).await?;
        Ok(json!({"file": path, "id": id, "bytes": self.size, "sha256": self.sha256}))
    }

    /// Downloads and compares with the original, byte for byte.
    async fn download(&self, report: &mut Report, call: &Call) -> anyhow::Result<Download> {
        report.call(call);
        let size = self.size;
        let download = self.client.download(call, |done| report.progress(done, size)).await?;
        report.note(&format!(
            "200  {} bytes  {}  {}  SHA-256 {}…",
            download.bytes,
            download.content_type,
            download.disposition,
            &download.sha256[..16]
        ));
        ensure!(download.bytes == self.size, "{} bytes came, not {}", download.bytes, self.size);
        ensure!(
            download.sha256 == self.sha256,
            "the bytes are not the original's: SHA-256 {}",
            download.sha256
        );
        let name = self.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        ensure!(
            download.disposition.starts_with("attachment")
                && (download.disposition.contains(&name) || !name.is_ascii()),
            "Content-Disposition does not name {name}: '{}'",
            download.disposition
        );
        ensure!(!download.content_type.is_empty(), "the answer has no Content-Type");
        Ok(download)
    }

    fn through_proxy(&self) -> anyhow::Result<Call> {
        let query = query(&[("path", &self.path()?)]);
        Ok(Call::get(format!("{}/{}/files?{query}", self.gateway, self.vendor.key())))
    }

    async fn download_through_proxy(&mut self, report: &mut Report) -> anyhow::Result<Value> {
        let download = self.download(report, &self.through_proxy()?).await?;
        if let Some(double) = &self.double {
            let seen =
                self.client.must(&Call::get(format!("{}/sandbox/journal", double.url))).await?.json()?;
            let last =
                seen["requests"].as_array().and_then(|requests| requests.last()).cloned().unwrap_or_default();
            ensure!(last["bearer"] == "valid", "the vendor saw no valid bearer token: {last}");
            report
                .note(&format!("the vendor saw a valid bearer token on {} {}", last["method"], last["path"]));
        }
        let closed = Call::get(format!("{}/{}/instances", self.gateway, self.vendor.key()));
        report.call(&closed);
        let refused = self.client.call(&closed).await?;
        report.answer(&refused);
        ensure!(
            refused.status.as_u16() == 403,
            "a platform route came through the proxy with {}",
            refused.status
        );
        Ok(json!({"bytes": download.bytes, "sha256": download.sha256, "content_type": download.content_type}))
    }

    async fn expire_and_download(&mut self, report: &mut Report) -> anyhow::Result<Option<Value>> {
        let Some(double) = &self.double else { return Ok(None) };
        let refreshes = async || -> anyhow::Result<u64> {
            let journal =
                self.client.must(&Call::get(format!("{}/sandbox/journal", double.url))).await?.json()?;
            journal["refreshCount"].as_u64().context("the double counts refreshes")
        };
        let before = refreshes().await?;
        self.must(report, &Call::post(format!("{}/sandbox/expire", double.url))).await?;
        self.download(report, &self.through_proxy()?).await?;
        let made = refreshes().await? - before;
        report.note(&format!("the access token was refreshed {made} time(s)"));
        ensure!(made == 1, "the access token was refreshed {made} times, not once");
        Ok(Some(json!({"refreshes": made})))
    }
}

/// A text field of an answer.
pub(super) fn text(value: &Value, field: &str) -> anyhow::Result<String> {
    value[field].as_str().map(str::to_owned).with_context(|| format!("the answer has no text '{field}'"))
}

/// A query string.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
