//! The shape of a revision over Apigee's API: endpoints added, renamed and removed, shared flows edited in place.

use serde_json::{Value, json};

use crate::client::Portal;

const APIGEE: &str = "/v1/organizations/acme";
const ZIP: &str = "application/octet-stream";

fn bundle(base_path: &str) -> Vec<u8> {
    let mut files = pierhead_bundle::Files::default();
    files.insert("apiproxy/Shop.xml", "<APIProxy name=\"Shop\" revision=\"1\"/>");
    files.insert(
        "apiproxy/proxies/default.xml",
        format!("<ProxyEndpoint name=\"default\"><HTTPProxyConnection><BasePath>{base_path}</BasePath></HTTPProxyConnection>\
         <RouteRule name=\"usual\"><TargetEndpoint>backend</TargetEndpoint></RouteRule></ProxyEndpoint>"),
    );
    files.insert(
        "apiproxy/targets/backend.xml",
        "<TargetEndpoint name=\"backend\"><HTTPTargetConnection><URL>http://backend.example/v1</URL>\
         </HTTPTargetConnection></TargetEndpoint>",
    );
    pierhead_bundle::write_archive(&files).unwrap()
}

fn guard() -> Vec<u8> {
    let mut files = pierhead_bundle::Files::default();
    files.insert("sharedflowbundle/Guard.xml", "<SharedFlowBundle name=\"Guard\" revision=\"1\"/>");
    files.insert(
        "sharedflowbundle/sharedflows/default.xml",
        "<SharedFlow name=\"default\"><Step><Name>Stop</Name></Step></SharedFlow>",
    );
    files.insert("sharedflowbundle/policies/Stop.xml", "<RaiseFault name=\"Stop\"/>");
    pierhead_bundle::write_archive(&files).unwrap()
}

struct Api(Portal);

impl Api {
    async fn start() -> Self {
        let api = Self(Portal::start().await);
        let (status, ..) = api.bytes("POST", "/apis?action=import&name=Shop", ZIP, bundle("/shop")).await;
        assert_eq!(status, 201);
        api
    }

    async fn bytes(&self, method: &str, path: &str, kind: &str, body: Vec<u8>) -> (u16, String, Value) {
        let (status, headers, answer) = self.0.bytes(method, &format!("{APIGEE}{path}"), kind, body).await;
        let at = headers.get("location").map(|at| at.to_str().unwrap().to_owned()).unwrap_or_default();
        (status.as_u16(), at, serde_json::from_slice(&answer).unwrap_or_default())
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> (u16, String, Value) {
        self.bytes(method, path, "application/json", body.to_string().into_bytes()).await
    }

    async fn get(&self, path: &str) -> Value {
        let (status, _, body) = self.bytes("GET", path, "application/json", vec![]).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }
}

const AT: &str = "/apis/Shop/revisions/1";

#[tokio::test]
async fn endpoints_are_added_renamed_and_removed() {
    let api = Api::start().await;
    let target = json!({"name": "other", "connection": {"uRL": "https://other.example/"}});
    let (status, at, made) = api.send("POST", &format!("{AT}/targets"), target.clone()).await;
    assert_eq!((status, &*at), (201, "/v1/organizations/acme/apis/Shop/revisions/1/targets/other"), "{made}");
    assert_eq!(api.send("POST", &format!("{AT}/targets"), target).await.0, 409);
    let entrance = json!({
        "name": "second", "connection": {"basePath": "/second/", "virtualHost": ["default"]},
        "routeRule": [{"name": "to", "targetEndpoint": "other"}],
    });
    let (status, _, made) = api.send("POST", &format!("{AT}/proxies"), entrance).await;
    assert_eq!((status, &made["connection"]["basePath"]), (201, &json!("/second")), "{made}");

    let (status, at, _) = api.send("PUT", &format!("{AT}/targets/other"), json!({"name": "renamed"})).await;
    assert_eq!((status, at.ends_with("/targets/renamed")), (200, true), "{at}");
    let routes = api.get(&format!("{AT}/proxies/second")).await["routeRule"].clone();
    assert_eq!(routes[0]["targetEndpoint"], "renamed", "route rules follow");
    let taken = api.send("PUT", &format!("{AT}/targets/renamed"), json!({"name": "backend"})).await;
    assert_eq!(taken.0, 409, "{}", taken.2);
    assert_eq!(api.send("PUT", &format!("{AT}/targets/none"), json!({"name": "x"})).await.0, 404);

    let (status, _, refused) = api.send("DELETE", &format!("{AT}/targets/renamed"), json!({})).await;
    assert_eq!(status, 400, "a route rule names it");
    assert!(refused["violations"][0]["filename"].as_str().unwrap().contains("second"), "{refused}");
    assert_eq!(api.send("DELETE", &format!("{AT}/proxies/second"), json!({})).await.0, 200);
    assert_eq!(api.send("DELETE", &format!("{AT}/targets/renamed"), json!({})).await.0, 200);
    assert_eq!(api.get(&format!("{AT}/proxies")).await, json!(["default"]));
    assert_eq!(api.get(&format!("{AT}/targets")).await, json!(["backend"]));
    let last = api.send("DELETE", &format!("{AT}/proxies/default"), json!({})).await;
    assert_eq!(last.0, 400, "a proxy has an entrance: {}", last.2);
}

#[tokio::test]
async fn a_proxy_endpoint_that_another_proxy_calls_is_not_removed() {
    let api = Api::start().await;
    assert_eq!(api.bytes("POST", "/apis?action=import&name=Caller", ZIP, bundle("/caller")).await.0, 201);
    let at = "/apis/Caller/revisions/1";
    let local = json!({"connection": {"aPIProxy": "Shop", "proxyEndpoint": "default"}});
    let (status, _, shown) = api.send("PUT", &format!("{at}/targets/backend"), local).await;
    assert_eq!((status, &shown["connection"]["aPIProxy"]), (200, &json!("Shop")), "{shown}");
    for (method, body) in [("DELETE", json!({})), ("PUT", json!({"name": "entry"}))] {
        let (status, _, refused) = api.send(method, &format!("{AT}/proxies/default"), body).await;
        assert_eq!(status, 400);
        let said = refused["message"].as_str().unwrap();
        assert!(said.contains("Caller") && said.contains("backend"), "{said}");
    }
    let away = json!({"connection": {"uRL": "http://x.example"}});
    assert_eq!(api.send("PUT", &format!("{at}/targets/backend"), away).await.0, 200);
    assert_eq!(api.send("PUT", &format!("{AT}/proxies/default"), json!({"name": "entry"})).await.0, 200);
    assert_eq!(api.get(&format!("{AT}/proxies")).await, json!(["entry"]));
}

#[tokio::test]
async fn properties_and_load_balancers_are_set_and_what_is_not_named_stays() {
    let api = Api::start().await;
    let server = json!({"name": "one", "host": "one.example", "port": 80});
    assert_eq!(api.send("POST", "/environments/prod/targetservers", server).await.0, 201);
    let at = format!("{AT}/targets/backend");
    let balanced = json!({"connection": {"loadBalancer": {"algorithm": "Weighted", "maxFailures": 3, "retryEnabled": false,
        "path": "/v2", "servers": [{"name": "one", "weight": 2, "isFallback": false}]}}});
    let (status, _, shown) = api.send("PUT", &at, balanced).await;
    assert_eq!(status, 200, "{shown}");
    let balancer = &shown["connection"]["loadBalancer"];
    assert_eq!(
        balancer["servers"][0],
        json!({"name": "one", "weight": 2, "isFallback": false, "isEnabled": true})
    );
    assert_eq!((&balancer["maxFailures"], &balancer["retryEnabled"]), (&json!(3), &json!(false)));
    let (_, _, shown) =
        api.send("PUT", &at, json!({"connection": {"loadBalancer": {"algorithm": "RoundRobin"}}})).await;
    assert_eq!(shown["connection"]["loadBalancer"]["path"], "/v2", "{shown}");

    let property = |value: &str| json!({"connection": {"properties": {"property": [{"name": "io.timeout.millis", "value": value}]}}});
    let (status, _, shown) = api.send("PUT", &at, property("1000")).await;
    assert_eq!(status, 200, "{shown}");
    assert_eq!(shown["connection"]["properties"]["property"][0]["value"], "1000");
    let (status, _, refused) = api.send("PUT", &at, property("soon")).await;
    assert_eq!((status, &refused["violations"][0]["rule"]), (400, &json!("InvalidProperty")), "{refused}");
    for bad in [
        json!({"connection": {"uRL": "http://x", "path": "/y"}}),
        json!({"connection": {"loadBalancer": {"servers": []}}}),
        json!({"connection": {"loadBalancer": {"servers": [{"weight": 1}]}}}),
        json!({"connection": {"loadBalancer": {"maxFailures": -1}}}),
        json!({"connection": {"properties": {"property": [{"value": "x"}]}}}),
        json!({"connection": {"properties": {"property": [{"name": "a"}, {"name": "a"}]}}}),
        json!({"name": "a/b"}),
    ] {
        assert_eq!(api.send("PUT", &at, bad.clone()).await.0, 400, "{bad}");
    }
    let (_, _, shown) = api.send("PUT", &at, json!({"connection": {"connectionType": "none"}})).await;
    assert_eq!(shown["connection"]["connectionType"], "none");
    let (_, _, shown) = api.send("PUT", &at, json!({"connection": {"path": "/shop"}})).await;
    assert_eq!(shown["connection"]["path"], "/shop", "{shown}");
}

#[tokio::test]
async fn a_shared_flow_is_edited_in_place_and_never_while_it_is_deployed() {
    let api = Api::start().await;
    assert_eq!(api.bytes("POST", "/sharedflows?action=import&name=Guard", ZIP, guard()).await.0, 201);
    let at = "/sharedflows/Guard/revisions/1";
    assert_eq!(api.get(&format!("{at}/sharedflows")).await, json!(["default"]));
    let steps = format!("{at}/sharedflows/default");
    assert_eq!(api.get(&steps).await["children"], json!([{"step": {"name": "Stop"}}]));
    let xml = "<RaiseFault name=\"Other\"/>";
    let policies = format!("{at}/policies");
    assert_eq!(api.bytes("POST", &policies, "application/xml", xml.into()).await.0, 201);
    let children = json!([{"step": {"name": "Other", "condition": "request.verb = \"PUT\""}}, {"step": {"name": "Stop"}}]);
    let (status, _, shown) = api.send("PUT", &steps, json!({"children": children})).await;
    assert_eq!((status, &shown["children"]), (200, &children), "{shown}");
    let bad = json!({"children": [{"step": {"name": "Stop", "condition": "(("}}]});
    let (status, _, refused) = api.send("PUT", &steps, bad).await;
    assert_eq!(status, 400);
    assert!(refused["violations"][0]["filename"].as_str().unwrap().contains("default"), "{refused}");
    assert_eq!(
        api.bytes("DELETE", &format!("{policies}/Other"), ZIP, vec![]).await.0,
        400,
        "a step names it"
    );
    let file = format!("{at}/resourcefiles?type=jsc&name=a.js");
    assert_eq!(api.bytes("POST", &file, ZIP, b"var a;".to_vec()).await.0, 201);
    assert_eq!(api.get(&format!("{at}/resources")).await, json!(["jsc://a.js"]));

    let deploy = "/environments/prod/sharedflows/Guard/revisions/1/deployments";
    assert_eq!(api.bytes("POST", deploy, ZIP, vec![]).await.0, 200);
    let fewer = json!({"children": [{"step": {"name": "Stop"}}]});
    let (status, _, refused) = api.send("PUT", &steps, fewer.clone()).await;
    assert_eq!(status, 400);
    assert!(refused["message"].as_str().unwrap().contains("shared flow 'Guard' is deployed"), "{refused}");
    let (status, location, _) = api.send("PUT", &format!("{steps}?newRevision=true"), fewer.clone()).await;
    assert_eq!(status, 200);
    assert_eq!(location, "/v1/organizations/acme/sharedflows/Guard/revisions/2/sharedflows/default");
    assert_eq!(api.get(&steps).await["children"], children, "what is deployed stays");
    assert_eq!(api.get(&steps.replace("/1/", "/2/")).await["children"], fewer["children"]);
    let wrong = api.send("PUT", &format!("{at}/sharedflows/second"), fewer.clone()).await;
    assert_eq!(wrong.0, 400, "{}", wrong.2);
    assert_eq!(
        api.send("POST", &format!("{}/sharedflows", at.replace("/1", "/2")), json!({"name": "default"}))
            .await
            .0,
        409
    );
    for path in [
        "/sharedflows/None/revisions/1/sharedflows/default",
        "/sharedflows/Guard/revisions/9/sharedflows/default",
    ] {
        assert_eq!(api.send("PUT", path, fewer.clone()).await.0, 404, "{path}");
    }
    assert_eq!(api.send("PUT", &format!("{at}/proxies/default"), json!({})).await.0, 404, "no proxy");
}
