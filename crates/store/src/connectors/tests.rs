use std::collections::BTreeMap;

use pierhead_domain::{AccountId, EpochMillis, InstanceId, OrganizationId, UserId};

use super::{
    CredentialMark, CredentialState, InstanceChange, InstanceFilter, NewCredential, NewInstance,
    StoredConsent,
};
use crate::{Store, on_both_databases};

const NOW: EpochMillis = EpochMillis::new(1_000_000);

fn later(ms: i64) -> EpochMillis {
    EpochMillis::new(NOW.as_i64() + ms)
}

fn new(name: &str, tags: &[&str]) -> NewInstance {
    NewInstance {
        organization: OrganizationId::new(1),
        account: AccountId::new(2),
        owner: Some(UserId::new(3)),
        owner_name: "ada@example.com".into(),
        element: "folder".into(),
        name: name.into(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        token_hash: format!("hash-{name}"),
        token_sealed: vec![1, 0, 255],
        settings: BTreeMap::from([("root.path".into(), "/srv".into())]),
        secrets_sealed: vec![2],
        external_authentication: "none".into(),
        created: NOW,
    }
}

fn all() -> InstanceFilter {
    InstanceFilter {
        organization: OrganizationId::new(1),
        account: None,
        element: None,
        tags: Vec::new(),
        text: None,
    }
}

fn material(byte: u8, expires: i64) -> NewCredential {
    NewCredential { sealed: vec![byte], expires: Some(later(expires)), refresh_at: Some(later(expires - 10)) }
}

async fn add(store: &Store, new: &NewInstance) -> InstanceId {
    let tx = store.write().await.unwrap();
    let id = tx.add_instance(new).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn add_with_credential(store: &Store) -> CredentialMark {
    let tx = store.write().await.unwrap();
    let instance = tx.add_instance(&new("n", &[])).await.unwrap();
    let generation = tx.put_credential(instance, &material(1, 100)).await.unwrap();
    tx.commit().await.unwrap();
    CredentialMark { instance, generation }
}

async fn names(store: &Store, filter: &InstanceFilter) -> Vec<String> {
    store.instances(filter, 0, 10).await.unwrap().into_iter().map(|found| found.name).collect()
}

on_both_databases! {
    async fn an_instance_comes_back_as_it_was_put(store: Store) {
        let id = add(&store, &new("n", &["a", "b"])).await;

        let found = store.instance(id).await.unwrap().unwrap();

        assert_eq!(found.tags, ["a", "b"]);
        assert_eq!(found.settings["root.path"], "/srv");
        assert_eq!(found.token_sealed, [1, 0, 255]);
        assert_eq!((found.version, found.disabled, found.updated), (1, false, NOW));
        assert_eq!(store.instance_by_token("hash-n").await.unwrap(), Some(found));
        assert_eq!(store.instance_by_token("other").await.unwrap(), None);
    }

    async fn a_list_is_filtered_by_owner_tags_and_text(store: Store) {
        add(&store, &new("Alpha 100%", &["red", "Blue"])).await;
        add(&store, &new("beta_x", &["red"])).await;
        let mut foreign = new("foreign", &[]);
        foreign.organization = OrganizationId::new(9);
        add(&store, &foreign).await;

        assert_eq!(names(&store, &all()).await, ["Alpha 100%", "beta_x"]);
        let tagged = |tags: &[&str]| InstanceFilter { tags: tags.iter().map(|t| (*t).into()).collect(), ..all() };
        assert_eq!(names(&store, &tagged(&["red", "blue"])).await, ["Alpha 100%"]);
        assert_eq!(names(&store, &tagged(&["re"])).await, Vec::<String>::new());
        let with = |text: &str| InstanceFilter { text: Some(text.into()), ..all() };
        assert_eq!(names(&store, &with("ALPHA")).await, ["Alpha 100%"]);
        assert_eq!(names(&store, &with("0%")).await, ["Alpha 100%"]);
        assert_eq!(names(&store, &with("a_x")).await, ["beta_x"]);
        assert_eq!(names(&store, &with("a%x")).await, Vec::<String>::new());
        let other = InstanceFilter { account: Some(AccountId::new(7)), ..all() };
        assert_eq!(names(&store, &other).await, Vec::<String>::new());
        assert_eq!(store.count_instances(&all()).await.unwrap(), [("folder".to_owned(), 2)]);
    }

    async fn a_change_keeps_the_rest_and_raises_the_version(store: Store) {
        let id = add(&store, &new("n", &["a"])).await;
        let tx = store.write().await.unwrap();
        let held = tx.lock_instance(id).await.unwrap().unwrap();
        let change = InstanceChange { disabled: Some(true), ..InstanceChange::default() };
        let changed = tx.change_instance(&held, change, later(5)).await.unwrap();
        tx.commit().await.unwrap();

        assert_eq!(store.instance(id).await.unwrap().unwrap(), changed);
        assert!(changed.disabled);
        assert_eq!((changed.name.as_str(), changed.version, changed.updated), ("n", 2, later(5)));
        assert_eq!(store.instance_versions(&[id, InstanceId::new(99)]).await.unwrap(), [(id, 2)]);
    }

    async fn a_deleted_instance_takes_its_credential_along_and_its_id_is_not_used_again(store: Store) {
        let mark = add_with_credential(&store).await;
        let tx = store.write().await.unwrap();
        assert!(tx.delete_instance(mark.instance).await.unwrap());
        assert!(!tx.delete_instance(mark.instance).await.unwrap());
        tx.commit().await.unwrap();

        assert_eq!(store.credential(mark.instance).await.unwrap(), None);
        assert_ne!(add(&store, &new("n", &[])).await, mark.instance);
    }

    async fn a_half_made_instance_leaves_nothing(store: Store) {
        let tx = store.write().await.unwrap();
        let id = tx.add_instance(&new("n", &[])).await.unwrap();
        tx.put_credential(id, &material(1, 1)).await.unwrap();
        drop(tx);

        assert_eq!(store.instance_by_token("hash-n").await.unwrap(), None);
        assert_eq!(store.credential(id).await.unwrap(), None);
    }

    async fn only_one_holds_the_lease_until_it_ends(store: Store) {
        let mark = add_with_credential(&store).await;
        let lease = async |owner: &str, now: EpochMillis| {
            let tx = store.write().await.unwrap();
            let got = tx.lease_credential(mark, owner, now, now.plus(std::time::Duration::from_millis(50))).await;
            tx.commit().await.unwrap();
            got.unwrap()
        };

        assert!(lease("a", NOW).await);
        assert!(!lease("b", later(50)).await);
        assert_eq!(store.credential(mark.instance).await.unwrap().unwrap().leased_until, Some(later(50)));
        assert!(lease("b", later(51)).await);
    }

    async fn the_first_to_advance_a_generation_wins(store: Store) {
        let mark = add_with_credential(&store).await;
        let tx = store.write().await.unwrap();
        assert!(tx.advance_credential(mark, &material(2, 500)).await.unwrap());
        assert!(!tx.advance_credential(mark, &material(3, 900)).await.unwrap());
        assert!(!tx.lease_credential(mark, "late", NOW, later(1)).await.unwrap());
        let gone = CredentialState::Reconnect { reason: "r".into(), since: NOW };
        assert!(!tx.fail_credential(mark, &gone).await.unwrap());
        tx.commit().await.unwrap();

        let now = store.credential(mark.instance).await.unwrap().unwrap();
        assert_eq!((now.generation, now.sealed, now.expires), (mark.generation + 1, vec![2], Some(later(500))));
        assert_eq!(now.state, CredentialState::Valid);
    }

    async fn a_failed_refresh_keeps_the_material_and_says_why(store: Store) {
        let mark = add_with_credential(&store).await;
        let waiting = CredentialState::Waiting { reason: "503".into(), since: NOW, next_try: later(4) };
        let gone = CredentialState::Reconnect { reason: "invalid_grant".into(), since: NOW };
        for (state, due) in [(waiting, true), (gone, false)] {
            let tx = store.write().await.unwrap();
            assert!(tx.fail_credential(mark, &state).await.unwrap());
            tx.commit().await.unwrap();

            let now = store.credential(mark.instance).await.unwrap().unwrap();
            assert_eq!((now.sealed, now.state), (vec![1], state));
            assert_eq!(store.credentials_due(later(9999), 5).await.unwrap().len(), usize::from(due));
        }
    }

    async fn credentials_are_due_at_their_time_unless_leased(store: Store) {
        let mark = add_with_credential(&store).await;
        assert_eq!(store.credentials_due(later(89), 5).await.unwrap(), []);
        assert_eq!(store.credentials_due(later(90), 5).await.unwrap(), [mark.instance]);

        let tx = store.write().await.unwrap();
        tx.lease_credential(mark, "a", later(90), later(200)).await.unwrap();
        tx.commit().await.unwrap();

        assert_eq!(store.credentials_due(later(90), 5).await.unwrap(), []);
        assert_eq!(store.credential_marks(&[mark.instance]).await.unwrap(), [mark]);
    }

    async fn a_consent_is_used_once_and_a_shared_one_until_it_ends(store: Store) {
        let consent = |id: &str, shared: bool| StoredConsent {
            id: id.into(),
            client: "c".into(),
            nonce: format!("nonce-{id}"),
            shared,
            expires: later(10),
        };
        let tx = store.write().await.unwrap();
        tx.put_consent(&consent("own", false), NOW).await.unwrap();
        tx.put_consent(&consent("shared", true), NOW).await.unwrap();
        assert_eq!(tx.use_consent("own", NOW).await.unwrap(), Some(consent("own", false)));
        assert_eq!(tx.use_consent("own", NOW).await.unwrap(), None);
        assert_eq!(tx.use_consent("shared", NOW).await.unwrap(), Some(consent("shared", true)));
        assert_eq!(tx.use_consent("shared", NOW).await.unwrap(), Some(consent("shared", true)));
        assert_eq!(tx.use_consent("shared", later(10)).await.unwrap(), None);
        tx.commit().await.unwrap();

        assert_eq!(store.consent_of_client("c", NOW).await.unwrap(), Some(consent("shared", true)));
        assert_eq!(store.consent_of_client("c", later(10)).await.unwrap(), None);
    }
}
