use std::time::Duration;

use pierhead_domain::{EpochMillis, StoppedClock};

use super::*;

struct Logs {
    folder: tempfile::TempDir,
    clock: Arc<StoppedClock>,
}

impl Logs {
    fn new() -> Self {
        let clock = Arc::new(StoppedClock::at(EpochMillis::new(1_496_775_291_007)));
        Self { folder: tempfile::tempdir().unwrap(), clock }
    }

    fn open(&self) -> LogFolder {
        LogFolder::new(self.folder.path().join("logs"), self.clock.clone())
    }

    /// Writes lines in one life of the program; waits for what was taken.
    fn write(&self, rotation: &Rotation, lines: &[&str]) {
        let folder = self.open();
        let file = Arc::new(LogFile::new(&["o", "a.log"], rotation.clone()).unwrap());
        for line in lines {
            assert!(folder.write(&file, Bytes::copy_from_slice(line.as_bytes())));
        }
    }

    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join("logs/o").join(name)).ok()
    }
}

fn rotation(bytes: Option<u64>, millis: Option<i64>) -> Rotation {
    Rotation { at_start: false, bytes, millis, kept: 2 }
}

#[test]
fn lines_are_appended_and_nothing_is_made_before_the_first() {
    let logs = Logs::new();
    drop(logs.open());
    assert!(!logs.folder.path().join("logs").exists());
    logs.write(&Rotation::default(), &["one", "two"]);
    logs.write(&Rotation::default(), &["three"]);
    assert_eq!(logs.read("a.log").unwrap(), "one\ntwo\nthree\n");
}

#[test]
fn a_file_that_would_be_too_long_is_put_aside_and_the_oldest_goes() {
    let logs = Logs::new();
    logs.write(&rotation(Some(10), None), &["1234", "5678", "abcd", "a line longer than a file", "e", "f"]);
    assert_eq!(
        ["a.log", "a.log.1", "a.log.2", "a.log.3"].map(|name| logs.read(name)),
        [Some("e\nf\n".into()), Some("a line longer than a file\n".into()), Some("abcd\n".into()), None]
    );
}

#[test]
fn a_file_that_is_old_is_put_aside() {
    let logs = Logs::new();
    let folder = logs.open();
    let file = Arc::new(LogFile::new(&["o", "a.log"], rotation(None, Some(60_000))).unwrap());
    let write = |line: &'static str| {
        assert!(folder.write(&file, Bytes::from_static(line.as_bytes())));
        // The next line's time must not be this one's.
        let begun = std::time::Instant::now();
        while !logs.read("a.log").is_some_and(|text| text.ends_with(&format!("{line}\n"))) {
            assert!(begun.elapsed() < Duration::from_secs(60), "{line} is not written");
            std::thread::yield_now();
        }
    };
    write("one");
    logs.clock.advance(Duration::from_millis(59_999));
    write("two");
    logs.clock.advance(Duration::from_millis(1));
    write("three");
    assert_eq!(["a.log", "a.log.1"].map(|name| logs.read(name).unwrap()), ["three\n", "one\ntwo\n"]);
}

#[test]
fn a_file_can_begin_anew_with_the_program() {
    let logs = Logs::new();
    let at_start = Rotation { at_start: true, ..rotation(None, None) };
    logs.write(&at_start, &["one", "two"]);
    logs.write(&at_start, &["three"]);
    assert_eq!(["a.log", "a.log.1"].map(|name| logs.read(name).unwrap()), ["three\n", "one\ntwo\n"]);
    logs.write(&Rotation { kept: 0, ..at_start }, &["four"]);
    assert_eq!(logs.read("a.log").unwrap(), "four\n");
    assert_eq!(logs.read("a.log.1").unwrap(), "one\ntwo\n");
}

#[test]
fn no_name_leads_out_of_the_folder() {
    for parts in [
        &["..", "a.log"][..],
        &["o", "../a.log"],
        &["o", "a/b.log"],
        &["o", "a\\b.log"],
        &["o", ".hidden"],
        &["o", ""],
        &["o", "a\0b"],
        &[],
    ] {
        assert_eq!(LogFile::new(parts, Rotation::default()), None, "{parts:?}");
    }
    assert!(LogFile::new(&["o", "Log 1_2-3.log"], Rotation::default()).is_some());
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed() {
    let logs = Logs::new();
    let elsewhere = logs.folder.path().join("elsewhere");
    std::fs::create_dir_all(&elsewhere).unwrap();
    std::fs::create_dir_all(logs.folder.path().join("logs")).unwrap();
    std::os::unix::fs::symlink(&elsewhere, logs.folder.path().join("logs/o")).unwrap();
    logs.write(&Rotation::default(), &["one"]);
    assert!(!elsewhere.join("a.log").exists());
}
