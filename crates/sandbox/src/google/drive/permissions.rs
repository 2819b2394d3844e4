//! `files/{fileId}/permissions`: sharing.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use super::super::bearer::Call;
use super::super::oauth::scope::Needs;
use super::super::problem::Problem;
use super::body::Json;
use super::fields::{Fields, Mask};
use super::listing::page_of;
use super::moment;
use super::permission::{Grantee, Permission, Role};
use super::resource::known;
use super::shapes::{PERMISSION, PERMISSION_LIST};
use super::tree::{Effective, Tree};

/// A `drive#permission`.
pub(crate) fn json(effective: &Effective, mask: &Mask) -> Value {
    let given = &effective.permission;
    let mut out = Fields::of(mask);
    out.put("kind", || "drive#permission");
    out.put("id", || given.id.clone());
    out.put("type", || given.grantee.kind());
    out.put("role", || given.role.name());
    out.put_some("emailAddress", || given.grantee.email().map(str::to_owned));
    out.put_some("displayName", || given.display_name.clone());
    out.put_some("domain", || match &given.grantee {
        Grantee::Domain(domain) => Some(domain.clone()),
        Grantee::User(_) | Grantee::Group(_) | Grantee::Anyone => None,
    });
    out.put_some("allowFileDiscovery", || match &given.grantee {
        Grantee::Domain(_) | Grantee::Anyone => Some(given.discoverable),
        Grantee::User(_) | Grantee::Group(_) => None,
    });
    out.put_some("expirationTime", || given.expires.map(moment::write));
    if given.grantee.email().is_some() {
        out.put("deleted", || false);
    }
    out.put("pendingOwner", || given.pending_owner);
    out.nest("permissionDetails", |below| {
        let mut detail = json!({
            "permissionType": "file", "role": given.role.name(), "inherited": effective.inherited_from.is_some(),
        });
        if let Some(from) = &effective.inherited_from {
            detail["inheritedFrom"] = json!(from);
        }
        below.apply(json!([detail]))
    });
    out.finish()
}

pub(crate) async fn list(call: Call, Path(file_id): Path<String>) -> Result<Response, Problem> {
    call.needs(Needs::Read)?;
    let size = call.params.number("pageSize", 100, 1, 100)?;
    let mask = call.selection(&PERMISSION_LIST)?;
    let tree = call.app.tree();
    let node = tree.permitted(call.viewer(), &file_id, Role::Writer, call.app.now())?;
    let all = tree.effective(&node.id, call.app.now());
    let all = all.iter().map(|given| json(given, mask.below("permissions").unwrap_or(Mask::WHOLE)));
    let (page, next) = page_of(&call, size, all.collect())?;
    let mut body = json!({"kind": "drive#permissionList", "permissions": page});
    if let Some(next) = next {
        body["nextPageToken"] = json!(next);
    }
    Ok(call.answer(&mask, body))
}

pub(crate) async fn get(
    call: Call,
    Path((file_id, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    call.needs(Needs::Read)?;
    let mask = call.selection(&PERMISSION)?;
    let tree = call.app.tree();
    let node = tree.permitted(call.viewer(), &file_id, Role::Writer, call.app.now())?;
    let given = find(&tree, &call, &node.id, &id)?;
    Ok(call.answer(&mask, json(&given, &mask)))
}

pub(crate) async fn create(call: Call, Path(file_id): Path<String>, body: Json) -> Result<Response, Problem> {
    call.needs(Needs::Write)?;
    call.note_body(&body.0);
    let mask = call.selection(&PERMISSION)?;
    let role = role_in(&body.0)?.ok_or_else(|| Problem::required("permission.role"))?;
    let grantee = grantee_in(&body.0)?;
    let now = call.app.now();
    let mut tree = call.app.tree();
    let file = sharable(&tree, &call, &file_id)?;
    if role == Role::Owner {
        transfer(&mut tree, &call, &file, &grantee)?;
    } else {
        let person = known(&tree, &grantee);
        let permission = Permission {
            id: permission_id(&tree, &grantee),
            role,
            display_name: match (person, grantee.email()) {
                (Some(person), _) => Some(tree.member(person).account.display_name.clone()),
                (None, Some(email)) => Some(email.split('@').next().unwrap_or(email).to_owned()),
                (None, None) => None,
            },
            discoverable: body.0["allowFileDiscovery"].as_bool().unwrap_or(false),
            expires: expiry_in(&body.0)?,
            pending_owner: false,
            grantee: grantee.clone(),
        };
        tree.change(&file, now, |node| {
            let known = node.permissions.iter_mut().find(|known| known.id == permission.id);
            match known {
                // Sharing again never weakens what somebody has.
                Some(known) => known.role = known.role.max(permission.role),
                None => node.permissions.push(permission),
            }
            if let Some(person) = person.filter(|person| *person != node.owner) {
                node.shared_with.entry(person).or_insert(now);
            }
        })?;
    }
    let id = permission_id(&tree, &grantee);
    let given = find(&tree, &call, &file, &id)?;
    Ok(call.answer(&mask, json(&given, &mask)))
}

pub(crate) async fn update(
    call: Call,
    Path((file_id, id)): Path<(String, String)>,
    body: Json,
) -> Result<Response, Problem> {
    call.needs(Needs::Write)?;
    call.note_body(&body.0);
    let mask = call.selection(&PERMISSION)?;
    for fixed in ["emailAddress", "type", "domain", "allowFileDiscovery"] {
        if !body.0[fixed].is_null() {
            return Err(Problem::not_writable(
                "The resource body includes fields which are not directly writable.",
            ));
        }
    }
    let role = role_in(&body.0)?;
    let expires = expiry_in(&body.0)?;
    let forget_expiry = call.params.flag("removeExpiration");
    let mut tree = call.app.tree();
    let file = sharable(&tree, &call, &file_id)?;
    let given = find(&tree, &call, &file, &id)?;
    direct(&given, &id)?;
    if given.permission.role == Role::Owner && role.is_some_and(|role| role != Role::Owner) {
        return Err(Problem::no_permission(&file_id));
    }
    if role == Some(Role::Owner) {
        transfer(&mut tree, &call, &file, &given.permission.grantee)?;
    } else {
        tree.change(&file, call.app.now(), |node| {
            if let Some(known) = node.permissions.iter_mut().find(|known| known.id == id) {
                known.role = role.unwrap_or(known.role);
                known.expires = if forget_expiry { None } else { expires.or(known.expires) };
            }
        })?;
    }
    let given = find(&tree, &call, &file, &id)?;
    Ok(call.answer(&mask, json(&given, &mask)))
}

pub(crate) async fn delete(
    call: Call,
    Path((file_id, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    call.needs(Needs::Write)?;
    let mut tree = call.app.tree();
    // People may take themselves off a file that others own.
    let own = tree.permission_id(call.person()) == id;
    let file = if own {
        tree.visible(call.viewer(), &file_id, call.app.now())?.0.id.clone()
    } else {
        sharable(&tree, &call, &file_id)?
    };
    let given = find(&tree, &call, &file, &id)?;
    direct(&given, &id)?;
    if given.permission.role == Role::Owner {
        return Err(Problem::no_permission(&file_id));
    }
    let person = known(&tree, &given.permission.grantee);
    tree.change(&file, call.app.now(), |node| {
        node.permissions.retain(|known| known.id != id);
        if let Some(person) = person {
            node.shared_with.remove(&person);
        }
    })?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The id of a file that the caller may share.
fn sharable(tree: &Tree, call: &Call, file_id: &str) -> Result<String, Problem> {
    let (node, role) = tree.visible(call.viewer(), file_id, call.app.now())?;
    let allowed = role == Role::Owner || (role == Role::Writer && node.writers_can_share);
    if !allowed || tree.is_root(&node.id) {
        return Err(Problem::no_permission(file_id));
    }
    Ok(node.id.clone())
}

fn find(tree: &Tree, call: &Call, file: &str, id: &str) -> Result<Effective, Problem> {
    let all = tree.effective(file, call.app.now());
    let found = all.into_iter().find(|given| given.permission.id == id);
    found.ok_or_else(|| Problem::missing("Permission", id, "permissionId"))
}

/// An inherited permission can be changed on its folder only.
fn direct(given: &Effective, id: &str) -> Result<(), Problem> {
    if given.inherited_from.is_none() {
        return Ok(());
    }
    let message = format!("The permission {id} is inherited: change it on the folder it comes from.");
    Err(Problem::new(StatusCode::FORBIDDEN, "cannotModifyInheritedPermission", message))
}

/// Gives a file to somebody else; the old owner keeps writing.
fn transfer(tree: &mut Tree, call: &Call, file: &str, to: &Grantee) -> Result<(), Problem> {
    if !call.params.flag("transferOwnership") {
        let message = "The transferOwnership parameter must be enabled when the permission role is 'owner'.";
        return Err(
            Problem::new(StatusCode::FORBIDDEN, "forbidden", message).about_parameter("transferOwnership")
        );
    }
    let person = known(tree, to).ok_or_else(|| {
        Problem::new(StatusCode::FORBIDDEN, "invalidSharingRequest", "Only an account here can own a file.")
    })?;
    let node = tree.permitted(call.viewer(), file, Role::Owner, call.app.now())?;
    let (old_owner, new) = (node.owner, tree.owner_permission(person));
    let old_id = tree.permission_id(old_owner).to_owned();
    tree.change(file, call.app.now(), |node| {
        node.owner = person;
        node.permissions.retain(|known| known.id != new.id);
        node.permissions.push(new);
        if let Some(old) = node.permissions.iter_mut().find(|known| known.id == old_id && old_owner != person)
        {
            old.role = Role::Writer;
        }
        node.shared_with.remove(&person);
    })
}

fn role_in(body: &Value) -> Result<Option<Role>, Problem> {
    match &body["role"] {
        Value::Null => Ok(None),
        Value::String(name) => match Role::named(name) {
            Some(role) => Ok(Some(role)),
            None => {
                Err(bad(format!("The specified role is invalid or not supported: {name}"), "permission.role"))
            }
        },
        _ => Err(bad("role must be text".into(), "permission.role")),
    }
}

fn grantee_in(body: &Value) -> Result<Grantee, Problem> {
    let email = || {
        let email = body["emailAddress"].as_str().filter(|email| email.contains('@'));
        email.map(str::to_owned).ok_or_else(|| {
            let message =
                "The specified emailAddress is invalid or not applicable for the given permission type.";
            bad(message.into(), "permission.emailAddress")
        })
    };
    match body["type"].as_str() {
        Some("user") => email().map(Grantee::User),
        Some("group") => email().map(Grantee::Group),
        Some("domain") => match body["domain"].as_str().filter(|domain| !domain.is_empty()) {
            Some(domain) => Ok(Grantee::Domain(domain.to_owned())),
            None => {
                let message =
                    "The specified domain is invalid or not applicable for the given permission type.";
                Err(bad(message.into(), "permission.domain"))
            }
        },
        Some("anyone") => Ok(Grantee::Anyone),
        Some(_) => Err(bad("The permission type field is invalid.".into(), "permission.type")),
        None => Err(bad("The permission type field is required.".into(), "permission.type")),
    }
}

fn expiry_in(body: &Value) -> Result<Option<pierhead_domain::EpochMillis>, Problem> {
    match &body["expirationTime"] {
        Value::Null => Ok(None),
        value => match value.as_str().and_then(moment::read) {
            Some(at) => Ok(Some(at)),
            None => Err(bad("Invalid value for: Invalid format".into(), "permission.expirationTime")),
        },
    }
}

fn bad(message: String, place: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid", message).about_body(place)
}

/// A grantee has the same permission id on every file.
fn permission_id(tree: &Tree, grantee: &Grantee) -> String {
    use sha2::{Digest, Sha256};
    if let Some(person) = known(tree, grantee) {
        return tree.permission_id(person).to_owned();
    }
    let of = match grantee {
        Grantee::User(of) | Grantee::Group(of) => of.to_ascii_lowercase(),
        Grantee::Domain(domain) => return format!("{}k", stable_digits(&Sha256::digest(domain.as_bytes()))),
        Grantee::Anyone => return "anyoneWithLink".into(),
    };
    stable_digits(&Sha256::digest(of.as_bytes()))
}

fn stable_digits(hash: &[u8]) -> String {
    std::iter::once('0').chain(hash.iter().take(19).map(|byte| char::from(b'0' + byte % 10))).collect()
}
