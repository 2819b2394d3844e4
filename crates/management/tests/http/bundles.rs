//! Bundles in and out: SAP's `Transport.svc` (api-management §8.8) and Apigee's `/apis` (§8.10).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::Portal;

const TRANSPORT: &str = "/apiportal/api/1.0/Transport.svc/APIProxies";
const APIGEE: &str = "/v1/organizations/acme";
const ZIP: &str = "application/octet-stream";

/// A proxy with a policy, a file and a conditional flow.
fn hello() -> Value {
    json!({
        "name": "Hello", "title": "Hello", "service_code": "REST", "provider_name": "NONE",
        "proxyEndPoints": [{
            "name": "default", "isDefault": true, "base_path": "/hello",
            "routeRules": [{"name": "nowhere", "sequence": 1}],
            "preFlow": {"request": {"steps": [{"policy_name": "Greet", "condition": "request.verb = \"GET\"", "sequence": 1}]}},
        }],
        "policies": [{"name": "Greet", "policy_content":
            "<AssignMessage xmlns=\"http://www.sap.com/apimgmt\"><AssignVariable><Name>a</Name><Value>b</Value></AssignVariable></AssignMessage>"}],
        "fileResources": [{"name": "notes.js", "type": "jsc", "content": "var a = 1;"}],
    })
}

async fn portal() -> Portal {
    let portal = Portal::start().await;
    portal.post("/APIProxies", hello()).await.expect(201);
    portal
}

async fn exported(portal: &Portal, query: &str) -> Vec<u8> {
    let (status, headers, zip) = portal.bytes("GET", &format!("{TRANSPORT}?{query}"), ZIP, Vec::new()).await;
    assert_eq!(status.as_u16(), 200, "{}", String::from_utf8_lossy(&zip));
    assert_eq!(headers["content-type"], "application/zip");
    assert!(zip.starts_with(b"PK"));
    zip
}

/// What the wire shows of a proxy, without what every import changes.
async fn seen(portal: &Portal) -> Value {
    let expand = "proxyEndPoints/routeRules,proxyEndPoints/preFlow/request/steps,policies,fileResources";
    let mut d = portal.get(&format!("/APIProxies('Hello')?$expand={expand}")).await.expect(200).d();
    for name in ["life_cycle", "state", "hasChanges"] {
        d.as_object_mut().unwrap().remove(name);
    }
    d
}

#[tokio::test]
async fn an_exported_proxy_is_imported_again_raw_and_in_base64_and_lands_deployed() {
    let portal = portal().await;
    let before = seen(&portal).await;
    let zip = exported(&portal, "name=Hello").await;
    let packed = STANDARD.encode(&zip).into_bytes();
    for (kind, body) in [
        (ZIP, zip.clone()),
        ("application/zip", zip.clone()),
        (ZIP, packed.clone()),
        ("text/plain", packed.clone()),
    ] {
        portal.send("DELETE", "/APIProxies('Hello')", None).await.expect(204);
        let (status, _, answer) = portal.bytes("POST", TRANSPORT, kind, body).await;
        // Clients insist on exactly 200.
        assert_eq!(status.as_u16(), 200, "{}", String::from_utf8_lossy(&answer));
        assert_eq!(seen(&portal).await, before, "{kind}");
        assert_eq!(portal.get("/APIProxies('Hello')").await.d()["state"], "DEPLOYED");
        assert!(portal.snapshots.load().proxy("Hello").is_some());
        assert!(portal.restart().await.load().proxy("Hello").is_some());
    }
}

#[tokio::test]
async fn importing_over_a_proxy_replaces_it_and_a_broken_bundle_changes_nothing() {
    let portal = portal().await;
    let zip = exported(&portal, "name=Hello").await;
    let policy = json!({"policy_content": "<RaiseFault/>"});
    portal.send("PUT", "/Policies('Hello:policy:Greet')", Some(policy)).await.expect(204);
    let before = seen(&portal).await;

    for bad in [b"PK\x03\x04 no zip".to_vec(), b"UEsDnonsense".to_vec(), b"hello".to_vec(), Vec::new()] {
        let (status, _, answer) = portal.bytes("POST", TRANSPORT, ZIP, bad).await;
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(status.as_u16(), 400);
        assert_eq!(answer["error"]["code"], "APIPROXY_ZIP_ERROR");
        assert!(answer["error"]["message"]["value"].as_str().unwrap().contains("inside the zip"));
    }
    assert_eq!(seen(&portal).await, before);
    assert!(portal.snapshots.load().proxy("Hello").is_none());

    portal.bytes("POST", TRANSPORT, ZIP, zip).await;
    let policies = portal.get("/APIProxies('Hello')/policies").await.expect(200).results();
    assert!(policies[0]["policy_content"].as_str().unwrap().contains("AssignVariable"), "{policies:?}");
}

#[tokio::test]
async fn a_bundle_whose_provider_is_not_there_is_refused_by_name() {
    let portal = Portal::start().await.with_open_connectors_proxy().await;
    let (_, _, zip) = portal.bytes("GET", &format!("{TRANSPORT}?name=Googledrive"), ZIP, Vec::new()).await;
    let other = Portal::start().await;
    let (status, _, answer) = other.bytes("POST", TRANSPORT, ZIP, zip.clone()).await;
    let answer = String::from_utf8(answer).unwrap();
    assert_eq!(status.as_u16(), 400, "{answer}");
    assert!(answer.contains("API provider 'oc' could not be found"), "{answer}");

    other.post("/APIProviders", crate::client::open_connectors("oc")).await.expect(201);
    let (status, _, answer) = other.bytes("POST", TRANSPORT, ZIP, zip).await;
    assert_eq!(status.as_u16(), 200, "{}", String::from_utf8_lossy(&answer));
    let policies = other.get("/APIProxies('Googledrive')/policies").await.expect(200).results();
    assert_eq!(policies.len(), 1, "the fixed policy, once: {policies:?}");
}

#[tokio::test]
async fn transport_asks_for_a_csrf_token_and_a_role_as_the_portal_does() {
    let portal = portal().await;
    for (credentials, status) in
        [("Basic YWRtaW46YWRtaW4=", 403), ("Bearer guest", 403), ("Bearer nobody", 403)]
    {
        let request = axum::http::Request::post(TRANSPORT)
            .header("authorization", credentials)
            .header("content-type", ZIP)
            .body(axum::body::Body::from("PK"))
            .unwrap();
        portal.raw(request).await.expect(status);
    }
    let (status, _, _) = portal.bytes("GET", &format!("{TRANSPORT}?name=nothing"), ZIP, Vec::new()).await;
    assert_eq!(status.as_u16(), 404);
}

async fn apigee(portal: &Portal, method: &str, path: &str, body: Vec<u8>) -> (u16, Value) {
    let (status, _, answer) = portal.bytes(method, &format!("{APIGEE}{path}"), ZIP, body).await;
    (status.as_u16(), serde_json::from_slice(&answer).unwrap_or_default())
}

#[tokio::test]
async fn each_import_is_a_revision_that_is_deployed_replaced_and_removed_by_its_number() {
    let portal = portal().await;
    let zip = exported(&portal, "name=Hello&dialect=apigee").await;
    portal.send("DELETE", "/APIProxies('Hello')", None).await.expect(204);

    for revision in ["1", "2"] {
        let (status, made) = apigee(&portal, "POST", "/apis?action=import&name=Greeter", zip.clone()).await;
        assert_eq!((status, &made["revision"]), (201, &json!(revision)), "{made}");
        assert_eq!(made["name"], "Greeter");
        assert_eq!(made["basepaths"], json!(["/hello"]));
        assert_eq!(made["policies"], json!(["Greet"]));
        assert_eq!(made["createdBy"], "admin");
    }
    assert_eq!(apigee(&portal, "GET", "/apis", vec![]).await.1, json!(["Greeter"]));
    assert_eq!(apigee(&portal, "GET", "/apis/Greeter/revisions", vec![]).await.1, json!(["1", "2"]));
    assert_eq!(apigee(&portal, "GET", "/apis/Greeter", vec![]).await.1["revision"], json!(["1", "2"]));
    assert!(portal.snapshots.load().proxy("Greeter").is_none(), "an import deploys nothing");

    let at = |revision: u32| format!("/environments/prod/apis/Greeter/revisions/{revision}/deployments");
    let (status, deployed) = apigee(&portal, "POST", &at(1), vec![]).await;
    assert_eq!((status, &deployed["state"]), (200, &json!("deployed")), "{deployed}");
    assert_eq!(&*portal.snapshots.load().proxy("Greeter").unwrap().revision, "1");
    let (status, refused) = apigee(&portal, "POST", &at(2), vec![]).await;
    assert_eq!(status, 400, "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("override=true"), "{refused}");
    let (status, _) = apigee(&portal, "POST", &format!("{}?override=true&delay=60", at(2)), vec![]).await;
    assert_eq!(status, 200);
    assert_eq!(&*portal.snapshots.load().proxy("Greeter").unwrap().revision, "2");
    assert_eq!(&*portal.restart().await.load().proxy("Greeter").unwrap().revision, "2");
    let (_, listed) = apigee(&portal, "GET", "/apis/Greeter/deployments", vec![]).await;
    assert_eq!(listed["environment"][0]["revision"][0], json!({"name": "2", "state": "deployed"}));
    let (_, listed) = apigee(&portal, "GET", "/e/prod/deployments", vec![]).await;
    assert_eq!(listed["aPIProxy"][0]["name"], "Greeter");

    assert_eq!(apigee(&portal, "DELETE", "/apis/Greeter/revisions/2", vec![]).await.0, 400, "it is deployed");
    assert_eq!(apigee(&portal, "DELETE", "/apis/Greeter", vec![]).await.0, 400, "it is deployed");
    assert_eq!(apigee(&portal, "DELETE", "/apis/Greeter/revisions/1", vec![]).await.0, 200);
    let (status, stopped) = apigee(&portal, "DELETE", &at(2), vec![]).await;
    assert_eq!((status, &stopped["state"]), (200, &json!("undeployed")));
    assert!(portal.snapshots.load().proxy("Greeter").is_none());
    assert_eq!(apigee(&portal, "DELETE", "/apis/Greeter", vec![]).await.0, 200);
    assert_eq!(apigee(&portal, "GET", "/apis/Greeter", vec![]).await.0, 404);
}

#[tokio::test]
async fn a_bundle_comes_as_a_form_goes_out_as_a_zip_and_is_validated_without_a_trace() {
    let portal = portal().await;
    let zip = exported(&portal, "name=Hello&dialect=apigee").await;
    portal.send("DELETE", "/APIProxies('Hello')", None).await.expect(204);
    let (status, _) = apigee(&portal, "POST", "/apis?action=validate&name=Greeter", zip.clone()).await;
    assert_eq!(status, 201);
    assert_eq!(apigee(&portal, "GET", "/apis/Greeter", vec![]).await.0, 404, "validation leaves nothing");

    let head = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"g.zip\"\r\n\r\n";
    let form = [head.as_slice(), &zip, b"\r\n--x--\r\n"].concat();
    let path = format!("{APIGEE}/apis?action=import&name=Greeter");
    let (status, _, answer) = portal.bytes("POST", &path, "multipart/form-data; boundary=x", form).await;
    assert_eq!(status.as_u16(), 201, "{}", String::from_utf8_lossy(&answer));

    let path = format!("{APIGEE}/apis/Greeter/revisions/1?format=bundle");
    let (status, headers, again) = portal.bytes("GET", &path, ZIP, Vec::new()).await;
    assert_eq!((status.as_u16(), headers["content-type"].to_str().unwrap()), (200, "application/zip"));
    let (status, made) = apigee(&portal, "POST", "/apis?action=import&name=Greeter", again).await;
    assert_eq!((status, &made["revision"]), (201, &json!("2")), "{made}");

    for (path, status) in [
        ("/apis?action=import", 400),
        ("/apis?action=explode&name=a", 400),
        ("/apis?action=import&name=..", 400),
        ("/apis/Greeter/revisions/9", 404),
        ("/apis/Greeter/revisions/x", 400),
        ("/environments/elsewhere/apis/Greeter/revisions/1/deployments", 404),
    ] {
        let method = if path.starts_with("/apis?") { "POST" } else { "GET" };
        let (got, answer) = apigee(&portal, method, path, zip.clone()).await;
        assert_eq!(got, status, "{path}: {answer}");
        assert!(answer["code"].is_string() && answer["message"].is_string(), "{answer}");
    }
}

#[tokio::test]
async fn a_bundle_with_a_broken_policy_is_refused_with_file_line_and_rule_and_the_running_revision_stays() {
    let portal = portal().await;
    let zip = exported(&portal, "name=Hello&dialect=apigee").await;
    portal.send("DELETE", "/APIProxies('Hello')", None).await.expect(204);
    assert_eq!(apigee(&portal, "POST", "/apis?action=import&name=Greeter", zip.clone()).await.0, 201);
    let (status, _) =
        apigee(&portal, "POST", "/environments/prod/apis/Greeter/revisions/1/deployments", vec![]).await;
    assert_eq!(status, 200);
    let mut files = pierhead_bundle::read_archive(&zip, &pierhead_bundle::Limits::default()).unwrap();
    let path = "apiproxy/policies/Greet.xml";
    for (broken, rule, line) in [
        ("<AssignMessage name=\"Greet\">\n  <Set>\n</AssignMessage>", "BadXml", 3),
        ("<AssignMessage name=\"Greet\">\n  <Surprise/>\n</AssignMessage>", "UnknownElement", 2),
    ] {
        files.insert(path, broken);
        let zip = pierhead_bundle::write_archive(&files).unwrap();

        let (status, refused) = apigee(&portal, "POST", "/apis?action=import&name=Greeter", zip).await;

        assert_eq!(status, 400, "{refused}");
        let said = refused.to_string();
        assert!(said.contains(&format!("{path}:{line}")) && said.contains(rule), "{said}");
        assert_eq!(&*portal.snapshots.load().proxy("Greeter").unwrap().revision, "1");
    }
    assert_eq!(apigee(&portal, "GET", "/apis/Greeter/revisions", vec![]).await.1, json!(["1"]));
}

#[tokio::test]
async fn a_shared_flow_is_imported_deployed_called_hooked_and_kept_over_a_restart() {
    let portal = Portal::start().await;
    let json_of = |(status, _, answer): (axum::http::StatusCode, _, Vec<u8>)| {
        (status.as_u16(), serde_json::from_slice::<Value>(&answer).unwrap_or_default())
    };
    let zip = shared_flow_zip();
    for revision in ["1", "2"] {
        let (status, made) =
            apigee(&portal, "POST", "/sharedflows?action=import&name=Guard", zip.clone()).await;
        assert_eq!((status, &made["revision"]), (201, &json!(revision)), "{made}");
    }
    let hook = |body: Value| {
        let portal = &portal;
        async move {
            let path = format!("{APIGEE}/environments/prod/flowhooks/PreProxyFlowHook");
            json_of(portal.bytes("PUT", &path, "application/json", body.to_string().into_bytes()).await)
        }
    };
    assert_eq!(hook(json!({"sharedFlow": "Guard"})).await.0, 400, "it is not deployed yet");
    let at = "/environments/prod/sharedflows/Guard/revisions/2/deployments";
    assert_eq!(apigee(&portal, "POST", at, vec![]).await.0, 200);
    assert_eq!(&*portal.snapshots.load().shared_flow("Guard").unwrap().revision, "2");
    let (status, hooked) = hook(json!({"sharedFlow": "Guard", "continueOnError": false})).await;
    assert_eq!((status, &hooked["sharedFlow"]), (200, &json!("Guard")), "{hooked}");

    assert!(portal.restart().await.load().shared_flow("Guard").is_some());
    let (status, refused) = apigee(&portal, "DELETE", at, vec![]).await;
    assert_eq!(status, 400, "a hook names it: {refused}");
    let unhook = "/environments/prod/flowhooks/PreProxyFlowHook";
    assert_eq!(apigee(&portal, "DELETE", unhook, vec![]).await.0, 200);
    assert_eq!(apigee(&portal, "GET", unhook, vec![]).await.1, json!({"flowHookPoint": "PreProxyFlowHook"}));
    assert_eq!(apigee(&portal, "DELETE", "/sharedflows/Guard", vec![]).await.0, 400, "it is deployed");
    assert_eq!(apigee(&portal, "DELETE", at, vec![]).await.0, 200);
    assert!(portal.snapshots.load().shared_flow("Guard").is_none());
    let (status, _, again) = portal
        .bytes("GET", &format!("{APIGEE}/sharedflows/Guard/revisions/1?format=bundle"), ZIP, vec![])
        .await;
    assert_eq!(status.as_u16(), 200);
    assert_eq!(apigee(&portal, "DELETE", "/sharedflows/Guard", vec![]).await.0, 200);
    let (status, made) = apigee(&portal, "POST", "/sharedflows?action=import&name=Guard", again).await;
    assert_eq!((status, &made["revision"]), (201, &json!("1")), "{made}");
    assert_eq!(made["policies"], json!(["Stop"]));
}

/// A shared flow that refuses everybody.
fn shared_flow_zip() -> Vec<u8> {
    let mut files = pierhead_bundle::Files::default();
    files.insert("sharedflowbundle/Guard.xml", "<SharedFlowBundle name=\"Guard\" revision=\"1\"/>");
    files.insert(
        "sharedflowbundle/sharedflows/default.xml",
        "<SharedFlow name=\"default\"><Step><Name>Stop</Name></Step></SharedFlow>",
    );
    files.insert("sharedflowbundle/policies/Stop.xml", "<RaiseFault name=\"Stop\"/>");
    pierhead_bundle::write_archive(&files).unwrap()
}

#[tokio::test]
async fn a_target_server_is_changed_for_the_proxies_that_balance_over_it_at_once() {
    let portal = Portal::start().await;
    let server = |port: u16| json!({"name": "one", "host": "127.0.0.1", "port": port});
    let send = |method: &'static str, path: &'static str, body: Value| {
        let portal = &portal;
        async move {
            let path = format!("{APIGEE}/environments/prod/targetservers{path}");
            let (status, _, answer) =
                portal.bytes(method, &path, "application/json", body.to_string().into_bytes()).await;
            (status.as_u16(), serde_json::from_slice::<Value>(&answer).unwrap_or_default())
        }
    };
    let zip = {
        let mut files = pierhead_bundle::Files::default();
        files.insert("apiproxy/Lb.xml", "<APIProxy name=\"Lb\" revision=\"1\"/>");
        files.insert(
            "apiproxy/proxies/default.xml",
            "<ProxyEndpoint name=\"default\"><HTTPProxyConnection><BasePath>/lb</BasePath></HTTPProxyConnection>\
             <RouteRule name=\"r\"><TargetEndpoint>default</TargetEndpoint></RouteRule></ProxyEndpoint>",
        );
        files.insert(
            "apiproxy/targets/default.xml",
            "<TargetEndpoint name=\"default\"><HTTPTargetConnection><LoadBalancer><Server name=\"one\"/>\
             </LoadBalancer></HTTPTargetConnection></TargetEndpoint>",
        );
        pierhead_bundle::write_archive(&files).unwrap()
    };
    apigee(&portal, "POST", "/apis?action=import&name=Lb", zip).await;
    let at = "/environments/prod/apis/Lb/revisions/1/deployments";
    let (status, refused) = apigee(&portal, "POST", at, vec![]).await;
    assert_eq!(status, 400, "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("'one'"), "{refused}");

    assert_eq!(send("POST", "", server(8001)).await.0, 201);
    assert_eq!(send("POST", "", server(8002)).await.0, 409);
    assert_eq!(send("POST", "", json!({"name": "two", "host": "h"})).await.0, 400);
    assert_eq!(apigee(&portal, "POST", at, vec![]).await.0, 200);
    let before = portal.snapshots.load().proxy("Lb").unwrap().clone();
    assert_eq!(send("PUT", "/one", server(8002)).await.0, 200);
    let after = portal.snapshots.load().proxy("Lb").unwrap().clone();
    assert!(!std::sync::Arc::ptr_eq(&before, &after), "compiled again");
    assert!(format!("{after:?}").contains("8002"));
    assert_eq!(send("DELETE", "/one", Value::Null).await.0, 400, "a deployed proxy needs it");
    assert_eq!(send("GET", "/one", Value::Null).await.1["port"], 8002);
}
