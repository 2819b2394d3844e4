//! A node without its database.

use pierhead_testkit::Pierhead;

#[tokio::test]
async fn doctor_says_whether_a_start_without_the_database_would_do() {
    let node = Pierhead::start().await;
    let data = node.data_dir();
    let doctor = || {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_pierhead"))
            .args(["doctor", "--gateway", "127.0.0.1:0", "--control", "127.0.0.1:0", "--data-dir"])
            .arg(&data)
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), out.lines().find(|line| line.contains("last good")).unwrap().to_owned())
    };

    let (good, line) = doctor();
    assert!(good && line.contains("opens"), "{line}");
    std::fs::write(data.join("last-good"), "nonsense\n").unwrap();
    let (good, line) = doctor();
    assert!(!good && line.starts_with("FAIL") && line.contains("no last good snapshot"), "{line}");
}
