//! No open door: through an Open Connectors provider nothing but hub calls passes.

use pierhead_testkit::{Pierhead, raw_get};

/// Sends a request line as it stands: a client library would tidy the path.
async fn raw_status(pierhead: &Pierhead, path: &str) -> u16 {
    raw_get(&pierhead.gateway(""), path, "").await.status
}

async fn published() -> Pierhead {
    let pierhead = Pierhead::start().await;
    let admin = pierhead.admin().await;
    let token = admin.connect_folder(&pierhead.folder("files")).await;
    admin.publish("Googledrive", "/googledrive", &token).await;
    pierhead
}

#[tokio::test]
async fn every_platform_route_answers_403() {
    let pierhead = published().await;
    assert_eq!(raw_status(&pierhead, "/googledrive/folders/contents?path=/").await, 200);
    for route in [
        "organizations/me",
        "organizations/users",
        "instances",
        "instances/1",
        "instances/configuration",
        "authentication/secrets",
        "authentication",
        "elements",
        "elements/googledrive",
        "elements/googledrive/oauth/url",
        "formulas",
        "formulas/instances",
        "hubs",
        "hubs/keys",
        "hubs/documents",
        "hubs/documents/elements",
        "accounts",
        "users",
        "users/1",
        "usage",
        "jobs",
        "notifications",
        "events/googledrive",
        "audit-logs",
        "metrics/api",
        "customers/me",
        "docs/documents",
        "transformations/x",
        "common-resources",
        "vdrs",
        "integrations",
        "models/x",
        "bulkloader",
        "applications",
        "change-management/commits",
        "catalog-properties",
        "signup-partners",
    ] {
        assert_eq!(raw_status(&pierhead, &format!("/googledrive/{route}")).await, 403, "{route}");
    }
}

#[tokio::test]
async fn no_encoding_trick_opens_the_door() {
    let pierhead = published().await;
    for path in [
        "/googledrive/%6frganizations/me",
        "/googledrive/%256frganizations/me",
        "/googledrive/ORGANIZATIONS/me",
        "/googledrive//organizations/me",
        "/googledrive/./organizations/me",
        "/googledrive/files/../organizations/me",
        "/googledrive/files/%2e%2e/organizations/me",
        "/googledrive/files/%252e%252e/organizations/me",
        "/googledrive/files%2f..%2forganizations/me",
        "/googledrive/files/..%5corganizations/me",
        "/googledrive/organizations;x=1/me",
        "/googledrive/;/organizations/me",
        "/googledrive/hubs/documents/../../organizations/me",
        "/googledrive/hubs/documents/%2e%2e/%2e%2e/instances",
        "/googledrive/hubs/x/organizations%2fme/../../../instances",
        "/googledrive/organizations%00/me",
        "/googledrive/%c0%afinstances",
        "/googledrive/instances/",
        "/googledrive/instances?x=/files",
    ] {
        let status = raw_status(&pierhead, path).await;
        assert_eq!(status, 403, "{path}");
    }
    // No request line has a fragment: this is no HTTP, whatever it means.
    assert_eq!(raw_status(&pierhead, "/googledrive/instances#/files").await, 400);
}
