//! `GET /oauth2/v2|v3/userinfo` and `/tokeninfo`: who a token speaks for.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::super::bearer;
use super::super::journal::BearerState;
use super::super::problem::Problem;
use super::super::state::{App, Shared};
use super::Access;
use super::token::answer;

pub(super) async fn v2(
    State(app): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let access = holder(&app, &headers, query.as_deref())?;
    let (id, mut about) = profile(&app, &access);
    about["id"] = json!(id);
    if shows_email(&access) {
        about["email"] = json!(app.tree().email(access.person));
        about["verified_email"] = json!(true);
    }
    Ok(answer(StatusCode::OK, &about))
}

pub(super) async fn v3(
    State(app): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let access = holder(&app, &headers, query.as_deref())?;
    let (id, mut about) = profile(&app, &access);
    about["sub"] = json!(id);
    if shows_email(&access) {
        about["email"] = json!(app.tree().email(access.person));
        about["email_verified"] = json!(true);
    }
    Ok(answer(StatusCode::OK, &about))
}

pub(super) async fn tokeninfo(State(app): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let token = bearer::presented(&HeaderMap::new(), query.as_deref()).unwrap_or_default().into_owned();
    let now = app.now();
    let (BearerState::Valid, Some(access)) = app.oauth().judge(Some(&token), now) else {
        let refused = json!({"error": "invalid_token", "error_description": "Invalid Value"});
        return answer(StatusCode::BAD_REQUEST, &refused);
    };
    let seconds = access.expires.since(now).as_secs();
    answer(
        StatusCode::OK,
        &json!({
            "azp": app.options.client_id,
            "aud": app.options.client_id,
            "scope": access.scopes.join(" "),
            "exp": access.expires.seconds().to_string(),
            "expires_in": seconds.to_string(),
            "access_type": "offline",
        }),
    )
}

fn holder(app: &App, headers: &HeaderMap, query: Option<&str>) -> Result<Access, Problem> {
    let token = bearer::presented(headers, query);
    match app.oauth().judge(token.as_deref(), app.now()) {
        (BearerState::Valid, Some(access)) => Ok(access),
        (BearerState::None, _) => Err(Problem::login_required()),
        _ => Err(Problem::invalid_credentials()),
    }
}

fn profile(app: &App, access: &Access) -> (String, Value) {
    let tree = app.tree();
    let account = &app.options.users[access.person.index()];
    let mut about = json!({});
    if access.scopes.iter().any(|scope| scope.ends_with("profile")) {
        let (given, family) = account.display_name.split_once(' ').unwrap_or((&account.display_name, ""));
        about = json!({"name": account.display_name, "given_name": given, "family_name": family});
    }
    (tree.permission_id(access.person).to_owned(), about)
}

fn shows_email(access: &Access) -> bool {
    access.scopes.iter().any(|scope| scope.ends_with("email"))
}
