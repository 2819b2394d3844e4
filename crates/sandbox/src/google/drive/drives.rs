//! `drives`: shared drives, of which these accounts have none, as consumer accounts at Google.

use axum::extract::Path;
use axum::response::Response;
use http::StatusCode;

use super::super::bearer::Call;
use super::super::oauth::scope::Needs;
use super::super::problem::Problem;
use super::list;
use super::shapes::DRIVE_LIST;

pub(crate) async fn list(call: Call) -> Result<Response, Problem> {
    call.needs(Needs::Read)?;
    call.params.number("pageSize", 10, 1, 100)?;
    let mask = call.selection(&DRIVE_LIST)?;
    Ok(call.answer(&mask, list::body("drive#driveList", "drives", Vec::new(), None)))
}

pub(crate) async fn get(call: Call, Path(drive): Path<String>) -> Result<Response, Problem> {
    call.needs(Needs::Read)?;
    Err(Problem::missing("Shared drive", &drive, "driveId"))
}

pub(crate) async fn create(call: Call) -> Result<Response, Problem> {
    call.needs(Needs::Whole)?;
    if call.params.filled("requestId").is_none() {
        return Err(Problem::required("requestId"));
    }
    let message = "The user cannot create new shared drives.";
    Err(Problem::new(StatusCode::FORBIDDEN, "userCannotCreateTeamDrives", message))
}
