use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use pierhead_domain::{AccountId, InstanceToken, OrganizationId, SharedClock, StoppedClock};
use pierhead_store::connectors::{CredentialState, NewCredential, NewInstance, StoredCredential};
use pierhead_store::{Store, on_both_databases};

use super::{Material, Refresher, RefresherParts};
use crate::definition::Connector;
use crate::engine::CallProblem;
use crate::instance::{InstanceVault, LiveInstance};
use crate::testing::{NOW, Vendor, catalogue, vault};

const ACME: OrganizationId = OrganizationId::new(1);
const HOUR: Duration = Duration::from_secs(3600);

/// One instance of a vendor, seen from any number of nodes.
struct Scene {
    store: Store,
    vault: InstanceVault,
    clock: StoppedClock,
    vendor: Vendor,
    connector: Arc<Connector>,
    token_hash: String,
}

/// One node: its own memory over the common store.
struct Node {
    refresher: Refresher,
    live: Arc<LiveInstance>,
}

impl Scene {
    async fn set(store: Store) -> Self {
        let clock = StoppedClock::at(NOW);
        let vendor = Vendor::new(Arc::new(clock.clone()));
        let vault = InstanceVault::new(vault());
        let (access_token, refresh_token) = vendor.grant();
        let token = InstanceToken::from("token");
        let token_hash = vault.token_hash("token").as_str().to_owned();
        let material = Material {
            access_token: access_token.into(),
            refresh_token: Some(refresh_token.into()),
            issued: NOW,
        };
        let new = NewInstance {
            organization: ACME,
            account: AccountId::new(1),
            owner: None,
            owner_name: String::new(),
            element: "things".into(),
            name: "n".into(),
            tags: Vec::new(),
            token_hash: token_hash.clone(),
            token_sealed: vault.seal_token(ACME, &token_hash, &token).unwrap(),
            settings: BTreeMap::new(),
            secrets_sealed: vault.seal_secrets(ACME, &token_hash, &BTreeMap::new()).unwrap(),
            external_authentication: "none".into(),
            created: NOW,
        };
        let credential = NewCredential {
            sealed: vault.seal_material(ACME, &token_hash, &material).unwrap(),
            expires: Some(NOW.plus(HOUR)),
            refresh_at: Some(NOW.plus(HOUR)),
        };
        let tx = store.write().await.unwrap();
        let id = tx.add_instance(&new).await.unwrap();
        tx.put_credential(id, &credential).await.unwrap();
        tx.commit().await.unwrap();
        Self {
            store,
            vault,
            clock,
            vendor,
            connector: Arc::clone(catalogue().get("things").unwrap()),
            token_hash,
        }
    }

    async fn node(&self, name: &str) -> Node {
        let clock: SharedClock = Arc::new(self.clock.clone());
        let refresher = Refresher::new(RefresherParts {
            store: self.store.clone(),
            vault: self.vault.clone(),
            outbound: Arc::new(self.vendor.clone()),
            clock,
            node: name.into(),
        });
        let stored = self.store.instance_by_token(&self.token_hash).await.unwrap().unwrap();
        let credential = self.stored().await;
        let live = LiveInstance::open(&self.vault, Arc::clone(&self.connector), stored, Some(credential));
        Node { refresher, live: Arc::new(live.unwrap()) }
    }

    async fn stored(&self) -> StoredCredential {
        let stored = self.store.instance_by_token(&self.token_hash).await.unwrap().unwrap();
        self.store.credential(stored.id).await.unwrap().unwrap()
    }

    async fn stored_material(&self) -> Material {
        self.vault.open_material(ACME, &self.token_hash, self.stored().await.sealed).unwrap()
    }
}

impl Node {
    async fn access_token(&self) -> Result<String, CallProblem> {
        let held = self.refresher.fresh(&self.live).await?;
        Ok(held.credential.part("access_token").unwrap().expose().to_owned())
    }

    async fn after_rejection(&self, generation: u64) -> Result<String, CallProblem> {
        let held = self.refresher.after_rejection(&self.live, generation).await?;
        Ok(held.credential.part("access_token").unwrap().expose().to_owned())
    }
}

on_both_databases! {
    async fn two_hundred_calls_on_an_expired_instance_make_one_refresh(store: Store) {
        let scene = Scene::set(store).await;
        let node = Arc::new(scene.node("a").await);
        scene.clock.advance(HOUR);

        let calls = (0..200).map(|_| {
            let node = Arc::clone(&node);
            tokio::spawn(async move { node.access_token().await })
        });
        for call in futures_util::future::join_all(calls).await {
            assert!(scene.vendor.accepts(&call.unwrap().unwrap()));
        }

        assert_eq!(scene.vendor.token_calls(), 1);
        assert_eq!(scene.stored().await.generation, 2);
    }

    async fn of_several_nodes_one_asks_the_vendor_and_all_get_its_token(store: Store) {
        let scene = Scene::set(store).await;
        let nodes = [scene.node("a").await, scene.node("b").await, scene.node("c").await];
        scene.clock.advance(HOUR);

        let tokens = futures_util::future::join_all(nodes.iter().map(Node::access_token)).await;

        let tokens: Vec<String> = tokens.into_iter().map(Result::unwrap).collect();
        assert!(tokens.iter().all(|token| *token == tokens[0] && scene.vendor.accepts(token)), "{tokens:?}");
        assert_eq!(scene.vendor.token_calls(), 1);
    }

    async fn a_good_token_is_used_without_asking_anybody_until_its_window(store: Store) {
        let scene = Scene::set(store).await;
        let node = scene.node("a").await;
        scene.clock.advance(HOUR - Duration::from_secs(301));
        assert_eq!(node.access_token().await.unwrap(), "access-1");
        assert_eq!(scene.vendor.token_calls(), 0);

        scene.clock.advance(Duration::from_secs(1));

        assert_eq!(node.access_token().await.unwrap(), "access-2");
        assert_eq!(scene.vendor.token_calls(), 1);
    }

    async fn a_rejected_generation_is_replaced_once(store: Store) {
        let scene = Scene::set(store).await;
        let node = scene.node("a").await;
        scene.vendor.end_access_tokens();

        let both = tokio::join!(node.after_rejection(1), node.after_rejection(1));
        let late = node.after_rejection(1).await;

        assert_eq!((both.0.unwrap(), both.1.unwrap()), ("access-2".into(), "access-2".into()));
        assert_eq!(late.unwrap(), "access-2");
        assert_eq!(scene.vendor.token_calls(), 1);
    }

    async fn a_rotated_refresh_token_is_the_next_one_used(store: Store) {
        let scene = Scene::set(store).await;
        let node = scene.node("a").await;
        for round in 2..5 {
            scene.clock.advance(HOUR);
            assert_eq!(node.access_token().await.unwrap(), format!("access-{round}"));
            let asked_with = scene.vendor.last_token_call();
            assert_eq!(asked_with["refresh_token"], format!("refresh-{}", round - 1));
        }
    }

    async fn an_answer_without_refresh_token_or_expiry_keeps_the_old_token_and_is_never_due(store: Store) {
        let scene = Scene::set(store).await;
        scene.vendor.behave(|habits| (habits.rotates, habits.lifetime) = (false, None));
        let node = scene.node("a").await;
        scene.clock.advance(HOUR);
        assert_eq!(node.access_token().await.unwrap(), "access-2");

        scene.clock.advance(HOUR * 1000);

        assert_eq!(node.access_token().await.unwrap(), "access-2");
        let stored = scene.stored().await;
        assert_eq!((stored.generation, stored.expires), (2, None));
        assert_eq!(scene.stored_material().await.refresh_token, Some("refresh-1".into()));
    }

    async fn a_vendor_that_is_down_is_waited_for_and_recovers_by_itself(store: Store) {
        let scene = Scene::set(store).await;
        let node = scene.node("a").await;
        scene.vendor.behave(|habits| habits.down = true);
        scene.clock.advance(HOUR - Duration::from_secs(60));
        assert_eq!(node.access_token().await.unwrap(), "access-1", "still good for a minute");

        scene.clock.advance(Duration::from_secs(61));
        let problem = node.access_token().await.unwrap_err();

        assert_eq!((problem.status, problem.retryable), (StatusCode::BAD_GATEWAY, true));
        let CredentialState::Waiting { reason, since, next_try } = scene.stored().await.state else {
            panic!("{:?}", scene.stored().await.state);
        };
        assert!(reason.contains("connection refused"), "{reason}");
        assert!(since < next_try);
        let id = scene.stored().await.instance;
        assert_eq!(scene.store.credentials_due(next_try, 9).await.unwrap(), [id]);
        assert_eq!(scene.stored_material().await.refresh_token, Some("refresh-1".into()));

        scene.vendor.behave(|habits| habits.down = false);
        scene.clock.advance(Duration::from_secs(10));
        assert_eq!(node.access_token().await.unwrap(), "access-2");
        assert_eq!(scene.stored().await.state, CredentialState::Valid);
    }

    async fn a_failing_vendor_is_not_asked_by_every_call(store: Store) {
        let scene = Scene::set(store).await;
        let node = scene.node("a").await;
        scene.vendor.behave(|habits| habits.fails = Some((StatusCode::SERVICE_UNAVAILABLE, "")));
        scene.clock.advance(HOUR);
        for _ in 0..20 {
            let problem = node.access_token().await.unwrap_err();
            assert_eq!(problem.status, StatusCode::BAD_GATEWAY);
        }
        assert_eq!(scene.vendor.token_calls(), 1);
    }

    async fn a_revoked_grant_asks_to_reconnect_and_the_vendor_is_left_alone(store: Store) {
        let scene = Scene::set(store).await;
        let node = scene.node("a").await;
        scene.vendor.behave(|habits| {
            habits.fails = Some((StatusCode::BAD_REQUEST, r#"{"error":"invalid_grant"}"#));
        });
        scene.clock.advance(HOUR);
        for _ in 0..3 {
            let problem = node.access_token().await.unwrap_err();
            assert_eq!((problem.status, problem.retryable), (StatusCode::UNAUTHORIZED, false));
            assert!(problem.message.contains("Connect it again"), "{}", problem.message);
        }
        assert!(matches!(scene.stored().await.state, CredentialState::Reconnect { .. }));
        assert_eq!(scene.vendor.token_calls(), 1);

        let other = scene.node("b").await;
        assert_eq!(other.access_token().await.unwrap_err().status, StatusCode::UNAUTHORIZED);
        assert_eq!(scene.vendor.token_calls(), 1);
    }

    async fn answers_that_make_no_sense_change_no_stored_credential(store: Store) {
        let scene = Scene::set(store).await;
        let node = scene.node("a").await;
        scene.clock.advance(HOUR);
        let before = scene.stored_material().await;
        for (status, body) in [
            (StatusCode::OK, "<html>maintenance</html>"),
            (StatusCode::OK, "{}"),
            (StatusCode::OK, r#"{"access_token":""}"#),
            (StatusCode::FORBIDDEN, "<html>blocked</html>"),
            (StatusCode::FOUND, ""),
            (StatusCode::TOO_MANY_REQUESTS, r#"{"error":"slow_down"}"#),
            (StatusCode::BAD_REQUEST, r#"{"error":"temporarily_unavailable"}"#),
        ] {
            scene.vendor.behave(|habits| habits.fails = Some((status, body)));
            scene.clock.advance(Duration::from_secs(10));
            assert_eq!(node.access_token().await.unwrap_err().status, StatusCode::BAD_GATEWAY, "{status} {body}");
            assert!(matches!(scene.stored().await.state, CredentialState::Waiting { .. }), "{status} {body}");
        }
        assert_eq!(scene.stored_material().await, before);

        scene.vendor.behave(|habits| habits.fails = None);
        scene.clock.advance(Duration::from_secs(10));
        assert_eq!(node.access_token().await.unwrap(), "access-2");
    }

    async fn a_refresh_ends_even_when_everybody_who_waited_has_left(store: Store) {
        let scene = Scene::set(store).await;
        let node = Arc::new(scene.node("a").await);
        scene.clock.advance(HOUR);
        scene.vendor.behave(|habits| habits.holds = true);
        let caller = tokio::spawn({
            let node = Arc::clone(&node);
            async move { node.access_token().await }
        });
        while scene.vendor.token_calls() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        caller.abort();
        let _cancelled = caller.await;

        scene.vendor.release();

        assert_eq!(node.access_token().await.unwrap(), "access-2");
        assert_eq!((scene.vendor.token_calls(), scene.stored().await.generation), (1, 2));
    }

    async fn a_crash_between_answer_and_commit_costs_one_more_call(store: Store) {
        let scene = Scene::set(store).await;
        scene.vendor.behave(|habits| habits.punishes = false);
        crash_with_the_answer_on_its_way(&scene).await;

        let survivor = scene.node("b").await;
        assert!(survivor_waits(&scene, &survivor).await, "the lease of the dead node still holds");
        scene.clock.advance(Duration::from_secs(61));

        assert!(scene.vendor.accepts(&survivor.access_token().await.unwrap()));
        assert_eq!((scene.vendor.token_calls(), scene.vendor.most_at_once()), (2, 1));
    }

    async fn a_vendor_that_punishes_reuse_leaves_a_crashed_instance_to_reconnect(store: Store) {
        let scene = Scene::set(store).await;
        crash_with_the_answer_on_its_way(&scene).await;
        scene.clock.advance(Duration::from_secs(61));

        let problem = scene.node("b").await.access_token().await.unwrap_err();

        assert_eq!(problem.status, StatusCode::UNAUTHORIZED);
        let CredentialState::Reconnect { reason, .. } = scene.stored().await.state else {
            panic!("{:?}", scene.stored().await.state);
        };
        assert!(reason.contains("invalid_grant"), "{reason}");
        assert_eq!(scene.vendor.token_calls(), 2);
    }

    async fn a_late_node_that_lost_its_lease_takes_the_token_of_the_first(store: Store) {
        let scene = Scene::set(store).await;
        scene.vendor.behave(|habits| (habits.punishes, habits.holds) = (false, true));
        let (slow, quick) = (scene.node("slow").await, scene.node("quick").await);
        scene.clock.advance(HOUR);
        let slow = tokio::spawn(async move { slow.access_token().await });
        while scene.vendor.token_calls() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        scene.clock.advance(Duration::from_secs(61));
        scene.vendor.behave(|habits| habits.holds = false);
        let first = quick.access_token().await.unwrap();

        scene.vendor.release();

        assert_eq!(slow.await.unwrap().unwrap(), first);
        assert_eq!(scene.stored().await.generation, 2);
    }

    async fn a_token_that_cannot_be_committed_is_kept_and_not_used(store: Store) {
        let scene = Scene::set(store).await;
        let node = Arc::new(scene.node("a").await);
        scene.clock.advance(HOUR);
        scene.vendor.behave(|habits| habits.holds = true);
        let caller = tokio::spawn({
            let node = Arc::clone(&node);
            async move { node.access_token().await }
        });
        while scene.vendor.token_calls() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        scene.store.clone().close().await.unwrap();

        scene.vendor.release();

        assert_eq!(caller.await.unwrap().unwrap_err().status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(node.live.credential.current().generation, 1);
        assert!(node.access_token().await.is_err());
        assert_eq!(scene.vendor.token_calls(), 1, "the token at hand is committed before another is asked for");
    }

    async fn with_the_store_away_a_good_token_serves_and_an_expired_one_is_503(store: Store) {
        let scene = Scene::set(store).await;
        let node = scene.node("a").await;
        scene.store.clone().close().await.unwrap();
        scene.clock.advance(HOUR - Duration::from_secs(60));
        assert_eq!(node.access_token().await.unwrap(), "access-1");

        scene.clock.advance(Duration::from_secs(60));

        let problem = node.access_token().await.unwrap_err();
        assert_eq!((problem.status, problem.retryable), (StatusCode::SERVICE_UNAVAILABLE, true));
        assert_eq!(scene.vendor.token_calls(), 0);
    }
}

/// A node asks the vendor, which spends the refresh token, and dies before the answer reaches it.
async fn crash_with_the_answer_on_its_way(scene: &Scene) {
    scene.clock.advance(HOUR);
    scene.vendor.behave(|habits| habits.holds = true);
    let dying = scene.node("dying").await;
    let task = tokio::spawn(async move { dying.refresher.refresh(&dying.live, 1).await });
    while scene.vendor.token_calls() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    task.abort();
    let _crashed = task.await;
    scene.vendor.release();
    scene.vendor.end_call();
    assert_eq!(scene.stored().await.generation, 1);
}

async fn survivor_waits(scene: &Scene, survivor: &Node) -> bool {
    let patient = tokio::time::timeout(Duration::from_millis(200), survivor.access_token());
    patient.await.is_err() && scene.vendor.token_calls() == 1
}
