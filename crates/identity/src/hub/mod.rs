//! The hub's platform routes of this room, one file per path.

pub(crate) mod accounts;
pub(crate) mod caller;
pub(crate) mod login;
pub(crate) mod organization;
mod people;
pub(crate) mod roles;
pub(crate) mod user_roles;
pub(crate) mod users;
mod wire;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use pierhead_domain::{AccountId, OrganizationId};

use crate::IdentityProblem;

/// The parameters of a path, by position; a text that cannot be decoded names nothing.
pub(crate) struct Names<const N: usize>(pub(crate) [String; N]);

impl<S: Send + Sync, const N: usize> FromRequestParts<S> for Names<N> {
    type Rejection = IdentityProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, IdentityProblem> {
        let nothing = || IdentityProblem::NotFound("this path".into());
        let pairs = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Path(pairs) = pairs.map_err(|_| nothing())?;
        let names: Vec<String> = pairs.into_iter().map(|(_, value)| value).collect();
        names.try_into().map(Self).map_err(|_| nothing())
    }
}

fn account_id(text: &str) -> Result<AccountId, IdentityProblem> {
    text.parse().map_err(|_| IdentityProblem::NotFound("the account".into()))
}

fn organization_id(text: &str) -> Result<OrganizationId, IdentityProblem> {
    text.parse().map_err(|_| IdentityProblem::NotFound("the organization".into()))
}
