//! `about`: the person, the storage, what can be converted.

use axum::response::Response;
use serde_json::{Value, json};

use super::super::bearer::Call;
use super::super::oauth::scope::Needs;
use super::super::problem::Problem;
use super::export;
use super::fields::Fields;
use super::resource::View;
use super::shapes::ABOUT;

/// Source: `mediaUpload.maxSize` of `drive.v3.json`.
const MAX_UPLOAD: &str = "5497558138880";

pub(crate) async fn about(call: Call) -> Result<Response, Problem> {
    call.needs(Needs::Read)?;
    let mask = call.selection(&ABOUT)?;
    let value = {
        let tree = call.app.tree();
        let mut out = Fields::of(&mask);
        out.put("kind", || "drive#about");
        out.nest("user", |below| View::of(&call, &tree).user(call.person(), below));
        out.nest("storageQuota", |below| {
            let (used, trash) = tree.usage(call.person());
            below.apply(json!({
                "limit": call.app.options.storage_limit.to_string(),
                "usage": used.to_string(),
                "usageInDrive": used.to_string(),
                "usageInDriveTrash": trash.to_string(),
            }))
        });
        out.put("importFormats", export::imports);
        out.put("exportFormats", export::formats);
        out.put("maxImportSizes", || {
            json!({
                super::node::DOCUMENT: "10485760",
                super::node::SPREADSHEET: "104857600",
                super::node::PRESENTATION: "104857600",
            })
        });
        out.put("maxUploadSize", || MAX_UPLOAD);
        out.put("appInstalled", || true);
        out.put("canCreateDrives", || false);
        out.put("canCreateTeamDrives", || false);
        out.put("folderColorPalette", || {
            json!(["#ac725e", "#d06b64", "#f83a22", "#8f8f8f", "#16a765", "#4986e7"])
        });
        out.put("driveThemes", || Value::Array(Vec::new()));
        out.put("teamDriveThemes", || Value::Array(Vec::new()));
        out.finish()
    };
    Ok(call.answer(&mask, value))
}
