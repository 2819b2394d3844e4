//! Connector definitions: what a vendor's one YAML file says, read and checked.

mod auth;
mod block;
mod connector;
mod errors;
mod exchanges;
mod fields;
mod files;
mod operations;
mod pagination;
mod push_down;
mod reader;
mod request;
mod resource;
mod settings;
mod transport;
mod yaml;

pub use auth::{Auth, ClientAuth, OAuthBlock, Scheme};
pub use block::BadDefinition;
pub use connector::{
    Connector, HubOperation, HubParameter, ObjectField, ObjectModel, ParameterPlace, Setting, SettingChoice,
    SettingType,
};
pub use exchanges::{ExchangeCounts, ExchangeOrigin};
pub use reader::DefinitionFiles;

pub(crate) use errors::{ErrorRule, Errors};
pub(crate) use fields::{Field, FieldKind, Write};
pub(crate) use files::{Address, Files, Search, Upload};
pub(crate) use pagination::PageKind;
pub(crate) use push_down::{PushDown, Pushed};
pub(crate) use reader::{Verify, hub_status};
pub(crate) use request::{AnswerCodec, RequestBody, VendorRequest};
pub(crate) use resource::{Operation, Resource, Segment, Verb};
pub(crate) use transport::{DriverKind, Transport};

#[cfg(test)]
pub(crate) use block::Reading;
#[cfg(test)]
pub(crate) use yaml::Node;
