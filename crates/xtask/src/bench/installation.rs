//! A Pierhead of our own, set up over its public wire: instances, providers, proxies, deployed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::run::{Running, free_port, output, wait_for_port};

const EMAIL: &str = "bench@example.com";
const PASSWORD: &str = "Bench-pier-8081-head";

/// A running server and its first administrator's secrets.
pub(super) struct Installation {
    server: Running,
    binary: PathBuf,
    data: PathBuf,
    pub(super) control: u16,
    pub(super) gateway: u16,
    cookies: PathBuf,
    platform: String,
    secrets: Secrets,
}

struct Secrets {
    user: String,
    organization: String,
}

/// A double of Google Drive in a process of its own.
pub(super) struct Drive {
    _process: Running,
    /// Kept open: the double goes on to print.
    _printed: BufReader<ChildStdout>,
    url: String,
    client_id: String,
    client_secret: String,
}

impl Installation {
    /// Starts a server on an empty data directory below `scratch` and logs in.
    pub(super) fn start(binary: &Path, scratch: &Path) -> anyhow::Result<Self> {
        let data = scratch.join("data");
        if data.exists() {
            fs::remove_dir_all(&data).context("removing the data of an earlier run")?;
        }
        fs::create_dir_all(scratch)?;
        let (control, gateway) = (free_port()?, free_port()?);
        let server = Running::start(&mut serve(binary, &data, control, gateway))?;
        wait_for_port(control)?;
        wait_for_port(gateway)?;
        let hub = format!("http://127.0.0.1:{control}/elements/api-v2");
        let login = json!({"username": EMAIL, "password": PASSWORD});
        let login = ask(&[&format!("{hub}/authentication"), "--json", &login.to_string()])?;
        let bearer = format!("Authorization: Bearer {}", text(&login, "token")?);
        let secrets = ask(&[&format!("{hub}/authentication/secrets"), "-H", &bearer])?;
        let secrets = Secrets {
            user: text(&secrets, "userSecret")?,
            organization: text(&secrets, "organizationSecret")?,
        };
        let platform = format!("Authorization: User {}, Organization {}", secrets.user, secrets.organization);
        let cookies = scratch.join("cookies");
        Ok(Self { server, binary: binary.to_owned(), data, control, gateway, cookies, platform, secrets })
    }

    pub(super) fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Ends the server in order.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.server.stop()
    }

    /// Ends the server and starts it anew on the same data and addresses: its memory is that of a fresh one.
    pub(super) fn restart(self) -> anyhow::Result<Self> {
        let Self { server, binary, data, control, gateway, .. } = self;
        server.stop()?;
        let server = Running::start(&mut serve(&binary, &data, control, gateway))?;
        wait_for_port(control)?;
        wait_for_port(gateway)?;
        Ok(Self { server, binary, data, ..self })
    }

    /// Publishes a folder of this machine at the gateway's `/folder`.
    pub(super) fn publish_folder(&self, folder: &Path) -> anyhow::Result<()> {
        let configuration = json!({"root.path": folder.display().to_string()});
        let token = self.connect("folder", json!({"configuration": configuration}))?;
        self.publish("folder", &token)
    }

    /// Publishes the double at the gateway's `/googledrive`.
    pub(super) fn publish_drive(&self, drive: &Drive) -> anyhow::Result<()> {
        let Drive { url, client_id, client_secret, .. } = drive;
        let callback = format!("http://127.0.0.1:{}/console/oauth/callback", self.control);
        let (authorization, token) = (format!("{url}/o/oauth2/v2/auth"), format!("{url}/token"));
        let consent = self.hub("/elements/googledrive/oauth/url");
        let parameters = [
            ("apiKey", client_id),
            ("apiSecret", client_secret),
            ("callbackUrl", &callback),
            ("base.url", url),
            ("oauth.authorization.url", &authorization),
            ("oauth.token.url", &token),
        ]
        .map(|(name, value)| format!("{name}={value}"));
        let mut arguments = vec!["--get", &consent, "-H", &self.platform];
        arguments.extend(parameters.iter().flat_map(|pair| ["--data-urlencode", pair]));
        let page = text(&ask(&arguments)?, "oauthUrl")?;

        let decision = json!({"url": page, "allow": true}).to_string();
        let location = text(&ask(&[&format!("{url}/sandbox/consent"), "--json", &decision])?, "location")?;
        let part = |name: &str| {
            let query = location.split_once('?').map(|(_, query)| query).unwrap_or_default();
            let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            found.map(unescape).with_context(|| format!("the vendor sent no {name} back: {location}"))
        };
        let body = json!({
            "providerData": {"code": part("code")?, "state": part("state")?},
            "configuration": {
                "oauth.callback.url": callback,
                "oauth.api.key": client_id,
                "oauth.api.secret": client_secret,
                "base.url": url,
                "oauth.authorization.url": authorization,
                "oauth.token.url": token,
            },
        });
        let token = self.connect("googledrive", body)?;
        self.publish("googledrive", &token)
    }

    fn connect(&self, element: &str, mut body: Value) -> anyhow::Result<String> {
        body["name"] = format!("Bench {element}").into();
        body["element"] = json!({"key": element});
        let body = body.to_string();
        text(&ask(&[&self.hub("/instances"), "-H", &self.platform, "--json", &body])?, "token")
    }

    /// Provider, proxy, map and deployment, as in the first founding document.
    fn publish(&self, name: &str, token: &str) -> anyhow::Result<()> {
        let provider = format!("{name}Provider");
        self.manage(
            "/APIProviders",
            &json!({
                "name": provider, "title": "Open Connectors", "destType": "OPENCONNECTORS",
                "host": "", "port": 443, "useSSL": true,
                "organizationSecret": self.secrets.organization, "userSecret": self.secrets.user,
            }),
        )?;
        self.manage(
            "/APIProxies",
            &json!({
                "name": name, "title": name, "service_code": "REST", "provider_name": provider,
                "proxyEndPoints": [{"name": "default", "isDefault": true, "base_path": format!("/{name}")}],
                "targetEndPoints": [
                    {"name": "default", "provider_id": provider, "relativePath": "/elements/api-v2/"},
                ],
            }),
        )?;
        self.manage(
            "/GenericKeyMapEntries",
            &json!({
                "name": "apim.oc.instance.token", "scopeId": name, "scope": "APIPROXY", "isEncrypted": true,
                "genericKeyMapEntryValues": [{
                    "name": "default", "mapName": "apim.oc.instance.token", "value": token,
                    "scopeId": name, "scope": "APIPROXY",
                }],
            }),
        )?;
        self.manage(&format!("/APIProxies('{name}')/Deploy"), &json!({}))
    }

    fn manage(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        let service = format!("http://127.0.0.1:{}/apiportal/api/1.0/Management.svc", self.control);
        let login = format!("{EMAIL}:{PASSWORD}");
        let jar = self.cookies.display().to_string();
        let head = curl(&["--head", "-u", &login, "-c", &jar, "-H", "X-CSRF-Token: fetch", &service])?;
        let token = head.lines().find(|line| line.to_ascii_lowercase().starts_with("x-csrf-token:"));
        let token = token.context("the answer has no X-CSRF-Token")?.trim();
        let (url, body) = (format!("{service}{path}"), body.to_string());
        curl(&["-u", &login, "-b", &jar, "-H", token, "--json", &body, &url])?;
        Ok(())
    }

    fn hub(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/elements/api-v2{path}", self.control)
    }
}

impl Drive {
    /// Starts the double and reads from what it prints how to connect.
    pub(super) fn start(binary: &Path) -> anyhow::Result<Self> {
        let port = free_port()?;
        let address = format!("127.0.0.1:{port}");
        let mut process = Running::start(
            Command::new(binary)
                .args(["sandbox", "googledrive", "--listen", &address])
                .stdout(Stdio::piped()),
        )?;
        let mut printed = BufReader::new(process.printed().context("the double prints")?);
        let mut value = |name: &str| -> anyhow::Result<String> {
            let mut line = String::new();
            while printed.read_line(&mut line)? > 0 {
                if let Some(value) = line.trim().strip_prefix(name) {
                    return Ok(value.trim().to_owned());
                }
                line.clear();
            }
            bail!("the double ended before it said its {name}")
        };
        let (client_id, client_secret) = (value("client id")?, value("client secret")?);
        wait_for_port(port)?;
        let url = format!("http://{address}");
        Ok(Self { _process: process, _printed: printed, url, client_id, client_secret })
    }
}

/// `pierhead serve` on loopback, quiet, with its first administrator.
pub(super) fn serve(binary: &Path, data: &Path, control: u16, gateway: u16) -> Command {
    let mut command = Command::new(binary);
    command
        .arg("serve")
        .arg("--data-dir")
        .arg(data)
        .args(["--control", &format!("127.0.0.1:{control}"), "--gateway", &format!("127.0.0.1:{gateway}")])
        .args(["--egress-allow", "127.0.0.0/8"])
        .env("PIERHEAD_ADMIN_EMAIL", EMAIL)
        .env("PIERHEAD_ADMIN_PASSWORD", PASSWORD)
        .stdout(Stdio::null());
    command
}

/// Makes a call with curl; the body of its answer, which must be a success.
pub(super) fn curl(arguments: &[&str]) -> anyhow::Result<String> {
    output(Command::new("curl").args(["--silent", "--show-error", "--fail-with-body"]).args(arguments))
}

fn ask(arguments: &[&str]) -> anyhow::Result<Value> {
    let answer = curl(arguments)?;
    serde_json::from_str(&answer).with_context(|| format!("no JSON: {answer}"))
}

fn text(value: &Value, name: &str) -> anyhow::Result<String> {
    value[name].as_str().map(str::to_owned).with_context(|| format!("the answer has no {name}: {value}"))
}

/// Undoes percent-encoding of ASCII.
fn unescape(text: &str) -> String {
    let mut parts = text.split('%');
    let mut clear = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                clear.push(char::from(byte));
                clear.push_str(&part[2..]);
            }
            None => {
                clear.push('%');
                clear.push_str(part);
            }
        }
    }
    clear
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoded_codes_are_read() {
        assert_eq!(unescape("4%2F0Ab-c%3D"), "4/0Ab-c=");
        assert_eq!(unescape("50%"), "50%");
    }
}
