//! "Go to…": pages and objects by name; a page of its own, and the contents of the Ctrl-K palette.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;

use super::instances::list_instances;
use super::matches;
use super::providers::list_providers;
use super::proxies::list_proxies;
use crate::Console;
use crate::interrupted::Interrupted;
use crate::shell::{NAVIGATION, Place, Shell, html};
use crate::visit::SignedIn;
use crate::wire::escape;

/// More than this many answers are not looked at.
const MOST: usize = 12;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/search", get(search))
}

#[derive(Template)]
#[template(path = "pages/search.html")]
struct SearchPage {
    shell: Shell,
    query: String,
    found: Vec<Found>,
}

#[derive(Template)]
#[template(path = "pages/found.html")]
struct FoundFragment {
    found: Vec<Found>,
}

struct Found {
    label: String,
    href: String,
    kind: &'static str,
    icon: &'static str,
}

async fn search(SignedIn { visit, wire }: SignedIn) -> Result<Response, Interrupted> {
    let query = visit.query.trimmed("q").to_owned();
    let mut found: Vec<Found> = Vec::new();
    let mut add = |label: String, href: String, kind, icon| {
        if found.len() < MOST && matches(&label, &query) {
            found.push(Found { label, href, kind, icon });
        }
    };
    if !query.is_empty() {
        for proxy in list_proxies(&wire).await? {
            add(
                proxy.name.clone(),
                format!("/console/proxies/{}", escape(&proxy.name)),
                "API proxy",
                "route",
            );
        }
        for provider in list_providers(&wire).await? {
            let href = format!("/console/providers/{}", escape(&provider.name));
            add(provider.name, href, "API provider", "server");
        }
        for instance in list_instances(&wire, "").await?.0 {
            add(instance.name, format!("/console/instances/{}", instance.id), "Instance", "plug");
        }
    }
    for link in NAVIGATION.iter().flat_map(|face| face.links) {
        add(link.label.to_owned(), link.href.to_owned(), "Page", link.icon);
    }
    for (label, href, icon) in [
        ("Overview", "/console", "house"),
        ("Create an API proxy", "/console/proxies/new", "plus"),
        ("Create an API provider", "/console/providers/new", "plus"),
        ("Create a key value map", "/console/maps/new", "plus"),
        ("View my organization secret", "/console/secrets/organization", "building-2"),
        ("View my user secret", "/console/secrets/user", "user"),
    ] {
        add(label.to_owned(), href.to_owned(), "Page", icon);
    }
    if visit.query.ticked("fragment") {
        return html(&FoundFragment { found });
    }
    let shell = Shell::new(&visit, "Go to", Place::Elsewhere).behind(&wire);
    html(&SearchPage { shell, query, found })
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn objects_and_pages_are_found_by_their_words() {
        let browser = Browser::signed_in().await;
        browser.get("/console/search?q=google").await.expect(200).has("/console/proxies/Googledrive");
        browser
            .get("/console/search?q=user+secret")
            .await
            .has("/console/secrets/user")
            .has_not("API proxy</small>");
        browser.get("/console/search?q=zzz").await.has("Nothing is called");
    }

    #[tokio::test]
    async fn the_palette_gets_only_the_list() {
        let browser = Browser::signed_in().await;
        browser.get("/console/search?fragment=1&q=maps").await.has("/console/maps").has_not("<html");
    }
}
