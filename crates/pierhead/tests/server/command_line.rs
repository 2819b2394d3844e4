//! The commands that answer and end.

use std::process::Command;

fn pierhead(arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_pierhead")).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn print_config_shows_each_value_and_where_it_came_from() {
    let (good, out, _) = pierhead(&["serve", "--print-config", "--gateway", "127.0.0.1:7070"]);
    assert!(good);
    let line = |key: &str| {
        out.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("{key} in {out}"))
    };
    assert!(
        line("gateway.listen").contains("127.0.0.1:7070") && line("gateway.listen").ends_with("# flag"),
        "{out}"
    );
    assert!(line("control.listen").ends_with("# default"), "{out}");
}

#[test]
fn a_wrong_setting_is_named_and_nothing_starts() {
    let (good, _, err) = pierhead(&["serve", "--egress-allow", "10.0.0.0/99"]);
    assert!(!good);
    assert!(err.contains("--egress-allow") && err.contains("10.0.0.0/99"), "{err}");
}

#[test]
fn migrate_makes_the_schema_and_says_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let (good, out, err) = pierhead(&["migrate", "--data-dir", data]);
    assert!(good && out.contains("applied"), "{out}{err}");
    let (good, out, err) = pierhead(&["migrate", "--data-dir", data]);
    assert!(good && out.contains("up to date"), "{out}{err}");
}

#[test]
fn doctor_names_a_port_that_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = folder.path().to_str().unwrap();
    let (good, out, _) =
        pierhead(&["doctor", "--data-dir", data, "--gateway", &address, "--control", "127.0.0.1:0"]);
    assert!(!good);
    assert!(out.contains("FAIL") && out.contains(&address) && out.contains("--gateway"), "{out}");
}

#[test]
fn completions_and_version_come_out() {
    assert!(pierhead(&["completions", "bash"]).1.contains("pierhead"));
    assert!(pierhead(&["version"]).1.starts_with("pierhead "));
}
