//! Both listeners over TLS: who is shown which certificate, who is let in, what flows see of it.

use std::path::Path;
use std::time::Duration;

use http::Method;
use pierhead_domain::{Clock, SystemClock};
use pierhead_testkit::{Admin, Authority, Leaf, Pierhead, TlsClient, ask, tls_setting};
use rcgen::DnType;
use serde_json::json;
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Everything that is polled for comes within this, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// A proxy at `/seen` that answers with variables.
async fn publish(admin: &Admin, variables: &[&str]) {
    let provider = json!({
        "name": "net", "title": "net", "destType": "Internet", "host": "127.0.0.1", "port": 9, "useSSL": false,
    });
    admin.manage(Method::POST, "/APIProviders", Some(&provider)).await.expect_status(201);
    let shown: Vec<String> = variables.iter().map(|name| format!("{name}=[{{{name}}}]")).collect();
    let policy = format!(
        "<RaiseFault><FaultResponse><Set><StatusCode>200</StatusCode><Payload contentType=\"text/plain\">{}\
         </Payload></Set></FaultResponse><IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables></RaiseFault>",
        shown.join("\n"),
    );
    let proxy = json!({
        "name": "Seen", "title": "Seen", "service_code": "REST", "provider_name": "net",
        "policies": [{"name": "Show", "policy_content": policy}],
        "proxyEndPoints": [{
            "name": "default", "isDefault": true, "base_path": "/seen",
            "preFlow": {"request": {"steps": [{"policy_name": "Show", "sequence": 1}]}},
        }],
        "targetEndPoints": [{"name": "default", "provider_id": "net", "relativePath": "/"}],
    });
    admin.manage(Method::POST, "/APIProxies", Some(&proxy)).await.expect_status(201);
    admin.deploy("Seen").await;
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

async fn serving(folder: &Path, names: &[&str], more: &[(&str, &str)]) -> Pierhead {
    Pierhead::start_with(vec![("gateway.tls", tls_setting(folder, names, more))]).await
}

fn after_days(days: i64) -> OffsetDateTime {
    let now = OffsetDateTime::from_unix_timestamp(SystemClock.now().seconds()).unwrap();
    now + time::Duration::days(days)
}

fn pilot(authority: &Authority, until: OffsetDateTime) -> Leaf {
    let subject = [
        (DnType::CountryName, "DE"),
        (DnType::StateOrProvinceName, "Bremen"),
        (DnType::LocalityName, "Vegesack"),
        (DnType::OrganizationName, "Harbour, Ltd"),
        (DnType::OrganizationalUnitName, "Pilots"),
        (DnType::CommonName, "pilot-7"),
    ];
    authority.client(&subject, until)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_served_over_tls_and_flows_see_the_connection() {
    let (files, authority) = (folder(), Authority::new("ours"));
    authority.server(&["api.test"]).write(files.path(), "api");
    let pierhead = serving(files.path(), &["api"], &[]).await;
    let seen = [
        "client.scheme",
        "client.ssl.enabled",
        "tls.protocol",
        "tls.cipher",
        "tls.server.name",
        "tls.session.id",
    ];
    publish(&pierhead.admin().await, &[&seen[..], &["client.cn", "proxy.url"]].concat()).await;
    let at = pierhead.gateway_tls()[0];

    let newest = TlsClient::new(&authority, None, &["http/1.1"]).get(at, "api.test", "/seen").await.unwrap();
    let older = TlsClient::of_versions(&authority, None, &[], &[&rustls::version::TLS12]);
    let older = older.get(at, "api.test", "/seen").await.unwrap();

    assert_eq!(newest.status, 200, "{}", newest.text);
    for line in
        ["client.scheme=[https]", "client.ssl.enabled=[true]", "tls.protocol=[TLSv1.3]", "client.cn=[]"]
    {
        assert!(newest.text.contains(line), "{line}: {}", newest.text);
    }
    for line in ["tls.cipher=[TLS_AES_", "tls.server.name=[api.test]", "proxy.url=[https://api.test/seen]"] {
        assert!(newest.text.contains(line), "{line}: {}", newest.text);
    }
    let id = newest.text.split("tls.session.id=[").nth(1).unwrap().split(']').next().unwrap();
    assert_eq!(id.len(), 64);
    assert!(
        older.text.contains("tls.protocol=[TLSv1.2]") && older.text.contains("[ECDHE-ECDSA-"),
        "{}",
        older.text
    );
    assert!(!older.text.contains(id), "each connection has its own");
    let plain = pierhead.client.get(pierhead.gateway("/seen")).await.expect_status(200).text();
    assert!(plain.contains("client.scheme=[http]") && plain.contains("tls.protocol=[]"), "{plain}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_host_name_is_shown_its_certificate_and_unknown_ones_the_first() {
    let (files, first, second) = (folder(), Authority::new("first"), Authority::new("second"));
    first.server(&["api.test", "*.wild.test"]).write(files.path(), "first");
    second.server(&["shop.test"]).write(files.path(), "second");
    let pierhead = serving(files.path(), &["first", "second"], &[]).await;
    publish(&pierhead.admin().await, &["request.header.host"]).await;
    let at = pierhead.gateway_tls()[0];
    let (trusts_first, trusts_second) =
        (TlsClient::new(&first, None, &[]), TlsClient::new(&second, None, &[]));

    for host in ["api.test", "API.test", "a.wild.test"] {
        assert_eq!(trusts_first.get(at, host, "/seen").await.unwrap().status, 200, "{host}");
        assert!(trusts_second.connect(at, host).await.is_err(), "{host}");
    }
    assert_eq!(trusts_second.get(at, "shop.test", "/seen").await.unwrap().status, 200);
    assert!(trusts_first.connect(at, "shop.test").await.is_err());
    let why = trusts_first.connect(at, "elsewhere.test").await.unwrap_err().to_string();
    assert!(why.contains("api.test"), "the first certificate was shown: {why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn old_versions_are_refused() {
    let (files, authority) = (folder(), Authority::new("ours"));
    authority.server(&["api.test"]).write(files.path(), "api");
    let pierhead = serving(files.path(), &["api"], &[("minimum_version", "1.3")]).await;
    let at = pierhead.gateway_tls()[0];

    let older = TlsClient::of_versions(&authority, None, &[], &[&rustls::version::TLS12]);
    assert!(older.connect(at, "api.test").await.is_err());
    assert!(TlsClient::new(&authority, None, &[]).connect(at, "api.test").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_shows_a_certificate_of_a_trusted_authority_or_stays_outside() {
    let (files, authority, clients) = (folder(), Authority::new("ours"), Authority::new("clients"));
    authority.server(&["api.test"]).write(files.path(), "api");
    let trust = files.path().join("clients.pem");
    std::fs::write(&trust, clients.pem()).unwrap();
    let trust = trust.display().to_string();
    let required = [("client_certificates", "required"), ("client_authorities", trust.as_str())];
    let pierhead = serving(files.path(), &["api"], &required).await;
    let seen = [
        "client.cn",
        "client.country",
        "client.state",
        "client.locality",
        "client.organization",
        "client.organization.unit",
        "client.email.address",
        "tls.client.s.dn",
        "tls.client.i.dn",
        "tls.client.cert.serial",
        "tls.client.cert.fingerprint",
        "tls.client.raw.cert",
    ];
    publish(&pierhead.admin().await, &seen).await;
    let at = pierhead.gateway_tls()[0];
    let leaf = pilot(&clients, after_days(400));

    let answer = TlsClient::new(&authority, Some(&leaf), &[]).get(at, "api.test", "/seen").await.unwrap();

    for line in [
        "client.cn=[pilot-7]",
        "client.country=[DE]",
        "client.state=[Bremen]",
        "client.locality=[Vegesack]",
        "client.organization=[Harbour, Ltd]",
        "client.organization.unit=[Pilots]",
        "client.email.address=[]",
        "tls.client.s.dn=[CN=pilot-7,OU=Pilots,O=Harbour\\, Ltd,L=Vegesack,ST=Bremen,C=DE]",
        "tls.client.i.dn=[CN=clients",
        "tls.client.cert.serial=[0AB15A]",
    ] {
        assert!(answer.text.contains(line), "{line}: {}", answer.text);
    }
    let lines = |pem: &str| pem.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<String>();
    assert!(lines(&answer.text).contains(&lines(&leaf.chain)), "{}", answer.text);

    let stranger = pilot(&Authority::new("strangers"), after_days(400));
    for outsider in [None, Some(&stranger)] {
        let client = TlsClient::new(&authority, outsider, &[]);
        // In TLS 1.3 the client learns of it when it reads.
        assert!(client.get(at, "api.test", "/seen").await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_optional_certificate_may_be_missing_but_not_expired() {
    let (files, authority, clients) = (folder(), Authority::new("ours"), Authority::new("clients"));
    authority.server(&["api.test"]).write(files.path(), "api");
    let trust = files.path().join("clients.pem");
    std::fs::write(&trust, clients.pem()).unwrap();
    let trust = trust.display().to_string();
    let optional = [("client_certificates", "optional"), ("client_authorities", trust.as_str())];
    let pierhead = serving(files.path(), &["api"], &optional).await;
    publish(&pierhead.admin().await, &["client.cn"]).await;
    let at = pierhead.gateway_tls()[0];
    let leaf = pilot(&clients, after_days(10));
    let named = TlsClient::new(&authority, Some(&leaf), &[]);

    let nobody = TlsClient::new(&authority, None, &[]).get(at, "api.test", "/seen").await.unwrap();
    assert!(nobody.text.contains("client.cn=[]"), "{}", nobody.text);
    assert!(named.get(at, "api.test", "/seen").await.unwrap().text.contains("client.cn=[pilot-7]"));

    pierhead.advance(Duration::from_secs(11 * 24 * 3600));
    assert!(named.get(at, "api.test", "/seen").await.is_err(), "the server's clock decides");
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_certificates_are_served_without_a_restart_and_open_connections_go_on() {
    let (files, before, after) = (folder(), Authority::new("before"), Authority::new("after"));
    before.server(&["api.test"]).write(files.path(), "api");
    let pierhead = serving(files.path(), &["api"], &[]).await;
    publish(&pierhead.admin().await, &["client.scheme"]).await;
    let at = pierhead.gateway_tls()[0];
    let mut open = TlsClient::new(&before, None, &[]).connect(at, "api.test").await.unwrap();
    ask(&mut open, "api.test", "/seen", "").await.unwrap();
    let mut some = [0; 12];
    open.read_exact(&mut some).await.unwrap();

    // Half of the change, as a tool that writes two files makes it: nothing changes for anybody.
    let new = after.server(&["api.test"]);
    std::fs::write(files.path().join("api.pem"), &new.chain).unwrap();
    assert!(TlsClient::new(&before, None, &[]).connect(at, "api.test").await.is_ok());
    new.write(files.path(), "api");

    let client = TlsClient::new(&after, None, &[]);
    let served = async {
        while client.connect(at, "api.test").await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, served).await.expect("the new certificate is served");
    assert!(TlsClient::new(&before, None, &[]).connect(at, "api.test").await.is_err());
    ask(&mut open, "api.test", "/seen", "Connection: close\r\n").await.unwrap();
    let mut rest = String::new();
    open.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest.matches("client.scheme=[https]").count(), 2, "{rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_stall_or_speak_no_tls_hold_up_nobody_and_do_not_stay() {
    let (files, authority) = (folder(), Authority::new("ours"));
    authority.server(&["api.test"]).write(files.path(), "api");
    let pierhead = serving(files.path(), &["api"], &[]).await;
    publish(&pierhead.admin().await, &["client.scheme"]).await;
    let at = pierhead.gateway_tls()[0];
    let mut stalled = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap();
        stalled.push(stream);
    }
    let mut plain = TcpStream::connect(at).await.unwrap();
    plain.write_all(b"GET /seen HTTP/1.1\r\nHost: api.test\r\n\r\n").await.unwrap();

    let client = TlsClient::new(&authority, None, &[]);
    assert_eq!(client.get(at, "api.test", "/seen").await.unwrap().status, 200);

    let mut all = Vec::new();
    let _ =
        tokio::time::timeout(PATIENCE, plain.read_to_end(&mut all)).await.expect("plain HTTP is sent away");
    assert!(!all.starts_with(b"HTTP/"), "{all:?}");
    for mut stream in stalled {
        let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut all)).await;
        assert!(ended.is_ok(), "a handshake that never ends keeps its connection");
    }
    // Each is counted once its connection is gone.
    let all_counted = async {
        loop {
            let metrics = pierhead.client.get(pierhead.control("/metrics")).await.text();
            let is_it = |line: &&str| line.contains("failed_handshakes") && !line.starts_with('#');
            if metrics.lines().find(is_it).is_some_and(|line| line.ends_with(" 201")) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all_counted).await.expect("201 handshakes have failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_control_listener_speaks_tls_beside_its_plain_address() {
    let (files, authority) = (folder(), Authority::new("ours"));
    authority.server(&["console.test"]).write(files.path(), "console");
    let setting = tls_setting(files.path(), &["console"], &[]);
    let pierhead = Pierhead::start_with(vec![("control.tls", setting)]).await;
    let at = pierhead.control_tls()[0];

    let answer =
        TlsClient::new(&authority, None, &["h2", "http/1.1"]).get(at, "console.test", "/healthz").await;

    assert_eq!(answer.unwrap().status, 200);
    pierhead.client.get(pierhead.control("/healthz")).await.expect_status(200);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_stops_the_start_and_is_named() {
    let (files, authority) = (folder(), Authority::new("ours"));
    let (one, other) = (authority.server(&["a.test"]), authority.server(&["b.test"]));
    one.write(files.path(), "one");
    Leaf { chain: one.chain.clone(), key: other.key }.write(files.path(), "crossed");
    Leaf { chain: "no PEM".into(), key: one.key.clone() }.write(files.path(), "empty");
    for (name, says) in [
        ("crossed", "crossed.key: must be the key of the first certificate"),
        ("empty", "empty.pem: must be a PEM file with certificates"),
        ("missing", "missing.pem: No such file"),
    ] {
        let data = folder();
        let config = pierhead::config::Config::load(
            None,
            vec![
                ("server.data_dir", data.path().display().to_string().into()),
                ("gateway.listen", "127.0.0.1:0".into()),
                ("control.listen", "127.0.0.1:0".into()),
                ("gateway.tls", tls_setting(files.path(), &[name], &[])),
            ],
        )
        .unwrap();
        let started = pierhead::server::Server::start(config, pierhead::server::Parts::system()).await;
        let why = format!("{:?}", started.err().expect("it does not start"));
        assert!(why.contains(says), "{why}");
    }
}

#[test]
fn flags_describe_one_tls_listener() {
    use clap::Parser;
    let parse = |more: &[&str]| {
        let all = ["pierhead", "serve"].iter().chain(more).copied();
        pierhead::cli::Cli::try_parse_from(all)
    };
    let cli =
        parse(&["--gateway-tls", "127.0.0.1:8443", "--gateway-cert", "a.pem", "--gateway-key", "a.key"]);
    let pierhead::cli::Command::Serve(serve) = cli.unwrap().command else { panic!("not serve") };
    let config = pierhead::config::Config::load(None, serve.flags()).unwrap();
    let listener = &config.gateway.tls[0];
    assert_eq!((listener.listen.port(), listener.certificates[0].key.as_path()), (8443, Path::new("a.key")));
    assert!(parse(&["--gateway-tls", "127.0.0.1:8443"]).is_err(), "without a certificate");
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_is_agreed_on_in_the_handshake() {
    let (files, authority) = (folder(), Authority::new("ours"));
    authority.server(&["api.test"]).write(files.path(), "api");
    let pierhead = serving(files.path(), &["api"], &[]).await;
    publish(&pierhead.admin().await, &["request.version", "client.scheme", "tls.server.name"]).await;
    let at = pierhead.gateway_tls()[0];

    let stream = TlsClient::new(&authority, None, &["h2", "http/1.1"]).connect(at, "api.test").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get("https://api.test/seen").body(()).unwrap();
    let (response, _) = client.send_request(request, true).unwrap();
    let mut response = response.await.unwrap();
    let mut text = Vec::new();
    while let Some(part) = response.body_mut().data().await {
        text.extend_from_slice(&part.unwrap());
    }

    let text = String::from_utf8(text).unwrap();
    for line in ["request.version=[2.0]", "client.scheme=[https]", "tls.server.name=[api.test]"] {
        assert!(text.contains(line), "{line}: {text}");
    }
}
