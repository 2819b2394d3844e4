//! `pierhead trace` against a running server.

use pierhead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD};

use crate::trace::Traced;

struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Done {
    #[track_caller]
    fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self.out
    }
}

async fn pierhead_trace(traced: &Traced, arguments: &[&str], password: &str) -> Done {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pierhead"));
    command
        .arg("trace")
        .args(arguments)
        .env("PIERHEAD_URL", traced.pierhead.control(""))
        .env("PIERHEAD_USER", ADMIN_EMAIL)
        .env("PIERHEAD_PASSWORD", password)
        .env_remove("PIERHEAD_TOKEN")
        .stdin(std::process::Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let done = Done { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) };
    assert!(!done.out.contains(password) && !done.err.contains(password), "the password is shown");
    done
}

async fn run(traced: &Traced, arguments: &[&str]) -> Done {
    pierhead_trace(traced, arguments, ADMIN_PASSWORD).await
}

#[tokio::test]
async fn a_request_is_recorded_listed_shown_replayed_exported_imported_and_stopped() {
    let traced = Traced::start().await;
    let said = run(&traced, &["start", "Shop", "--session", "s", "--query", "who=kim"]).await.well();
    assert!(said.contains("Session s records requests to Shop, revision 1"), "{said}");
    traced.ask("/shop/1?who=ann", "{}").await.expect_status(200);
    traced.ask("/shop/2?who=kim", "{\"want\":1}").await.expect_status(200);
    let id = traced.recorded(1).await.remove(0);

    let all = run(&traced, &["list"]).await.well();
    assert!(all.contains("SESSION") && all.contains("Shop") && all.contains("recording"), "{all}");
    let rows = run(&traced, &["list", "Shop", "s", "--status", "2xx", "--path", "/shop/2"]).await.well();
    assert!(rows.contains(&id) && rows.contains("POST /shop/2?who=kim"), "{rows}");
    let none = run(&traced, &["list", "Shop", "s", "--status", "failed"]).await.well();
    assert!(none.contains("Nothing recorded that fits"), "{none}");
    let shown = run(&traced, &["show", "Shop", "s", &id]).await.well();
    for part in
        ["POST /shop/2?who=kim", "200 after", "ran     Greet (AssignMessage)", "who: null -> kim", "price"]
    {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains("top-secret") && !shown.contains("geheim-9"), "{shown}");
    let json: serde_json::Value =
        serde_json::from_str(&run(&traced, &["show", "Shop", "s", &id, "--json"]).await.well()).unwrap();
    assert_eq!(json["id"], id.as_str());
    let same = run(&traced, &["replay", "Shop", "s", &id]).await.well();
    assert!(same.contains("No difference."), "{same}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.trace.json");
    let path = file.to_str().unwrap();
    run(&traced, &["export", "Shop", "s", "--out", path]).await.well();
    let har = run(&traced, &["export", "Shop", "s", "--har"]).await.well();
    assert!(har.contains("\"entries\""), "{har}");
    let said = run(&traced, &["import", "Shop", path]).await.well();
    assert!(said.contains("Session kept of Shop shows 1 requests"), "{said}");
    let differs = run(&traced, &["replay", "Shop", "kept", &id, "--header", "x-kind=b"]).await;
    assert!(matches!(differs.code, Some(0 | 1)), "{}", differs.err);

    let said = run(&traced, &["stop", "Shop", "s"]).await.well();
    assert!(said.contains("stays for an hour"), "{said}");
    let said = run(&traced, &["stop", "Shop", "s", "--delete"]).await.well();
    assert!(said.contains("is discarded"), "{said}");
    let gone = run(&traced, &["show", "Shop", "s", &id]).await;
    assert!(gone.code == Some(1) && gone.err.contains("no session s"), "{}", gone.err);
}

#[tokio::test]
async fn what_cannot_be_done_is_said_in_one_line_and_shows_no_secret() {
    let traced = Traced::start().await;
    let refused = pierhead_trace(&traced, &["list"], "a-wrong-password").await;
    assert!(refused.code == Some(1) && refused.err.contains("the login was refused"), "{}", refused.err);
    for (arguments, said) in [
        (&["start", "None"][..], "None"),
        (&["start", "Shop", "--when", "(("], "filter"),
        (&["list", "Shop", "none"], "no session none"),
        (&["--url", "ftp://x", "list"], "http"),
        (&["import", "Shop", "/nowhere/x.json"], "/nowhere/x.json"),
    ] {
        let done = run(&traced, arguments).await;
        assert_eq!(done.code, Some(1), "{arguments:?}: {}", done.out);
        assert!(done.err.contains(said) && done.err.lines().count() == 1, "{arguments:?}: {}", done.err);
    }
}
