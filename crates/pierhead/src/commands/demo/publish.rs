//! Step 5: provider, proxy, map and deployment through SAP's management API.

use anyhow::{Context, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use serde_json::{Value, json};

use super::client::Call;
use super::report::Report;
use super::story::Story;

/// Headers of a session of the management API.
struct Session {
    basic: String,
    token: String,
    cookie: String,
}

impl Story {
    fn management(&self, path: &str) -> String {
        format!("{}/apiportal/api/1.0/Management.svc{path}", self.control)
    }

    pub(super) async fn publish(&mut self, report: &mut Report) -> anyhow::Result<Value> {
        let session = self.csrf(report).await?;
        let proxy = self.vendor.proxy();
        let provider = format!("{proxy}Provider");
        self.clear(&session, proxy, &provider).await?;

        let body = json!({
            "name": provider, "title": "Open Connectors", "destType": "OPENCONNECTORS",
            "host": "", "port": 443, "useSSL": true,
            "organizationSecret": self.organization_secret, "userSecret": self.user_secret,
        });
        self.create(report, &session, "/APIProviders", &body).await?;

        let body = json!({
            "name": proxy, "title": proxy, "service_code": "REST", "provider_name": provider,
            "proxyEndPoints": [{"name": "default", "isDefault": true, "base_path": format!("/{}", self.vendor.key())}],
            "targetEndPoints": [{"name": "default", "provider_id": provider, "relativePath": "/elements/api-v2/"}],
        });
        self.create(report, &session, "/APIProxies", &body).await?;

        // The first founding document's own body.
        let body = json!({
            "name": "apim.oc.instance.token", "scopeId": proxy, "scope": "APIPROXY", "isEncrypted": true,
            "genericKeyMapEntryValues": [{
                "name": "default", "mapName": "apim.oc.instance.token", "value": self.token,
                "scopeId": proxy, "scope": "APIPROXY",
            }],
        });
        self.create(report, &session, "/GenericKeyMapEntries", &body).await?;

        let deploy = session.on(Call::post(self.management(&format!("/APIProxies('{proxy}')/Deploy"))));
        self.must(report, &deploy).await?;
        Ok(json!({"provider": provider, "proxy": proxy, "base_path": format!("/{}", self.vendor.key())}))
    }

    /// Fetches the CSRF token by HEAD, as the first founding document does.
    async fn csrf(&self, report: &mut Report) -> anyhow::Result<Session> {
        let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", self.email, self.password)));
        let call = Call::new(Method::HEAD, self.management("/"))
            .header("Authorization", basic.clone())
            .header("X-CSRF-Token", "fetch");
        let answer = self.must(report, &call).await?;
        let token = answer.header("x-csrf-token");
        ensure!(!token.is_empty(), "the answer has no X-CSRF-Token");
        let pair = |value: &http::HeaderValue| {
            value.to_str().ok().and_then(|text| text.split(';').next().map(str::to_owned))
        };
        let cookies: Vec<String> = answer.headers.get_all("set-cookie").iter().filter_map(pair).collect();
        ensure!(!cookies.is_empty(), "the answer sets no session cookie");
        Ok(Session { basic, token, cookie: cookies.join("; ") })
    }

    /// Removes what an earlier run in the same data directory left.
    async fn clear(&self, session: &Session, proxy: &str, provider: &str) -> anyhow::Result<()> {
        for path in [format!("/APIProxies('{proxy}')"), format!("/APIProviders('{provider}')")] {
            let answer =
                self.client.call(&session.on(Call::new(Method::DELETE, self.management(&path)))).await?;
            ensure!(
                answer.status.is_success() || answer.status.as_u16() == 404,
                "removing what an earlier run left: {path} answered {}: {}",
                answer.status,
                answer.text()
            );
        }
        Ok(())
    }

    async fn create(
        &self,
        report: &mut Report,
        session: &Session,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<()> {
        let call =
            session.on(Call::post(self.management(path))).header("Accept", "application/json").json(body);
        let answer = self.must(report, &call).await?;
        ensure!(answer.status.as_u16() == 201, "{path} answered {}, not 201", answer.status);
        answer.json().with_context(|| format!("the answer of {path}"))?;
        Ok(())
    }
}

impl Session {
    fn on(&self, call: Call) -> Call {
        call.header("Authorization", self.basic.clone())
            .header("X-CSRF-Token", self.token.clone())
            .header("Cookie", self.cookie.clone())
    }
}
