//! What the engine asks of whoever holds the entities.

use async_trait::async_trait;
use serde_json::Value;

use super::schema::{EntitySet, Schema};
use super::{Entity, Expand, Key, ODataError, Parsed};

/// A modifying call on one entity that is neither of the four verbs: `POST …/Set('k')/Deploy`.
#[derive(Debug)]
pub(crate) struct Action {
    /// The last path segment.
    pub(crate) name: String,
    /// The set.
    pub(crate) set: &'static EntitySet,
    /// The entity.
    pub(crate) key: Key,
}

/// Entities in their store, as one caller may see and change them.
#[async_trait]
pub(crate) trait Service: Send + Sync {
    /// A unit of work. Dropped without [`Service::commit`] it leaves nothing.
    type Work: Send;

    /// The tables.
    fn schema(&self) -> &'static Schema;

    /// Names of all actions.
    fn actions(&self) -> &'static [&'static str];

    /// All entities of a set, with what `expand` asks for.
    async fn list(&self, set: &'static EntitySet, expand: &Expand) -> Result<Vec<Entity>, ODataError>;

    /// One entity, with what `expand` asks for.
    async fn find(
        &self,
        set: &'static EntitySet,
        key: &Key,
        expand: &Expand,
    ) -> Result<Option<Entity>, ODataError>;

    /// Begins a unit of work.
    async fn begin(&self) -> Result<Self::Work, ODataError>;

    /// Adds an entity; `parent` is the entity whose navigation property it was posted to.
    async fn create(
        &self,
        work: &mut Self::Work,
        body: Parsed,
        parent: Option<(&'static EntitySet, Key)>,
    ) -> Result<Entity, ODataError>;

    /// Changes an entity. With `merge` absent properties stay, else they get their defaults.
    async fn update(
        &self,
        work: &mut Self::Work,
        key: &Key,
        body: Parsed,
        merge: bool,
    ) -> Result<(), ODataError>;

    /// Removes an entity.
    async fn delete(
        &self,
        work: &mut Self::Work,
        set: &'static EntitySet,
        key: &Key,
    ) -> Result<(), ODataError>;

    /// Does an action; the value goes into `{"d":{"<action>":…}}`.
    async fn act(&self, work: &mut Self::Work, action: Action) -> Result<Value, ODataError>;

    /// Makes a unit of work durable and live.
    async fn commit(&self, work: Self::Work) -> Result<(), ODataError>;
}
