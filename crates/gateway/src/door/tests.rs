use pierhead_domain::hub_paths::{HubPath, classify};
use proptest::prelude::*;

use super::*;

const PLATFORM_ROOTS: &[&str] = &[
    "applications",
    "audit-logs",
    "authentication",
    "bulkloader",
    "catalog-properties",
    "change-management",
    "common-resources",
    "customers",
    "docs",
    "elements",
    "events",
    "formulas",
    "instances",
    "integrations",
    "jobs",
    "metrics",
    "models",
    "notifications",
    "organizations",
    "signup-partners",
    "transformations",
    "usage",
    "vdrs",
];

fn passes(path: &str) -> bool {
    pass(path, &[]).is_ok()
}

#[test]
fn hub_calls_pass() {
    for path in [
        "/files",
        "/files/42",
        "/files/",
        "/folders/contents",
        "/hubs/documents/files",
        "/hubs/documents/files/1/links",
        "/ping",
        "/objects/my%20object",
        "/files/%C3%A9.txt",
        "/accounts/1",
        "/users",
        "/search",
        "/files/a.b..c",
    ] {
        assert!(passes(path), "{path}");
    }
}

#[test]
fn every_platform_route_is_refused_in_every_spelling() {
    for root in PLATFORM_ROOTS {
        let first = root.as_bytes()[0];
        let rest = &root[1..];
        for path in [
            format!("/{root}"),
            format!("/{root}/"),
            format!("/{root}/me"),
            format!("/{}", root.to_uppercase()),
            format!("/%{first:02x}{rest}"),
            format!("/%{first:02X}{rest}/x"),
            format!("/%25{first:02x}{rest}"),
            format!("/%2525{first:02x}{rest}"),
            format!("//{root}"),
            format!("/./{root}"),
            format!("/files/../{root}"),
            format!("/files/%2e%2e/{root}"),
            format!("/files/.%2E/{root}"),
            format!("/files/..%2f{root}"),
            format!("/files%2f..%2f{root}"),
            format!("/files/..%5c{root}"),
            format!("/files/..\\{root}"),
            format!("\\{root}"),
            format!("/\\{root}"),
            format!("/%5c{root}"),
            format!("/%2f{root}"),
            format!("/{root};a=b"),
            format!("/{root};/x"),
            format!("/;/{root}"),
            format!("/files/..;/{root}"),
            format!("/{root}%00"),
            format!("/%00{root}"),
            format!("/{root}%0a"),
            format!("/{root}%3b"),
            format!("/{root}%3fx"),
            format!("/{root}%23x"),
            format!("/files/%c0%ae%c0%ae/{root}"),
            format!("/files/%c0%af{root}"),
            format!("/files/%e0%80%ae./{root}"),
            format!("/files/%uff0e/{root}"),
            format!("/files/%2/{root}"),
            format!("/files//{root}"),
            format!("/files/ ../{root}"),
            format!("/files/%20../{root}"),
            format!("/hubs//{root}"),
            (*root).to_owned(),
        ] {
            assert!(!passes(&path), "{path}");
        }
    }
}

#[test]
fn the_hub_catalogue_is_the_platforms() {
    for path in [
        "",
        "/",
        "/hubs",
        "/hubs/",
        "/hubs/documents",
        "/hubs/documents/",
        "/hubs/documents/elements",
        "/HUBS/x",
    ] {
        assert!(!passes(path), "{path}");
    }
}

#[test]
fn a_provider_may_let_roots_pass_by_name() {
    let allowed: Vec<Box<str>> = vec!["instances".into()];
    assert!(pass("/instances/1", &allowed).is_ok());
    assert!(pass("/Instances", &allowed).is_ok());
    assert!(pass("/organizations/me", &allowed).is_err());
    assert!(pass("/instances/../organizations", &allowed).is_err());
    assert!(pass("/instances%2f..%2forganizations", &allowed).is_err());
}

/// Decodes until nothing changes, as the most eager of servers would, and resolves everything.
fn eager_reading(path: &str) -> String {
    let mut text = path.to_owned();
    for _ in 0..20 {
        let decoded = percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            break;
        }
        text = decoded;
    }
    let text = text.replace('\\', "/");
    let mut segments: Vec<&str> = Vec::new();
    for segment in text.split('/') {
        match segment.split(';').next().unwrap_or_default().trim() {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    format!("/{}", segments.join("/"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn nothing_passes_that_an_eager_server_reads_as_the_platform(
        parts in prop::collection::vec(prop::sample::select(vec![
            "/", "/", "/", "files", "hubs", "documents", "organizations", "instances", "elements", "me", ".", "..", "%2e",
            "%2E", "%2f", "%5c", "\\", ";", "%3b", "%25", "25", "%252f", "%", "2f", "o", "%6f", "rganizations", "%00", " ", "%20",
            "é", "%c0%af", "//",
        ]), 1..9)
    ) {
        let path = format!("/{}", parts.concat());
        if passes(&path) {
            prop_assert_ne!(classify(&eager_reading(&path)), HubPath::Platform, "{}", path);
        }
    }

    #[test]
    fn no_path_makes_the_door_panic(path in "\\PC{0,60}") {
        let _ = pass(&path, &[]);
    }
}
