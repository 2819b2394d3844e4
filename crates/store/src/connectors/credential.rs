//! Credentials of instances. A credential changes only by compare-and-swap on its generation, and only one
//! node at a time holds the lease to ask the vendor for the next one (design §4).

use pierhead_domain::{EpochMillis, InstanceId};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{DatabaseTransaction, QueryOrder, QuerySelect};

use crate::{Store, StoreError, WriteTx};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "connector_credential")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub instance: i64,
        pub generation: i64,
        pub sealed: Vec<u8>,
        pub expires_ms: Option<i64>,
        pub refresh_at_ms: Option<i64>,
        pub lease_owner: Option<String>,
        /// 0 when nobody holds the lease.
        pub lease_until_ms: i64,
        pub state: String,
        pub reason: Option<String>,
        pub since_ms: Option<i64>,
        pub next_try_ms: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{ActiveModel, Column, Entity, Model};

/// New secret material, sealed.
#[derive(Debug, Clone)]
pub struct NewCredential {
    /// The sealed material.
    pub sealed: Vec<u8>,
    /// When the vendor stops accepting it; `None` when the vendor did not say.
    pub expires: Option<EpochMillis>,
    /// When to refresh it without being asked; `None` for never.
    pub refresh_at: Option<EpochMillis>,
}

/// How a credential stands with its vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialState {
    /// Good.
    Valid,
    /// The vendor does not answer; the grant is still good and is tried again.
    Waiting {
        /// What failed.
        reason: String,
        /// Since when.
        since: EpochMillis,
        /// When it is tried again.
        next_try: EpochMillis,
    },
    /// The vendor refused for good: somebody must connect the instance again.
    Reconnect {
        /// What the vendor said.
        reason: String,
        /// Since when.
        since: EpochMillis,
    },
}

/// A credential as it lies in the database.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredCredential {
    /// Whose it is.
    pub instance: InstanceId,
    /// Grows by one with each refresh.
    pub generation: i64,
    /// The sealed material.
    pub sealed: Vec<u8>,
    /// When the vendor stops accepting it.
    pub expires: Option<EpochMillis>,
    /// Until when somebody holds the lease.
    pub leased_until: Option<EpochMillis>,
    /// How it stands with its vendor.
    pub state: CredentialState,
}

/// Which generation of a credential is current: what caches compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialMark {
    /// Whose it is.
    pub instance: InstanceId,
    /// The current generation.
    pub generation: i64,
}

impl Store {
    /// The credential of this instance.
    pub async fn credential(&self, instance: InstanceId) -> Result<Option<StoredCredential>, StoreError> {
        let row = Entity::find_by_id(instance.as_i64()).one(self.reader()).await?;
        row.map(StoredCredential::try_from).transpose()
    }

    /// The credentials of these instances.
    pub async fn credentials(&self, instances: &[InstanceId]) -> Result<Vec<StoredCredential>, StoreError> {
        let ids = instances.iter().map(|id| id.as_i64());
        let rows = Entity::find().filter(Column::Instance.is_in(ids)).all(self.reader()).await?;
        rows.into_iter().map(StoredCredential::try_from).collect()
    }

    /// The current generations of these instances' credentials.
    pub async fn credential_marks(
        &self,
        instances: &[InstanceId],
    ) -> Result<Vec<CredentialMark>, StoreError> {
        let rows: Vec<(i64, i64)> = Entity::find()
            .select_only()
            .columns([Column::Instance, Column::Generation])
            .filter(Column::Instance.is_in(instances.iter().map(|id| id.as_i64())))
            .into_tuple()
            .all(self.reader())
            .await?;
        let mark =
            |(instance, generation)| CredentialMark { instance: InstanceId::new(instance), generation };
        Ok(rows.into_iter().map(mark).collect())
    }

    /// Instances whose credential is due for a refresh that nobody is making, most urgent first.
    pub async fn credentials_due(&self, now: EpochMillis, limit: u64) -> Result<Vec<InstanceId>, StoreError> {
        let ids: Vec<i64> = Entity::find()
            .select_only()
            .column(Column::Instance)
            .filter(Column::RefreshAtMs.lte(now.as_i64()))
            .filter(Column::LeaseUntilMs.lt(now.as_i64()))
            .order_by_asc(Column::RefreshAtMs)
            .limit(limit)
            .into_tuple()
            .all(self.reader())
            .await?;
        Ok(ids.into_iter().map(InstanceId::new).collect())
    }
}

impl WriteTx {
    /// Puts a first or re-provisioned credential: generation one more than before, valid, not leased. Gives
    /// the generation.
    pub async fn put_credential(&self, instance: InstanceId, new: &NewCredential) -> Result<i64, StoreError> {
        let before = Entity::find_by_id(instance.as_i64()).lock_exclusive().one(&self.0).await?;
        let generation = before.as_ref().map_or(1, |row| row.generation + 1);
        let row = ActiveModel {
            instance: Set(instance.as_i64()),
            generation: Set(generation),
            sealed: Set(new.sealed.clone()),
            expires_ms: Set(new.expires.map(EpochMillis::as_i64)),
            refresh_at_ms: Set(new.refresh_at.map(EpochMillis::as_i64)),
            lease_owner: Set(None),
            lease_until_ms: Set(0),
            state: Set("valid".into()),
            reason: Set(None),
            since_ms: Set(None),
            next_try_ms: Set(None),
        };
        if before.is_some() {
            Entity::update(row).exec(&self.0).await?;
        } else {
            Entity::insert(row).exec_without_returning(&self.0).await?;
        }
        Ok(generation)
    }

    /// Takes the right to refresh `generation` until `until`, if the credential still is of that
    /// generation and nobody else holds the right.
    pub async fn lease_credential(
        &self,
        mark: CredentialMark,
        owner: &str,
        now: EpochMillis,
        until: EpochMillis,
    ) -> Result<bool, StoreError> {
        let taken = at(mark)
            .filter(Column::LeaseUntilMs.lt(now.as_i64()))
            .col_expr(Column::LeaseOwner, Expr::value(owner))
            .col_expr(Column::LeaseUntilMs, Expr::value(until.as_i64()))
            .exec(&self.0)
            .await?;
        Ok(taken.rows_affected == 1)
    }

    /// Replaces the material of generation `mark` by the next generation and ends the lease. `false` when
    /// another node was first: its material stands.
    pub async fn advance_credential(
        &self,
        mark: CredentialMark,
        new: &NewCredential,
    ) -> Result<bool, StoreError> {
        let none = || Expr::value(Option::<i64>::None);
        let advanced = at(mark)
            .col_expr(Column::Generation, Expr::value(mark.generation + 1))
            .col_expr(Column::Sealed, Expr::value(new.sealed.clone()))
            .col_expr(Column::ExpiresMs, Expr::value(new.expires.map(EpochMillis::as_i64)))
            .col_expr(Column::RefreshAtMs, Expr::value(new.refresh_at.map(EpochMillis::as_i64)))
            .col_expr(Column::LeaseOwner, Expr::value(Option::<String>::None))
            .col_expr(Column::LeaseUntilMs, Expr::value(0i64))
            .col_expr(Column::State, Expr::value("valid"))
            .col_expr(Column::Reason, Expr::value(Option::<String>::None))
            .col_expr(Column::SinceMs, none())
            .col_expr(Column::NextTryMs, none())
            .exec(&self.0)
            .await?;
        Ok(advanced.rows_affected == 1)
    }

    /// Says why generation `mark` could not be refreshed, and ends the lease. The material stays. `false`
    /// when another node was first.
    pub async fn fail_credential(
        &self,
        mark: CredentialMark,
        state: &CredentialState,
    ) -> Result<bool, StoreError> {
        let (word, reason, since, next_try) = match state {
            CredentialState::Valid => ("valid", None, None, None),
            CredentialState::Waiting { reason, since, next_try } => {
                ("waiting", Some(reason.clone()), Some(since.as_i64()), Some(next_try.as_i64()))
            }
            CredentialState::Reconnect { reason, since } => {
                ("reconnect", Some(reason.clone()), Some(since.as_i64()), None)
            }
        };
        let failed = at(mark)
            // A waiting credential is tried again then; one to reconnect is not tried at all.
            .col_expr(Column::RefreshAtMs, Expr::value(next_try))
            .col_expr(Column::LeaseOwner, Expr::value(Option::<String>::None))
            .col_expr(Column::LeaseUntilMs, Expr::value(0i64))
            .col_expr(Column::State, Expr::value(word))
            .col_expr(Column::Reason, Expr::value(reason))
            .col_expr(Column::SinceMs, Expr::value(since))
            .col_expr(Column::NextTryMs, Expr::value(next_try))
            .exec(&self.0)
            .await?;
        Ok(failed.rows_affected == 1)
    }
}

pub(super) async fn delete(tx: &DatabaseTransaction, instance: InstanceId) -> Result<(), StoreError> {
    Entity::delete_by_id(instance.as_i64()).exec(tx).await?;
    Ok(())
}

fn at(mark: CredentialMark) -> sea_orm::UpdateMany<Entity> {
    Entity::update_many()
        .filter(Column::Instance.eq(mark.instance.as_i64()))
        .filter(Column::Generation.eq(mark.generation))
}

impl TryFrom<Model> for StoredCredential {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let since = EpochMillis::new(row.since_ms.unwrap_or_default());
        let reason = row.reason.unwrap_or_default();
        let state = match row.state.as_str() {
            "valid" => CredentialState::Valid,
            "waiting" => {
                let next_try = EpochMillis::new(row.next_try_ms.unwrap_or_default());
                CredentialState::Waiting { reason, since, next_try }
            }
            "reconnect" => CredentialState::Reconnect { reason, since },
            other => {
                return Err(StoreError::Inconsistent {
                    table: "connector_credential",
                    column: "state",
                    id: row.instance.to_string(),
                    why: format!("'{other}' is no state"),
                });
            }
        };
        Ok(Self {
            instance: InstanceId::new(row.instance),
            generation: row.generation,
            sealed: row.sealed,
            expires: row.expires_ms.map(EpochMillis::new),
            leased_until: (row.lease_until_ms > 0).then(|| EpochMillis::new(row.lease_until_ms)),
            state,
        })
    }
}
