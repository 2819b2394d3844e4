//! One piece of a revision at a time, and reports (api-management §8.10).

use serde_json::{Value, json};

use crate::client::Portal;

const APIGEE: &str = "/v1/organizations/acme";

fn bundle(policy: &str) -> Vec<u8> {
    let mut files = pierhead_bundle::Files::default();
    files.insert("apiproxy/Hello.xml", "<APIProxy name=\"Hello\" revision=\"1\"/>");
    files.insert(
        "apiproxy/proxies/default.xml",
        "<ProxyEndpoint name=\"default\"><PreFlow name=\"PreFlow\"><Request><Step><Name>Greet</Name></Step></Request></PreFlow>\
         <HTTPProxyConnection><BasePath>/hello</BasePath></HTTPProxyConnection><RouteRule name=\"r\">\
         <TargetEndpoint>default</TargetEndpoint></RouteRule></ProxyEndpoint>",
    );
    files.insert(
        "apiproxy/targets/default.xml",
        "<TargetEndpoint name=\"default\"><HTTPTargetConnection><URL>http://backend.example/v1</URL>\
         </HTTPTargetConnection></TargetEndpoint>",
    );
    files.insert("apiproxy/policies/Greet.xml", policy);
    files.insert("apiproxy/resources/jsc/a.js", "var a = 1;");
    pierhead_bundle::write_archive(&files).unwrap()
}

const GREET: &str = "<AssignMessage name=\"Greet\">\n<AssignVariable><Name>a</Name><Value>b</Value></AssignVariable>\n</AssignMessage>";
const BROKEN: &str = "<AssignMessage name=\"Greet\">\n\n<Colour/></AssignMessage>";
const ZIP: &str = "application/octet-stream";

struct Call<'p>(&'p Portal);

impl Call<'_> {
    async fn send(&self, method: &str, path: &str, kind: &str, body: &str) -> (u16, String, Value) {
        let path = format!("{APIGEE}{path}");
        let (status, headers, answer) = self.0.bytes(method, &path, kind, body.as_bytes().to_vec()).await;
        let at = headers.get("location").map(|at| at.to_str().unwrap().to_owned()).unwrap_or_default();
        (status.as_u16(), at, serde_json::from_slice(&answer).unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, _, body) = self.send("GET", path, "application/json", "").await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }
}

async fn deployed() -> Portal {
    let portal = Portal::start().await;
    let path = format!("{APIGEE}/apis?action=import&name=Hello");
    let (status, _, _) = portal.bytes("POST", &path, ZIP, bundle(GREET)).await;
    assert_eq!(status.as_u16(), 201);
    let path = format!("{APIGEE}/environments/prod/apis/Hello/revisions/1/deployments");
    let (status, _, _) = portal.bytes("POST", &path, ZIP, vec![]).await;
    assert_eq!(status.as_u16(), 200);
    portal
}

fn live(portal: &Portal) -> String {
    portal.snapshots.load().proxy("Hello").unwrap().revision.to_string()
}

#[tokio::test]
async fn a_bundle_is_reported_by_transport_without_being_kept() {
    let portal = Portal::start().await;
    let at = "/apiportal/api/1.0/Transport.svc/APIProxies?validate=true";
    let (status, _, answer) = portal.bytes("POST", at, ZIP, bundle(BROKEN)).await;
    let report: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!((status.as_u16(), &report["verdict"]), (200, &json!("refused")), "{report}");
    let error = report["findings"].as_array().unwrap().iter().find(|one| one["severity"] == "error").unwrap();
    assert_eq!(
        (&error["file"], &error["line"]),
        (&json!("apiproxy/policies/Greet.xml"), &json!(3)),
        "{report}"
    );
    let (_, _, answer) = portal.bytes("POST", at, ZIP, bundle(GREET)).await;
    let report: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!((&report["verdict"], &report["kind"]), (&json!("runs"), &json!("API proxy")), "{report}");
    assert_eq!(report["policies"][0]["attached"], 1);
    assert_eq!(portal.get("/APIProxies").await.results().len(), 0);
    let (status, _, _) = portal.bytes("POST", &format!("{at}&name=x"), ZIP, b"hello".to_vec()).await;
    assert_eq!(status.as_u16(), 400);
    let (status, _, _) = portal.bytes("POST", &at.replace("true", "perhaps"), ZIP, bundle(GREET)).await;
    assert_eq!(status.as_u16(), 400);
}

#[tokio::test]
async fn a_broken_policy_is_refused_with_file_line_and_rule_and_the_deployed_revision_stays() {
    let portal = deployed().await;
    let call = Call(&portal);
    let at = "/apis/Hello/revisions/1/policies/Greet";
    let (status, _, refused) = call.send("PUT", at, "application/xml", GREET).await;
    assert_eq!(status, 400, "it is deployed: {refused}");
    assert!(refused["message"].as_str().unwrap().contains("newRevision=true"), "{refused}");

    let new = format!("{at}?newRevision=true");
    let (status, _, refused) = call.send("PUT", &new, "application/xml", BROKEN).await;
    assert_eq!((status, &refused["code"]), (400, &json!("messaging.config.beans.InvalidBundle")));
    let violation = &refused["violations"][0];
    assert!(violation["filename"].as_str().unwrap().ends_with("policies/Greet.xml"), "{refused}");
    assert_eq!(violation["line"], 3, "{refused}");
    assert!(violation["rule"].is_string() && violation["description"].as_str().unwrap().contains("Colour"));
    assert_eq!(call.get("/apis/Hello/revisions").await, json!(["1"]));

    let (status, location, made) =
        call.send("PUT", &new, "application/xml", &GREET.replace(">b<", ">c<")).await;
    assert_eq!((status, &made["policyType"]), (200, &json!("AssignMessage")), "{made}");
    assert_eq!(location, "/v1/organizations/acme/apis/Hello/revisions/2/policies/Greet");
    assert_eq!(live(&portal), "1");
    assert!(call.get(at).await["xml"].as_str().unwrap().contains(">b<"));
    let at = at.replace("/1/", "/2/");
    assert!(call.get(&at).await["xml"].as_str().unwrap().contains(">c<"));

    let (status, location, _) = call.send("POST", &at, "application/xml", &GREET.replace(">b<", ">d<")).await;
    assert_eq!((status, location.contains("/revisions/2/")), (200, true), "in place");
    assert!(call.get(&at).await["xml"].as_str().unwrap().contains(">d<"));
    assert_eq!(call.get("/apis/Hello/revisions").await, json!(["1", "2"]));
    let deploy = "/environments/prod/apis/Hello/revisions/2/deployments?override=true";
    assert_eq!(call.send("POST", deploy, ZIP, "").await.0, 200);
    assert_eq!(live(&portal), "2");
    let shown = portal.get("/APIProxies('Hello')/policies").await.results();
    assert!(shown[0]["policy_content"].as_str().unwrap().contains(">d<"), "both APIs show one design");
}

#[tokio::test]
async fn policies_are_added_attached_reordered_and_removed() {
    let portal = deployed().await;
    let call = Call(&portal);
    let xml = "<RaiseFault name=\"Stop\"/>";
    let (status, location, _) =
        call.send("POST", "/apis/Hello/revisions/1/policies?newRevision=true", "application/xml", xml).await;
    assert_eq!((status, location.ends_with("/revisions/2/policies/Stop")), (201, true), "{location}");
    assert_eq!(call.send("POST", "/apis/Hello/revisions/2/policies", "application/xml", xml).await.0, 409);
    assert_eq!(call.get("/apis/Hello/revisions/2/policies").await, json!(["Greet", "Stop"]));

    let endpoint = "/apis/Hello/revisions/2/proxies/default";
    let shown = call.get(endpoint).await;
    assert_eq!(shown["preFlow"]["request"]["children"], json!([{"step": {"name": "Greet"}}]));
    assert_eq!(shown["connection"]["basePath"], "/hello");
    assert_eq!(shown["routeRule"][0]["targetEndpoint"], "default");
    let steps = json!([{"step": {"name": "Stop", "condition": "request.verb = \"PUT\""}}, {"step": {"name": "Greet"}}]);
    let change = json!({"preFlow": {"request": {"children": steps}},
        "flows": [{"name": "Reads", "condition": "request.verb = \"GET\"", "response": {"children": []}}]});
    let (status, _, changed) = call.send("POST", endpoint, "application/json", &change.to_string()).await;
    assert_eq!((status, &changed["preFlow"]["request"]["children"]), (200, &steps), "{changed}");
    assert_eq!(
        (&changed["flows"][0]["name"], &changed["connection"]["basePath"]),
        (&json!("Reads"), &json!("/hello"))
    );

    let bad = json!({"preFlow": {"request": {"children": [{"step": {"name": "Greet", "condition": "(("}}]}}});
    let (status, _, refused) = call.send("POST", endpoint, "application/json", &bad.to_string()).await;
    assert_eq!(status, 400, "{refused}");
    assert!(refused["violations"][0]["filename"].as_str().unwrap().contains("default"), "{refused}");
    let bad = json!({"preFlow": {"request": {"children": [{"step": {"name": "Nobody"}}]}}});
    assert_eq!(call.send("POST", endpoint, "application/json", &bad.to_string()).await.0, 400);
    for bad in [json!({"flows": 1}), json!({"preFlow": []}), json!({"connection": {"basePath": "x y"}})] {
        assert_eq!(call.send("POST", endpoint, "application/json", &bad.to_string()).await.0, 400, "{bad}");
    }
    let attached = call.send("DELETE", "/apis/Hello/revisions/2/policies/Stop", ZIP, "").await;
    assert_eq!(attached.0, 400, "a step names it: {}", attached.2);
    let change = json!({"preFlow": {"request": {"children": [{"step": {"name": "Greet"}}]}}});
    assert_eq!(call.send("PUT", endpoint, "application/json", &change.to_string()).await.0, 200);
    assert_eq!(call.send("DELETE", "/apis/Hello/revisions/2/policies/Stop", ZIP, "").await.0, 200);
    let target = call.get("/apis/Hello/revisions/2/targets/default").await;
    assert_eq!(target["connection"]["uRL"], "http://backend.example/v1");
    let report = call.get("/apis/Hello/revisions/2/report").await;
    assert_eq!(report["steps"][0]["policy"], "Greet");
}

#[tokio::test]
async fn resource_files_are_written_read_and_removed() {
    let portal = deployed().await;
    let call = Call(&portal);
    let at = "/apis/Hello/revisions/1/resourcefiles";
    let (status, location, _) =
        call.send("POST", &format!("{at}?type=jsc&name=b.js&newRevision=true"), ZIP, "var b;").await;
    assert_eq!(
        (status, location.ends_with("/revisions/2/resourcefiles/jsc/b.js")),
        (201, true),
        "{location}"
    );
    let at = at.replace("/1/", "/2/");
    assert_eq!(call.get("/apis/Hello/revisions/2/resources").await, json!(["jsc://a.js", "jsc://b.js"]));
    assert_eq!(call.send("PUT", &format!("{at}/jsc/b.js"), ZIP, "var c;").await.0, 200);
    let (status, headers, body) = portal.bytes("GET", &format!("{APIGEE}{at}/jsc/b.js"), ZIP, vec![]).await;
    assert_eq!((status.as_u16(), &*body), (200, b"var c;".as_slice()));
    assert_eq!(headers["content-disposition"], "attachment");
    assert_eq!(call.send("DELETE", &format!("{at}/jsc/b.js"), ZIP, "").await.0, 200);
    for (method, path, kind, status) in [
        ("GET", format!("{at}/jsc/b.js"), ZIP, 404),
        ("PUT", format!("{at}/jsc/b.js"), ZIP, 404),
        ("POST", format!("{at}?type=jsc&name=../x"), ZIP, 400),
        ("POST", format!("{at}?name=x.js"), ZIP, 400),
        ("POST", format!("{at}?type=jsc&name=x.js"), "text/plain", 400),
        ("PUT", "/apis/Hello/revisions/2/policies/Greet".into(), "text/plain", 400),
        ("PATCH", "/apis/Hello/revisions/2/policies/Greet".into(), "application/xml", 405),
        ("PUT", "/apis/Hello/revisions/9/policies/Greet".into(), "application/xml", 404),
        ("PUT", "/apis/None/revisions/1/policies/Greet".into(), "application/xml", 404),
    ] {
        assert_eq!(call.send(method, &path, kind, GREET).await.0, status, "{method} {path}");
    }
}
