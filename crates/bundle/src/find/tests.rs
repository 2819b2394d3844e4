use super::*;
use crate::write_archive;

fn files(list: &[(&str, &[u8])]) -> Files {
    let mut files = Files::default();
    for (path, bytes) in list {
        files.insert(*path, *bytes);
    }
    files
}

#[test]
fn bundles_are_found_in_folders_zips_and_zips_in_zips() {
    let endpoint: &[u8] = b"<ProxyEndpoint name=\"default\"/>";
    let inner = write_archive(&files(&[("apiproxy/proxies/default.xml", endpoint)])).unwrap();
    let deepest = write_archive(&files(&[("three.zip", &inner)])).unwrap();
    let outer =
        write_archive(&files(&[("a/one.zip", &inner), ("two.zip", &deepest), ("readme.md", b"x")])).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let put = |path: &str, bytes: &[u8]| {
        let whole = folder.path().join(path);
        std::fs::create_dir_all(whole.parent().unwrap()).unwrap();
        std::fs::write(whole, bytes).unwrap();
    };
    put("p/apiproxy/proxies/default.xml", endpoint);
    put("p/notes.txt", b"not of the bundle");
    put("node_modules/q/apiproxy/proxies/default.xml", endpoint);
    put("all.zip", &outer);
    put("torn.zip", &outer[..outer.len() / 2]);

    let Discovery { found, refused } =
        find(folder.path(), &Limits { nested_zips: 1, ..Limits::default() }).unwrap();

    let at: Vec<_> = found.iter().map(|found| (found.at.as_str(), found.bundle.content.name())).collect();
    assert_eq!(at, [("all.zip!a/one.zip!apiproxy", "one"), ("p/apiproxy", "p")]);
    assert_eq!(refused.iter().map(|(file, _)| file.as_str()).collect::<Vec<_>>(), ["torn.zip"]);
    let Discovery { found, .. } = find(folder.path(), &Limits::default()).unwrap();
    assert_eq!(found.len(), 3, "one level deeper there is another");
}

#[test]
#[cfg(unix)]
fn links_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(elsewhere.path().join("apiproxy/proxies")).unwrap();
    std::fs::write(elsewhere.path().join("apiproxy/proxies/default.xml"), "<ProxyEndpoint/>").unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("link")).unwrap();
    let Discovery { found, .. } = find(folder.path(), &Limits::default()).unwrap();
    assert!(found.is_empty());
}
