//! `CORS`: tells browsers which pages may call (api-management §9.3; Apigee; the Fetch standard, "CORS protocol").

use std::sync::Arc;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderName, HeaderValue, Method};

use crate::exchange::{ComputedVariables, Exchange, Message};
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::template::Template;
use crate::variable::Value;

/// Answers a preflight itself, and sets the headers of every other answer after all steps, an error's too. A page
/// that is not allowed gets the answer without them, which its browser then withholds.
///
/// Fault: `steps.cors.UnresolvedVariable` 500. Unsourced: the names below `cross_origin_resource_sharing.` and the
/// words of `request.type`; that a preflight from elsewhere is answered 200 without headers.
#[derive(Debug)]
struct Cors {
    origins: Template,
    methods: Template,
    headers: Option<Template>,
    expose: Option<Template>,
    max_age: i64,
    credentials: bool,
    answers_preflight: bool,
    lenient: bool,
    /// `cross_origin_resource_sharing.`
    prefix: Arc<str>,
}

const DEFAULT_METHODS: &str = "GET, POST, HEAD, OPTIONS";
const DEFAULT_MAX_AGE: i64 = 1800;

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    let root = policy.root;
    policy.only_in_root(
        &[],
        &[
            "AllowOrigins",
            "AllowMethods",
            "AllowHeaders",
            "ExposeHeaders",
            "MaxAge",
            "AllowCredentials",
            "GeneratePreflightResponse",
            "IgnoreUnresolvedVariables",
        ],
    );
    let mut template = |name: &str| {
        let element = root.child(name)?;
        policy.only(element, &[], &[]);
        (!element.text().is_empty()).then(|| policy.template(element, element.text()))
    };
    let origins = template("AllowOrigins");
    let methods = template("AllowMethods").unwrap_or_else(|| Template::literal(DEFAULT_METHODS));
    let (headers, expose) = (template("AllowHeaders"), template("ExposeHeaders"));
    if origins.is_none() {
        let at = root.child("AllowOrigins").unwrap_or(root);
        policy.problem(at, "AllowOriginsIsMissing", "CORS needs AllowOrigins");
    }
    let mut max_age = DEFAULT_MAX_AGE;
    if let Some(element) = root.child("MaxAge").filter(|element| !element.text().is_empty()) {
        policy.only(element, &[], &[]);
        let seconds = element.text().parse().ok().filter(|seconds| *seconds >= -1);
        if seconds.is_none() {
            let message = format!("'{}' is neither a number of seconds nor -1", element.text());
            policy.problem(element, "InvalidMaxAge", message);
        }
        max_age = seconds.unwrap_or(max_age);
    }
    Some(Box::new(Cors {
        origins: origins?,
        methods,
        headers,
        expose,
        max_age,
        credentials: policy.flag_child(root, "AllowCredentials", false),
        answers_preflight: policy.flag_child(root, "GeneratePreflightResponse", true),
        lenient: policy.flag_child(root, "IgnoreUnresolvedVariables", true),
        prefix: "cross_origin_resource_sharing.".into(),
    }))
}

impl Policy for Cors {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.apply(cx))
    }
}

impl Cors {
    fn apply(&self, cx: &mut Exchange) -> Result<Next, Fault> {
        let asked = self.asked(cx)?;
        let is_preflight = asked.kind == Kind::Preflight;
        let headers = self.answer_headers(&asked);
        cx.variables.provide(&self.prefix, Arc::new(asked));
        if is_preflight && (!self.answers_preflight || !cx.position.segment.is_of_request()) {
            return Ok(Next::Continue);
        }
        cx.traffic.last_headers = headers;
        if !is_preflight {
            return Ok(Next::Continue);
        }
        cx.response = Some(Message::empty_response());
        Ok(Next::Respond)
    }

    fn asked(&self, cx: &Exchange) -> Result<Asked, Fault> {
        let header = |name: HeaderName| {
            let value = cx.request.headers.get(name)?;
            value.to_str().ok().map(Box::<str>::from)
        };
        let text = |template: &Template| -> Result<Box<str>, Fault> {
            let text = template.render(cx, self.lenient).map_err(|problem| {
                Fault::internal("steps.cors.UnresolvedVariable", format!("CORS: {problem}"))
            })?;
            Ok(text.into())
        };
        let optional = |template: &Option<Template>| template.as_ref().map(text).transpose();
        let (origin, method) = (header(ORIGIN), header(ACCESS_CONTROL_REQUEST_METHOD));
        let is_options = cx.request.as_request().is_some_and(|head| head.method == Method::OPTIONS);
        let kind = match (&origin, &method) {
            (None, _) => Kind::NotCors,
            (Some(origin), _) if !is_origin(origin) => Kind::Invalid,
            (Some(_), Some(_)) if is_options => Kind::Preflight,
            (Some(_), _) => Kind::Actual,
        };
        let origins = text(&self.origins)?;
        let allowed = match &origin {
            Some(origin) if kind != Kind::Invalid => Allowed::by(&origins, origin),
            _ => Allowed::No,
        };
        Ok(Asked {
            kind,
            origin,
            method,
            headers: header(ACCESS_CONTROL_REQUEST_HEADERS),
            allowed,
            allow_origins: origins,
            allow_methods: text(&self.methods)?,
            allow_headers: optional(&self.headers)?,
            expose_headers: optional(&self.expose)?,
            max_age: self.max_age,
            credentials: self.credentials,
        })
    }

    fn answer_headers(&self, asked: &Asked) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = Vec::new();
        let mut set = |name: HeaderName, text: &str| {
            // What templates give may be no header.
            headers.extend(HeaderValue::from_str(text).ok().map(|value| (name, value)));
        };
        if asked.kind == Kind::NotCors {
            return headers;
        }
        match (asked.allowed, &asked.origin) {
            (Allowed::Everybody, _) => set(ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            (Allowed::Yes, Some(origin)) => {
                set(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                set(VARY, "Origin");
            }
            _ => return headers,
        }
        if asked.credentials {
            set(ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
        if asked.kind == Kind::Preflight {
            set(ACCESS_CONTROL_ALLOW_METHODS, &asked.allow_methods);
            if let Some(names) = &asked.allow_headers {
                set(ACCESS_CONTROL_ALLOW_HEADERS, names);
            }
            set(ACCESS_CONTROL_MAX_AGE, &asked.max_age.to_string());
        } else if let Some(names) = &asked.expose_headers {
            set(ACCESS_CONTROL_EXPOSE_HEADERS, names);
        }
        headers
    }
}

/// `null`, or a scheme and an authority.
fn is_origin(text: &str) -> bool {
    text == "null"
        || text.split_once("://").is_some_and(|(scheme, rest)| {
            !scheme.is_empty() && !rest.is_empty() && !rest.contains(['/', ',', ' '])
        })
}

/// Whether `list` has `item`, in any case.
fn lists(list: &str, item: &str) -> bool {
    list.split(',').map(str::trim).any(|known| known == "*" || known.eq_ignore_ascii_case(item.trim()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    NotCors,
    Invalid,
    Preflight,
    Actual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Allowed {
    No,
    Yes,
    Everybody,
}

impl Allowed {
    fn by(origins: &str, origin: &str) -> Self {
        let mut items = origins.split(',').map(str::trim);
        if items.clone().any(|item| item == "*") {
            return Self::Everybody;
        }
        if items.any(|item| item.eq_ignore_ascii_case(origin)) { Self::Yes } else { Self::No }
    }
}

/// What a request asks, and what the policy says to it.
struct Asked {
    kind: Kind,
    origin: Option<Box<str>>,
    method: Option<Box<str>>,
    headers: Option<Box<str>>,
    allowed: Allowed,
    allow_origins: Box<str>,
    allow_methods: Box<str>,
    allow_headers: Option<Box<str>>,
    expose_headers: Option<Box<str>>,
    max_age: i64,
    credentials: bool,
}

impl Asked {
    fn preflight_accepted(&self) -> bool {
        let allows = |names: &str| {
            names.split(',').all(|name| lists(self.allow_headers.as_deref().unwrap_or(""), name))
        };
        self.kind == Kind::Preflight
            && self.allowed != Allowed::No
            && self.method.as_deref().is_some_and(|method| lists(&self.allow_methods, method))
            && self.headers.as_deref().is_none_or(allows)
    }
}

impl ComputedVariables for Asked {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        let text = |text: &'_ Option<Box<str>>| text.as_deref().map(|text| Value::owned(text.to_owned()));
        Some(match name {
            "request.type" => Value::text(match self.kind {
                Kind::NotCors => "NOT_CORS",
                Kind::Invalid => "INVALID_CORS",
                Kind::Preflight => "PRE_FLIGHT",
                Kind::Actual => "ACTUAL",
            }),
            "request.origin" => return text(&self.origin),
            "request.method" => return text(&self.method),
            "request.headers" => return text(&self.headers),
            "allow.origin" => match self.allowed {
                Allowed::No => Value::text(""),
                Allowed::Yes => return text(&self.origin),
                Allowed::Everybody => Value::text("*"),
            },
            "allow.origins.list" => Value::text(&self.allow_origins),
            "allow.methods" => Value::text(&self.allow_methods),
            "allow.headers" => return text(&self.allow_headers),
            "expose.headers" => return text(&self.expose_headers),
            "allow.credentials" => Value::Boolean(self.credentials),
            "max.age" => Value::Long(self.max_age),
            "preflight.accepted" => Value::Boolean(self.preflight_accepted()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
