use super::*;

#[test]
fn each_engine_fault_has_the_status_and_code_of_the_table() {
    use EngineFault::*;
    const FLOW: &str = "messaging.adaptors.http.flow.";
    const HTTP: &str = "protocol.http.";
    const RUNTIME: &str = "messaging.runtime.";
    for (fault, status, prefix, name) in [
        (ApplicationNotFound { host: "default".into(), path: "/x".into() }, 404, FLOW, "ApplicationNotFound"),
        (DuplicateHeader("host".into()), 400, HTTP, "DuplicateHeader"),
        (EmptyHeaderName, 400, HTTP, "EmptyHeaderName"),
        (HeaderNameWithNonAsciiChar, 400, HTTP, "HeaderNameWithNonAsciiChar"),
        (HeaderWithInvalidChar, 400, HTTP, "HeaderWithInvalidChar"),
        (BadPath("dots".into()), 400, HTTP, "BadPath"),
        (BadFormData, 400, HTTP, "BadFormData"),
        (BadRequest("bare LF"), 400, HTTP, "BadRequest"),
        (LengthRequired, 411, FLOW, "LengthRequired"),
        (RequestTimeOut, 408, FLOW, "RequestTimeOut"),
        (TooBigBody(1), 413, HTTP, "TooBigBody"),
        (TooBigLine, 414, HTTP, "TooBigLine"),
        (TooBigHeaders, 431, HTTP, "TooBigHeaders"),
        (UnsupportedEncoding("x".into()), 415, HTTP, "UnsupportedEncoding"),
        (NotImplemented("upgrade"), 501, HTTP, "NotImplemented"),
        (RouteFailed, 500, RUNTIME, "RouteFailed"),
        (UnknownTarget("none".into()), 500, RUNTIME, "UnknownTargetEndpoint"),
        (UnexpectedEofAtTarget, 502, FLOW, "UnexpectedEOFAtTarget"),
        (BadTargetResponse, 502, HTTP, "BadResponse"),
        (TooBigTargetBody(1), 502, HTTP, "TooBigBody"),
        (ServiceUnavailable, 503, FLOW, "ServiceUnavailable"),
        (TargetForbidden, 503, FLOW, "ServiceUnavailable"),
        (NoActiveTargets, 503, FLOW, "NoActiveTargets"),
        (SslHandshakeFailed, 503, FLOW, "SslHandshakeFailed"),
        (Overloaded, 503, FLOW, "Overloaded"),
        (GatewayTimeout, 504, FLOW, "GatewayTimeout"),
        (TargetWriteTimeOut, 408, FLOW, "RequestTimeOut"),
        (PlatformRouteForbidden, 403, "oc.", "PlatformRouteForbidden"),
    ] {
        let shown = fault.fault();
        assert_eq!(shown.status().as_u16(), status, "{fault:?}");
        assert_eq!(shown.code(), format!("{prefix}{name}"), "{fault:?}");
        assert_eq!(shown.name(), name);
        assert!(!shown.text().is_empty());
    }
}

#[test]
fn the_wire_format_is_the_originals_in_json_and_xml() {
    let fault = Fault::step(StatusCode::UNAUTHORIZED, "oauth.v2.InvalidApiKey", "Invalid \"<ApiKey>\"");
    let json = fault.answer(false);
    assert_eq!(json.headers[CONTENT_TYPE], "application/json");
    assert_eq!(
        json.content(),
        r#"{"fault":{"faultstring":"Invalid \"<ApiKey>\"","detail":{"errorcode":"oauth.v2.InvalidApiKey"}}}"#
    );
    let xml = fault.answer(true);
    assert_eq!(
        (xml.status().as_u16(), &xml.headers[CONTENT_TYPE]),
        (401, &HeaderValue::from_static("application/xml"))
    );
    assert_eq!(
        xml.content(),
        "<fault><faultstring>Invalid \"&lt;ApiKey&gt;\"</faultstring><detail><errorcode>oauth.v2.InvalidApiKey</errorcode></detail></fault>"
    );
}

#[test]
fn who_speaks_xml_is_answered_in_xml_unless_asking_for_something_else() {
    for (accept, kind, xml) in [
        (None, "text/xml; charset=utf-8", true),
        (None, "application/soap+xml", true),
        (None, "application/json", false),
        (Some("*/*"), "application/xml", true),
        (Some("application/json"), "application/xml", false),
        (Some("text/xml"), "application/json", true),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Some(accept) = accept {
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
        }
        assert_eq!(wants_xml(&headers), xml, "{accept:?} {kind}");
    }
}

#[test]
fn xml_is_sent_to_who_asks_for_it_first() {
    for (accept, xml) in [
        ("", false),
        ("*/*", false),
        ("application/xml", true),
        ("text/xml;q=0.9", true),
        ("application/atom+xml, */*", true),
        ("application/json, application/xml", false),
        ("application/xml, application/json", true),
        ("text/html,application/xhtml+xml,application/xml;q=0.9", false),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        assert_eq!(wants_xml(&headers), xml, "{accept}");
    }
}
