//! `files.generateIds`: ids that a later create may use, so that a retry cannot make two files.

use axum::response::Response;
use serde_json::json;

use super::super::bearer::Call;
use super::super::oauth::scope::Needs;
use super::super::problem::Problem;
use super::shapes::GENERATED_IDS;

pub(crate) async fn generate(call: Call) -> Result<Response, Problem> {
    call.needs(Needs::Write)?;
    let count = call.params.number("count", 10, 1, 1000)?;
    let space = call.params.filled("space").unwrap_or("drive");
    if !matches!(space, "drive" | "appDataFolder") {
        return Err(Problem::invalid_value("space"));
    }
    if !matches!(call.params.filled("type"), None | Some("files" | "shortcuts")) {
        return Err(Problem::invalid_value("type"));
    }
    let mask = call.selection(&GENERATED_IDS)?;
    let ids: Vec<String> = (0..count).map(|_| call.app.token("1", 24)).collect();
    let mut tree = call.app.tree();
    for id in &ids {
        tree.reserve(id.clone());
    }
    Ok(call.answer(&mask, json!({"kind": "drive#generatedIds", "space": space, "ids": ids})))
}
