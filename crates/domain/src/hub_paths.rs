//! Which paths below `/elements/api-v2` belong to the platform and which to a connector.
//!
//! The one source of truth for two readers: the hub's router, and the gateway's guard that lets nothing
//! but hub calls through a provider of type Open Connectors (design, "No open door").

/// Roots that are the platform's even when the call carries an `Element` part (open-connectors §§6–16).
const PLATFORM: &[&str] = &[
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

/// Roots that are the platform's without an `Element` part and a connector's with one: `/accounts` and
/// `/users` are also CRM resources (open-connectors §6.2, "Path clash").
const SHARED: &[&str] = &["accounts", "users"];

/// What a path below `/elements/api-v2` addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubPath {
    /// The platform, whoever calls.
    Platform,
    /// The platform, or a connector when the call carries an `Element` part.
    Shared,
    /// A connector's resource; the text is what follows `/hubs/<key>` (or the whole path), with its slash.
    Resource,
}

/// Says what `path` addresses. `path` is normalised: decoded, one slash between segments, no dots.
/// It starts with `/` and does not hold the prefix `/elements/api-v2`.
pub fn classify(path: &str) -> HubPath {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let Some(root) = segments.next() else { return HubPath::Platform };
    if root.eq_ignore_ascii_case("hubs") {
        // `/hubs`, `/hubs/keys`, `/hubs/{key}` and `/hubs/{key}/elements` describe hubs; anything longer calls one.
        return match (segments.next(), segments.next()) {
            (Some(_), Some(rest)) if !rest.eq_ignore_ascii_case("elements") => HubPath::Resource,
            _ => HubPath::Platform,
        };
    }
    if PLATFORM.iter().any(|known| root.eq_ignore_ascii_case(known)) {
        HubPath::Platform
    } else if SHARED.iter().any(|known| root.eq_ignore_ascii_case(known)) {
        HubPath::Shared
    } else {
        HubPath::Resource
    }
}

/// The resource part of a hub call's path: without `/hubs/<any word>`. The hub word is not checked, as in
/// the original (open-connectors §7.3).
pub fn resource(path: &str) -> &str {
    let Some(rest) = path.strip_prefix("/hubs/") else { return path };
    rest.find('/').map_or("/", |slash| &rest[slash..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platform_roots_are_the_platforms_with_any_case() {
        for path in [
            "/organizations/me",
            "/instances",
            "/Authentication/secrets",
            "/elements/googledrive",
            "/hubs",
            "/hubs/documents",
            "/hubs/documents/elements",
            "/",
        ] {
            assert_eq!(classify(path), HubPath::Platform, "{path}");
        }
    }

    #[test]
    fn hub_calls_are_resources_with_and_without_a_hub_word() {
        for path in
            ["/files", "/hubs/documents/files", "/hubs/nonsense/folders/contents", "/ping", "/objects"]
        {
            assert_eq!(classify(path), HubPath::Resource, "{path}");
        }
        assert_eq!(resource("/hubs/documents/files/1"), "/files/1");
        assert_eq!(resource("/files/1"), "/files/1");
    }

    #[test]
    fn accounts_and_users_depend_on_the_element_part() {
        assert_eq!(classify("/accounts/1"), HubPath::Shared);
        assert_eq!(classify("/users"), HubPath::Shared);
    }
}
