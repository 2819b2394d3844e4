//! What a call asks to be changed of a revision.

use axum::http::{Method, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pierhead_bundle::Content;
use pierhead_gateway::design::{FileResource, PolicyText};
use serde_json::Value;

use super::shape::{self, Shape};
use super::{file_shown, policies, policy_shown};
use crate::apigee::problem::ApigeeProblem;
use crate::apigee::proxy_call::ProxyCall;
use crate::names::check_name;
use crate::odata::ODataError;
use crate::portal::NoChange;
use crate::sets::policies::root_element;

/// What a call asks to be changed.
pub(super) struct Change {
    /// Below the revision.
    pub(super) path: String,
    /// Afterwards.
    pub(super) name: String,
    pub(super) adds: bool,
    what: What,
}

enum What {
    Policy(PolicyText),
    NoPolicy,
    Resource(FileResource),
    NoResource(String),
    Shape(Shape),
}

impl Change {
    pub(super) async fn read(
        call: &ProxyCall<'_>,
        piece: &str,
        below: &[&str],
    ) -> Result<Self, ApigeeProblem> {
        let removes = call.method == Method::DELETE;
        let adds = match (&call.method, piece, below) {
            (&Method::POST, _, []) => true,
            (&Method::POST | &Method::PUT | &Method::DELETE, "resources" | "resourcefiles", [_, _]) => false,
            (_, "resources" | "resourcefiles", _) => {
                return Err(ApigeeProblem::Method(call.method.to_string()));
            }
            (&Method::POST | &Method::PUT | &Method::DELETE, _, [_]) => false,
            (other, _, _) => return Err(ApigeeProblem::Method(other.to_string())),
        };
        let said = below.last().map(|name| (*name).to_owned());
        let (name, what) = match piece {
            "policies" if removes => (said.unwrap_or_default(), What::NoPolicy),
            "policies" => {
                let policy = policy(call, said)?;
                (policy.name.clone(), What::Policy(policy))
            }
            "resources" | "resourcefiles" if removes => (
                said.unwrap_or_default(),
                What::NoResource(below.first().copied().unwrap_or_default().into()),
            ),
            "resources" | "resourcefiles" => {
                let file = resource(call, below).await?;
                (file.name.clone(), What::Resource(file))
            }
            _ => {
                let body = if removes { None } else { Some(Value::Object(call.json()?)) };
                let shape = Shape::read(piece, said, body)?;
                (shape.name_afterwards().to_owned(), What::Shape(shape))
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

    /// The proxy endpoint that would not be there afterwards under its name.
    pub(super) fn endpoint_that_goes(&self) -> Option<&str> {
        match &self.what {
            What::Shape(shape) => shape.endpoint_that_goes(),
            _ => None,
        }
    }

    pub(super) fn make(&self, content: &mut Content) -> Result<(), NoChange> {
        let name = self.name.as_str();
        let (policies, resources) = match content {
            Content::Proxy(design) => (&mut design.policies, &mut design.resources),
            Content::SharedFlow(design) => (&mut design.policies, &mut design.resources),
            Content::Template(template) => (&mut template.policies, &mut template.resources),
        };
        match &self.what {
            What::Policy(policy) => {
                put(policies, "Policy", name, self.adds, |one| one.name == name, policy.clone())
            }
            What::NoPolicy => take(policies, "Policy", name, |one| one.name == name),
            What::Resource(file) => {
                let same = |one: &FileResource| one.kind == file.kind && one.name == file.name;
                put(resources, "Resource", name, self.adds, same, file.clone())
            }
            What::NoResource(kind) => {
                take(resources, "Resource", name, |one| one.kind == *kind && one.name == name)
            }
            What::Shape(shape) => shape.make(content, self.adds),
        }
    }

    /// The piece as it stands afterwards; none when it is gone.
    pub(super) fn shown(&self, content: &Content) -> Option<Value> {
        match &self.what {
            What::Policy(_) => {
                policies(content).iter().find(|policy| policy.name == self.name).map(policy_shown)
            }
            What::Resource(file) => Some(file_shown(file)),
            What::Shape(_) => shape::shown(content, self.path.split('/').next()?, &self.name),
            What::NoPolicy | What::NoResource(_) => None,
        }
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

/// The file of the body as a design holds it.
async fn resource(call: &ProxyCall<'_>, below: &[&str]) -> Result<FileResource, ApigeeProblem> {
    let (kind, name, bytes) = upload(call, below).await?;
    Ok(match String::from_utf8(bytes.to_vec()) {
        Ok(content) => FileResource { name, kind, content, binary: false },
        Err(_) => FileResource { name, kind, content: STANDARD.encode(&bytes), binary: true },
    })
}

/// Type, name and content of the file of the body; type and name are in the path or, when it is new, in the query.
pub(in crate::apigee) async fn upload(
    call: &ProxyCall<'_>,
    below: &[&str],
) -> Result<(String, String, Bytes), ApigeeProblem> {
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
    Ok((kind, name, call.zip().await?))
}

/// Puts `new` where the old one was, or adds it.
pub(super) fn put<T>(
    all: &mut Vec<T>,
    kind: &str,
    name: &str,
    adds: bool,
    is: impl Fn(&T) -> bool,
    new: T,
) -> Result<(), NoChange> {
    match (all.iter_mut().find(|one| is(one)), adds) {
        (Some(_), true) => return Err(exists(kind, name)),
        (None, false) => return Err(absent(kind, name)),
        (Some(old), false) => *old = new,
        (None, true) => all.push(new),
    }
    Ok(())
}

/// Takes one out.
pub(super) fn take<T>(
    all: &mut Vec<T>,
    kind: &str,
    name: &str,
    is: impl Fn(&T) -> bool,
) -> Result<(), NoChange> {
    let at = all.iter().position(is).ok_or_else(|| absent(kind, name))?;
    all.remove(at);
    Ok(())
}

/// That there is none of this name.
pub(super) fn absent(kind: &str, name: &str) -> NoChange {
    ODataError::not_found(format_args!("{kind} '{name}'")).into()
}

/// That there is one of this name.
pub(super) fn exists(kind: &str, name: &str) -> NoChange {
    ODataError::coded(StatusCode::CONFLICT, "ALREADY_EXISTS", format!("{kind} '{name}' exists already"))
        .into()
}
