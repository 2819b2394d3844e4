//! Files of the environment and the organization in a unit of work: whoever uses one runs with the new one.

use axum::http::StatusCode;
use bytes::Bytes;
use pierhead_gateway::design::{FileResource, ProxyDesign, SharedFlowDesign};
use pierhead_store::management::{ResourceKey, StoredResource};

use crate::odata::ODataError;
use crate::resource_files::PROPERTIES;

use super::{Portal, Work};

impl Portal {
    /// Puts a file, or removes it with `None`. A content with which something deployed cannot run is refused, and so
    /// is removing a file that something deployed needs.
    pub(crate) async fn put_resource(
        &self,
        work: &mut Work,
        key: &ResourceKey,
        content: Option<Bytes>,
    ) -> Result<(), ODataError> {
        let organization = self.organization();
        work.changes_designs(self.parts()).await?;
        let removes = content.is_none();
        match content {
            Some(content) => {
                let old = work.tx.designs().resource(organization, key).await?;
                let mut stamp = old.map_or_else(|| self.stamp(), |old| old.stamp);
                stamp.touch(self.now_ms(), &self.caller);
                let stored = StoredResource { key: key.clone(), content: content.to_vec(), stamp };
                work.tx.put_resource(organization, &stored).await?;
            }
            None => drop(work.tx.remove_resource(organization, key).await?),
        }
        work.changes_surroundings();
        // What else there is of the same name, once this one is gone.
        let others = work.tx.designs().resources(organization).await?;
        let is_replaced = others.iter().any(|other| is_same(&other.key.kind, &other.key.name, key));
        let mut users = Vec::new();
        for flow in work.tx.designs().live_shared_flows(organization).await? {
            if !may_use(&flow.design, key) {
                continue;
            }
            let design: SharedFlowDesign =
                serde_json::from_str(&flow.design).map_err(ODataError::internal)?;
            let needs = !is_replaced && needs_set(&flow.design, &design.resources, key);
            let served = work.serve_shared_flow(self.parts(), &design, flow.revision).await;
            match served {
                Ok(()) if !(removes && needs) => {}
                Err(why) if !removes => return Err(why),
                _ => users.push(format!("shared flow {}", flow.name)),
            }
        }
        for revision in work.tx.designs().live_revisions(organization).await? {
            if !may_use(&revision.design, key) {
                continue;
            }
            let design: ProxyDesign = serde_json::from_str(&revision.design).map_err(ODataError::internal)?;
            let needs = !is_replaced && needs_set(&revision.design, &design.resources, key);
            match work.serve(self.parts(), &design, revision.revision).await {
                Ok(_) if !(removes && needs) => {}
                Err(why) if !removes => return Err(why),
                _ => users.push(format!("API proxy {}", revision.proxy)),
            }
        }
        if users.is_empty() {
            return Ok(());
        }
        Err(ODataError::coded(
            StatusCode::BAD_REQUEST,
            "RESOURCE_FILE_IN_USE_ERROR",
            format!("'{}://{}' cannot be deleted: it is used by {}.", key.kind, key.name, users.join(", ")),
        ))
    }
}

/// Whether a design has to be compiled again for a file: its text holds the name, or it finds files of this type
/// through others.
fn may_use(design: &str, key: &ResourceKey) -> bool {
    match key.kind.as_str() {
        "xsd" | "wsdl" => design.contains("xsd://") || design.contains("wsdl://"),
        // A policy names the class or the file that a script takes the place of.
        "jsc" | "js" => design.contains(key.name.strip_suffix(".js").unwrap_or(&key.name)),
        PROPERTIES => design.contains(set_name(&key.name)),
        _ => design.contains(key.name.as_str()),
    }
}

/// Whether a design reads properties of a set that it does not hold itself. Without the set it would run and find
/// nothing.
fn needs_set(design: &str, own: &[FileResource], key: &ResourceKey) -> bool {
    if key.kind != PROPERTIES || own.iter().any(|file| is_same(&file.kind, &file.name, key)) {
        return false;
    }
    let set = set_name(&key.name);
    let by_policy = ["ReadPropertySet", "PropertySetRef"].iter().any(|word| design.contains(word));
    design.contains(&format!("propertyset.{set}."))
        || (by_policy && (design.contains(&format!(">{set}<")) || design.contains(&format!("{set}."))))
}

fn is_same(kind: &str, name: &str, key: &ResourceKey) -> bool {
    kind == key.kind
        && if kind == PROPERTIES { set_name(name) == set_name(&key.name) } else { name == key.name }
}

fn set_name(file: &str) -> &str {
    file.strip_suffix(".properties").unwrap_or(file)
}
