use pierhead_domain::OrganizationId;
use pierhead_store::on_both_databases;

use super::*;
use crate::testing::{NOW, Nodes};

impl Nodes {
    /// A new process. Nobody watches for it: tests look themselves.
    fn node(&self) -> Keeper {
        Keeper::new(&self.management())
    }
}

fn token(grant: &str) -> Token {
    Token {
        grant: grant.into(),
        client_id: "k".into(),
        app_id: "a".into(),
        end_user: Some("ann".into()),
        grant_type: "password".into(),
        scope: "read".into(),
        issued_at: NOW,
        expires_at: Some(NOW + 1000),
        revoked: false,
        redirect_uri: None,
        refresh: None,
        attributes: vec![TokenAttribute { name: "team".into(), value: "blue".into(), display: true }],
    }
}

fn new(kind: TokenKind, text: &str, grant: &str) -> NewToken {
    NewToken { kind, text: text.into(), token: token(grant) }
}

/// An access and a refresh token of one grant.
async fn issue(node: &Keeper, grant: &str) {
    let both = vec![
        new(TokenKind::Access, &format!("a-{grant}"), grant),
        new(TokenKind::Refresh, &format!("r-{grant}"), grant),
    ];
    assert!(node.issue(both, None).await.unwrap());
}

async fn is_revoked(node: &Keeper, kind: TokenKind, text: &str) -> bool {
    node.find(kind, text.into()).await.unwrap().unwrap().revoked
}

fn spent(text: &str, keep: bool) -> Spent {
    Spent { kind: TokenKind::Refresh, text: text.into(), keep }
}

on_both_databases! {
    async fn an_issued_token_is_there_after_a_restart_and_lies_there_hashed_and_sealed(store: Store) {
        let nodes = Nodes::over(store);
        issue(&nodes.node(), "g").await;

        let restarted = nodes.node();

        assert_eq!(restarted.recall(TokenKind::Access, "a-g"), None, "nothing is in memory yet");
        let found = restarted.find(TokenKind::Access, "a-g".into()).await.unwrap();
        assert_eq!(found.as_deref(), Some(&token("g")));
        assert_eq!(restarted.recall(TokenKind::Access, "a-g").as_deref(), Some(&token("g")));
        assert_eq!(restarted.find(TokenKind::Refresh, "a-g".into()).await.unwrap(), None);
        let hash = restarted.stored_hash(TokenKind::Access, "a-g");
        let stored = nodes.store.token(OrganizationId::new(1), "access", &hash).await.unwrap().unwrap();
        let shown = format!("{stored:?}{}", String::from_utf8_lossy(&stored.sealed));
        for secret in ["a-g", "blue", "ann"] {
            assert!(!shown.contains(secret), "{secret} lies there in clear");
        }
    }

    async fn a_verified_token_needs_no_store(store: Store) {
        let nodes = Nodes::over(store);
        let node = nodes.node();
        issue(&node, "g").await;
        nodes.store.clone().close().await.unwrap();
        assert!(node.recall(TokenKind::Access, "a-g").is_some());
        assert!(node.find(TokenKind::Access, "other".into()).await.is_err());
    }

    async fn a_spent_token_gives_others_once_and_ends_the_old_ones(store: Store) {
        let nodes = Nodes::over(store);
        let node = nodes.node();
        issue(&node, "g").await;
        let next = || vec![new(TokenKind::Access, "a-2", "g"), new(TokenKind::Refresh, "r-2", "g")];
        assert!(node.issue(next(), Some(spent("r-g", false))).await.unwrap());
        assert!(!node.issue(vec![new(TokenKind::Access, "a-3", "g")], Some(spent("r-g", false))).await.unwrap());
        assert_eq!(node.find(TokenKind::Access, "a-3".into()).await.unwrap(), None);
        assert_eq!(node.recall(TokenKind::Access, "a-g"), None);
        assert!(is_revoked(&node, TokenKind::Access, "a-g").await);
        assert!(!is_revoked(&node, TokenKind::Access, "a-2").await);
        assert!(node.issue(next(), Some(spent("r-2", true))).await.unwrap());
        assert!(!is_revoked(&node, TokenKind::Refresh, "r-2").await, "it is kept");
        assert!(!node.issue(next(), Some(spent("no", false))).await.unwrap());
    }

    async fn two_nodes_that_spend_one_token_at_once_are_one_too_many(store: Store) {
        let nodes = Nodes::over(store);
        let (one, two) = (nodes.node(), nodes.node());
        issue(&one, "g").await;
        let spend = |node: &Keeper, text: &str| node.issue(vec![new(TokenKind::Access, text, "g")], Some(spent("r-g", false)));
        let (first, second) = tokio::join!(spend(&one, "x"), spend(&two, "y"));
        assert_ne!(first.unwrap(), second.unwrap());
    }

    async fn what_another_node_revokes_ends_here_at_the_next_look(store: Store) {
        let nodes = Nodes::over(store);
        let (one, two) = (nodes.node(), nodes.node());
        for grant in ["g", "h"] {
            issue(&one, grant).await;
            assert!(two.find(TokenKind::Access, format!("a-{grant}")).await.unwrap().is_some());
        }
        one.revoke_grant("g".into()).await.unwrap();
        assert!(two.recall(TokenKind::Access, "a-g").is_some(), "it does not know yet");

        two.look().await.unwrap();

        assert_eq!(two.recall(TokenKind::Access, "a-g"), None);
        assert!(two.recall(TokenKind::Access, "a-h").is_some(), "other grants stay in memory");
        assert!(is_revoked(&two, TokenKind::Access, "a-g").await);
        let whose = RevokeFor { end_user: Some("ann".into()), before: NOW + 1, ..RevokeFor::default() };
        assert_eq!(one.revoke_for(whose).await.unwrap(), 1);
        two.look().await.unwrap();
        assert!(is_revoked(&two, TokenKind::Access, "a-h").await);
        assert!(!is_revoked(&two, TokenKind::Refresh, "r-h").await);
    }

    async fn tokens_are_revoked_approved_changed_and_removed_by_their_text(store: Store) {
        let node = Nodes::over(store).node();
        issue(&node, "g").await;
        let set = |revoked, cascade| node.set_revoked(TokenKind::Access, "a-g".into(), revoked, cascade);
        assert!(set(true, false).await.unwrap());
        assert_eq!((is_revoked(&node, TokenKind::Access, "a-g").await, is_revoked(&node, TokenKind::Refresh, "r-g").await), (true, false));
        assert!(set(true, true).await.unwrap());
        assert!(is_revoked(&node, TokenKind::Refresh, "r-g").await);
        assert!(set(false, true).await.unwrap());
        assert!(!is_revoked(&node, TokenKind::Refresh, "r-g").await);
        assert!(!node.set_revoked(TokenKind::Access, "no".into(), true, false).await.unwrap());
        let room = vec![TokenAttribute { name: "room".into(), value: "7".into(), display: false }];
        let changed = node.set_attributes("a-g".into(), room.clone()).await.unwrap().unwrap();
        assert_eq!((changed.attribute("room"), changed.attribute("team")), (Some("7"), Some("blue")));
        assert_eq!(node.find(TokenKind::Access, "a-g".into()).await.unwrap(), Some(changed));
        assert_eq!(node.set_attributes("no".into(), room).await.unwrap(), None);
        assert!(node.remove(TokenKind::Access, "a-g".into()).await.unwrap());
        assert!(!node.remove(TokenKind::Access, "a-g".into()).await.unwrap());
        assert_eq!((node.recall(TokenKind::Access, "a-g"), node.find(TokenKind::Access, "a-g".into()).await.unwrap()), (None, None));
    }

    async fn tokens_that_expired_a_day_ago_are_swept(store: Store) {
        let nodes = Nodes::over(store);
        let node = nodes.node();
        issue(&node, "g").await;
        nodes.clock.advance(Duration::from_millis(86_400_000 + 1000));
        node.sweep().await.unwrap();
        assert!(node.find(TokenKind::Refresh, "r-g".into()).await.unwrap().is_some());
        nodes.clock.advance(Duration::from_millis(1));
        node.sweep().await.unwrap();
        assert_eq!(node.find(TokenKind::Refresh, "r-g".into()).await.unwrap(), None);
    }
}

#[test]
fn what_was_read_before_a_revocation_is_not_kept_after_it() {
    let memory = Memory::default();
    let seen = memory.changes();
    memory.forget("g");
    memory.put([1; 32], Arc::new(token("g")), seen);
    assert_eq!(memory.get(&[1; 32]), None);
    memory.put([1; 32], Arc::new(token("g")), memory.changes());
    assert!(memory.get(&[1; 32]).is_some());
    memory.forget("");
    assert_eq!(memory.get(&[1; 32]), None);
}
