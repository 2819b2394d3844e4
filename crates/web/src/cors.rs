//! What pages of other origins may read of the hub's answers (open-connectors §1).

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// The hub's own headers that scripts read; the list and its order are the original's.
const EXPOSED: &str = "Elements-Returned-Count, Elements-Total-Count, Elements-Request-Id, \
    Elements-Next-Page-Token, Elements-Trace-Id, Elements-Error, Content-Disposition";
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// A middleware (`axum::middleware::from_fn`) for `/elements/…`: opens answers to scripts of any origin and
/// answers their preflight requests. That is safe because nothing there looks at cookies: a page can only
/// do what the secrets it already has allow. Other paths pass untouched.
pub async fn open_to_scripts(request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with("/elements/") || !request.headers().contains_key(header::ORIGIN) {
        return next.run(request).await;
    }
    let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if preflight {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        open(headers);
        set(headers, header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        set(headers, header::ACCESS_CONTROL_MAX_AGE, "600");
        set(headers, header::VARY, "Access-Control-Request-Headers");
        if let Some(asked) = asked {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
        }
        return response;
    }
    let mut response = next.run(request).await;
    open(response.headers_mut());
    response
}

fn open(headers: &mut HeaderMap) {
    set(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    async fn answer(method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let router = Router::new()
            .route("/elements/api-v2/elements", get(|| async { "[]" }))
            .route("/api/v1/x", get(|| async { "" }))
            .layer(axum::middleware::from_fn(open_to_scripts));
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn an_origin_gets_the_originals_list_of_headers() {
        let open = answer("GET", "/elements/api-v2/elements", &[("origin", "https://a.example")]).await;
        assert_eq!(
            open.headers()["access-control-expose-headers"],
            "Elements-Returned-Count, Elements-Total-Count, Elements-Request-Id, Elements-Next-Page-Token, Elements-Trace-Id, Elements-Error, Content-Disposition"
        );
        assert_eq!(open.headers()["access-control-allow-origin"], "*");
    }

    #[tokio::test]
    async fn without_an_origin_or_elsewhere_nothing_is_added() {
        for (path, headers) in
            [("/elements/api-v2/elements", &[][..]), ("/api/v1/x", &[("origin", "https://a.example")][..])]
        {
            let shut = answer("GET", path, headers).await;
            assert!(!shut.headers().contains_key("access-control-allow-origin"), "{path}");
        }
    }

    #[tokio::test]
    async fn a_preflight_is_answered_without_credentials() {
        let headers = [
            ("origin", "https://a.example"),
            ("access-control-request-method", "PATCH"),
            ("access-control-request-headers", "authorization"),
        ];
        let open = answer("OPTIONS", "/elements/api-v2/elements", &headers).await;
        assert_eq!(open.status(), StatusCode::NO_CONTENT);
        assert_eq!(open.headers()["access-control-allow-headers"], "authorization");
        assert!(open.headers()["access-control-allow-methods"].to_str().unwrap().contains("PATCH"));
    }
}
