//! What every face on the control listener shares: request ids, error dialects, who is calling, paging,
//! CSRF, body limits. No business words.

pub mod auth;
pub mod body;
pub mod cors;
pub mod csrf;
pub mod hub;
pub mod oauth;
pub mod odata;
pub mod paging;
pub mod peer;
pub mod problem;
pub mod problem_json;
pub mod request_id;

pub use auth::{AuthFailure, Authenticator, Credentials, SharedAuthenticator};
pub use problem::Problem;
pub use request_id::CurrentRequestId;
