//! Endpoint properties (api-management §9.7).

use std::time::Duration;

use super::{Compiler, DesignPart, ProxyPlan, SuccessCodes, TargetPlan};
use crate::design::Property;

/// Accepted and without effect: bodies always stream unless a step reads them, headers and query parameters
/// are always kept.
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
                "success.codes" => match SuccessCodes::parse(&property.value) {
                    Some(codes) => plan.success = codes,
                    None => self.bad_value(part, property, "a list such as 1xx,2xx,404"),
                },
                _ => self.other_property(part, property),
            }
        }
    }

    /// Properties of both sides. One whose default changes nothing may be written out; any other value of it
    /// would be a setting that does nothing, and is refused.
    fn other_property(&mut self, part: &DesignPart, property: &Property) {
        let (name, value) = (property.name.trim(), property.value.trim());
        let default = match name {
            _ if WITHOUT_EFFECT.contains(&name) => {
                self.flag(part, property);
                return;
            }
            "compression.algorithm" => "none",
            "enable.method.override" => "false",
            "request.retain.headers.enabled"
            | "response.retain.headers.enabled"
            | "request.retain.queryparams.enabled"
            | "retain.queryparams.enabled" => "true",
            _ => {
                self.warning(part, "UnknownProperty", format!("there is no property '{name}' here"));
                return;
            }
        };
        if !value.is_empty() && !value.eq_ignore_ascii_case(default) {
            let message = format!("property {name}: only '{default}' is supported yet, not '{value}'");
            self.problem(part, "UnsupportedProperty", message);
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
