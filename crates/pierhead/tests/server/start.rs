//! What keeps a server from starting, and what it says.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

fn serve(data: &std::path::Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pierhead"))
        .args(["serve", "--gateway", "127.0.0.1:0", "--control", "127.0.0.1:0", "--data-dir"])
        .arg(data)
        .output()
        .unwrap()
}

async fn data_with_a_start_behind_it() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = pierhead::config::Config::load(
        None,
        vec![
            ("server.data_dir", folder.path().display().to_string().into()),
            ("gateway.listen", "127.0.0.1:0".into()),
            ("control.listen", "127.0.0.1:0".into()),
        ],
    );
    let server =
        pierhead::server::Server::start(config.unwrap(), pierhead::server::Parts::system()).await.unwrap();
    server.stop().await;
    folder
}

fn complaint(output: &Output) -> String {
    assert!(!output.status.success(), "the server started");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_missing_key_file_is_refused_once_there_are_secrets() {
    let folder = data_with_a_start_behind_it().await;
    std::fs::remove_file(folder.path().join("pierhead.key")).unwrap();
    let why = complaint(&serve(folder.path()));
    assert!(why.contains("pierhead.key") && why.contains("backup"), "{why}");
    assert!(!folder.path().join("pierhead.key").exists(), "a new key would hide the loss");
}

#[tokio::test]
async fn a_key_file_that_others_may_read_is_refused_with_the_cure() {
    let folder = data_with_a_start_behind_it().await;
    let key = folder.path().join("pierhead.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let why = complaint(&serve(folder.path()));
    assert!(why.contains("chmod 600"), "{why}");
}

#[tokio::test]
async fn the_key_file_of_another_installation_is_refused() {
    let (mine, other) = (data_with_a_start_behind_it().await, data_with_a_start_behind_it().await);
    std::fs::copy(other.path().join("pierhead.key"), mine.path().join("pierhead.key")).unwrap();
    let why = complaint(&serve(mine.path()));
    assert!(why.contains("does not belong to this database"), "{why}");
}

#[tokio::test]
async fn a_key_file_that_is_none_is_refused_and_not_repeated() {
    let folder = data_with_a_start_behind_it().await;
    for content in ["", "swordfish", "[keys]\nx = \"swordfish\"\n"] {
        std::fs::write(folder.path().join("pierhead.key"), content).unwrap();
        let why = complaint(&serve(folder.path()));
        assert!(why.contains("pierhead.key") && !why.contains("swordfish"), "{why}");
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused() {
    let pierhead = pierhead_testkit::Pierhead::start().await;
    let why = complaint(&serve(&pierhead.data_dir()));
    assert!(why.contains("another pierhead"), "{why}");
}

#[tokio::test]
async fn the_data_directory_is_its_owners_only() {
    let pierhead = pierhead_testkit::Pierhead::start().await;
    let mode = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(pierhead.data_dir()), 0o700);
    for name in ["pierhead.key", "pierhead.db"] {
        assert_eq!(mode(pierhead.data_dir().join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn readyz_answers_once_everything_serves() {
    let pierhead = pierhead_testkit::Pierhead::start().await;
    pierhead.client.get(pierhead.control("/readyz")).await.expect_status(200);
    pierhead.client.get(pierhead.control("/healthz")).await.expect_status(200);
    let metrics = pierhead.client.get(pierhead.control("/metrics")).await.expect_status(200).text();
    assert!(metrics.contains("pierhead_gateway_requests_total"), "{metrics}");
}
