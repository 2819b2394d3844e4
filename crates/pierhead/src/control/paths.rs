//! Two peculiarities of the hub's paths that no route table can express.

use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Uri, header};
use pierhead_domain::hub_paths::{self, HubPath};

pub(crate) const HUB: &str = "/elements/api-v2";

/// Published samples of the hub's clients hold doubled slashes (`api-v2//organizations/me`): they mean one.
/// Other faces' paths are left alone.
pub(crate) fn single_slashes(mut request: Request) -> Request {
    let path = request.uri().path();
    if path.starts_with(HUB) && path.contains("//") {
        let mut clean = String::with_capacity(path.len());
        for part in path.split('/').filter(|part| !part.is_empty()) {
            clean.push('/');
            clean.push_str(part);
        }
        if let Some(query) = request.uri().query() {
            clean.push('?');
            clean.push_str(query);
        }
        let mut parts = request.uri().clone().into_parts();
        if let Ok(clean) = PathAndQuery::try_from(clean) {
            parts.path_and_query = Some(clean);
            if let Ok(uri) = Uri::from_parts(parts) {
                *request.uri_mut() = uri;
            }
        }
    }
    request
}

/// Whether a request to `/accounts…` or `/users…` is a connector's: it carries an `Element` part
/// (open-connectors §6.2, "Path clash").
pub(crate) fn is_connectors(uri: &Uri, headers: &HeaderMap) -> bool {
    let Some(path) = uri.path().strip_prefix(HUB) else { return false };
    hub_paths::classify(path) == HubPath::Shared && has_element(headers)
}

fn has_element(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    value
        .split(',')
        .any(|part| part.trim().split(' ').next().is_some_and(|kind| kind.eq_ignore_ascii_case("element")))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn doubled_slashes_of_hub_paths_mean_one_and_the_query_stays() {
        let request =
            Request::builder().uri("/elements/api-v2//organizations//me?a=//b").body(Body::empty()).unwrap();
        assert_eq!(single_slashes(request).uri(), "/elements/api-v2/organizations/me?a=//b");
        let other = Request::builder().uri("/console//x").body(Body::empty()).unwrap();
        assert_eq!(single_slashes(other).uri(), "/console//x");
    }

    #[test]
    fn an_element_part_makes_accounts_and_users_connector_calls() {
        let mut headers = HeaderMap::new();
        let uri: Uri = "/elements/api-v2/accounts/1".parse().unwrap();
        headers.insert(header::AUTHORIZATION, "User u, Organization o".parse().unwrap());
        assert!(!is_connectors(&uri, &headers));
        headers.insert(header::AUTHORIZATION, "User u,element e".parse().unwrap());
        assert!(is_connectors(&uri, &headers));
        assert!(!is_connectors(&"/elements/api-v2/instances".parse().unwrap(), &headers));
    }
}
