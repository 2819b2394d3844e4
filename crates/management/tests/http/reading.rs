//! Query options, formats, service document, `$metadata`, paging, wrong addresses.

use axum::body::Body;
use axum::http::Request;
use pierhead_management::Settings;
use serde_json::{Value, json};

use crate::client::{Answer, Portal, ROOT};

async fn with_providers(names: &[&str]) -> Portal {
    let portal = Portal::start_with(Settings { page: 2, ..Settings::default() }).await;
    for (number, name) in names.iter().enumerate() {
        let body = json!({"name": name, "title": format!("T{number}"), "destType": "Internet", "host": "h", "port": 80 + number});
        portal.post("/APIProviders", body).await.expect(201);
    }
    portal
}

fn names(answer: &Answer) -> Vec<String> {
    answer.results().iter().map(|entity| entity["name"].as_str().unwrap().to_owned()).collect()
}

async fn plain(portal: &Portal, path: &str, accept: Option<&str>) -> Answer {
    let mut request = Request::builder().uri(format!("{ROOT}{path}")).header("authorization", "Bearer guest");
    if let Some(accept) = accept {
        request = request.header("accept", accept);
    }
    portal.raw(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn options_work_with_and_without_the_dollar() {
    let portal = with_providers(&["c", "a", "b"]).await;
    for (query, expected) in [
        ("filter=isOnPremise+eq+false&$orderby=name&$skip=1&$top=4", vec!["b", "c"]),
        ("$orderby=name desc&$top=1", vec!["c"]),
        ("$orderby=port", vec!["c", "a"]),
        ("$filter=port gt 80 and not startswith(name,'b')", vec!["a"]),
        ("$filter=life_cycle/created_by eq 'admin' and name eq 'b'", vec!["b"]),
        ("$search=t1", vec!["a"]),
        ("$skip=9", vec![]),
        ("$top=0", vec![]),
    ] {
        let answer = portal.get(&format!("/APIProviders?{}", query.replace(' ', "%20"))).await.expect(200);
        assert_eq!(names(&answer), expected, "{query}");
    }
    assert_eq!(portal.get("/APIProviders/$count?$filter=port%20gt%2080").await.text, "2");
}

#[tokio::test]
async fn the_server_pages_and_counts() {
    let portal = with_providers(&["a", "b", "c", "d", "e"]).await;
    let mut answer = portal.get("/APIProviders?$inlinecount=allpages&$orderby=name").await;
    assert_eq!(answer.d()["__count"], "5");
    let mut seen = names(&answer);
    while let Some(next) = answer.d()["__next"].as_str() {
        answer = portal.get(next.split_once("Management.svc").unwrap().1).await.expect(200);
        seen.extend(names(&answer));
    }
    assert_eq!(seen, ["a", "b", "c", "d", "e"]);
    assert_eq!(portal.get("/APIProviders?$top=2").await.d()["__next"], Value::Null);
}

#[tokio::test]
async fn select_leaves_the_rest_out() {
    let portal = with_providers(&["a"]).await;
    let entity = portal.get("/APIProviders('a')?$select=name,port").await.d();
    let fields: Vec<&String> = entity.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["__metadata", "name", "port"]);
    assert_eq!(portal.get("/APIProviders('a')/port").await.d(), json!({"port": 80}));
    assert_eq!(portal.get("/APIProviders('a')/host/$value").await.text, "h");
}

#[tokio::test]
async fn atom_is_the_default_and_well_formed() {
    let portal = with_providers(&["a b"]).await;
    let portal = {
        portal
            .post(
                "/KeyMapEntries",
                json!({"name": "m", "encrypted": false,
        "keyMapEntryValues": [{"name": "<k>", "value": "a & b \u{1}"}]}),
            )
            .await
            .expect(201);
        portal
    };
    for (path, kind) in [
        ("/APIProviders", "application/atom+xml;type=feed"),
        ("/APIProviders('a%20b')", "application/atom+xml;type=entry"),
        ("/KeyMapEntries?$expand=keyMapEntryValues&$inlinecount=allpages", "application/atom+xml;type=feed"),
        ("", "application/atomsvc+xml"),
        ("/$metadata", "application/xml"),
    ] {
        let answer = plain(&portal, path, None).await.expect(200);
        assert_eq!(answer.header("content-type"), kind, "{path}");
        assert_eq!(answer.header("dataserviceversion"), "2.0");
        well_formed(&answer.text);
    }
    let feed =
        plain(&portal, "/KeyMapEntries?$expand=keyMapEntryValues&$inlinecount=allpages", None).await.text;
    assert!(feed.contains("<m:count>1</m:count>") && feed.contains("<d:name>&lt;k&gt;</d:name>"), "{feed}");
    for (path, accept) in [
        ("/APIProviders", Some("application/json")),
        ("/APIProviders?$format=json", None),
        ("?format=json", None),
    ] {
        let answer = plain(&portal, path, accept).await.expect(200);
        assert_eq!(answer.header("content-type"), "application/json");
    }
    plain(&portal, "/APIProviders?$format=yaml", None).await.expect(400);
}

fn well_formed(xml: &str) {
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) => return,
            Ok(_) => {}
            Err(error) => panic!("{error}: {xml}"),
        }
    }
}

#[tokio::test]
async fn metadata_names_every_set_and_every_way_between_them() {
    let portal = Portal::start().await;
    let sets = plain(&portal, "/", Some("application/json")).await.d();
    let metadata = plain(&portal, "/$metadata", None).await.text;
    for set in sets["EntitySets"].as_array().unwrap() {
        let set = set.as_str().unwrap();
        assert!(metadata.contains(&format!("<EntitySet Name=\"{set}\"")), "{set}");
        plain(&portal, &format!("/{set}"), Some("application/json")).await.expect(200);
    }
    for part in [
        "Type=\"apiportal.History\"",
        "<ComplexType Name=\"History\">",
        "Relationship=\"apiportal.APIProxy_proxyEndPoints\"",
        "<AssociationSet Name=\"APIProxy_proxyEndPointsSet\"",
    ] {
        assert!(metadata.contains(part), "{part}");
    }
    assert!(!metadata.contains("\"isEncrypted\" Type=\"Edm.Boolean\" Nullable=\"true\"/><NavigationProperty Name=\"keyMapEntryValues\""));
}

#[tokio::test]
async fn what_does_not_exist_is_404_or_400_and_named() {
    let portal = with_providers(&["a"]).await;
    for (path, status, word) in [
        ("/Nothing", 404, "Nothing"),
        ("/APIProviders('x')", 404, "'x' could not be found"),
        ("/APIProviders('a')/nothing", 404, "nothing"),
        ("/APIProviders?$nothing=1", 400, "$nothing"),
        ("/APIProviders?$filter=nome%20eq%20'x'", 400, "nome"),
        ("/APIProviders?$select=nome", 400, "nome"),
        ("/APIProviders?$orderby=nome", 400, "nome"),
        ("/APIProviders?$expand=nome", 400, "nome"),
        ("/APIProviders(host='a')", 400, "key"),
        ("/KeyMapEntryValues('x')", 400, "map_name"),
        ("/APIProviders('a'", 400, "bracket"),
        ("/APIProviders('%00')", 400, "NUL"),
        ("/..%2f..%2fetc", 404, "etc"),
    ] {
        let answer = portal.get(path).await.expect(status);
        assert!(answer.message().contains(word), "{path}: {}", answer.message());
    }
    portal.get(&format!("/APIProviders('{}')", "x".repeat(10_000))).await.expect(400);
}

#[tokio::test]
async fn what_cannot_be_done_is_405() {
    let portal = with_providers(&["a"]).await;
    for (method, path) in [
        ("POST", "/APIProviders('a')"),
        ("PUT", "/APIProviders"),
        ("DELETE", "/APIProviders"),
        ("DELETE", "/"),
        ("POST", "/VirtualHosts"),
        ("DELETE", "/VirtualHosts('default')"),
        ("TRACE", "/APIProviders('a')"),
        ("GET", "/$batch"),
        ("GET", "/APIProxies('a')/Deploy"),
        ("POST", "/APIProviders('a')/Deploy"),
    ] {
        let answer = portal.send(method, path, Some(json!({}))).await;
        assert!(matches!(answer.status.as_u16(), 405 | 400), "{method} {path}: {}", answer.text);
        assert!(!answer.message().is_empty());
    }
    assert_eq!(names(&portal.get("/APIProviders").await), ["a"]);
    let tunnelled = Request::builder()
        .method("POST")
        .uri(format!("{ROOT}/APIProviders('a')"))
        .header("authorization", "Bearer admin")
        .header("x-http-method", "MERGE")
        .body(Body::from(json!({"title": "new"}).to_string()))
        .unwrap();
    portal.raw(tunnelled).await.expect(204);
    assert_eq!(portal.get("/APIProviders('a')/title").await.d()["title"], "new");
}
