//! `/developers/{email}/apps/{app}/keys/{key}` and what lies below. A key is found by its keyed hash; the
//! key and its secret are sealed, since this API shows them again.

use axum::http::{Method, StatusCode};
use pierhead_store::WriteTx;
use pierhead_store::management::{StoredApp, StoredKey, StoredKeyProduct};
use pierhead_vault::Sealed;
use serde_json::{Value, json};

use crate::live_keys::{KEY_KIND, KeyPair, sealed_place};

use super::problem::ApigeeProblem;
use super::{Answered, Call, apps, document};

/// `POST …/keys/create`: a key and secret of the client's own.
pub(super) async fn create(call: &Call<'_>, email: &str, app: &str) -> Answered {
    if call.method != Method::POST {
        return Err(call.unsupported());
    }
    let app = apps::find(call, email, app).await?;
    let own = |name: &str| {
        let text = call.required(name)?;
        let plain =
            text.chars().all(|char| char.is_ascii_graphic() && !matches!(char, '/' | '?' | '#' | '%'));
        if plain {
            Ok(text.to_owned())
        } else {
            Err(ApigeeProblem::bad(format!("{name} must be printable ASCII without / ? # %")))
        }
    };
    let (key, secret) = (own("consumerKey")?, own("consumerSecret")?);
    let tx = call.write().await?;
    let stored = add(call, &tx, &app, key, secret).await?;
    call.commit(tx).await?;
    Ok((StatusCode::CREATED, shown(call, &stored)?))
}

/// `…/keys/{key}`.
pub(super) async fn one(call: &Call<'_>, email: &str, app: &str, key: &str) -> Answered {
    let organization = call.parts.organization();
    let mut stored = find(call, email, app, key).await?;
    match (&call.method, call.action.as_deref()) {
        (&Method::GET, _) => return Ok((StatusCode::OK, shown(call, &stored)?)),
        (&Method::DELETE, _) => {
            let tx = call.write().await?;
            tx.remove_key(organization, &stored.hash).await?;
            call.commit(tx).await?;
            return Ok((StatusCode::OK, shown(call, &stored)?));
        }
        (&Method::POST, Some(action @ ("approve" | "revoke"))) => {
            stored.status = standing_after(action).into();
            save(call, &stored).await?;
            return Ok((StatusCode::NO_CONTENT, Value::Null));
        }
        (&Method::POST | &Method::PUT, None) => {
            let tx = call.write().await?;
            for product in products(call, &tx).await? {
                if stored.products.iter().all(|known| known.product != product.product) {
                    stored.products.push(product);
                }
            }
            tx.save_key(organization, &stored).await?;
            call.commit(tx).await?;
        }
        _ => return Err(call.unsupported()),
    }
    Ok((StatusCode::OK, shown(call, &stored)?))
}

/// `…/keys/{key}/apiproducts/{product}`: approves, revokes or removes one product of a key.
pub(super) async fn product(call: &Call<'_>, email: &str, app: &str, key: &str, name: &str) -> Answered {
    let mut stored = find(call, email, app, key).await?;
    let at = stored.products.iter().position(|known| known.product == name);
    let missing =
        || ApigeeProblem::missing("keymanagement.service.apiproduct_doesnot_exist", "API Product", name);
    let at = at.ok_or_else(missing)?;
    match (&call.method, call.action.as_deref()) {
        (&Method::POST, Some(action @ ("approve" | "revoke"))) => {
            stored.products[at].status = standing_after(action).into();
            save(call, &stored).await?;
            Ok((StatusCode::NO_CONTENT, Value::Null))
        }
        (&Method::DELETE, _) => {
            stored.products.remove(at);
            save(call, &stored).await?;
            Ok((StatusCode::OK, shown(call, &stored)?))
        }
        _ => Err(call.unsupported()),
    }
}

/// Adds a key to an app, with the products that the body names.
pub(super) async fn add(
    call: &Call<'_>,
    tx: &WriteTx,
    app: &StoredApp,
    key: String,
    secret: String,
) -> Result<StoredKey, ApigeeProblem> {
    let organization = call.parts.organization();
    let hash = call.parts.vault.lookup_hash(KEY_KIND, &key);
    if tx.designs().keys(organization).await?.iter().any(|known| known.hash == hash.as_str()) {
        let code = "keymanagement.service.consumer_key_already_exists";
        return Err(ApigeeProblem::conflict(code, "The consumer key already exists"));
    }
    let now = call.parts.clock.now().as_i64();
    let lifetime = call.body.get("keyExpiresIn").and_then(Value::as_i64).filter(|millis| *millis > 0);
    let clear = serde_json::to_string(&KeyPair { key, secret })
        .map_err(|error| ApigeeProblem::Internal(error.into()))?;
    let sealed = call.parts.vault.seal_text(organization, &sealed_place(hash.as_str()), &clear.into())?;
    let stored = StoredKey {
        hash: hash.as_str().into(),
        app: app.id.clone(),
        sealed: sealed.into_bytes(),
        status: "approved".into(),
        products: products(call, tx).await?,
        issued_ms: now,
        expires_ms: lifetime.map(|millis| now.saturating_add(millis)),
    };
    tx.add_key(organization, &stored).await?;
    Ok(stored)
}

/// 32 random bytes in hex: a key or a secret of ours.
pub(super) fn random(call: &Call<'_>) -> String {
    let mut bytes = [0; 32];
    call.parts.rng.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The status that an action leads to.
pub(super) fn standing_after(action: &str) -> &'static str {
    if action == "approve" { "approved" } else { "revoked" }
}

/// The products that the body names, each with the status that its approval type asks for.
async fn products(call: &Call<'_>, tx: &WriteTx) -> Result<Vec<StoredKeyProduct>, ApigeeProblem> {
    let mut products = Vec::new();
    for name in call.texts("apiProducts")? {
        let stored = tx.designs().product(call.parts.organization(), &name).await?;
        let missing =
            || ApigeeProblem::missing("keymanagement.service.apiproduct_doesnot_exist", "API Product", &name);
        let manual = document(&stored.ok_or_else(missing)?.document)["approvalType"] == "manual";
        let status = if manual { "pending" } else { "approved" };
        products.push(StoredKeyProduct { product: name, status: status.into() });
    }
    Ok(products)
}

async fn find(call: &Call<'_>, email: &str, app: &str, key: &str) -> Result<StoredKey, ApigeeProblem> {
    let app = apps::find(call, email, app).await?;
    let hash = call.parts.vault.lookup_hash(KEY_KIND, key);
    let keys = call.parts.store.designs().keys_of(call.parts.organization(), &app.id).await?;
    keys.into_iter().find(|known| known.hash == hash.as_str()).ok_or_else(|| ApigeeProblem::Missing {
        code: "keymanagement.service.InvalidClientIdForGivenApp",
        message: "The app has no such consumer key".into(),
    })
}

async fn save(call: &Call<'_>, stored: &StoredKey) -> Result<(), ApigeeProblem> {
    let tx = call.write().await?;
    tx.save_key(call.parts.organization(), stored).await?;
    call.commit(tx).await
}

/// A key as one of an app's credentials.
pub(super) fn shown(call: &Call<'_>, stored: &StoredKey) -> Result<Value, ApigeeProblem> {
    let sealed = Sealed::from_stored(stored.sealed.clone());
    let clear =
        call.parts.vault.open_bytes(call.parts.organization(), &sealed_place(&stored.hash), &sealed)?;
    let pair: KeyPair =
        serde_json::from_slice(&clear).map_err(|error| ApigeeProblem::Internal(error.into()))?;
    let product =
        |product: &StoredKeyProduct| json!({"apiproduct": product.product, "status": product.status});
    Ok(json!({
        "consumerKey": pair.key, "consumerSecret": pair.secret, "status": stored.status,
        "apiProducts": stored.products.iter().map(product).collect::<Vec<_>>(),
        "issuedAt": stored.issued_ms, "expiresAt": stored.expires_ms.unwrap_or(-1),
        "attributes": [], "scopes": [],
    }))
}
