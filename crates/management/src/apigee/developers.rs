//! `/developers[/{email}]`.

use axum::http::{Method, StatusCode};
use pierhead_domain::time_ordered_id;
use pierhead_store::management::StoredDeveloper;
use serde_json::{Value, json};

use super::problem::ApigeeProblem;
use super::{Answered, Call, document, stamped};

pub(super) async fn collection(call: &Call<'_>) -> Answered {
    let organization = call.parts.organization();
    match call.method {
        Method::GET => {
            let all = call.parts.store.designs().developers(organization).await?;
            Ok((StatusCode::OK, all.into_iter().map(|developer| developer.email).collect()))
        }
        Method::POST => {
            let email = call.required("email")?.to_lowercase();
            let plain = |char: char| char.is_ascii_graphic() && !"/:\\\"<>()[],;".contains(char);
            if email.len() > 255
                || !email.chars().all(plain)
                || email.split('@').filter(|part| !part.is_empty()).count() != 2
            {
                return Err(ApigeeProblem::bad("email must be an address of at most 255 bytes"));
            }
            let id = time_ordered_id(call.parts.clock.now(), call.parts.rng.as_ref());
            let document = read(call, "active")?;
            let stored = StoredDeveloper { id, email, document, stamp: call.stamp() };
            let tx = call.write().await?;
            if tx.designs().developers(organization).await?.iter().any(|known| known.email == stored.email) {
                let code = "developer.service.DeveloperAlreadyExists";
                return Err(ApigeeProblem::conflict(
                    code,
                    format!("Developer {} already exists", stored.email),
                ));
            }
            tx.add_developer(organization, &stored).await?;
            call.commit(tx).await?;
            Ok((StatusCode::CREATED, shown(call, &stored).await?))
        }
        _ => Err(call.unsupported()),
    }
}

pub(super) async fn one(call: &Call<'_>, email: &str) -> Answered {
    let organization = call.parts.organization();
    let mut developer = find(call, email).await?;
    match (&call.method, call.action.as_deref()) {
        (&Method::GET, _) => {}
        (&Method::POST, Some(action @ ("active" | "inactive"))) => {
            let mut fields = document(&developer.document);
            fields.insert("status".into(), action.into());
            developer.document = Value::Object(fields).to_string();
            save(call, &mut developer).await?;
            return Ok((StatusCode::NO_CONTENT, Value::Null));
        }
        (&Method::PUT | &Method::POST, None) => {
            let status = document(&developer.document)["status"].as_str().unwrap_or("active").to_owned();
            developer.document = read(call, &status)?;
            save(call, &mut developer).await?;
        }
        (&Method::DELETE, _) => {
            let answer = shown(call, &developer).await?;
            let tx = call.write().await?;
            tx.remove_developer(organization, &developer.id).await?;
            call.commit(tx).await?;
            return Ok((StatusCode::OK, answer));
        }
        _ => return Err(call.unsupported()),
    }
    Ok((StatusCode::OK, shown(call, &developer).await?))
}

/// The developer with this email address or id.
pub(super) async fn find(call: &Call<'_>, email: &str) -> Result<StoredDeveloper, ApigeeProblem> {
    let all = call.parts.store.designs().developers(call.parts.organization()).await?;
    let lower = email.to_lowercase();
    all.into_iter()
        .find(|developer| developer.email == lower || developer.id == email)
        .ok_or_else(|| ApigeeProblem::missing("developer.service.DeveloperDoesNotExist", "Developer", email))
}

async fn save(call: &Call<'_>, developer: &mut StoredDeveloper) -> Result<(), ApigeeProblem> {
    developer.stamp.touch(call.parts.clock.now().as_i64(), &call.caller);
    let tx = call.write().await?;
    tx.save_developer(call.parts.organization(), developer).await?;
    call.commit(tx).await
}

fn read(call: &Call<'_>, status: &str) -> Result<String, ApigeeProblem> {
    let fields = json!({
        "userName": call.required("userName")?, "firstName": call.required("firstName")?,
        "lastName": call.required("lastName")?, "status": status, "attributes": call.attributes()?,
    });
    Ok(fields.to_string())
}

async fn shown(call: &Call<'_>, developer: &StoredDeveloper) -> Result<Value, ApigeeProblem> {
    let apps = call.parts.store.designs().apps_of(call.parts.organization(), &developer.id).await?;
    let mut fields = document(&developer.document);
    fields.insert("developerId".into(), developer.id.clone().into());
    fields.insert("email".into(), developer.email.clone().into());
    fields.insert("organizationName".into(), call.parts.snapshots.load().organization().into());
    fields.insert("apps".into(), apps.into_iter().map(|app| app.name).collect());
    Ok(stamped(fields, &developer.stamp))
}
