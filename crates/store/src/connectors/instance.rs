//! Connector instances: one row is a connector with somebody's settings.

use std::collections::BTreeMap;

use pierhead_domain::{AccountId, EpochMillis, InstanceId, OrganizationId, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::LikeExpr;
use sea_orm::{ActiveValue::NotSet, ActiveValue::Set, Condition, QueryOrder, QuerySelect};

use super::credential;
use crate::{Store, StoreError, WriteTx};

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "connector_instance")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub organization: i64,
        pub account: i64,
        pub owner: Option<i64>,
        pub owner_name: String,
        pub element: String,
        pub name: String,
        pub tags: String,
        /// Name, element and tags in lower case, one a line, tags with a `#`: what lists search in.
        pub search: String,
        pub token_hash: String,
        pub token_sealed: Vec<u8>,
        pub settings: String,
        pub secrets_sealed: Vec<u8>,
        pub external_authentication: String,
        pub disabled: bool,
        pub trace_until_ms: Option<i64>,
        pub created_ms: i64,
        pub updated_ms: i64,
        pub version: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{ActiveModel, Column, Entity, Model};

/// An instance to add. The values are sealed before they get here.
#[derive(Debug, Clone)]
pub struct NewInstance {
    /// Whose it is.
    pub organization: OrganizationId,
    /// The account it belongs to.
    pub account: AccountId,
    /// The user who made it; `None` for a service key.
    pub owner: Option<UserId>,
    /// The maker's email address or client id, as it was then.
    pub owner_name: String,
    /// Key of the connector.
    pub element: String,
    /// Name for people.
    pub name: String,
    /// Tags, in order.
    pub tags: Vec<String>,
    /// Look-up hash of the instance token; unique, never changes.
    pub token_hash: String,
    /// The sealed token.
    pub token_sealed: Vec<u8>,
    /// Settings that are no secrets, by wire key.
    pub settings: BTreeMap<String, String>,
    /// The sealed secret settings.
    pub secrets_sealed: Vec<u8>,
    /// `none` or `initial` (open-connectors §8.1).
    pub external_authentication: String,
    /// When.
    pub created: EpochMillis,
}

/// An instance as it lies in the database.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredInstance {
    /// Its id, on the wire too.
    pub id: InstanceId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// The account it belongs to.
    pub account: AccountId,
    /// The user who made it.
    pub owner: Option<UserId>,
    /// The maker's email address or client id, as it was then.
    pub owner_name: String,
    /// Key of the connector.
    pub element: String,
    /// Name for people.
    pub name: String,
    /// Tags, in order.
    pub tags: Vec<String>,
    /// Look-up hash of the instance token.
    pub token_hash: String,
    /// The sealed token.
    pub token_sealed: Vec<u8>,
    /// Settings that are no secrets, by wire key.
    pub settings: BTreeMap<String, String>,
    /// The sealed secret settings.
    pub secrets_sealed: Vec<u8>,
    /// `none` or `initial`.
    pub external_authentication: String,
    /// Hub calls answer 403.
    pub disabled: bool,
    /// Calls are traced until then.
    pub trace_until: Option<EpochMillis>,
    /// When it was made.
    pub created: EpochMillis,
    /// When it was last changed by somebody.
    pub updated: EpochMillis,
    /// Grows with every change.
    pub version: i64,
}

/// New values of an instance; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct InstanceChange {
    /// Name for people.
    pub name: Option<String>,
    /// Replaces all tags.
    pub tags: Option<Vec<String>>,
    /// Replaces all plain settings.
    pub settings: Option<BTreeMap<String, String>>,
    /// Replaces all secret settings.
    pub secrets_sealed: Option<Vec<u8>>,
    /// Disables or enables.
    pub disabled: Option<bool>,
    /// Starts or (`Some(None)`) ends tracing.
    pub trace_until: Option<Option<EpochMillis>>,
}

/// Which instances a list shows.
#[derive(Debug, Clone)]
pub struct InstanceFilter {
    /// Only of this organization.
    pub organization: OrganizationId,
    /// Only of this account; all accounts of the organization when `None`.
    pub account: Option<AccountId>,
    /// Only of this connector.
    pub element: Option<String>,
    /// Only with all of these tags, in any case.
    pub tags: Vec<String>,
    /// Only with this text in name, connector or tags, in any case.
    pub text: Option<String>,
}

impl InstanceFilter {
    fn condition(&self) -> Condition {
        let mut all = Condition::all()
            .add(Column::Organization.eq(self.organization.as_i64()))
            .add_option(self.account.map(|account| Column::Account.eq(account.as_i64())))
            .add_option(self.element.as_ref().map(|element| Column::Element.eq(element)));
        let tags = self.tags.iter().map(|tag| format!("\n#{}\n", tag.to_lowercase()));
        for part in tags.chain(self.text.iter().map(|text| text.to_lowercase())) {
            let escaped = part.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            all = all.add(Column::Search.like(LikeExpr::new(format!("%{escaped}%")).escape('\\')));
        }
        all
    }
}

impl Store {
    /// The instance of this id.
    pub async fn instance(&self, id: InstanceId) -> Result<Option<StoredInstance>, StoreError> {
        let row = Entity::find_by_id(id.as_i64()).one(self.reader()).await?;
        row.map(StoredInstance::try_from).transpose()
    }

    /// The instance whose token has this look-up hash.
    pub async fn instance_by_token(&self, hash: &str) -> Result<Option<StoredInstance>, StoreError> {
        let row = Entity::find().filter(Column::TokenHash.eq(hash)).one(self.reader()).await?;
        row.map(StoredInstance::try_from).transpose()
    }

    /// A page of the instances that pass `filter`, oldest first.
    pub async fn instances(
        &self,
        filter: &InstanceFilter,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<StoredInstance>, StoreError> {
        let rows = Entity::find()
            .filter(filter.condition())
            .order_by_asc(Column::Id)
            .offset(offset)
            .limit(limit)
            .all(self.reader())
            .await?;
        rows.into_iter().map(StoredInstance::try_from).collect()
    }

    /// How many instances pass `filter`, by connector key.
    pub async fn count_instances(&self, filter: &InstanceFilter) -> Result<Vec<(String, u64)>, StoreError> {
        let rows: Vec<(String, i64)> = Entity::find()
            .select_only()
            .column(Column::Element)
            .column_as(Column::Id.count(), "count")
            .filter(filter.condition())
            .group_by(Column::Element)
            .order_by_asc(Column::Element)
            .into_tuple()
            .all(self.reader())
            .await?;
        Ok(rows.into_iter().map(|(element, count)| (element, u64::try_from(count).unwrap_or(0))).collect())
    }

    /// The versions of these instances; deleted ones are missing.
    pub async fn instance_versions(&self, ids: &[InstanceId]) -> Result<Vec<(InstanceId, i64)>, StoreError> {
        let rows: Vec<(i64, i64)> = Entity::find()
            .select_only()
            .columns([Column::Id, Column::Version])
            .filter(Column::Id.is_in(ids.iter().map(|id| id.as_i64())))
            .into_tuple()
            .all(self.reader())
            .await?;
        Ok(rows.into_iter().map(|(id, version)| (InstanceId::new(id), version)).collect())
    }
}

impl WriteTx {
    /// Adds an instance and gives its id.
    pub async fn add_instance(&self, new: &NewInstance) -> Result<InstanceId, StoreError> {
        let row = ActiveModel {
            id: NotSet,
            organization: Set(new.organization.as_i64()),
            account: Set(new.account.as_i64()),
            owner: Set(new.owner.map(UserId::as_i64)),
            owner_name: Set(new.owner_name.clone()),
            element: Set(new.element.clone()),
            name: Set(new.name.clone()),
            tags: Set(json(&new.tags)),
            search: Set(search_text(&new.name, &new.element, &new.tags)),
            token_hash: Set(new.token_hash.clone()),
            token_sealed: Set(new.token_sealed.clone()),
            settings: Set(json(&new.settings)),
            secrets_sealed: Set(new.secrets_sealed.clone()),
            external_authentication: Set(new.external_authentication.clone()),
            disabled: Set(false),
            trace_until_ms: Set(None),
            created_ms: Set(new.created.as_i64()),
            updated_ms: Set(new.created.as_i64()),
            version: Set(1),
        };
        let added = Entity::insert(row).exec(&self.0).await?;
        Ok(InstanceId::new(added.last_insert_id))
    }

    /// The instance of this id, held against other writers until the end of the transaction.
    pub async fn lock_instance(&self, id: InstanceId) -> Result<Option<StoredInstance>, StoreError> {
        let row = Entity::find_by_id(id.as_i64()).lock_exclusive().one(&self.0).await?;
        row.map(StoredInstance::try_from).transpose()
    }

    /// Changes an instance that this transaction holds; gives what is now stored.
    pub async fn change_instance(
        &self,
        held: &StoredInstance,
        change: InstanceChange,
        now: EpochMillis,
    ) -> Result<StoredInstance, StoreError> {
        let mut next = held.clone();
        next.name = change.name.unwrap_or(next.name);
        next.tags = change.tags.unwrap_or(next.tags);
        next.settings = change.settings.unwrap_or(next.settings);
        next.secrets_sealed = change.secrets_sealed.unwrap_or(next.secrets_sealed);
        next.disabled = change.disabled.unwrap_or(next.disabled);
        next.trace_until = change.trace_until.unwrap_or(next.trace_until);
        next.updated = now;
        next.version += 1;
        let row = ActiveModel {
            id: Set(held.id.as_i64()),
            name: Set(next.name.clone()),
            tags: Set(json(&next.tags)),
            search: Set(search_text(&next.name, &next.element, &next.tags)),
            settings: Set(json(&next.settings)),
            secrets_sealed: Set(next.secrets_sealed.clone()),
            disabled: Set(next.disabled),
            trace_until_ms: Set(next.trace_until.map(EpochMillis::as_i64)),
            updated_ms: Set(now.as_i64()),
            version: Set(next.version),
            ..Default::default()
        };
        Entity::update(row).exec(&self.0).await?;
        Ok(next)
    }

    /// Deletes an instance and its credential. Whether there was one.
    pub async fn delete_instance(&self, id: InstanceId) -> Result<bool, StoreError> {
        credential::delete(&self.0, id).await?;
        Ok(Entity::delete_by_id(id.as_i64()).exec(&self.0).await?.rows_affected > 0)
    }
}

impl TryFrom<Model> for StoredInstance {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let broken = |column: &'static str, why: serde_json::Error| StoreError::Inconsistent {
            table: "connector_instance",
            column,
            id: row.id.to_string(),
            why: why.to_string(),
        };
        Ok(Self {
            tags: serde_json::from_str(&row.tags).map_err(|why| broken("tags", why))?,
            settings: serde_json::from_str(&row.settings).map_err(|why| broken("settings", why))?,
            id: InstanceId::new(row.id),
            organization: OrganizationId::new(row.organization),
            account: AccountId::new(row.account),
            owner: row.owner.map(UserId::new),
            owner_name: row.owner_name,
            element: row.element,
            name: row.name,
            token_hash: row.token_hash,
            token_sealed: row.token_sealed,
            secrets_sealed: row.secrets_sealed,
            external_authentication: row.external_authentication,
            disabled: row.disabled,
            trace_until: row.trace_until_ms.map(EpochMillis::new),
            created: EpochMillis::new(row.created_ms),
            updated: EpochMillis::new(row.updated_ms),
            version: row.version,
        })
    }
}

fn search_text(name: &str, element: &str, tags: &[String]) -> String {
    let mut text = format!("\n{}\n{}\n", name.to_lowercase(), element.to_lowercase());
    for tag in tags {
        text.push_str(&format!("#{}\n", tag.to_lowercase()));
    }
    text
}

/// Lists and maps of text always have a JSON form.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
