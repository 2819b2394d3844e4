//! `files.list`: search, order, pages.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::bearer::Call;
use super::super::oauth::scope::Needs;
use super::super::problem::Problem;
use super::fields::Mask;
use super::node::Node;
use super::ordering::Ordered;
use super::query::{Expr, Subject};
use super::resource::View;
use super::shapes::FILE_LIST;
use super::tree::Tree;

pub(crate) async fn list(call: Call) -> Result<Response, Problem> {
    call.needs(Needs::Read)?;
    let size = call.params.number("pageSize", 100, 1, 1000)?;
    let mask = call.selection(&FILE_LIST)?;
    check_corpora(&call)?;
    let app_data = spaces(&call)?;
    let query = match call.params.filled("q") {
        Some(text) => Some(Expr::parse(text).map_err(|why| {
            tracing::debug!(%why, "a query was refused");
            Problem::invalid_value("q")
        })?),
        None => None,
    };
    let order = Ordered::parse(call.params.filled("orderBy"))?;
    if query.as_ref().is_some_and(Expr::searches_text) && call.params.filled("orderBy").is_some() {
        let message = "Sorting is not supported for queries with fullText terms. Results are always in \
                       descending relevance order.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", message).about_parameter("orderBy"));
    }
    let asked = |name| call.params.get(name).unwrap_or_default();
    let question = format!("{}\n{}\n{app_data}\n{:?}", asked("q"), asked("orderBy"), call.person());
    let slice = call.app.listings.page(&call, &question, size, || {
        let tree = call.app.tree();
        Ok(find(&tree, &call, query.as_ref(), app_data, &order))
    })?;

    let mut body = Map::new();
    body.insert("kind".into(), json!("drive#fileList"));
    body.insert("incompleteSearch".into(), json!(false));
    if let Some(next) = slice.next {
        body.insert("nextPageToken".into(), json!(next));
    }
    if let Some(below) = mask.below("files") {
        let tree = call.app.tree();
        let view = View::of(&call, &tree);
        let files = slice.ids.iter().filter_map(|id| tree.get(id)).map(|node| view.file(node, below));
        body.insert("files".into(), files.collect());
    }
    Ok(call.answer(&mask, body.into()))
}

/// The ids of all matches, in order.
fn find(tree: &Tree, call: &Call, query: Option<&Expr>, app_data: bool, order: &Ordered) -> Vec<String> {
    let (viewer, now) = (call.viewer(), call.app.now());
    let matches = |node: &&Node| {
        !tree.is_root(&node.id)
            && tree.in_app_data(&node.id) == app_data
            && tree.listed(viewer, node, now)
            && query.is_none_or(|query| Subject { tree, node, person: viewer.person, now }.matches(query))
    };
    let mut found: Vec<&Node> = match query.and_then(Expr::within) {
        Some(folder) => tree.children(tree.canonical(viewer.person, folder)).filter(matches).collect(),
        None => tree.nodes().filter(matches).collect(),
    };
    found.sort_by(|left, right| order.compare(left, right, viewer.person));
    found.into_iter().map(|node| node.id.clone()).collect()
}

/// There are no shared drives here, so only the person's own corpora find anything.
fn check_corpora(call: &Call) -> Result<(), Problem> {
    let drive = call.params.filled("driveId").or_else(|| call.params.filled("teamDriveId"));
    match (call.params.filled("corpora"), drive) {
        (Some("drive" | "teamDrive"), None) => Err(Problem::required("driveId")),
        (Some("drive" | "teamDrive"), Some(drive)) => {
            if !call.params.flag("includeItemsFromAllDrives") && !call.params.flag("includeTeamDriveItems") {
                return Err(Problem::invalid_parameter(
                    "includeItemsFromAllDrives",
                    "The includeItemsFromAllDrives parameter must be set to true when driveId is specified.",
                ));
            }
            Err(Problem::missing("Shared drive", drive, "driveId"))
        }
        (_, Some(_)) => {
            let message = "The driveId parameter must be specified if and only if corpora is set to drive.";
            Err(Problem::invalid_parameter("driveId", message))
        }
        (None | Some("user" | "domain" | "allDrives" | "allTeamDrives" | "user,allTeamDrives"), None) => {
            Ok(())
        }
        (Some(_), None) => Err(Problem::invalid_value("corpora")),
    }
}

/// Whether the app data folder is meant instead of the Drive.
fn spaces(call: &Call) -> Result<bool, Problem> {
    let spaces = call.params.list("spaces");
    if spaces.iter().any(|space| !matches!(*space, "drive" | "appDataFolder" | "photos")) {
        return Err(Problem::invalid_value("spaces"));
    }
    let app_data = spaces.contains(&"appDataFolder");
    if app_data && !call.viewer().app_data {
        return Err(Problem::insufficient_scopes());
    }
    // A grant of the app data folder alone shows nothing of the Drive anyway.
    Ok(app_data && !spaces.contains(&"drive"))
}

/// A list body of values already cut by their mask.
pub(crate) fn body(kind: &str, name: &str, items: Vec<Value>, next: Option<String>) -> Value {
    let mut body = Map::new();
    body.insert("kind".into(), json!(kind));
    body.insert(name.into(), Value::Array(items));
    if let Some(next) = next {
        body.insert("nextPageToken".into(), json!(next));
    }
    body.into()
}

/// The mask of a list's items; nothing of them when they are not selected.
pub(crate) fn items_mask(mask: &Mask, name: &str) -> Mask {
    mask.below(name).cloned().unwrap_or_default()
}
