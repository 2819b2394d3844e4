//! One bundle on one's own machine: `pierhead run`, `check` and `convert` in processes of their own.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

const TARGET: &str = "<TargetEndpoint name=\"default\"><HTTPTargetConnection><URL>https://backend.test/base</URL></HTTPTargetConnection></TargetEndpoint>";

fn endpoint(step: &str) -> String {
    format!(
        "<ProxyEndpoint name=\"default\">\n<PreFlow><Request>{step}</Request></PreFlow>\n<HTTPProxyConnection><BasePath>/orders</BasePath></HTTPProxyConnection>\n<RouteRule name=\"r\"><TargetEndpoint>default</TargetEndpoint></RouteRule>\n</ProxyEndpoint>"
    )
}

fn put(folder: &Path, path: &str, text: &str) {
    let whole = folder.join(path);
    std::fs::create_dir_all(whole.parent().unwrap()).unwrap();
    std::fs::write(whole, text).unwrap();
}

fn bundle() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "apiproxy/orders.xml", "<APIProxy name=\"orders\"/>");
    put(folder.path(), "apiproxy/proxies/default.xml", &endpoint("<Step><Name>Key</Name></Step>"));
    put(folder.path(), "apiproxy/targets/default.xml", TARGET);
    put(
        folder.path(),
        "apiproxy/policies/Key.xml",
        "<VerifyAPIKey name=\"Key\"><APIKey ref=\"request.queryparam.key\"/></VerifyAPIKey>",
    );
    folder
}

/// `pierhead run --json`; it is ended when this value goes.
struct Run {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Run {
    fn start(folder: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pierhead"))
            .arg("run")
            .arg(folder)
            .args(["--listen", "127.0.0.1:0", "--json"])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line of this event.
    fn next(&mut self, event: &str) -> Value {
        loop {
            let line = self.lines.next().expect("it still speaks").unwrap();
            let said: Value = serde_json::from_str(&line).unwrap();
            if said["event"] == event {
                return said;
            }
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The whole answer to `GET url`.
fn get(url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_bundle_is_served_with_a_key_and_an_echo_and_each_request_is_told() {
    let folder = bundle();
    let mut run = Run::start(folder.path(), &["--mock-targets", "--key", "k-1"]);
    let serving = run.next("serving");
    assert_eq!(serving["report"]["verdict"], "runs", "{serving}");
    let url = serving["urls"][0].as_str().unwrap();

    assert!(get(&format!("{url}/7")).starts_with("HTTP/1.1 401"));
    let answer = get(&format!("{url}/7?key=k-1"));

    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"path\":\"/base/7\""), "{answer}");
    let told = [run.next("request"), run.next("request")];
    assert_eq!(told.each_ref().map(|line| line["status"].as_u64()), [Some(401), Some(200)]);
    assert_eq!(told[0]["path"], "/orders/7");
}

#[test]
fn a_change_is_served_and_a_broken_one_leaves_the_last_good_one() {
    let folder = bundle();
    let mut run = Run::start(folder.path(), &["--mock-targets", "--watch"]);
    let serving = run.next("serving");
    let url = serving["urls"][0].as_str().unwrap();
    assert!(get(url).starts_with("HTTP/1.1 401"));

    put(folder.path(), "apiproxy/proxies/default.xml", &endpoint("<Step><Name>Gone</Name></Step>"));
    let refused = run.next("refused");
    assert_eq!(refused["last_good_one_serves"], true);
    let finding = &refused["report"]["findings"][0];
    assert_eq!((finding["rule"].as_str(), finding["line"].as_u64()), (Some("UnknownPolicy"), Some(2)));
    assert!(get(url).starts_with("HTTP/1.1 401"), "the last good one");

    put(folder.path(), "apiproxy/proxies/default.xml", &endpoint(""));
    run.next("serving");
    assert!(get(url).starts_with("HTTP/1.1 200"));
}

#[test]
fn settings_beside_the_bundle_are_read_and_mistakes_in_them_named() {
    let folder = bundle();
    put(folder.path(), "pierhead-run.toml", "[[app]]\nname = \"a\"\nkey = \"from-file\"\n");
    let mut run = Run::start(folder.path(), &["--mock-targets"]);
    let serving = run.next("serving");
    let url = serving["urls"][0].as_str().unwrap();
    assert!(get(&format!("{url}?key=from-file")).starts_with("HTTP/1.1 200"));

    put(folder.path(), "pierhead-run.toml", "[[app]]\nnames = \"a\"\n");
    let (good, _, err) = pierhead(&["run", folder.path().to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    assert!(!good && err.contains("pierhead-run.toml: line 2") && err.contains("names"), "{err}");
}

fn pierhead(arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_pierhead")).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn check_says_what_is_wrong_and_fails() {
    let folder = bundle();
    let path = folder.path().to_str().unwrap();
    let (good, out, err) = pierhead(&["check", path]);
    assert!(good && out.starts_with("API proxy orders: runs (1 of 1 step,"), "{out}{err}");

    put(
        folder.path(),
        "apiproxy/policies/Key.xml",
        "<VerifyAPIKey name=\"Key\">\n<Surprise/></VerifyAPIKey>",
    );
    let (good, out, _) = pierhead(&["check", path]);
    assert!(!good && out.contains("apiproxy/policies/Key.xml:2: error:"), "{out}");
    let (_, out, _) = pierhead(&["check", path, "--json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["verdict"], "refused");
}

#[test]
fn a_bundle_goes_over_to_the_other_dialect_and_back() {
    let folder = bundle();
    let zip = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (sap, apigee) = (zip("sap.zip"), zip("apigee.zip"));
    let (good, out, err) =
        pierhead(&["convert", folder.path().to_str().unwrap(), "--to", "sap", "--out", &sap]);
    assert!(good && out.contains("API proxy orders: 4 files"), "{out}{err}");
    let (good, _, err) = pierhead(&["convert", &sap, "--to", "apigee", "--out", &apigee]);
    assert!(good, "{err}");
    let mut run = Run::start(Path::new(&apigee), &["--mock-targets", "--key", "k"]);
    let serving = run.next("serving");
    assert!(get(&format!("{}?key=k", serving["urls"][0].as_str().unwrap())).starts_with("HTTP/1.1 200"));
}

#[test]
fn what_is_no_bundle_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let (good, _, err) = pierhead(&["run", path, "--listen", "127.0.0.1:0"]);
    assert!(!good && err.contains("no bundle in it"), "{err}");
    put(folder.path(), "a.zip", "not a zip");
    let (good, _, err) = pierhead(&["check", &format!("{path}/a.zip")]);
    assert!(!good && err.contains("not a zip"), "{err}");
}
