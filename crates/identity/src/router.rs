//! All routes of this room.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post, put};
use pierhead_web::{hub, oauth, problem_json};

use crate::hub::{accounts, login, organization, roles, user_roles, users};
use crate::{Identity, admin, oauth_token};

/// The routes of organizations, accounts, users and logins below `/elements/api-v2`, of setup and service
/// keys below `/api/v1`, and `/oauth/token`. `/accounts…` and `/users…` with an `Element` part in the
/// Authorization header are a connector's: the binary keeps them away (`domain::hub_paths`).
pub fn router(identity: Identity) -> Router {
    let hub = Router::new()
        .nest("/elements/api-v2", hub_routes())
        .method_not_allowed_fallback(no_such_method_of_the_hub);
    let admin = Router::new()
        .route("/api/v1/setup", get(admin::setup::needed).post(admin::setup::set_up))
        .route("/api/v1/session", get(admin::session::who).delete(admin::session::end))
        .route("/api/v1/service-keys", get(admin::service_keys::list).post(admin::service_keys::create))
        .route(
            "/api/v1/service-keys/{client_id}",
            get(admin::service_keys::show).delete(admin::service_keys::revoke),
        )
        .method_not_allowed_fallback(no_such_method_of_the_admin_api);
    let oauth = Router::new()
        .route("/oauth/token", get(oauth_token::issue).post(oauth_token::issue))
        .method_not_allowed_fallback(no_such_method_of_oauth);
    hub.merge(admin).merge(oauth).with_state(identity)
}

fn hub_routes() -> Router<Identity> {
    Router::new()
        .route("/authentication", post(login::log_in))
        .route("/authentication/secrets", get(login::secrets))
        .route("/authentication/passwords", post(login::change_password))
        .route("/organizations/me", get(organization::show).put(organization::change))
        .route("/organizations/{id}/accounts", get(organization::accounts).post(organization::create_account))
        .route("/organizations/{id}/accounts/{account}", get(organization::account))
        .route("/organizations/roles", get(roles::list))
        .route("/organizations/roles/{key}", get(roles::show))
        .route("/organizations/users", get(users::list_of_organization).post(users::create_in_organization))
        .route(
            "/organizations/users/{user}",
            get(users::show).patch(users::change).put(users::change).delete(users::delete),
        )
        .route("/accounts", get(accounts::list).post(accounts::create))
        .route(
            "/accounts/{id}",
            get(accounts::show).patch(accounts::change).put(accounts::change).delete(accounts::delete),
        )
        .route("/accounts/{id}/roles", get(accounts::roles))
        .route(
            "/accounts/{id}/roles/{key}",
            get(accounts::role).put(accounts::grant).delete(accounts::revoke),
        )
        .route("/accounts/{id}/users", get(users::list_of_account).post(users::create_in_account))
        .route(
            "/accounts/{id}/users/{user}",
            get(users::show_in_account)
                .patch(users::change_in_account)
                .put(users::change_in_account)
                .delete(users::delete_in_account),
        )
        .route("/users", get(users::list).post(users::create))
        .route(
            "/users/{user}",
            get(users::show).patch(users::change).put(users::change).delete(users::delete),
        )
        .route("/users/{user}/roles", get(user_roles::list))
        .route("/users/{user}/roles/{key}", put(user_roles::grant).delete(user_roles::revoke))
}

async fn no_such_method_of_the_hub() -> Response {
    hub::error(StatusCode::METHOD_NOT_ALLOWED, "this method is not supported here")
}

async fn no_such_method_of_the_admin_api() -> Response {
    problem_json::error(StatusCode::METHOD_NOT_ALLOWED, "this method is not supported here", None)
}

async fn no_such_method_of_oauth() -> Response {
    oauth::error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "the token endpoint takes GET and POST")
}
