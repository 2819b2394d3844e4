//! The parts of what a gateway runs, each of which changes as a whole.

use ahash::AHashMap;
use pierhead_store::StoreError;
use pierhead_store::management::{
    ItemKind, MapKey, StoredConsumers, StoredEntry, StoredItem, StoredMap, StoredSurroundings,
};
use serde::{Deserialize, Serialize};

use crate::management::Parts;

/// Names a part.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum LivePart {
    /// Providers, target servers, key stores, files: what designs are compiled against.
    Surroundings,
    /// A key value map with its entries.
    Map(MapKey),
    /// API keys with what they lead to.
    Keys,
    /// Flow hooks.
    Hooks,
    /// A shared flow.
    SharedFlow(String),
    /// An API proxy.
    Proxy(String),
}

/// A part as it is committed: rows of the database, their secrets still sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Committed {
    Surroundings(StoredSurroundings),
    /// `None` when it was removed.
    Map(MapKey, Option<(StoredMap, Vec<StoredEntry>)>),
    Keys(StoredConsumers),
    Hooks(Vec<StoredItem>),
    SharedFlow(String, Option<LiveDesign>),
    Proxy(String, Option<LiveDesign>),
}

/// A deployed design.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LiveDesign {
    pub(crate) revision: i64,
    /// JSON.
    pub(crate) design: String,
}

impl Committed {
    pub(crate) fn part(&self) -> LivePart {
        match self {
            Self::Surroundings(_) => LivePart::Surroundings,
            Self::Map(key, _) => LivePart::Map(key.clone()),
            Self::Keys(_) => LivePart::Keys,
            Self::Hooks(_) => LivePart::Hooks,
            Self::SharedFlow(name, _) => LivePart::SharedFlow(name.clone()),
            Self::Proxy(name, _) => LivePart::Proxy(name.clone()),
        }
    }

    /// Whether nothing of it is left.
    pub(crate) const fn is_gone(&self) -> bool {
        matches!(self, Self::Map(_, None) | Self::SharedFlow(_, None) | Self::Proxy(_, None))
    }
}

impl Parts {
    /// What is committed of a part.
    pub(super) async fn committed(&self, part: &LivePart) -> Result<Committed, StoreError> {
        let (organization, designs) = (self.organization(), self.store.designs());
        Ok(match part {
            LivePart::Surroundings => Committed::Surroundings(designs.surroundings(organization).await?),
            LivePart::Map(key) => {
                let map = match designs.map(organization, key).await? {
                    Some(map) => Some((map, designs.entries(organization, key).await?)),
                    None => None,
                };
                Committed::Map(key.clone(), map)
            }
            LivePart::Keys => Committed::Keys(designs.consumers(organization).await?),
            LivePart::Hooks => Committed::Hooks(designs.items(organization, ItemKind::FlowHook).await?),
            LivePart::SharedFlow(name) => {
                let live = designs.shared_flow(organization, name).await?.and_then(|flow| flow.live_revision);
                let design = match live {
                    Some(revision) => designs
                        .shared_flow_revision(organization, name, revision)
                        .await?
                        .map(|design| LiveDesign { revision, design }),
                    None => None,
                };
                Committed::SharedFlow(name.clone(), design)
            }
            LivePart::Proxy(name) => {
                let live = designs.proxy(organization, name).await?.and_then(|proxy| proxy.live_revision);
                let design = match live {
                    Some(revision) => designs
                        .revision(organization, name, revision)
                        .await?
                        .map(|stored| LiveDesign { revision, design: stored.design }),
                    None => None,
                };
                Committed::Proxy(name.clone(), design)
            }
        })
    }

    /// Everything that is committed and runs, in a fixed number of queries.
    pub(super) async fn all_committed(&self) -> Result<Vec<Committed>, StoreError> {
        let (organization, designs) = (self.organization(), self.store.designs());
        let mut all = Vec::new();
        for part in [LivePart::Surroundings, LivePart::Keys, LivePart::Hooks] {
            all.push(self.committed(&part).await?);
        }
        let mut of_maps: AHashMap<MapKey, Vec<StoredEntry>> = AHashMap::new();
        for (key, entry) in designs.all_entries(organization).await? {
            of_maps.entry(key).or_default().push(entry);
        }
        let maps = designs.maps(organization).await?;
        all.extend(maps.into_iter().map(|map| {
            let entries = of_maps.remove(&map.key).unwrap_or_default();
            Committed::Map(map.key.clone(), Some((map, entries)))
        }));
        all.extend(designs.live_shared_flows(organization).await?.into_iter().map(|flow| {
            Committed::SharedFlow(
                flow.name,
                Some(LiveDesign { revision: flow.revision, design: flow.design }),
            )
        }));
        all.extend(designs.live_revisions(organization).await?.into_iter().map(|stored| {
            let live = LiveDesign { revision: stored.revision, design: stored.design };
            Committed::Proxy(stored.proxy, Some(live))
        }));
        Ok(all)
    }
}
