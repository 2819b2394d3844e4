//! Endpoint properties that forms offer (api-management §9.7): what is offered is what the gateway knows.

/// One property: its name, what it may say, and what holds without it.
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) hint: &'static str,
}

const fn known(name: &'static str, hint: &'static str) -> Known {
    Known { name, hint }
}

const PROXY: &[Known] = &[
    known("X-Forwarded-For", "true or false; adds the client's address for the target"),
    known("compression.algorithm", "gzip, deflate or none"),
    known("api.timeout", "milliseconds for the whole request"),
    known("request.streaming.enabled", "true or false; bodies stream in any case"),
    known("response.streaming.enabled", "true or false; bodies stream in any case"),
];

const TARGET: &[Known] = &[
    known("connect.timeout.millis", "milliseconds; 3000 otherwise"),
    known("io.timeout.millis", "milliseconds; 55000 otherwise"),
    known("keepalive.timeout.millis", "milliseconds; 60000 otherwise"),
    known("success.codes", "a list such as 1xx,2xx,404"),
    known("compression.algorithm", "gzip, deflate or none"),
    known("supports.http10", "true or false; true otherwise"),
    known("supports.http11", "true or false; true otherwise"),
    known("supports.http2", "true, false or only"),
    known("websocket.idle.timeout.millis", "milliseconds"),
    known("enable.method.override", "true or false; false otherwise"),
    known("GET.override.method", "the verb that the target gets instead of GET"),
    known("POST.override.method", "the verb that the target gets instead of POST"),
    known("request.retain.headers.enabled", "true or false; true otherwise"),
    known("request.retain.headers", "a list of header names"),
    known("response.retain.headers.enabled", "true or false; true otherwise"),
    known("response.retain.headers", "a list of header names"),
    known("retain.queryparams.enabled", "true or false; true otherwise"),
    known("retain.queryparams", "a list of query parameters"),
    known("request.streaming.enabled", "true or false; bodies stream in any case"),
    known("response.streaming.enabled", "true or false; bodies stream in any case"),
];

/// The properties of an endpoint; `kind` is `proxy` or `target`.
pub(super) fn of(kind: &str) -> &'static [Known] {
    if kind == "target" { TARGET } else { PROXY }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::testing::{Browser, bundles};

    #[tokio::test]
    async fn every_offered_property_is_one_that_the_gateway_knows() {
        let (browser, _) = Browser::before_management().await;
        browser.import(&bundles::whole(), "Whole", false).await;
        for kind in ["proxy", "target"] {
            let path = format!("/console/proxies/Whole/revisions/1/endpoints/{kind}/default");
            let form = browser.get(&path).await;
            let mut typed = form.typed("endpoint");
            for property in of(kind) {
                form.has(&format!("<option value=\"{}\">", property.name));
                let value = match property.name {
                    name if name.ends_with("override.method") && !name.starts_with("enable") => "PUT",
                    name if name.ends_with("millis") || name == "api.timeout" => "1000",
                    "success.codes" => "1xx,404",
                    "compression.algorithm" => "gzip",
                    name if name.ends_with(".retain.headers") || name == "retain.queryparams" => "a,b",
                    _ => "true",
                };
                typed.push(("property_name".into(), property.name.into()));
                typed.push(("property_value".into(), value.into()));
            }
            typed.push(("act".into(), "save".into()));
            let typed: Vec<_> = typed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            browser.submit(&form, &path, &typed).await.redirect();
        }
        let page = browser.get("/console/proxies/Whole/revisions/1").await;
        page.expect(200).has_not("UnknownProperty").has_not("there is no property");
    }
}
