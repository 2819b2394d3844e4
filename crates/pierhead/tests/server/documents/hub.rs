//! One server with one instance of a documents connector, and a proxy to it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use pierhead_sandbox::check::Description;
use pierhead_testkit::{Admin, Answer, Drive, Pierhead, Request};
use serde_json::{Value, json};

use super::shape::{expect_item, expect_problem};

/// Which vendor a story runs against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vendor {
    Folder,
    GoogleDrive,
    WebDav,
}

pub(super) struct Hub {
    pub(super) pierhead: Pierhead,
    pub(super) admin: Admin,
    pub(super) vendor: Vendor,
    /// The instance token.
    pub(super) token: String,
    pub(super) drive: Option<Drive>,
    dav: Option<Dav>,
}

/// A folder of its own on the WebDAV server.
struct Dav {
    url: String,
    user: String,
    password: String,
}

impl Hub {
    pub(super) async fn folder() -> Self {
        let pierhead = Pierhead::start().await;
        let admin = pierhead.admin().await;
        let token = admin.connect_folder(&pierhead.folder("files")).await;
        Self::published(pierhead, admin, Vendor::Folder, token).await
    }

    pub(super) async fn googledrive() -> Self {
        let drive = Drive::start().await;
        let pierhead = Pierhead::start().await;
        let admin = pierhead.admin().await;
        let token = admin.connect_drive(&drive).await;
        Self { drive: Some(drive), ..Self::published(pierhead, admin, Vendor::GoogleDrive, token).await }
    }

    /// None where no WebDAV server is named.
    pub(super) async fn webdav() -> Option<Self> {
        let variable = |name: &str| std::env::var(format!("PIERHEAD_TEST_WEBDAV_{name}"));
        let (url, user) = (variable("URL").ok()?, variable("USER").unwrap());
        let password = variable("PASSWORD").unwrap();
        let pierhead = Pierhead::start().await;
        let admin = pierhead.admin().await;
        // The user secret is random: no two tests share a folder. A blank and an umlaut belong to a base, too.
        let name: String = admin.user.chars().filter(char::is_ascii_alphanumeric).collect();
        let dav = Dav { url: format!("{}/h%20%C3%A4-{name}", url.trim_end_matches('/')), user, password };
        dav.ask(&pierhead, "MKCOL").await.expect_status(201);
        let body = json!({
            "name": "a server", "element": {"key": "webdav"},
            "configuration": {"base.url": dav.url, "username": dav.user, "password": dav.password},
        });
        let made = admin.call(Method::POST, "/instances", Some(&body)).await.expect_status(200).json();
        let token = made["token"].as_str().unwrap().to_owned();
        Some(Self { dav: Some(dav), ..Self::published(pierhead, admin, Vendor::WebDav, token).await })
    }

    async fn published(pierhead: Pierhead, admin: Admin, vendor: Vendor, token: String) -> Self {
        admin.publish("Docs", "/docs", &token).await;
        Self { pierhead, admin, vendor, token, drive: None, dav: None }
    }

    /// The end of a story: every request the Drive double saw is valid by the vendor's own description, where
    /// `PIERHEAD_DRIVE_DESCRIPTION` names it; the WebDAV server is left as it was.
    pub(super) async fn end(self) {
        if let Some(drive) = &self.drive
            && let Ok(path) = std::env::var("PIERHEAD_DRIVE_DESCRIPTION")
        {
            let description = Description::load(path).unwrap();
            let requests = drive.requests();
            let violations: Vec<String> =
                requests.iter().flat_map(|request| description.violations(request)).collect();
            assert!(violations.is_empty(), "{}", violations.join("\n"));
        }
        if let Some(dav) = &self.dav {
            dav.ask(&self.pierhead, "DELETE").await;
        }
    }

    /// A request to the hub with the instance's token.
    pub(super) fn request(&self, method: Method, target: &str) -> Request {
        Request::new(method, self.pierhead.hub(target))
            .header("authorization", &self.admin.element(&self.token))
    }

    pub(super) async fn send(&self, request: Request) -> Answer {
        self.pierhead.client.send(request).await
    }

    /// GET through both doors, which must answer alike.
    pub(super) async fn get(&self, target: &str) -> Answer {
        self.get_with(target, &[]).await
    }

    /// The same with more headers.
    pub(super) async fn get_with(&self, target: &str, headers: &[(&str, &str)]) -> Answer {
        let with = |request: Request| {
            headers.iter().fold(request, |request, (name, value)| request.header(name, value))
        };
        let direct = self.send(with(self.request(Method::GET, target))).await;
        let gateway = self.pierhead.gateway(&format!("/docs{target}"));
        let proxied = self.pierhead.client.send(with(Request::get(gateway))).await;
        assert_eq!(direct.status, proxied.status, "{target}: {}", proxied.text());
        for name in [
            "content-type",
            "content-length",
            "content-range",
            "content-disposition",
            "etag",
            "elements-element-instance-id",
            "elements-returned-count",
            "elements-total-count",
            "elements-error",
            "pierhead-filtered-locally",
        ] {
            // An error's length differs with its request id only, which has one length.
            assert_eq!(direct.header(name), proxied.header(name), "{target}: {name}");
        }
        // Vendors' cursors differ from answer to answer.
        let more = |answer: &Answer| !answer.header("elements-next-page-token").is_empty();
        assert_eq!(more(&direct), more(&proxied), "{target}");
        if direct.status.is_success() {
            assert!(direct.bytes == proxied.bytes, "{target}: {} {}", direct.text(), proxied.text());
            let instance = direct.header("elements-element-instance-id");
            assert!(instance.parse::<u64>().is_ok(), "{target}: {instance}");
        } else {
            expect_problem(&direct);
            expect_problem(&proxied);
        }
        direct
    }

    /// GET that must succeed with JSON.
    pub(super) async fn json(&self, target: &str) -> Value {
        let answer = self.get(target).await.expect_status(200);
        assert_eq!(answer.header("content-type"), "application/json", "{target}");
        answer.json()
    }

    /// Any call with or without a JSON body.
    pub(super) async fn call(&self, method: &str, target: &str, body: Option<&Value>) -> Answer {
        let request = self.request(method.parse().unwrap(), target);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = self.send(request).await;
        if !answer.status.is_success() {
            expect_problem(&answer);
        }
        answer
    }

    /// A call that must be refused with this status.
    pub(super) async fn refused(&self, status: u16, method: &str, target: &str, body: Option<&Value>) {
        let answer =
            if method == "GET" { self.get(target).await } else { self.call(method, target, body).await };
        answer.expect_status(status);
    }

    /// Uploads as browsers do; the answer, whatever it is.
    pub(super) async fn try_upload(&self, method: &str, target: &str, content: &[u8]) -> Answer {
        let request = self.request(method.parse().unwrap(), target);
        let answer = self.send(request.file("local name.bin", "text/plain", content)).await;
        if !answer.status.is_success() {
            expect_problem(&answer);
        }
        answer
    }

    /// Uploads to a path where nothing is; the file's JSON.
    pub(super) async fn upload(&self, path: &str, content: &[u8]) -> Value {
        let target = format!("/files?path={}", encode(path));
        let item = self.try_upload("POST", &target, content).await.expect_status(200).json();
        expect_item(&item, path, false);
        assert_eq!(item["size"], content.len(), "{item}");
        item
    }

    /// Makes a folder where nothing is; its JSON.
    pub(super) async fn make_folder(&self, path: &str) -> Value {
        let made = self.call("POST", "/folders", Some(&json!({"path": path}))).await.expect_status(200);
        let folder = made.json();
        expect_item(&folder, path, true);
        folder
    }

    /// The names in a folder, sorted.
    pub(super) async fn names(&self, path: &str) -> Vec<String> {
        let listed = self.json(&format!("/folders/contents?path={}", encode(path))).await;
        let mut names = names(&listed);
        names.sort();
        names
    }

    /// What the vendor itself shows in the root folder, hidden names and all; none for the double, whose
    /// unfinished uploads have no name yet.
    pub(super) async fn vendor_names(&self) -> String {
        match &self.dav {
            // The server trips over a file that goes while it lists: then it is asked again.
            Some(dav) => loop {
                let listed = dav.ask(&self.pierhead, "PROPFIND").await;
                if listed.status != 500 {
                    return listed.expect_status(207).text();
                }
            },
            None if self.vendor == Vendor::Folder => {
                let entries = std::fs::read_dir(self.pierhead.folder("files")).unwrap();
                let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
                names.collect::<Vec<_>>().join(" ")
            }
            None => String::new(),
        }
    }
}

impl Dav {
    async fn ask(&self, pierhead: &Pierhead, method: &str) -> Answer {
        let request = Request::new(method.parse().unwrap(), format!("{}/", self.url));
        let request = if method == "PROPFIND" { request.header("depth", "1") } else { request };
        let basic = STANDARD.encode(format!("{}:{}", self.user, self.password));
        pierhead.client.send(request.header("authorization", &format!("Basic {basic}"))).await
    }
}

/// A query value or path segment, percent-encoded.
pub(super) fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A route of an item by its path and by its id; more parameters may follow.
pub(super) fn both(kind: &str, item: &Value, tail: &str) -> [String; 2] {
    let (path, id) = (item["path"].as_str().unwrap(), item["id"].as_str().unwrap());
    [format!("/{kind}{tail}?path={}", encode(path)), format!("/{kind}/{}{tail}?", encode(id))]
}

/// The names in a list, as they come.
pub(super) fn names(list: &Value) -> Vec<String> {
    let items = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}
