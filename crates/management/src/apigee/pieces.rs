//! `/apis/{n}/revisions/{r}/{policies,proxies,targets,resourcefiles}`: one piece of a revision at a time
//! (api-management §8.10).
//!
//! A change lands in the revision itself, which must not be deployed, or with `newRevision=true` in a new one; the
//! answer's `Location` names the piece in the revision that holds the change.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pierhead_gateway::design::{FileResource, PolicyText, ProxyDesign, ProxyEndpoint, TargetEndpoint};
use serde_json::{Value, json};

use super::problem::ApigeeProblem;
use super::proxy_call::{ProxyCall, number};
use super::{apis, endpoints};
use crate::names::check_name;
use crate::odata::{ODataError, Service};
use crate::portal::{Landing, NoChange};
use crate::sets::policies::root_element;

/// Answers what lies below a revision.
pub(super) async fn answer(
    call: &ProxyCall<'_>,
    proxy: &str,
    revision: &str,
    piece: &str,
    below: &[&str],
) -> Result<Response<Body>, ApigeeProblem> {
    if call.method == Method::GET {
        let (design, _) = apis::kept(call, proxy, revision).await?;
        return read(call, &design, piece, below);
    }
    apis::stored(call, proxy).await?;
    let change = Change::read(call, piece, below).await?;
    let landing = match call.query("newRevision").as_deref() {
        None | Some("false") => Landing::InPlace,
        Some("true") => Landing::NewRevision,
        Some(_) => return Err(ApigeeProblem::bad("newRevision must be true or false")),
    };
    let portal = call.portal();
    let mut work = portal.begin().await?;
    let landed = portal
        .change_revision(&mut work, proxy, number(revision)?, landing, |design| change.make(design))
        .await?;
    let design = portal.revision(&work, proxy, landed).await?;
    portal.commit(work).await?;
    tracing::info!(proxy, revision = landed, piece = change.path, "a revision was changed");
    let body = change.shown(&design).unwrap_or_else(|| json!({"name": change.name}));
    let status = if change.adds { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = (status, axum::Json(body)).into_response();
    let at =
        format!("/v1/organizations/{}/apis/{proxy}/revisions/{landed}/{}", call.organization, change.path);
    if let Ok(at) = HeaderValue::from_str(&at) {
        response.headers_mut().insert(header::LOCATION, at);
    }
    Ok(response)
}

fn read(
    call: &ProxyCall<'_>,
    design: &ProxyDesign,
    piece: &str,
    below: &[&str],
) -> Result<Response<Body>, ApigeeProblem> {
    let value = match (piece, below) {
        ("policies", []) => design.policies.iter().map(|policy| policy.name.as_str()).collect(),
        ("policies", [name]) => {
            let policy = find(&design.policies, "Policy", name, |policy| &policy.name)?;
            if call.header(header::ACCEPT).contains("xml") {
                return Ok(document(policy.xml.clone().into_bytes(), "application/xml"));
            }
            policy_shown(policy)
        }
        ("proxies", []) => design.proxy_endpoints.iter().map(|one| one.name.as_str()).collect(),
        ("proxies", [name]) => {
            endpoints::proxy_shown(find(&design.proxy_endpoints, "ProxyEndpoint", name, |one| &one.name)?)
        }
        ("targets", []) => design.target_endpoints.iter().map(|one| one.name.as_str()).collect(),
        ("targets", [name]) => {
            endpoints::target_shown(find(&design.target_endpoints, "TargetEndpoint", name, |one| &one.name)?)
        }
        ("resources", []) => {
            design.resources.iter().map(|file| format!("{}://{}", file.kind, file.name)).collect()
        }
        ("resourcefiles", []) => {
            let files: Vec<Value> = design.resources.iter().map(file_shown).collect();
            json!({"resourceFile": files})
        }
        ("resources" | "resourcefiles", [kind, name]) => {
            let file = design.resources.iter().find(|file| file.kind == *kind && file.name == *name);
            let file = file.ok_or_else(|| missing("Resource", &format!("{kind}://{name}")))?;
            let bytes = match file.binary {
                false => file.content.clone().into_bytes(),
                true => STANDARD.decode(&file.content).map_err(|why| ApigeeProblem::Internal(why.into()))?,
            };
            return Ok(document(bytes, "application/octet-stream"));
        }
        _ => return Err(missing("Resource", &below.join("/"))),
    };
    Ok(axum::Json::<Value>(value).into_response())
}

/// Bytes that a browser saves and never shows.
fn document(bytes: Vec<u8>, kind: &'static str) -> Response<Body> {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_DISPOSITION, "attachment"),
    ];
    (headers, bytes).into_response()
}

/// What a call asks to be changed.
struct Change {
    /// Below the revision.
    path: String,
    name: String,
    adds: bool,
    what: What,
}

enum What {
    Policy(PolicyText),
    NoPolicy,
    Resource(FileResource),
    NoResource(String),
    Proxy(Value),
    NoProxy,
    Target(Value),
    NoTarget,
}

impl Change {
    async fn read(call: &ProxyCall<'_>, piece: &str, below: &[&str]) -> Result<Self, ApigeeProblem> {
        let removes = call.method == Method::DELETE;
        let adds = match (&call.method, piece, below) {
            (&Method::POST, _, []) => true,
            (&Method::POST | &Method::PUT | &Method::DELETE, "policies" | "proxies" | "targets", [_])
            | (&Method::POST | &Method::PUT | &Method::DELETE, "resources" | "resourcefiles", [_, _]) => {
                false
            }
            (other, _, _) => return Err(ApigeeProblem::Method(other.to_string())),
        };
        let said = below.last().map(|name| (*name).to_owned());
        let (name, what) = match piece {
            "policies" if removes => (said.unwrap_or_default(), What::NoPolicy),
            "policies" => {
                let policy = policy(call, said)?;
                (policy.name.clone(), What::Policy(policy))
            }
            "proxies" | "targets" if removes => {
                (said.unwrap_or_default(), if piece == "proxies" { What::NoProxy } else { What::NoTarget })
            }
            "proxies" | "targets" => {
                let body = call.json()?;
                let name = said.or_else(|| body.get("name")?.as_str().map(str::to_owned));
                let name = name.ok_or_else(|| ApigeeProblem::bad("name must be given"))?;
                check_name("name", &name, 255)?;
                let body = Value::Object(body);
                (name, if piece == "proxies" { What::Proxy(body) } else { What::Target(body) })
            }
            _ if removes => (
                said.unwrap_or_default(),
                What::NoResource(below.first().copied().unwrap_or_default().into()),
            ),
            _ => {
                let file = resource(call, below).await?;
                (file.name.clone(), What::Resource(file))
            }
        };
        let path = match &what {
            What::Resource(FileResource { kind, .. }) | What::NoResource(kind) => {
                format!("{piece}/{kind}/{name}")
            }
            _ => format!("{piece}/{name}"),
        };
        Ok(Self { path, name, adds, what })
    }

    fn make(&self, design: &mut ProxyDesign) -> Result<(), NoChange> {
        let name = self.name.as_str();
        let adds = self.adds;
        match &self.what {
            What::Policy(policy) => {
                put(&mut design.policies, "Policy", name, adds, |one| &one.name, policy.clone())?;
            }
            What::NoPolicy => take(&mut design.policies, "Policy", name, |one| one.name == name)?,
            What::Resource(file) => {
                let same = |one: &FileResource| one.kind == file.kind && one.name == file.name;
                match (design.resources.iter_mut().find(|one| same(one)), adds) {
                    (Some(_), true) => return Err(exists("Resource", name)),
                    (None, false) => return Err(absent("Resource", name)),
                    (Some(old), false) => *old = file.clone(),
                    (None, true) => design.resources.push(file.clone()),
                }
            }
            What::NoResource(kind) => {
                take(&mut design.resources, "Resource", name, |one| one.kind == *kind && one.name == name)?;
            }
            What::Proxy(body) => {
                let old = design.proxy_endpoints.iter().find(|one| one.name == name).cloned();
                let fresh = || ProxyEndpoint { name: name.into(), ..ProxyEndpoint::default() };
                let mut changed = old.unwrap_or_else(fresh);
                endpoints::change_proxy(&mut changed, body).map_err(ODataError::bad)?;
                put(&mut design.proxy_endpoints, "ProxyEndpoint", name, adds, |one| &one.name, changed)?;
            }
            What::NoProxy => {
                take(&mut design.proxy_endpoints, "ProxyEndpoint", name, |one| one.name == name)?;
            }
            What::Target(body) => {
                let old = design.target_endpoints.iter().find(|one| one.name == name).cloned();
                let fresh = || TargetEndpoint { name: name.into(), ..TargetEndpoint::default() };
                let mut changed = old.unwrap_or_else(fresh);
                endpoints::change_target(&mut changed, body).map_err(ODataError::bad)?;
                put(&mut design.target_endpoints, "TargetEndpoint", name, adds, |one| &one.name, changed)?;
            }
            What::NoTarget => {
                take(&mut design.target_endpoints, "TargetEndpoint", name, |one| one.name == name)?;
            }
        }
        Ok(())
    }

    fn shown(&self, design: &ProxyDesign) -> Option<Value> {
        let name = self.name.as_str();
        Some(match &self.what {
            What::Policy(_) => policy_shown(design.policies.iter().find(|one| one.name == name)?),
            What::Resource(file) => file_shown(file),
            What::Proxy(_) => {
                endpoints::proxy_shown(design.proxy_endpoints.iter().find(|one| one.name == name)?)
            }
            What::Target(_) => {
                endpoints::target_shown(design.target_endpoints.iter().find(|one| one.name == name)?)
            }
            _ => return None,
        })
    }
}

/// The policy of the body, which is its document.
fn policy(call: &ProxyCall<'_>, said: Option<String>) -> Result<PolicyText, ApigeeProblem> {
    if !call.header(header::CONTENT_TYPE).contains("xml") {
        return Err(ApigeeProblem::bad(
            "Content-Type must be application/xml: a policy is sent as its document",
        ));
    }
    let xml = std::str::from_utf8(call.body()).map_err(|_| ApigeeProblem::bad("the policy is not UTF-8"))?;
    let Some(kind) = root_element(xml) else {
        return Err(ApigeeProblem::bad("the policy is no XML document"));
    };
    let name = said.or_else(|| call.query("name")).or_else(|| root_name(xml));
    let name =
        name.ok_or_else(|| ApigeeProblem::bad("name must be given: as ?name= or on the root element"))?;
    check_name("name", &name, 255)?;
    Ok(PolicyText { name, kind, xml: xml.into(), fixed: false })
}

/// The `name` attribute of the root element.
fn root_name(xml: &str) -> Option<String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(xml);
    loop {
        match reader.read_event().ok()? {
            Event::Start(root) | Event::Empty(root) => {
                let name = root.try_get_attribute("name").ok()??;
                return name
                    .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                    .ok()
                    .map(std::borrow::Cow::into_owned);
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// The file of the body; its type and name are in the path or, when it is new, in the query.
async fn resource(call: &ProxyCall<'_>, below: &[&str]) -> Result<FileResource, ApigeeProblem> {
    let (kind, name) = match below {
        [kind, name] => ((*kind).to_owned(), (*name).to_owned()),
        _ => (call.query("type").unwrap_or_default(), call.query("name").unwrap_or_default()),
    };
    check_name("name", &name, 255)?;
    if kind.is_empty() || kind.len() > 20 || !kind.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(ApigeeProblem::bad("type must be given: jsc, py, xsl, xsd, wsdl, properties, …"));
    }
    let kind_of_body = call.header(header::CONTENT_TYPE);
    if !kind_of_body.starts_with("application/octet-stream")
        && !kind_of_body.starts_with("multipart/form-data")
    {
        return Err(ApigeeProblem::bad(
            "Content-Type must be application/octet-stream or multipart/form-data",
        ));
    }
    let bytes = call.zip().await?;
    Ok(match String::from_utf8(bytes.to_vec()) {
        Ok(content) => FileResource { name, kind, content, binary: false },
        Err(_) => FileResource { name, kind, content: STANDARD.encode(&bytes), binary: true },
    })
}

fn policy_shown(policy: &PolicyText) -> Value {
    json!({
        "name": policy.name, "displayName": policy.name, "policyType": policy.kind, "fixed": policy.fixed,
        "xml": policy.xml,
    })
}

fn file_shown(file: &FileResource) -> Value {
    json!({"name": file.name, "type": file.kind})
}

fn find<'d, T>(
    all: &'d [T],
    kind: &str,
    name: &str,
    name_of: impl Fn(&T) -> &String,
) -> Result<&'d T, ApigeeProblem> {
    all.iter().find(|one| name_of(one) == name).ok_or_else(|| missing(kind, name))
}

fn put<T>(
    all: &mut Vec<T>,
    kind: &str,
    name: &str,
    adds: bool,
    name_of: impl Fn(&T) -> &String,
    new: T,
) -> Result<(), NoChange> {
    match (all.iter_mut().find(|one| name_of(one) == name), adds) {
        (Some(_), true) => return Err(exists(kind, name)),
        (None, false) => return Err(absent(kind, name)),
        (Some(old), false) => *old = new,
        (None, true) => all.push(new),
    }
    Ok(())
}

fn take<T>(all: &mut Vec<T>, kind: &str, name: &str, is: impl Fn(&T) -> bool) -> Result<(), NoChange> {
    let at = all.iter().position(is).ok_or_else(|| absent(kind, name))?;
    all.remove(at);
    Ok(())
}

fn missing(kind: &str, name: &str) -> ApigeeProblem {
    ApigeeProblem::missing("messaging.config.beans.NotFound", kind, name)
}

fn absent(kind: &str, name: &str) -> NoChange {
    ODataError::not_found(format_args!("{kind} '{name}'")).into()
}

fn exists(kind: &str, name: &str) -> NoChange {
    ODataError::coded(StatusCode::CONFLICT, "ALREADY_EXISTS", format!("{kind} '{name}' exists already"))
        .into()
}
