use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use pierhead_store::{DatabaseUrl, Store, on_both_databases};

use super::*;
use crate::live::StartFailure;
use crate::testing::{ACME, Nodes, deploy, design, put_value, served, undeploy, value};

/// A database that never answers.
async fn away() -> Store {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    Store::open_unasked(&DatabaseUrl::Postgres(format!("postgres://nobody@127.0.0.1:{port}/x")))
        .await
        .unwrap()
}

/// A node that deployed two proxies, stopped one of them, and wrote a value; what it kept is in the folder.
async fn kept(nodes: &Nodes, folder: &Path) {
    let node = nodes.keeping(folder);
    node.start().await.unwrap();
    deploy(&node, design("stays")).await;
    deploy(&node, design("goes")).await;
    put_value(&node, "m", "k", "old").await;
    node.parts().last_good.write_changes().await;
    undeploy(&node, "goes").await;
    put_value(&node, "m", "k", "s3cret-value").await;
    node.close().await;
}

fn refusal(started: Result<(), StartFailure>) -> BadLastGood {
    match started {
        Err(StartFailure::LastGood(bad)) => bad,
        other => panic!("{other:?}"),
    }
}

on_both_databases! {
    async fn a_node_without_its_database_serves_what_another_process_kept(store: Store) {
        let folder = tempfile::tempdir().unwrap();
        let nodes = Nodes::over(store).with_keys_in_store().await;
        kept(&nodes, folder.path()).await;

        let node = nodes.with_store(away().await).keeping(folder.path());
        node.start_from_last_good().await.unwrap();

        assert_eq!(served(&node), ["stays"]);
        assert_eq!(value(&node, "m", "k").as_deref(), Some("s3cret-value"));
        node.close().await;
        let report = LastGoodFile::in_folder(folder.path()).examine(&nodes.vault, ACME).unwrap();
        assert!(report.parts >= 2 && report.written == pierhead_domain::Clock::now(&nodes.clock), "{report:?}");
    }

    async fn once_the_database_answers_everything_is_read_from_it(store: Store) {
        let folder = tempfile::tempdir().unwrap();
        let nodes = Nodes::over(store).with_keys_in_store().await;
        kept(&nodes, folder.path()).await;
        let elsewhere = nodes.management();
        elsewhere.start().await.unwrap();
        deploy(&elsewhere, design("later")).await;
        elsewhere.close().await;

        let node = nodes.keeping(folder.path());
        node.start_from_last_good().await.unwrap();
        node.catch_up().await.unwrap();
        assert_eq!(served(&node), ["later", "stays"]);
        node.close().await;

        let again = nodes.with_store(away().await).keeping(folder.path());
        again.start_from_last_good().await.unwrap();
        assert_eq!(served(&again), ["later", "stays"], "the newer state is kept, too");
        again.close().await;
    }

    async fn what_is_kept_is_sealed_and_private(store: Store) {
        let folder = tempfile::tempdir().unwrap();
        kept(&Nodes::over(store).with_keys_in_store().await, folder.path()).await;
        let file = folder.path().join("last-good");
        let bytes = std::fs::read(&file).unwrap();
        for clear in ["s3cret-value", "proxy_endpoints", "proxyEndpoints", "basePath", "base_path"] {
            assert!(!bytes.windows(clear.len()).any(|some| some == clear.as_bytes()), "{clear}");
        }
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!folder.path().join("last-good.new").exists());
    }

    async fn a_file_of_another_key_another_format_or_another_kind_is_refused_by_name(store: Store) {
        let folder = tempfile::tempdir().unwrap();
        let nodes = Nodes::over(store).with_keys_in_store().await;
        let node = nodes.with_store(away().await).keeping(folder.path());
        assert!(matches!(refusal(node.start_from_last_good().await), BadLastGood::Missing(_)));
        let keeps_none = nodes.with_store(away().await).management();
        assert!(matches!(refusal(keeps_none.start_from_last_good().await), BadLastGood::NotKept));
        kept(&nodes, folder.path()).await;

        let stranger = Nodes::over(away().await).keeping(folder.path());
        let why = refusal(stranger.start_from_last_good().await);
        assert!(matches!(why, BadLastGood::DoesNotOpen(_)) && why.to_string().contains("key file"), "{why}");
        assert!(served(&stranger).is_empty());

        let file = folder.path().join("last-good");
        let good = std::fs::read(&file).unwrap();
        let mut changed = good.clone();
        let last = changed.len() - 1;
        changed[last] ^= 1;
        std::fs::write(&file, &changed).unwrap();
        assert!(matches!(refusal(node.start_from_last_good().await), BadLastGood::DoesNotOpen(_)));

        let newer = [b"pierhead last good snapshot 9\n{}\n".as_slice(), &good].concat();
        std::fs::write(&file, newer).unwrap();
        let why = refusal(node.start_from_last_good().await);
        assert!(matches!(why, BadLastGood::Format { found: 9, .. }), "{why}");

        std::fs::write(&file, "something else\n").unwrap();
        assert!(matches!(refusal(node.start_from_last_good().await), BadLastGood::NotOne(_)));
        assert!(served(&node).is_empty());
    }

    async fn a_change_that_was_never_finished_is_as_if_it_never_was(store: Store) {
        let folder = tempfile::tempdir().unwrap();
        let nodes = Nodes::over(store).with_keys_in_store().await;
        kept(&nodes, folder.path()).await;
        let file = folder.path().join("last-good");
        for torn in [&b"\x07\0"[..], b"\x04\0\0\0Keys\xff\0\0\0abc", b"\xff\xff\xff\xffabc"] {
            let good = std::fs::read(&file).unwrap();
            std::fs::OpenOptions::new().append(true).open(&file).unwrap().write_all(torn).unwrap();
            let node = nodes.with_store(away().await).keeping(folder.path());
            node.start_from_last_good().await.unwrap();
            assert_eq!(served(&node), ["stays"]);
            node.close().await;
            std::fs::write(&file, good).unwrap();
        }
    }

    async fn the_file_grows_with_what_is_kept_and_not_with_how_often_it_changes(store: Store) {
        let folder = tempfile::tempdir().unwrap();
        let nodes = Nodes::over(store).with_keys_in_store().await;
        let node = nodes.keeping(folder.path());
        node.start().await.unwrap();
        deploy(&node, design("p")).await;
        let large = "x".repeat(200_000);
        for round in 0..40 {
            put_value(&node, "m", "k", &format!("{round}{large}")).await;
            node.parts().last_good.write_changes().await;
        }
        node.close().await;

        let length = std::fs::metadata(folder.path().join("last-good")).unwrap().len();
        assert!(length < 3_000_000, "{length} bytes of {} that were written", 40 * 400_000);
        let again = nodes.with_store(away().await).keeping(folder.path());
        again.start_from_last_good().await.unwrap();
        assert_eq!((served(&again), value(&again, "m", "k")), (vec!["p".to_owned()], Some(format!("39{large}"))));
        again.close().await;
    }
}
