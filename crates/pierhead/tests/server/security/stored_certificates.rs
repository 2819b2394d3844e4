//! Certificates of listeners from the key stores of the environment.

use std::time::Duration;

use figment::value::{Dict, Value as Setting};
use http::Method;
use pierhead_testkit::{Admin, Authority, Leaf, Pierhead, Request, TlsClient};
use serde_json::json;

/// Everything that is polled for comes within this, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

const STORES: &str = "/v1/organizations/default/environments/default/keystores";

fn listener() -> Setting {
    let stored = Dict::from([("store".to_owned(), "api".into()), ("alias".to_owned(), "now".into())]);
    let listener = Dict::from([
        ("listen".to_owned(), Setting::from("127.0.0.1:0")),
        ("certificates".to_owned(), vec![Setting::from(stored)].into()),
    ]);
    vec![Setting::from(listener)].into()
}

/// Puts a certificate and its key under the alias.
async fn put(pierhead: &Pierhead, admin: &Admin, method: Method, leaf: &Leaf) {
    let mut form = String::new();
    for (name, content) in [("certFile", &leaf.chain), ("keyFile", &leaf.key)] {
        form += &format!(
            "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}.pem\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n{content}\r\n"
        );
    }
    form += "--b--\r\n";
    let below =
        if method == Method::PUT { "/now?format=keycertfile" } else { "?alias=now&format=keycertfile" };
    let url = pierhead.control(&format!("{STORES}/api/aliases{below}"));
    let request = Request::new(method, url).header("authorization", &admin.basic());
    let answer = pierhead.client.send(request.body("multipart/form-data; boundary=b", form)).await;
    assert!(answer.status.is_success(), "{}", answer.text());
}

/// Until a client that trusts `authority` alone is served.
async fn served(pierhead: &Pierhead, authority: &Authority) {
    let (client, at) = (TlsClient::new(authority, None, &[]), pierhead.gateway_tls()[0]);
    let serving = async {
        while client.connect(at, "api.test").await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, serving).await.expect("the certificate is served");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_shows_what_a_key_store_holds_and_a_changed_alias_at_once() {
    let mut pierhead = Pierhead::start_with(vec![("gateway.tls", listener())]).await;
    let admin = pierhead.admin().await;
    let (first, second) = (Authority::new("first"), Authority::new("second"));
    let at = pierhead.gateway_tls()[0];
    assert!(
        TlsClient::new(&first, None, &[]).connect(at, "api.test").await.is_err(),
        "there is no certificate yet, and the server runs"
    );

    let url = pierhead.control(STORES);
    let request = Request::new(Method::POST, url).header("authorization", &admin.basic());
    pierhead.client.send(request.json(&json!({"name": "api"}))).await.expect_status(201);
    put(&pierhead, &admin, Method::POST, &first.server(&["api.test"])).await;
    served(&pierhead, &first).await;
    put(&pierhead, &admin, Method::PUT, &second.server(&["api.test"])).await;
    served(&pierhead, &second).await;

    assert!(TlsClient::new(&first, None, &[]).connect(at, "api.test").await.is_err());
    pierhead.restart().await;
    served(&pierhead, &second).await;
}

#[test]
fn a_certificate_is_two_files_or_a_store_and_an_alias() {
    let load = |section: &'static str, parts: &[(&str, &str)]| {
        let one: Dict = parts.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
        let listener = Dict::from([
            ("listen".to_owned(), Setting::from("127.0.0.1:0")),
            ("certificates".to_owned(), vec![Setting::from(one)].into()),
        ]);
        let loaded =
            pierhead::config::Config::load(None, vec![(section, vec![Setting::from(listener)].into())]);
        loaded.map(drop).map_err(|why| format!("{why:?}"))
    };
    assert!(load("gateway.tls", &[("store", "api"), ("alias", "now")]).is_ok());
    for wrong in [
        &[("store", "api")][..],
        &[("alias", "now")],
        &[("store", "api"), ("alias", "now"), ("chain", "a.pem")],
        &[("chain", "a.pem")],
    ] {
        let why = load("gateway.tls", wrong).expect_err("half of it");
        assert!(why.contains("gateway.tls[0].certificates"), "{why}");
    }
    let why = load("control.tls", &[("store", "api"), ("alias", "now")]).expect_err("not there");
    assert!(why.contains("key stores are for the gateway's listeners"), "{why}");
}

#[test]
fn run_and_check_read_key_stores_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("apiproxy");
    for (file, text) in [
        ("P.xml", "<APIProxy name=\"P\"/>".to_owned()),
        (
            "proxies/default.xml",
            "<ProxyEndpoint name=\"default\"><HTTPProxyConnection><BasePath>/p</BasePath></HTTPProxyConnection>\
             <RouteRule name=\"r\"><TargetEndpoint>default</TargetEndpoint></RouteRule></ProxyEndpoint>"
                .to_owned(),
        ),
        (
            "targets/default.xml",
            "<TargetEndpoint name=\"default\"><HTTPTargetConnection><URL>https://backend.test</URL><SSLInfo>\
             <Enabled>true</Enabled><ClientAuthEnabled>true</ClientAuthEnabled><KeyStore>ref://ours</KeyStore>\
             <KeyAlias>pilot</KeyAlias><TrustStore>theirs</TrustStore></SSLInfo></HTTPTargetConnection>\
             </TargetEndpoint>"
                .to_owned(),
        ),
    ] {
        let file = root.join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let authority = Authority::new("ours");
    authority.server(&["pilot.test"]).write(folder.path(), "pilot");
    std::fs::write(folder.path().join("theirs.pem"), authority.pem()).unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let check = |flags: &[String]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_pierhead"))
            .args(["check", "--json", &folder.path().display().to_string()])
            .args(flags)
            .output()
            .unwrap();
        (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };

    let flag = "--keystore".to_owned();
    let ours = format!("ref://ours/pilot={},{}", path("pilot.pem"), path("pilot.key"));
    let theirs = format!("theirs={}", path("theirs.pem"));
    let (with, err) = check(&[flag.clone(), ours, flag.clone(), theirs]);
    let (without, _) = check(&[]);
    let (_, wrong) = check(&[flag, format!("ours={}", path("pilot.key"))]);

    assert!(with.contains("\"verdict\":\"runs\""), "{with}{err}");
    assert!(without.contains("\"verdict\":\"degraded\""), "{without}");
    assert!(wrong.contains("--keystore ours") && wrong.contains("certificate"), "{wrong}");
}
