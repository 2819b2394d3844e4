//! OAuth 2.0 tokens of the gateway's policies: hashes, and records that only the vault opens.

use pierhead_domain::OrganizationId;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, Condition, QuerySelect};

use crate::{Store, StoreError, WriteTx};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "oauth_token")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization: i64,
        /// `access`, `refresh` or `code`.
        #[sea_orm(primary_key, auto_increment = false)]
        pub kind: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub hash: String,
        pub grant_id: String,
        pub app: String,
        /// A look-up hash; empty where there is none.
        pub end_user: String,
        pub issued_ms: i64,
        /// 0 is never.
        pub expires_ms: i64,
        pub revoked: bool,
        pub sealed: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod change {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "oauth_change")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub organization: i64,
        /// Empty: of every grant.
        pub grant_id: String,
        pub at_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

/// A token as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredToken {
    /// `access`, `refresh` or `code`.
    pub kind: String,
    /// Look-up hash of the text.
    pub hash: String,
    /// Shared by all that came of one authorization.
    pub grant: String,
    /// Id of the app.
    pub app: String,
    /// Look-up hash of the end user; empty where there is none.
    pub end_user: String,
    /// When it was issued, epoch milliseconds.
    pub issued_ms: i64,
    /// When it stops working, epoch milliseconds.
    pub expires_ms: Option<i64>,
    /// Whether it was revoked, or spent.
    pub revoked: bool,
    /// The rest of what is known of it.
    pub sealed: Vec<u8>,
}

/// Which tokens of an organization; what is `None` is not asked for.
#[derive(Debug, Clone, Default)]
pub struct TokenFilter<'f> {
    /// Only of this grant.
    pub grant: Option<&'f str>,
    /// Only of this app.
    pub app: Option<&'f str>,
    /// Only of this end user, by look-up hash.
    pub end_user: Option<&'f str>,
    /// Only issued before; epoch milliseconds.
    pub before: Option<i64>,
    /// Only of these kinds; empty is every kind.
    pub kinds: &'f [&'f str],
}

impl From<entity::Model> for StoredToken {
    fn from(row: entity::Model) -> Self {
        Self {
            kind: row.kind,
            hash: row.hash,
            grant: row.grant_id,
            app: row.app,
            end_user: row.end_user,
            issued_ms: row.issued_ms,
            expires_ms: (row.expires_ms > 0).then_some(row.expires_ms),
            revoked: row.revoked,
            sealed: row.sealed,
        }
    }
}

type TokenKey = (i64, String, String);

fn key(organization: OrganizationId, kind: &str, hash: &str) -> TokenKey {
    (organization.as_i64(), kind.to_owned(), hash.to_owned())
}

impl Store {
    /// A token by its hash.
    pub async fn token(
        &self,
        organization: OrganizationId,
        kind: &str,
        hash: &str,
    ) -> Result<Option<StoredToken>, StoreError> {
        let found = entity::Entity::find_by_id(key(organization, kind, hash)).one(self.reader()).await?;
        Ok(found.map(StoredToken::from))
    }

    /// Grants whose tokens changed since a moment (epoch milliseconds); an empty one stands for every grant.
    pub async fn token_changes(
        &self,
        organization: OrganizationId,
        since_ms: i64,
    ) -> Result<Vec<String>, StoreError> {
        let grants: Vec<String> = change::Entity::find()
            .select_only()
            .column(change::Column::GrantId)
            .filter(change::Column::Organization.eq(organization.as_i64()))
            .filter(change::Column::AtMs.gte(since_ms))
            .into_tuple()
            .all(self.reader())
            .await?;
        Ok(grants)
    }
}

impl WriteTx {
    /// Adds a token; one of the same hash is replaced.
    pub async fn put_token(
        &self,
        organization: OrganizationId,
        token: &StoredToken,
    ) -> Result<(), StoreError> {
        let row = entity::ActiveModel {
            organization: Set(organization.as_i64()),
            kind: Set(token.kind.clone()),
            hash: Set(token.hash.clone()),
            grant_id: Set(token.grant.clone()),
            app: Set(token.app.clone()),
            end_user: Set(token.end_user.clone()),
            issued_ms: Set(token.issued_ms),
            expires_ms: Set(token.expires_ms.unwrap_or(0)),
            revoked: Set(token.revoked),
            sealed: Set(token.sealed.clone()),
        };
        let replace = OnConflict::columns([Column::Organization, Column::Kind, Column::Hash])
            .update_columns([
                Column::GrantId,
                Column::App,
                Column::EndUser,
                Column::IssuedMs,
                Column::ExpiresMs,
                Column::Revoked,
                Column::Sealed,
            ])
            .to_owned();
        entity::Entity::insert(row).on_conflict(replace).exec_without_returning(&self.0).await?;
        Ok(())
    }

    /// A token by its hash, held until this transaction ends.
    pub async fn hold_token(
        &self,
        organization: OrganizationId,
        kind: &str,
        hash: &str,
    ) -> Result<Option<StoredToken>, StoreError> {
        let found =
            entity::Entity::find_by_id(key(organization, kind, hash)).lock_exclusive().one(&self.0).await?;
        Ok(found.map(StoredToken::from))
    }

    /// Revokes or approves the tokens that fit; says how many.
    pub async fn set_tokens_revoked(
        &self,
        organization: OrganizationId,
        which: &TokenFilter<'_>,
        revoked: bool,
    ) -> Result<u64, StoreError> {
        let mut fits = Condition::all()
            .add(Column::Organization.eq(organization.as_i64()))
            .add(Column::Revoked.eq(!revoked));
        if let Some(grant) = which.grant {
            fits = fits.add(Column::GrantId.eq(grant));
        }
        if let Some(app) = which.app {
            fits = fits.add(Column::App.eq(app));
        }
        if let Some(end_user) = which.end_user {
            fits = fits.add(Column::EndUser.eq(end_user));
        }
        if let Some(before) = which.before {
            fits = fits.add(Column::IssuedMs.lt(before));
        }
        if !which.kinds.is_empty() {
            fits = fits.add(Column::Kind.is_in(which.kinds.iter().copied()));
        }
        let changed = entity::Entity::update_many()
            .col_expr(Column::Revoked, Expr::value(revoked))
            .filter(fits)
            .exec(&self.0)
            .await?;
        Ok(changed.rows_affected)
    }

    /// Removes a token; says whether it was there.
    pub async fn remove_token(
        &self,
        organization: OrganizationId,
        kind: &str,
        hash: &str,
    ) -> Result<bool, StoreError> {
        let removed = entity::Entity::delete_by_id(key(organization, kind, hash)).exec(&self.0).await?;
        Ok(removed.rows_affected > 0)
    }

    /// Removes what expired, and notes of changes, from before a moment (epoch milliseconds).
    pub async fn remove_old_tokens(
        &self,
        organization: OrganizationId,
        before_ms: i64,
    ) -> Result<u64, StoreError> {
        let removed = entity::Entity::delete_many()
            .filter(Column::Organization.eq(organization.as_i64()))
            .filter(Column::ExpiresMs.gt(0))
            .filter(Column::ExpiresMs.lt(before_ms))
            .exec(&self.0)
            .await?;
        change::Entity::delete_many()
            .filter(change::Column::Organization.eq(organization.as_i64()))
            .filter(change::Column::AtMs.lt(before_ms))
            .exec(&self.0)
            .await?;
        Ok(removed.rows_affected)
    }

    /// Notes that tokens of a grant changed, for the other nodes; an empty grant stands for every one.
    pub async fn note_token_change(
        &self,
        organization: OrganizationId,
        id: &str,
        grant: &str,
        at_ms: i64,
    ) -> Result<(), StoreError> {
        let row = change::ActiveModel {
            id: Set(id.to_owned()),
            organization: Set(organization.as_i64()),
            grant_id: Set(grant.to_owned()),
            at_ms: Set(at_ms),
        };
        change::Entity::insert(row).exec_without_returning(&self.0).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::on_both_databases;

    const ORG: OrganizationId = OrganizationId::new(1);
    const OTHER: OrganizationId = OrganizationId::new(2);

    fn token(kind: &str, hash: &str, grant: &str) -> StoredToken {
        StoredToken {
            kind: kind.into(),
            hash: hash.into(),
            grant: grant.into(),
            app: "a".into(),
            end_user: "u".into(),
            issued_ms: 10,
            expires_ms: Some(100),
            revoked: false,
            sealed: vec![0, 255],
        }
    }

    async fn put(store: &Store, tokens: &[StoredToken]) {
        let tx = store.write().await.unwrap();
        for token in tokens {
            tx.put_token(ORG, token).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    async fn revoked(store: &Store, kind: &str, hash: &str) -> bool {
        store.token(ORG, kind, hash).await.unwrap().unwrap().revoked
    }

    on_both_databases! {
        async fn a_token_comes_back_by_kind_and_hash(store: Store) {
            put(&store, &[token("access", "h", "g")]).await;
            assert_eq!(store.token(ORG, "access", "h").await.unwrap(), Some(token("access", "h", "g")));
            assert_eq!(store.token(ORG, "refresh", "h").await.unwrap(), None);
            assert_eq!(store.token(OTHER, "access", "h").await.unwrap(), None);
            let endless = StoredToken { expires_ms: None, ..token("access", "h", "g") };
            put(&store, std::slice::from_ref(&endless)).await;
            assert_eq!(store.token(ORG, "access", "h").await.unwrap(), Some(endless));
        }

        async fn tokens_are_revoked_by_what_is_asked_for(store: Store) {
            let other = StoredToken { app: "b".into(), end_user: String::new(), ..token("access", "3", "g2") };
            put(&store, &[token("access", "1", "g"), token("refresh", "2", "g"), other]).await;
            let tx = store.write().await.unwrap();
            let filter = TokenFilter { grant: Some("g"), kinds: &["access"], ..TokenFilter::default() };
            assert_eq!(tx.set_tokens_revoked(ORG, &filter, true).await.unwrap(), 1);
            assert_eq!(tx.set_tokens_revoked(ORG, &filter, true).await.unwrap(), 0, "it is already");
            let late = TokenFilter { app: Some("a"), before: Some(10), ..TokenFilter::default() };
            assert_eq!(tx.set_tokens_revoked(ORG, &late, true).await.unwrap(), 0);
            let user = TokenFilter { app: Some("a"), end_user: Some("u"), before: Some(11), ..TokenFilter::default() };
            assert_eq!(tx.set_tokens_revoked(OTHER, &user, true).await.unwrap(), 0);
            assert_eq!(tx.set_tokens_revoked(ORG, &user, true).await.unwrap(), 1);
            tx.commit().await.unwrap();
            assert!(revoked(&store, "access", "1").await && revoked(&store, "refresh", "2").await);
            assert!(!revoked(&store, "access", "3").await);
        }

        async fn old_tokens_go_and_endless_ones_stay(store: Store) {
            let endless = StoredToken { expires_ms: None, ..token("access", "2", "g") };
            put(&store, &[token("access", "1", "g"), endless]).await;
            let tx = store.write().await.unwrap();
            assert_eq!(tx.remove_old_tokens(ORG, 100).await.unwrap(), 0);
            assert_eq!(tx.remove_old_tokens(ORG, 101).await.unwrap(), 1);
            assert!(tx.remove_token(ORG, "access", "2").await.unwrap());
            assert!(!tx.remove_token(ORG, "access", "2").await.unwrap());
            tx.commit().await.unwrap();
        }

        async fn changes_are_noted_by_time(store: Store) {
            let tx = store.write().await.unwrap();
            tx.note_token_change(ORG, "1", "g", 5).await.unwrap();
            tx.note_token_change(ORG, "2", "", 9).await.unwrap();
            tx.note_token_change(OTHER, "3", "x", 9).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(store.token_changes(ORG, 6).await.unwrap(), [""]);
            assert_eq!(store.token_changes(ORG, 0).await.unwrap().len(), 2);
        }

        async fn an_uncommitted_token_is_not_there(store: Store) {
            let tx = store.write().await.unwrap();
            tx.put_token(ORG, &token("access", "1", "g")).await.unwrap();
            assert!(tx.hold_token(ORG, "access", "1").await.unwrap().is_some());
            drop(tx);
            assert_eq!(store.token(ORG, "access", "1").await.unwrap(), None);
        }
    }

    /// Names the database that the writing half of the test below uses.
    const KILLED: &str = "PIERHEAD_TEST_KILLED_STORE";

    /// Not a test of its own: the process that the next one kills.
    #[tokio::test]
    #[ignore = "runs inside the test that kills it"]
    async fn writing_until_killed() {
        let file = std::env::var(KILLED).unwrap();
        let store = Store::open(&crate::DatabaseUrl::file(std::path::Path::new(&file))).await.unwrap();
        for index in 0.. {
            put(&store, &[token("access", &format!("h{index}"), "g")]).await;
            println!("acknowledged h{index}");
        }
    }

    #[tokio::test]
    async fn an_acknowledged_token_survives_kill_9() {
        use std::io::{BufRead as _, BufReader};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("killed.db");
        let url = crate::DatabaseUrl::file(&file);
        Store::open(&url).await.unwrap().migrate().await.unwrap();
        for kill_after in [1, 4, 9] {
            let mut writer = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "tokens::tests::writing_until_killed", "--ignored", "--nocapture"])
                .env(KILLED, &file)
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap();
            let lines = BufReader::new(writer.stdout.take().unwrap()).lines().map_while(Result::ok);
            let mut acknowledged = Vec::new();
            for line in lines {
                // The runner's own words may stand before it.
                if let Some((_, hash)) = line.split_once("acknowledged ") {
                    acknowledged.push(hash.to_owned());
                }
                if acknowledged.len() == kill_after {
                    writer.kill().unwrap();
                }
            }
            writer.wait().unwrap();
            assert!(acknowledged.len() >= kill_after, "the writer stopped by itself");
            let store = Store::open(&url).await.unwrap();
            for hash in &acknowledged {
                assert!(store.token(ORG, "access", hash).await.unwrap().is_some(), "{hash} is gone");
            }
        }
    }
}
