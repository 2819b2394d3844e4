use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in entries {
        if name.ends_with('/') {
            writer.add_directory(*name, options).unwrap();
        } else {
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

fn refused(bytes: &[u8], limits: &Limits) -> String {
    read_archive(bytes, limits).unwrap_err().to_string()
}

/// The same bytes with each `from` replaced; both have the same length, so that offsets stay.
fn patched(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    for at in 0..bytes.len().saturating_sub(from.len()) {
        if &bytes[at..at + from.len()] == from {
            bytes[at..at + from.len()].copy_from_slice(to);
        }
    }
    bytes
}

#[test]
fn folders_and_resource_forks_are_no_files() {
    let bytes = zip(&[("apiproxy/", b""), ("apiproxy/a.xml", b"<a/>"), ("__MACOSX/apiproxy/._a.xml", b"x")]);
    let files = read_archive(&bytes, &Limits::default()).unwrap();
    assert_eq!(files.iter().collect::<Vec<_>>(), [("apiproxy/a.xml", &b"<a/>"[..])]);
}

#[test]
fn the_same_files_give_the_same_zip() {
    let mut files = Files::default();
    files.insert("b", vec![0, 255]);
    files.insert("a/c.xml", "x".repeat(10_000));

    let bytes = write_archive(&files).unwrap();

    assert_eq!(bytes, write_archive(&files).unwrap());
    assert_eq!(read_archive(&bytes, &Limits::default()).unwrap(), files);
}

#[test]
fn a_bomb_is_defused_while_it_inflates() {
    let zeros = vec![0; 9 << 20];
    let bytes = zip(&[("a", &zeros), ("b", &zeros)]);
    let limits = Limits { free_bytes: 1 << 20, ratio: 10, ..Limits::default() };
    assert!(refused(&bytes, &limits).contains("InflatesTooMuch"), "{}", refused(&bytes, &limits));
    let limits = Limits { file_bytes: 1 << 20, ..Limits::default() };
    assert!(refused(&bytes, &limits).starts_with("a: FileTooBig"), "{}", refused(&bytes, &limits));
    let limits = Limits { total_bytes: 10 << 20, ratio: u64::MAX, ..Limits::default() };
    assert!(refused(&bytes, &limits).starts_with("b: InflatesTooMuch"), "{}", refused(&bytes, &limits));
}

#[test]
fn a_size_that_the_zip_lies_about_does_not_help_it() {
    let zeros = vec![0; 3 << 20];
    let honest = zip(&[("a", &zeros)]);
    let lying = patched(honest, &(3_u32 << 20).to_le_bytes(), &10_u32.to_le_bytes());
    let limits = Limits { file_bytes: 1 << 20, ..Limits::default() };
    assert!(read_archive(&lying, &limits).is_err());
}

#[test]
fn counts_and_sizes_are_bounded() {
    let bytes = zip(&[("a", b""), ("b", b""), ("c", b"")]);
    assert!(refused(&bytes, &Limits { files: 2, ..Limits::default() }).contains("TooManyFiles"));
    assert!(refused(&bytes, &Limits { zip_bytes: 10, ..Limits::default() }).contains("ZipTooBig"));
}

#[test]
fn no_path_leaves_the_bundle() {
    for (name, rule) in [
        ("../../etc/passwd", "leaves the bundle"),
        ("/etc/passwd", "absolute"),
        ("a/../../b", "leaves the bundle"),
        ("..\\b", "leaves the bundle"),
        ("C:\\b", "absolute"),
    ] {
        let said = refused(&zip(&[(name, b"x")]), &Limits::default());
        assert!(said.contains(rule), "{name}: {said}");
    }
}

#[test]
fn a_name_comes_once() {
    let bytes = patched(zip(&[("policies/a", b"1"), ("policies/b", b"2")]), b"policies/b", b"policies/a");
    assert!(refused(&bytes, &Limits::default()).contains("same name"));
    let slashes = zip(&[("policies/a", b"1"), ("policies\\a", b"2")]);
    assert!(refused(&slashes, &Limits::default()).contains("this name"));
}

#[test]
fn a_link_is_no_file() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_symlink("apiproxy/a.xml", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    assert!(refused(&bytes, &Limits::default()).contains("a link to another file"));
}

#[test]
fn what_is_no_zip_says_so() {
    for bytes in [&b""[..], b"PK", b"UEsDBBQ", &[0; 100]] {
        assert!(refused(bytes, &Limits::default()).contains("not a zip"));
    }
    let whole = zip(&[("a", &[7; 5_000])]);
    assert!(read_archive(&whole[..whole.len() / 2], &Limits::default()).is_err());
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        let _ = read_archive(&bytes, &Limits::default());
    }

    #[test]
    fn no_damage_makes_the_reader_panic(at in proptest::collection::vec((0_usize..1_000, proptest::num::u8::ANY), 1..6)) {
        let mut bytes = zip(&[("APIProxy/a.xml", b"<APIProxy/>"), ("APIProxy/Policy/b.xml", &[b'x'; 300])]);
        for (index, byte) in at {
            let index = index % bytes.len();
            bytes[index] = byte;
        }
        if let Ok(files) = read_archive(&bytes, &Limits::default()) {
            let _ = crate::read_files(&files, "x", &Limits::default());
        }
    }
}
