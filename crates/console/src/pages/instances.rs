//! The list of connector instances, with the Token column.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use pierhead_domain::EpochMillis;

use super::matches;
use crate::Console;
use crate::interrupted::Interrupted;
use crate::shell::{Place, Shell, html};
use crate::times::Moment;
use crate::visit::SignedIn;
use crate::wire::{Instance, InstanceState, Wire, WireProblem, escape};
use http::Method;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/instances", get(instances))
}

/// An instance as lists show it.
pub(super) struct InstanceRow {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) element_key: String,
    pub(super) element_name: String,
    pub(super) icon: String,
    pub(super) tags: Vec<String>,
    pub(super) token: String,
    pub(super) tone: &'static str,
    pub(super) word: &'static str,
    pub(super) why: String,
    pub(super) since: Option<Moment>,
    pub(super) created: Option<Moment>,
}

impl InstanceRow {
    pub(super) fn new(instance: &Instance, now: EpochMillis) -> Self {
        let state = instance.state();
        let element = &instance.element;
        Self {
            id: instance.id,
            name: instance.name.clone(),
            element_key: element.key.clone(),
            element_name: if element.name.is_empty() { element.key.clone() } else { element.name.clone() },
            icon: element.icon().to_owned(),
            tags: instance.tags.clone(),
            token: instance.token.clone(),
            tone: state.tone(),
            word: state.word(),
            why: if state == InstanceState::Connected {
                String::new()
            } else {
                instance.credential_state.reason.clone()
            },
            since: Moment::read(&instance.credential_state.since, now)
                .filter(|_| state != InstanceState::Connected),
            created: Moment::read(&instance.created_date, now),
        }
    }
}

#[derive(Template)]
#[template(path = "pages/instances.html")]
struct InstancesPage {
    shell: Shell,
    query: String,
    state: String,
    rows: Vec<InstanceRow>,
    any: bool,
    next: String,
}

/// One page of instances and the token of the next page. `cursor` is a token from the page before. None at
/// all is an empty list, which the wire says by 404 (reference §3).
pub(super) async fn list_instances(
    wire: &Wire,
    cursor: &str,
) -> Result<(Vec<Instance>, String), WireProblem> {
    let path = match cursor {
        "" => "/elements/api-v2/instances?pageSize=200".to_owned(),
        cursor => format!("/elements/api-v2/instances?pageSize=200&nextPage={}", escape(cursor)),
    };
    let answer = match wire.send(Method::GET, &path, None).await {
        Err(problem) if problem.status == 404 => return Ok((Vec::new(), String::new())),
        other => other?,
    };
    let next = answer.headers.get("elements-next-page-token").and_then(|token| token.to_str().ok());
    let next = next.unwrap_or_default().to_owned();
    Ok((answer.json()?, next))
}

async fn instances(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
) -> Result<Response, Interrupted> {
    let (mut all, next) = list_instances(&wire, visit.query.get("next")).await?;
    let now = console.clock.now();
    let (query, state) = (visit.query.trimmed("q").to_owned(), visit.query.trimmed("state").to_owned());
    let any = !all.is_empty();
    // What needs a person comes first.
    all.sort_by_key(|instance| (instance.state(), instance.name.to_lowercase()));
    all.retain(|instance| state.is_empty() || state_word(instance.state()) == state);
    let mut rows: Vec<_> = all.iter().map(|instance| InstanceRow::new(instance, now)).collect();
    rows.retain(|row| matches(&searchable(row), &query));
    let shell = Shell::new(&visit, "Instances", Place::Instances).behind(&wire);
    html(&InstancesPage { shell, query, state, rows, any, next })
}

fn searchable(row: &InstanceRow) -> String {
    format!("{} {} {} {} {}", row.name, row.element_name, row.tags.join(" "), row.word, row.id)
}

fn state_word(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Connected => "connected",
        InstanceState::Disabled => "disabled",
        InstanceState::VendorDown => "waiting",
        InstanceState::ReconnectNeeded => "reconnect",
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn the_token_column_holds_the_token_to_copy() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/instances").await;
        page.expect(200).has("<th scope=\"col\">Token</th>");
        page.has("<code id=\"token-501\">fJ5HQ135fW4okMt5AWq0hzm2X7kaK5OpQB0Uxjvlz6U=</code>");
        page.has("data-copy=\"token-501\"");
        assert_eq!(page.header("cache-control"), "no-store");
    }

    #[tokio::test]
    async fn a_state_is_a_word_with_its_reason_and_since_when() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/instances?state=reconnect").await;
        page.has("Reconnect needed").has("invalid_grant").has("<time datetime=").has_not("Sales drive");
    }

    #[tokio::test]
    async fn instances_are_found_by_tag_and_an_empty_list_begins_with_the_catalogue() {
        let browser = Browser::signed_in().await;
        browser.get("/console/instances?q=emea").await.has("Sales drive").has_not("Shared folder</a>");
        browser.control().empty();
        browser.get("/console/instances").await.expect(200).has("Open the catalogue").has("curl");
    }
}
