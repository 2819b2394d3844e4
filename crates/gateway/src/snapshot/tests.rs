use std::time::Instant;

use super::*;
use crate::design::ProxyDesign;
use crate::testing::{compiled, design};

fn at(name: &str, base_path: &str) -> CompiledProxy {
    let mut design: ProxyDesign = design();
    design.name = name.into();
    design.proxy().base_path = base_path.into();
    compiled(&design)
}

fn serving(base_paths: &[&str]) -> Snapshot {
    base_paths
        .iter()
        .fold(Snapshot::empty("acme", "test"), |snapshot, path| snapshot.with_proxy(at(path, path)).unwrap())
}

fn found(snapshot: &Snapshot, path: &str) -> Option<(String, usize)> {
    let host = snapshot.virtual_host("any")?;
    snapshot.route(host, path).map(|(route, end)| (route.proxy.name.to_string(), end))
}

#[test]
fn the_longest_base_path_wins_and_segments_are_whole() {
    let snapshot = serving(&["/", "/a", "/a/b", "/team/*/members", "/team/x"]);
    for (path, expected) in [
        ("/", ("/", 0)),
        ("/zzz", ("/", 0)),
        ("/a", ("/a", 2)),
        ("/a/", ("/a", 2)),
        ("/ab", ("/", 0)),
        ("/a/bc", ("/a", 2)),
        ("/a/b/c", ("/a/b", 4)),
        ("/team/7/members/1", ("/team/*/members", 15)),
        ("/team/x/members", ("/team/*/members", 15)),
        ("/team/x/y", ("/team/x", 7)),
        ("/team//members", ("/", 0)),
        ("//a", ("/", 0)),
    ] {
        assert_eq!(found(&snapshot, path), Some((expected.0.to_owned(), expected.1)), "{path}");
    }
    assert_eq!(found(&serving(&["/a"]), "/b"), None);
    assert_eq!(found(&serving(&["/a"]), ""), None);
}

#[test]
fn a_base_path_has_one_owner() {
    let snapshot = serving(&["/a"]);
    let taken = snapshot.with_proxy(at("other", "/a")).unwrap_err();
    assert_eq!((taken.proxy.as_str(), taken.base_path.as_str()), ("/a", "/a"));
    assert_eq!(snapshot.base_path_owner("", "/a"), Some("/a"));
}

#[test]
fn a_new_revision_replaces_the_old_with_its_base_paths() {
    let old = serving(&["/a"]);
    let mut moved = at("/a", "/b");
    moved.revision = "2".into();

    let new = old.with_proxy(moved).unwrap();

    assert_eq!(found(&new, "/a"), None);
    assert_eq!(found(&new, "/b/c"), Some(("/a".to_owned(), 2)));
    assert_eq!(found(&old, "/a"), Some(("/a".to_owned(), 2)), "who holds the old one still sees it");
    assert!(new.generation() > old.generation());
    assert_eq!(found(&new.without_proxy("/a"), "/b"), None);
}

#[test]
fn virtual_hosts_have_base_paths_of_their_own() {
    let host = |name: &str, alias: &str, is_default| VirtualHost {
        name: name.into(),
        aliases: vec![alias.into()],
        is_default,
        tls: false,
    };
    let snapshot = Snapshot::empty("acme", "test")
        .with_virtual_hosts([host("one", "one.example", true), host("two", "two.example", false)])
        .unwrap();
    let mut proxy = design();
    proxy.proxy().virtual_hosts = vec!["two".into()];
    let proxy = crate::compile::compile(&proxy, "1", &crate::testing::world_on(snapshot.clone())).unwrap();
    let snapshot = snapshot.with_proxy(proxy).unwrap();

    let serves = |host: &str| {
        let host = snapshot.virtual_host(host).unwrap();
        snapshot.route(host, "/p").is_some()
    };
    assert!(serves("two.example"));
    assert!(serves("TWO.example:8080"));
    assert!(!serves("one.example"));
    assert!(!serves("unknown.example"));
}

#[test]
fn fifty_thousand_routes_cost_no_more_than_one() {
    let proxy = Arc::new(at("many", "/many"));
    let mut table = routes::RouteTable::default();
    for index in 0..50_000 {
        table
            .insert(&format!("/area{}/api{index}", index % 100), Route { proxy: proxy.clone(), endpoint: 0 });
    }
    let mut single = routes::RouteTable::default();
    single.insert("/area7/api7", Route { proxy, endpoint: 0 });
    let time = |table: &routes::RouteTable| {
        (0..5)
            .map(|_| {
                let began = Instant::now();
                for _ in 0..20_000 {
                    assert!(
                        std::hint::black_box(table).find(std::hint::black_box("/area7/api7/x/y")).is_some()
                    );
                }
                began.elapsed()
            })
            .min()
            .unwrap()
    };

    let (one, many) = (time(&single), time(&table));

    assert!(many < one * 4, "1 route: {one:?}, 50,000 routes: {many:?}");
}

#[test]
fn changes_at_the_same_time_are_all_kept() {
    let cell = Arc::new(SnapshotCell::new(Snapshot::empty("acme", "test")));
    let workers: Vec<_> = (0..8)
        .map(|worker| {
            let cell = cell.clone();
            std::thread::spawn(move || {
                for index in 0..20 {
                    let scope = KvmScope::Proxy(format!("{worker}-{index}"));
                    cell.update(|old| old.with_kvm_map(scope, "m", [("k".into(), "v".into())], true));
                }
            })
        })
        .collect();
    workers.into_iter().for_each(|worker| worker.join().unwrap());

    let snapshot = cell.load();

    assert_eq!(snapshot.generation(), 160);
    for worker in 0..8 {
        for index in 0..20 {
            assert!(snapshot.kvm(&KvmScope::Proxy(format!("{worker}-{index}")), "m").is_some());
        }
    }
}

#[test]
fn a_failed_change_changes_nothing() {
    let cell = SnapshotCell::new(serving(&["/a"]));
    let before = cell.load();
    let refused = cell.try_update(|old| old.with_proxy(at("other", "/a")));
    assert!(refused.is_err());
    assert!(Arc::ptr_eq(&before, &cell.load()));
}

#[test]
fn nothing_secret_shows_in_debug_output() {
    let snapshot = Snapshot::empty("acme", "test").with_kvm_map(
        KvmScope::Environment,
        "m",
        [("k".into(), "s3cret".into())],
        true,
    );
    assert!(!format!("{snapshot:?}").contains("s3cret"));
}

#[test]
fn many_changes_are_one_and_a_refused_one_leaves_what_was_there() {
    let old = serving(&["/a", "/b"]);
    let mut edit = old.edit();
    edit.stop("/a");
    edit.serve(Arc::new(at("new", "/a"))).unwrap();
    let taken = edit.serve(Arc::new(at("/b", "/a"))).unwrap_err();
    assert_eq!(taken.proxy, "new");
    edit.put_kvm_map(KvmScope::Environment, "m", [("k".into(), "v".into())], false);
    let new = edit.finish();

    assert_eq!(new.generation(), old.generation() + 1);
    assert_eq!(new.base_path_owner("", "/a"), Some("new"));
    assert_eq!(new.base_path_owner("", "/b"), Some("/b"), "what could not move goes on where it was");
    assert!(new.kvm(&KvmScope::Environment, "m").is_some() && old.kvm(&KvmScope::Environment, "m").is_none());

    let anew = new.anew([VirtualHost::default()]).finish();
    assert_eq!((anew.generation(), anew.proxies().count()), (new.generation() + 1, 0));
    assert_eq!(anew.base_path_owner("", "/a"), None);
}
