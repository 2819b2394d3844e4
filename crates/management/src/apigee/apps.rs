//! `/developers/{email}/apps[/{app}]`.

use axum::http::{Method, StatusCode};
use pierhead_domain::time_ordered_id;
use pierhead_store::management::StoredApp;
use serde_json::{Value, json};

use crate::names::check_name;

use super::problem::ApigeeProblem;
use super::{Answered, Call, developers, document, keys, stamped};

pub(super) async fn collection(call: &Call<'_>, email: &str) -> Answered {
    let organization = call.parts.organization();
    let developer = developers::find(call, email).await?;
    match call.method {
        Method::GET => {
            let apps = call.parts.store.designs().apps_of(organization, &developer.id).await?;
            Ok((StatusCode::OK, apps.into_iter().map(|app| app.name).collect()))
        }
        Method::POST => {
            let name = call.required("name")?;
            check_name("name", name, 255).map_err(|error| ApigeeProblem::bad(error.to_string()))?;
            let app = StoredApp {
                id: time_ordered_id(call.parts.clock.now(), call.parts.rng.as_ref()),
                developer: developer.id.clone(),
                name: name.into(),
                document: read(call, "approved")?,
                stamp: call.stamp(),
            };
            let tx = call.write().await?;
            if tx
                .designs()
                .apps_of(organization, &developer.id)
                .await?
                .iter()
                .any(|known| known.name == app.name)
            {
                let code = "developer.service.AppAlreadyExists";
                return Err(ApigeeProblem::conflict(code, format!("App {name} already exists")));
            }
            tx.add_app(organization, &app).await?;
            keys::add(call, &tx, &app, keys::random(call), keys::random(call)).await?;
            call.commit(tx).await?;
            Ok((StatusCode::CREATED, shown(call, &app).await?))
        }
        _ => Err(call.unsupported()),
    }
}

pub(super) async fn one(call: &Call<'_>, email: &str, name: &str) -> Answered {
    let organization = call.parts.organization();
    let mut app = find(call, email, name).await?;
    match (&call.method, call.action.as_deref()) {
        (&Method::GET, _) => {}
        (&Method::POST, Some(action @ ("approve" | "revoke"))) => {
            let mut fields = document(&app.document);
            fields.insert("status".into(), keys::standing_after(action).into());
            app.document = Value::Object(fields).to_string();
            save(call, &mut app).await?;
            return Ok((StatusCode::NO_CONTENT, Value::Null));
        }
        (&Method::PUT | &Method::POST, None) => {
            let status = document(&app.document)["status"].as_str().unwrap_or("approved").to_owned();
            app.document = read(call, &status)?;
            save(call, &mut app).await?;
        }
        (&Method::DELETE, _) => {
            let answer = shown(call, &app).await?;
            let tx = call.write().await?;
            tx.remove_app(organization, &app.id).await?;
            call.commit(tx).await?;
            return Ok((StatusCode::OK, answer));
        }
        _ => return Err(call.unsupported()),
    }
    Ok((StatusCode::OK, shown(call, &app).await?))
}

/// The app of this name of the developer with this email address.
pub(super) async fn find(call: &Call<'_>, email: &str, name: &str) -> Result<StoredApp, ApigeeProblem> {
    let developer = developers::find(call, email).await?;
    let apps = call.parts.store.designs().apps_of(call.parts.organization(), &developer.id).await?;
    apps.into_iter()
        .find(|app| app.name == name || app.id == name)
        .ok_or_else(|| ApigeeProblem::missing("developer.service.AppDoesNotExist", "App", name))
}

async fn save(call: &Call<'_>, app: &mut StoredApp) -> Result<(), ApigeeProblem> {
    app.stamp.touch(call.parts.clock.now().as_i64(), &call.caller);
    let tx = call.write().await?;
    tx.save_app(call.parts.organization(), app).await?;
    call.commit(tx).await
}

fn read(call: &Call<'_>, status: &str) -> Result<String, ApigeeProblem> {
    let fields = json!({
        "callbackUrl": call.text("callbackUrl")?.unwrap_or_default(),
        "accessType": call.text("accessType")?.unwrap_or_default(),
        "scopes": call.texts("scopes")?, "status": status, "attributes": call.attributes()?,
    });
    Ok(fields.to_string())
}

async fn shown(call: &Call<'_>, app: &StoredApp) -> Result<Value, ApigeeProblem> {
    let stored = call.parts.store.designs().keys_of(call.parts.organization(), &app.id).await?;
    let credentials: Result<Vec<Value>, _> = stored.iter().map(|key| keys::shown(call, key)).collect();
    let mut fields = document(&app.document);
    fields.insert("appId".into(), app.id.clone().into());
    fields.insert("name".into(), app.name.clone().into());
    fields.insert("developerId".into(), app.developer.clone().into());
    fields.insert("credentials".into(), credentials?.into());
    Ok(stamped(fields, &app.stamp))
}
