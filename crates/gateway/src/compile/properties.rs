//! Endpoint properties (api-management §9.7).

use std::time::Duration;

use http::Method;

use super::{Compiler, Compression, DesignPart, Http2, ProxyPlan, Retained, SuccessCodes, TargetPlan};
use crate::design::Property;

/// Accepted and without effect: bodies always stream unless a step reads them.
const WITHOUT_EFFECT: &[&str] = &["request.streaming.enabled", "response.streaming.enabled"];

impl Compiler<'_> {
    pub(super) fn proxy_properties(
        &mut self,
        part: &DesignPart,
        properties: &[Property],
        plan: &mut ProxyPlan,
    ) {
        for property in properties {
            match property.name.trim() {
                "X-Forwarded-For" | "X-Forwarded-For.enabled" => {
                    plan.x_forwarded_for = self.flag(part, property).unwrap_or_default();
                }
                "compression.algorithm" => plan.compression = self.compression(part, property),
                "api.timeout" => plan.api_timeout = self.millis(part, property),
                _ => self.other_property(part, property),
            }
        }
    }

    pub(super) fn target_properties(
        &mut self,
        part: &DesignPart,
        properties: &[Property],
        plan: &mut TargetPlan,
    ) {
        for property in properties {
            match property.name.trim() {
                "connect.timeout.millis" => {
                    plan.timeouts.connect = self.millis(part, property).unwrap_or(plan.timeouts.connect);
                }
                "io.timeout.millis" => {
                    plan.timeouts.io = self.millis(part, property).unwrap_or(plan.timeouts.io)
                }
                "keepalive.timeout.millis" => {
                    plan.timeouts.keep_alive =
                        self.millis(part, property).unwrap_or(plan.timeouts.keep_alive);
                }
                "supports.http10" => plan.http10 = self.flag(part, property).unwrap_or(true),
                "supports.http11" => plan.http11 = self.flag(part, property).unwrap_or(true),
                "websocket.idle.timeout.millis" => {
                    plan.websocket_idle = self.millis(part, property).unwrap_or(plan.websocket_idle);
                }
                "supports.http2" => plan.http2 = self.http2(part, property).unwrap_or_default(),
                "success.codes" => match SuccessCodes::parse(&property.value) {
                    Some(codes) => plan.success = codes,
                    None => self.bad_value(part, property, "a list such as 1xx,2xx,404"),
                },
                "compression.algorithm" => plan.compression = self.compression(part, property),
                // Its verbs are read below.
                "enable.method.override" => {}
                "request.retain.headers.enabled" => self.retain(part, property, &mut plan.request_headers),
                "request.retain.headers" => plan.request_headers.names = names(&property.value),
                "response.retain.headers.enabled" => {
                    self.retain(part, property, &mut plan.response_headers);
                }
                "response.retain.headers" => plan.response_headers.names = names(&property.value),
                "request.retain.queryparams.enabled" | "retain.queryparams.enabled" => {
                    self.retain(part, property, &mut plan.query_params);
                }
                "request.retain.queryparams" | "retain.queryparams" => {
                    plan.query_params.names = names(&property.value);
                }
                name if name.ends_with(".override.method") => {}
                _ => self.other_property(part, property),
            }
        }
        self.overridden_verbs(part, properties, plan);
    }

    /// `GET.override.method` and the like count only when `enable.method.override` is true.
    fn overridden_verbs(&mut self, part: &DesignPart, properties: &[Property], plan: &mut TargetPlan) {
        let enabled = properties.iter().rfind(|property| property.name.trim() == "enable.method.override");
        let enabled = enabled.and_then(|property| self.flag(part, property)).unwrap_or(false);
        for property in properties {
            let Some(verb) = property.name.trim().strip_suffix(".override.method") else { continue };
            let method = |text: &str| Method::from_bytes(text.trim().as_bytes()).ok();
            match (method(verb), method(&property.value)) {
                (Some(from), Some(to)) if enabled => plan.overridden_verbs.push((from, to)),
                (Some(_), Some(_)) => {}
                _ => self.bad_value(part, property, "a verb"),
            }
        }
    }

    fn retain(&mut self, part: &DesignPart, property: &Property, retained: &mut Retained) {
        retained.only_listed = !self.flag(part, property).unwrap_or(true);
    }

    /// Properties of both sides, and those that nobody knows.
    fn other_property(&mut self, part: &DesignPart, property: &Property) {
        let name = property.name.trim();
        match name {
            _ if WITHOUT_EFFECT.contains(&name) => {
                self.flag(part, property);
            }
            _ => self.warning(part, "UnknownProperty", format!("there is no property '{name}' here")),
        }
    }

    fn compression(&mut self, part: &DesignPart, property: &Property) -> Option<Compression> {
        match property.value.trim().to_ascii_lowercase().as_str() {
            "" => None,
            "gzip" => Some(Compression::Gzip),
            "deflate" => Some(Compression::Deflate),
            "none" => Some(Compression::None),
            _ => {
                self.bad_value(part, property, "gzip, deflate or none");
                None
            }
        }
    }

    /// Not the originals' own: they speak HTTP/2 to gRPC target servers only (decision 051).
    fn http2(&mut self, part: &DesignPart, property: &Property) -> Option<Http2> {
        match property.value.trim().to_ascii_lowercase().as_str() {
            "true" => Some(Http2::Negotiated),
            "false" => Some(Http2::Never),
            "only" => Some(Http2::Only),
            _ => {
                self.bad_value(part, property, "true, false or only");
                None
            }
        }
    }

    fn millis(&mut self, part: &DesignPart, property: &Property) -> Option<Duration> {
        let parsed = property.value.trim().parse().ok().filter(|millis| (1..=86_400_000).contains(millis));
        if parsed.is_none() {
            self.bad_value(part, property, "milliseconds from 1 to 86400000");
        }
        parsed.map(Duration::from_millis)
    }

    fn flag(&mut self, part: &DesignPart, property: &Property) -> Option<bool> {
        let value = property.value.trim();
        match () {
            () if value.eq_ignore_ascii_case("true") => Some(true),
            () if value.eq_ignore_ascii_case("false") => Some(false),
            () => {
                self.bad_value(part, property, "true or false");
                None
            }
        }
    }

    fn bad_value(&mut self, part: &DesignPart, property: &Property, wanted: &str) {
        let message =
            format!("property {}: '{}' is not {wanted}", property.name.trim(), property.value.trim());
        self.problem(part, "InvalidProperty", message);
    }
}

/// The items of a list parted by commas.
fn names(list: &str) -> Vec<Box<str>> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Into::into).collect()
}
