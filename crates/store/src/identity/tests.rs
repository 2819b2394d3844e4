//! Identity rows on both databases.

use std::collections::BTreeMap;

use pierhead_domain::{AccountId, EpochMillis, OrganizationId, Role, UserId};

use super::*;
use crate::{Store, StoreError, WriteTx, on_both_databases};

const NOW: EpochMillis = EpochMillis::new(1_000);

async fn organization(tx: &WriteTx, secret: &str) -> OrganizationId {
    let new = NewOrganization { name: "Acme".into(), secret_hash: secret.into(), created: NOW };
    tx.add_organization(&new).await.unwrap()
}

async fn account(tx: &WriteTx, organization: OrganizationId, name: &str, is_default: bool) -> AccountId {
    let new = NewAccount {
        organization,
        name: name.into(),
        external_id: Some(format!("x-{name}")),
        description: None,
        is_default,
        created: NOW,
    };
    tx.add_account(&new).await.unwrap()
}

fn person(organization: OrganizationId, account: AccountId, email: &str) -> NewPerson {
    NewPerson {
        organization,
        account,
        email: email.into(),
        first_name: "Ada".into(),
        last_name: "Lovelace".into(),
        profile: BTreeMap::from([("phone".to_owned(), "1".to_owned())]),
        external_id: None,
        password_hash: "$argon2id$".into(),
        secret_hash: format!("hash of {email}"),
        secret_sealed: vec![0, 159, 255],
        created: NOW,
    }
}

struct House {
    organization: OrganizationId,
    home: AccountId,
    other: AccountId,
    ada: UserId,
    bob: UserId,
}

async fn house(store: &Store) -> House {
    let tx = store.write().await.unwrap();
    let organization = organization(&tx, "o").await;
    let home = account(&tx, organization, "home", true).await;
    let other = account(&tx, organization, "Other", false).await;
    let ada = tx.add_person(&person(organization, home, "ada@example.com")).await.unwrap();
    let bob = tx.add_person(&person(organization, other, "bob@example.com")).await.unwrap();
    tx.grant(RoleHolder::Person(ada), Role::OrgAdmin).await.unwrap();
    tx.commit().await.unwrap();
    House { organization, home, other, ada, bob }
}

on_both_databases! {
    async fn only_one_organization_is_the_first(store: Store) {
        let tx = store.write().await.unwrap();
        let first = organization(&tx, "a").await;
        tx.seal_organization(first, vec![1, 0]).await.unwrap();
        tx.claim_installation(first, NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.identities().first_organization().await.unwrap(), Some(first));
        assert_eq!(store.identities().organization(first).await.unwrap().unwrap().secret_sealed, [1, 0]);

        let tx = store.write().await.unwrap();
        let second = organization(&tx, "b").await;
        let claimed = tx.claim_installation(second, NOW).await;
        assert!(matches!(claimed, Err(StoreError::Duplicate(_))), "{claimed:?}");
        drop(tx);
        assert_eq!(store.identities().organization(second).await.unwrap(), None);
    }

    async fn an_email_address_is_unique_in_the_installation(store: Store) {
        let house = house(&store).await;
        let tx = store.write().await.unwrap();
        let mut again = person(house.organization, house.other, "ada@example.com");
        again.secret_hash = "another".into();
        let added = tx.add_person(&again).await;
        assert!(matches!(added, Err(StoreError::Duplicate(_))), "{added:?}");
        drop(tx);

        let tx = store.write().await.unwrap();
        let mut bob = tx.identities().person(house.bob).await.unwrap().unwrap();
        bob.email = "ada@example.com".into();
        let saved = tx.save_person(&bob).await;
        assert!(matches!(saved, Err(StoreError::Duplicate(_))), "{saved:?}");
    }

    async fn a_user_is_found_by_id_email_and_secret_and_comes_back_whole(store: Store) {
        let house = house(&store).await;
        let reads = store.identities();
        let ada = reads.person(house.ada).await.unwrap().unwrap();
        assert_eq!(ada.profile["phone"], "1");
        assert_eq!(ada.secret_sealed, [0, 159, 255]);
        assert_eq!(reads.person_by_email("ada@example.com").await.unwrap().unwrap(), ada);
        assert_eq!(reads.person_by_secret("hash of ada@example.com").await.unwrap().unwrap(), ada);
        assert_eq!(reads.person_by_email("nobody@example.com").await.unwrap(), None);

        let tx = store.write().await.unwrap();
        tx.note_login(house.ada, EpochMillis::new(5_000)).await.unwrap();
        tx.save_person(&StoredPerson { first_name: "A".into(), updated: EpochMillis::new(6_000), ..ada }).await.unwrap();
        tx.commit().await.unwrap();
        let ada = reads.person(house.ada).await.unwrap().unwrap();
        assert_eq!((ada.first_name.as_str(), ada.last_login, ada.updated), ("A", Some(EpochMillis::new(5_000)), EpochMillis::new(6_000)));
    }

    async fn lists_filter_page_and_count(store: Store) {
        let house = house(&store).await;
        let reads = store.identities();
        let of = |terms, include_inactive| AccountFilter { organization: house.organization, only: None, include_inactive, terms };
        let (page, total) = reads.accounts(&of(vec![], false), 1, 1).await.unwrap();
        assert_eq!((page[0].id, total), (house.other, 2));
        let named = vec![(AccountField::Name, Wanted::Text(vec!["OTHER".into()]))];
        assert_eq!(reads.accounts(&of(named, false), 0, 9).await.unwrap().0[0].id, house.other);
        let default = vec![(AccountField::IsDefault, Wanted::Flag(true))];
        assert_eq!(reads.accounts(&of(default, false), 0, 9).await.unwrap().0[0].id, house.home);
        let by_id = vec![(AccountField::Id, Wanted::Number(vec![house.home.as_i64(), 999]))];
        assert_eq!(reads.accounts(&of(by_id, false), 0, 9).await.unwrap().1, 1);

        let tx = store.write().await.unwrap();
        let mut bob = tx.identities().person(house.bob).await.unwrap().unwrap();
        bob.active = false;
        tx.save_person(&bob).await.unwrap();
        tx.commit().await.unwrap();
        let people = |account, include_inactive, terms| PersonFilter { organization: house.organization, account, include_inactive, terms };
        assert_eq!(reads.people(&people(None, false, vec![]), 0, 9).await.unwrap().1, 1);
        assert_eq!(reads.people(&people(None, true, vec![]), 0, 9).await.unwrap().1, 2);
        assert_eq!(reads.people(&people(Some(house.other), true, vec![]), 0, 9).await.unwrap().0[0].id, house.bob);
        let email = vec![(PersonField::Email, Wanted::Text(vec!["Ada@Example.com".into()]))];
        assert_eq!(reads.people(&people(None, true, email), 0, 9).await.unwrap().0[0].id, house.ada);
    }

    async fn a_role_is_granted_once_and_revoked_once(store: Store) {
        let house = house(&store).await;
        let holder = RoleHolder::Person(house.ada);
        let tx = store.write().await.unwrap();
        let again = tx.grant(holder, Role::OrgAdmin).await;
        assert!(matches!(again, Err(StoreError::Duplicate(_))), "{again:?}");
        drop(tx);
        let tx = store.write().await.unwrap();
        tx.grant(holder, Role::ApiGuest).await.unwrap();
        assert!(tx.revoke(holder, Role::OrgAdmin).await.unwrap());
        assert!(!tx.revoke(holder, Role::OrgAdmin).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(store.identities().roles_of(holder).await.unwrap(), [Role::ApiGuest]);
        let of_all = store.identities().roles_of_people(&[house.ada, house.bob]).await.unwrap();
        assert_eq!(of_all, BTreeMap::from([(house.ada, vec![Role::ApiGuest])]));
    }

    async fn an_administrator_counts_only_while_user_and_account_are_active(store: Store) {
        let house = house(&store).await;
        assert!(store.identities().has_administrator(house.organization).await.unwrap());
        let tx = store.write().await.unwrap();
        let mut home = tx.identities().account(house.home).await.unwrap().unwrap();
        home.active = false;
        tx.save_account(&home).await.unwrap();
        assert!(!tx.identities().has_administrator(house.organization).await.unwrap());
        tx.grant(RoleHolder::Account(house.other), Role::OrgAdmin).await.unwrap();
        assert!(tx.identities().has_administrator(house.organization).await.unwrap());
    }

    async fn deleting_the_people_of_an_account_takes_their_roles_and_logins(store: Store) {
        let house = house(&store).await;
        let login = StoredLogin { token_hash: "t".into(), person: house.ada, created: NOW, expires: EpochMillis::new(9_000) };
        let tx = store.write().await.unwrap();
        tx.add_login(&login).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.identities().login("t").await.unwrap(), Some(login));

        let tx = store.write().await.unwrap();
        let home = tx.identities().account(house.home).await.unwrap().unwrap();
        tx.delete_people_of(&home).await.unwrap();
        tx.commit().await.unwrap();
        let reads = store.identities();
        assert_eq!(reads.person(house.ada).await.unwrap(), None);
        assert_eq!(reads.login("t").await.unwrap(), None);
        assert_eq!(reads.roles_of(RoleHolder::Person(house.ada)).await.unwrap(), []);
        assert!(reads.person(house.bob).await.unwrap().is_some());
    }

    async fn a_login_that_is_over_is_forgotten_with_the_next(store: Store) {
        let house = house(&store).await;
        let login = |hash: &str, created: i64| StoredLogin {
            token_hash: hash.into(),
            person: house.ada,
            created: EpochMillis::new(created),
            expires: EpochMillis::new(created + 10),
        };
        let tx = store.write().await.unwrap();
        tx.add_login(&login("old", 1)).await.unwrap();
        tx.add_login(&login("new", 100)).await.unwrap();
        assert!(tx.end_login("new").await.unwrap());
        assert!(!tx.end_login("old").await.unwrap());
    }

    async fn a_deleted_service_key_takes_its_tokens_along(store: Store) {
        let house = house(&store).await;
        let roles: pierhead_domain::Roles = [Role::ApiAdministrator, Role::ApiGuest].into_iter().collect();
        let key = StoredServiceKey {
            client_id: "sk-1".into(),
            organization: house.organization,
            name: "ci".into(),
            secret_hash: "h".into(),
            roles: roles.clone(),
            created_by: "ada@example.com".into(),
            created: NOW,
            expires: None,
        };
        let token = StoredAccessToken { token_hash: "t".into(), client_id: "sk-1".into(), roles, expires: EpochMillis::new(2_000) };
        let tx = store.write().await.unwrap();
        tx.add_service_key(&key).await.unwrap();
        tx.add_access_token(&token, NOW).await.unwrap();
        tx.commit().await.unwrap();
        let reads = store.identities();
        assert_eq!(reads.service_key("sk-1").await.unwrap().as_ref(), Some(&key));
        assert_eq!(reads.service_keys(house.organization).await.unwrap(), [key]);
        assert_eq!(reads.access_token("t").await.unwrap(), Some(token));

        let tx = store.write().await.unwrap();
        assert!(!tx.delete_service_key(OrganizationId::new(999), "sk-1").await.unwrap());
        assert!(tx.delete_service_key(house.organization, "sk-1").await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(reads.service_key("sk-1").await.unwrap(), None);
        assert_eq!(reads.access_token("t").await.unwrap(), None);
    }

    async fn text_that_no_row_can_hold_finds_nothing_and_fails_nowhere(store: Store) {
        let house = house(&store).await;
        let reads = store.identities();
        assert_eq!(reads.person_by_email("a\0@example.com").await.unwrap(), None);
        assert_eq!(reads.service_key("sk-\0").await.unwrap(), None);
        let terms = vec![(PersonField::FirstName, Wanted::Text(vec!["\0".into()]))];
        let filter = PersonFilter { organization: house.organization, account: None, include_inactive: true, terms };
        assert_eq!(reads.people(&filter, 0, 9).await.unwrap().1, 0);
        let tx = store.write().await.unwrap();
        assert!(!tx.delete_service_key(house.organization, "\0").await.unwrap());
    }
}
