//! The HTTP face of `Management.svc` and `Transport.svc`: who may, the CSRF protocol, and bodies (api-management §8.2, §8.3).

mod session;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::any;
use pierhead_domain::Caller;
use pierhead_web::{AuthFailure, Credentials, body, odata};

use crate::management::Management;
use crate::odata::{self as engine, Call, Limits, ODataError};
use crate::portal::Portal;
use crate::transport;
use session::Csrf;

/// Root of the service on the control listener.
pub(crate) const ROOT: &str = "/apiportal/api/1.0/Management.svc";

/// The routes of SAP's `Management.svc` and `Transport.svc` with their CSRF addresses.
pub(crate) fn routes(management: Management) -> Router {
    Router::new()
        .route(ROOT, any(serve))
        .route(&format!("{ROOT}/"), any(serve))
        .route(&format!("{ROOT}/{{*path}}"), any(serve))
        .route(transport::ROOT, any(serve))
        .route(&format!("{}/{{*path}}", transport::ROOT), any(serve))
        .route("/apiportal/api/1.0/csrf", any(serve))
        .route("/csrf", any(serve))
        .with_state(management)
}

async fn serve(State(management): State<Management>, request: Request) -> Response<Body> {
    let is_head = request.method() == Method::HEAD;
    let mut response = match admit(&management, request).await {
        Ok(response) => response,
        Err(refusal) => refusal,
    };
    if is_head {
        *response.body_mut() = Body::empty();
    }
    response
}

/// Lets a request in, or says why not.
async fn admit(management: &Management, request: Request) -> Result<Response<Body>, Response<Body>> {
    let parts = management.parts();
    let caller = authenticate(management, request.headers()).await?;
    let modifies = !matches!(*request.method(), Method::GET | Method::HEAD);
    let allowed = if modifies { caller.0.may_design_apis() } else { caller.0.may_read_apis() };
    if !allowed || caller.0.organization != parts.organization() {
        let text = "The caller's roles do not allow this. Needed: APIPortal.Administrator, or APIPortal.Guest to read.";
        return Err(odata::error(StatusCode::FORBIDDEN, "FORBIDDEN", text));
    }
    let csrf = Csrf::read(parts, &caller.0, request.headers());
    // A bearer token is not sent by a browser on its own: no other site can make it send one.
    if modifies && !caller.1 && !csrf.is_proven() {
        return Err(session::required());
    }
    let fetched = (!modifies && csrf.is_fetch()).then(|| csrf.grant());
    let path = request.uri().path().to_owned();
    let mut response = match path.strip_prefix(ROOT) {
        Some(below) if below != "/csrf" => {
            let below = below.to_owned();
            let call = read_call(parts.settings.body_bytes, below, request).await?;
            let limits = limits(management, &call.headers);
            engine::answer(&Portal::new(management.clone(), &caller.0), &limits, call).await.map(Body::from)
        }
        _ if let Some(below) = path.strip_prefix(transport::ROOT) => {
            let call = read_call(parts.settings.body_bytes, below.to_owned(), request).await?;
            let portal = Portal::new(management.clone(), &caller.0);
            transport::answer(&portal, &call.method, &call.path, &call.query, &call.body).await
        }
        _ if !modifies => Response::new(Body::empty()),
        _ => return Err(ODataError::unsupported(request.method()).into_response()),
    };
    if let Some((token, cookie)) = fetched {
        let headers = response.headers_mut();
        headers.insert("x-csrf-token", token);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(cookie) = cookie {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
    Ok(response)
}

/// The caller, and whether it showed a bearer token.
async fn authenticate(
    management: &Management,
    headers: &HeaderMap,
) -> Result<(Caller, bool), Response<Body>> {
    let unknown = |why: &str| {
        let mut response = odata::error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", why);
        let challenge = HeaderValue::from_static("Basic realm=\"API portal\", charset=\"UTF-8\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        response
    };
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Err(unknown("The request has no Authorization header."));
    };
    let credentials: Result<Credentials, _> = value.to_str().unwrap_or_default().parse();
    let credentials = credentials.map_err(|error| unknown(&error.to_string()))?;
    if matches!(credentials, Credentials::Connector(_)) {
        return Err(unknown("The management service takes Basic and Bearer credentials."));
    }
    let is_bearer = matches!(credentials, Credentials::Bearer(_));
    match management.parts().authenticator.caller(&credentials).await {
        Ok(caller) => Ok((caller, is_bearer)),
        Err(AuthFailure::Refused(why)) => Err(unknown(&why)),
        Err(failure @ AuthFailure::TooMany { retry_after_seconds }) => {
            let mut response =
                odata::error(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", &failure.to_string());
            response.headers_mut().insert(header::RETRY_AFTER, retry_after_seconds.into());
            Err(response)
        }
        Err(failure) => Err(ODataError::internal(failure).into_response()),
    }
}

async fn read_call(limit: usize, path: String, request: Request) -> Result<Call, Response<Body>> {
    let (head, request_body) = request.into_parts();
    let read = body::read(request_body, limit).await;
    let body = read.map_err(|bad| odata::error(bad.status(), "BAD_REQUEST", &bad.to_string()))?;
    Ok(Call {
        method: head.method,
        path,
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
    })
}

/// Links are made for the address that the client used.
fn limits(management: &Management, headers: &HeaderMap) -> Limits {
    let parts = management.parts();
    let settings = &parts.settings;
    let (scheme, own_host) = settings.public_url.split_once("://").unwrap_or(("http", &settings.public_url));
    let plain =
        |host: &&str| host.chars().all(|char| char.is_ascii_alphanumeric() || "-.:[]_".contains(char));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).filter(plain);
    let mut random = [0; 8];
    parts.rng.fill(&mut random);
    Limits {
        root: format!("{scheme}://{}{ROOT}", host.unwrap_or(own_host.trim_end_matches('/'))),
        page: settings.page,
        batch_operations: settings.batch_operations,
        now: parts.clock.now(),
        nonce: random.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}
