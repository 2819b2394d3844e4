//! A call about API proxies: its work goes through the same unit of work as SAP's API does.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Response, header};
use bytes::Bytes;
use pierhead_domain::Caller;
use pierhead_web::body;
use serde_json::{Map, Value};

use super::key_value_maps::Scope;
use super::problem::ApigeeProblem;
use super::{
    apis, caches, debug_sessions, deployments, environment, key_stores, key_value_maps, mask_configs,
    resource_files, shared_flows,
};
use crate::management::{Management, Parts};
use crate::portal::Portal;

/// A request that was let in.
pub(super) struct ProxyCall<'m> {
    pub(super) management: &'m Management,
    pub(super) parts: &'m Parts,
    pub(super) caller: Caller,
    /// Name of the organization.
    pub(super) organization: String,
    pub(super) method: Method,
    pub(super) query: Vec<(String, String)>,
    headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Whether a path is about API proxies or what surrounds them.
pub(super) fn is_about(segments: &[&str]) -> bool {
    matches!(
        segments,
        ["apis" | "sharedflows" | "deployments" | "maskconfigs" | "resourcefiles" | "keyvaluemaps", ..]
            | [
                "environments" | "e",
                _,
                "apis"
                    | "sharedflows"
                    | "deployments"
                    | "targetservers"
                    | "flowhooks"
                    | "keystores"
                    | "references"
                    | "debugsessions"
                    | "resourcefiles"
                    | "keyvaluemaps"
                    | "caches",
                ..
            ]
    )
}

/// Answers a path that [`is_about`] proxies.
pub(super) async fn answer(
    management: &Management,
    caller: Caller,
    organization: &str,
    segments: &[&str],
    request: Request,
) -> Result<Response<Body>, ApigeeProblem> {
    let call = ProxyCall::read(management, caller, organization, request).await?;
    match segments {
        ["apis", name, "deployments"] => deployments::of_proxy(&call, name).await,
        ["apis", name, "revisions", number, "deployments"] => {
            deployments::of_revision(&call, None, name, number).await
        }
        ["maskconfigs", below @ ..] => mask_configs::answer(&call, None, below).await,
        ["apis", name, "maskconfigs", below @ ..] => mask_configs::answer(&call, Some(name), below).await,
        ["apis", name, "keyvaluemaps", below @ ..] => {
            apis::stored(&call, name).await?;
            key_value_maps::answer(&call, &Scope::Proxy((*name).to_owned()), below).await
        }
        ["apis", below @ ..] => apis::answer(&call, below).await,
        ["sharedflows", name, "deployments"] => shared_flows::deployments(&call, name).await,
        ["sharedflows", below @ ..] => shared_flows::answer(&call, below).await,
        ["environments" | "e", environment, "sharedflows", name, "revisions", number, "deployments"] => {
            shared_flows::deployment(&call, environment, name, number).await
        }
        ["environments" | "e", name, "targetservers", below @ ..] => {
            call.environment(name)?;
            environment::target_servers(&call, below).await
        }
        ["environments" | "e", name, "flowhooks", below @ ..] => {
            call.environment(name)?;
            environment::flow_hooks(&call, below).await
        }
        ["environments" | "e", name, "keystores", below @ ..] => {
            call.environment(name)?;
            key_stores::key_stores(&call, below).await
        }
        ["environments" | "e", name, "references", below @ ..] => {
            call.environment(name)?;
            key_stores::references(&call, below).await
        }
        ["environments" | "e", name, "resourcefiles", below @ ..] => {
            call.environment(name)?;
            resource_files::answer(&call, "ENV", below).await
        }
        ["resourcefiles", below @ ..] => resource_files::answer(&call, "ORG", below).await,
        ["environments" | "e", name, "keyvaluemaps", below @ ..] => {
            call.environment(name)?;
            key_value_maps::answer(&call, &Scope::Environment, below).await
        }
        ["keyvaluemaps", below @ ..] => key_value_maps::answer(&call, &Scope::Organization, below).await,
        ["environments" | "e", name, "caches", below @ ..] => {
            call.environment(name)?;
            caches::answer(&call, below).await
        }
        ["deployments"] => deployments::all(&call, None).await,
        ["environments" | "e", environment, "deployments"] => {
            deployments::all(&call, Some(environment)).await
        }
        ["environments" | "e", environment, "apis", name, "revisions", number, "deployments"] => {
            deployments::of_revision(&call, Some(environment), name, number).await
        }
        [
            "environments" | "e",
            environment,
            "apis",
            name,
            "revisions",
            number,
            "debugsessions",
            below @ ..,
        ] => {
            call.environment(environment)?;
            debug_sessions::answer(&call, name, number, below).await
        }
        ["environments" | "e", environment, "debugsessions"] => {
            call.environment(environment)?;
            debug_sessions::of_environment(&call)
        }
        ["environments" | "e", environment, "apis", name, "debugsessions"] => {
            call.environment(environment)?;
            debug_sessions::of_proxy(&call, name).await
        }
        ["environments" | "e", environment, "apis", name, "deployments"] => {
            call.environment(environment)?;
            deployments::of_proxy(&call, name).await
        }
        _ => Err(ApigeeProblem::missing("messaging.config.beans.NotFound", "Resource", &segments.join("/"))),
    }
}

impl<'m> ProxyCall<'m> {
    async fn read(
        management: &'m Management,
        caller: Caller,
        organization: &str,
        request: Request,
    ) -> Result<Self, ApigeeProblem> {
        let parts = management.parts();
        let (head, request_body) = request.into_parts();
        let body = body::read(request_body, parts.settings.body_bytes).await.map_err(ApigeeProblem::Body)?;
        let query = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
        Ok(Self {
            management,
            parts,
            caller,
            organization: organization.to_owned(),
            method: head.method,
            query: query.into_owned().collect(),
            headers: head.headers,
            body,
        })
    }

    pub(super) fn query(&self, name: &str) -> Option<String> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    pub(super) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as it came.
    pub(super) fn body(&self) -> &Bytes {
        &self.body
    }

    pub(super) fn portal(&self) -> Portal {
        Portal::new(self.management.clone(), &self.caller)
    }

    /// Checks that an environment is this one.
    pub(super) fn environment(&self, name: &str) -> Result<(), ApigeeProblem> {
        if name == self.parts.snapshots.peek().environment() {
            return Ok(());
        }
        Err(ApigeeProblem::missing("messaging.config.beans.EnvironmentDoesNotExist", "Environment", name))
    }

    /// The JSON object of the body; a form or plain text, which another site's page could send, is not taken.
    pub(super) fn json(&self) -> Result<Map<String, Value>, ApigeeProblem> {
        let kind =
            self.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/json") {
            return Err(ApigeeProblem::bad("Content-Type must be application/json"));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| ApigeeProblem::bad(format!("the body is no JSON object: {error}")))
    }

    /// The parts of a form by their names; `None` when the body is no form.
    pub(super) async fn form(&self) -> Result<Option<Vec<(String, Bytes)>>, ApigeeProblem> {
        let kind =
            self.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let Ok(boundary) = multer::parse_boundary(kind) else { return Ok(None) };
        let body = self.body.clone();
        let once = futures_util::stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
        let mut form = multer::Multipart::new(once, boundary);
        let bad = |why: multer::Error| ApigeeProblem::bad(format!("the form cannot be read: {why}"));
        let mut parts = Vec::new();
        while let Some(field) = form.next_field().await.map_err(bad)? {
            let name = field.name().unwrap_or_default().to_owned();
            parts.push((name, field.bytes().await.map_err(bad)?));
        }
        Ok(Some(parts))
    }

    /// The zip of the body: the body itself, or the first file of a form.
    pub(super) async fn zip(&self) -> Result<Bytes, ApigeeProblem> {
        let kind =
            self.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let Ok(boundary) = multer::parse_boundary(kind) else { return Ok(self.body.clone()) };
        let body = self.body.clone();
        let once = futures_util::stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
        let mut form = multer::Multipart::new(once, boundary);
        let bad = |why: multer::Error| ApigeeProblem::bad(format!("the form cannot be read: {why}"));
        while let Some(field) = form.next_field().await.map_err(bad)? {
            if field.name() == Some("file") || field.file_name().is_some() {
                return field.bytes().await.map_err(bad);
            }
        }
        Err(ApigeeProblem::bad("the form has no part 'file'"))
    }
}

/// The number of a revision.
pub(super) fn number(text: &str) -> Result<i64, ApigeeProblem> {
    let number = text.parse().ok().filter(|number| *number >= 1);
    number.ok_or_else(|| ApigeeProblem::bad("a revision is a whole number from 1"))
}
