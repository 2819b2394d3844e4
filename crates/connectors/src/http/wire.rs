//! The JSON of the original (open-connectors §7.2, §8.1, appendix B). Domain types never go on the wire.

mod element;
mod hub;
mod instance;

pub(super) use element::{Depth, Element, ElementMetadata, ElementSetting, Resource};
pub(super) use hub::{HUBS, Hub as HubRow};
pub(super) use instance::{Instance, InstanceSetting, Owners};
