//! `/apiproducts[/{name}]`.

use axum::http::{Method, StatusCode};
use pierhead_store::management::StoredProduct;
use serde_json::{Value, json};

use crate::names::check_name;

use super::problem::ApigeeProblem;
use super::{Answered, Call, document, stamped};

const LISTS: &[&str] = &["proxies", "environments", "apiResources", "scopes"];
const TEXTS: &[&str] = &["displayName", "description", "quota", "quotaInterval", "quotaTimeUnit"];

pub(super) async fn collection(call: &Call<'_>) -> Answered {
    let organization = call.parts.organization();
    match call.method {
        Method::GET => {
            let all = call.parts.store.designs().products(organization).await?;
            Ok((
                StatusCode::OK,
                if call.expand {
                    json!({"apiProduct": all.iter().map(shown).collect::<Vec<_>>()})
                } else {
                    all.iter().map(|product| product.name.clone()).collect()
                },
            ))
        }
        Method::POST => {
            let name = call.required("name")?;
            check_name("name", name, 255).map_err(|error| ApigeeProblem::bad(error.to_string()))?;
            let stored = StoredProduct { name: name.into(), document: read(call)?, stamp: call.stamp() };
            let tx = call.write().await?;
            if tx.designs().product(organization, name).await?.is_some() {
                let code = "keymanagement.service.apiproduct_already_exists";
                return Err(ApigeeProblem::conflict(code, format!("API Product {name} already exists")));
            }
            tx.add_product(organization, &stored).await?;
            call.commit(tx).await?;
            Ok((StatusCode::CREATED, shown(&stored)))
        }
        _ => Err(call.unsupported()),
    }
}

pub(super) async fn one(call: &Call<'_>, name: &str) -> Answered {
    let organization = call.parts.organization();
    let missing =
        || ApigeeProblem::missing("keymanagement.service.apiproduct_doesnot_exist", "API Product", name);
    let product = call.parts.store.designs().product(organization, name).await?.ok_or_else(missing)?;
    match call.method {
        Method::GET => {}
        Method::PUT | Method::POST => {
            let mut changed = product;
            changed.document = read(call)?;
            changed.stamp.touch(call.parts.clock.now().as_i64(), &call.caller);
            let tx = call.write().await?;
            tx.designs().product(organization, name).await?.ok_or_else(missing)?;
            tx.save_product(organization, &changed).await?;
            call.commit(tx).await?;
            return Ok((StatusCode::OK, shown(&changed)));
        }
        Method::DELETE => {
            let tx = call.write().await?;
            let keys = tx.designs().keys(organization).await?;
            let uses = |key: &&pierhead_store::management::StoredKey| {
                key.products.iter().any(|product| product.product == name)
            };
            let users = keys.iter().filter(uses).count();
            if users > 0 {
                let code = "keymanagement.service.apiproduct_in_use";
                return Err(ApigeeProblem::conflict(
                    code,
                    format!("API Product {name} is used by {users} keys"),
                ));
            }
            tx.remove_product(organization, name).await?;
            call.commit(tx).await?;
        }
        _ => return Err(call.unsupported()),
    }
    Ok((StatusCode::OK, shown(&product)))
}

fn read(call: &Call<'_>) -> Result<String, ApigeeProblem> {
    let approval = call.text("approvalType")?.unwrap_or("auto");
    if !matches!(approval, "auto" | "manual") {
        return Err(ApigeeProblem::bad("approvalType must be 'auto' or 'manual'"));
    }
    let mut fields = json!({"approvalType": approval, "attributes": call.attributes()?});
    for name in LISTS {
        fields[*name] = call.texts(name)?.into();
    }
    for name in TEXTS {
        if let Some(text) = call.text(name)? {
            fields[*name] = text.into();
        }
    }
    let number = |name: &str| fields[name].as_str().is_none_or(|text| text.parse::<u32>().is_ok());
    if !number("quota") || !number("quotaInterval") {
        return Err(ApigeeProblem::bad("quota and quotaInterval must be whole numbers in quotes"));
    }
    let unit = fields["quotaTimeUnit"].as_str().unwrap_or("minute");
    if !matches!(unit, "minute" | "hour" | "day" | "month") {
        return Err(ApigeeProblem::bad("quotaTimeUnit must be minute, hour, day or month"));
    }
    Ok(fields.to_string())
}

fn shown(product: &StoredProduct) -> Value {
    let mut fields = document(&product.document);
    fields.insert("name".into(), product.name.clone().into());
    stamped(fields, &product.stamp)
}
