//! Connector definitions: what a vendor's one YAML file says, read and checked.

mod auth;
mod connector;

pub use auth::{Auth, ClientAuth, OAuthBlock, Scheme};
pub use connector::{
    Connector, HubOperation, HubParameter, ObjectField, ObjectModel, ParameterPlace, Setting, SettingChoice,
    SettingType,
};
