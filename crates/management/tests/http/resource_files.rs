//! Files of the environment and the organization over Apigee's API: designs find them, and what is used stays.

use pierhead_store::on_both_databases;
use serde_json::{Value, json};

use crate::client::Portal;

const ORGANIZATION: &str = "/v1/organizations/acme";
const ENVIRONMENT: &str = "/v1/organizations/acme/environments/prod";

async fn send(portal: &Portal, method: &str, path: &str, body: &str) -> (u16, Value, String) {
    let (status, _, answer) =
        portal.bytes(method, path, "application/octet-stream", body.as_bytes().to_vec()).await;
    let text = String::from_utf8_lossy(&answer).into_owned();
    (status.as_u16(), serde_json::from_slice(&answer).unwrap_or_default(), text)
}

/// A proxy without a target that runs one policy; the status and the answer of deploying it.
async fn deploy(portal: &Portal, name: &str, policy: &str) -> (u16, String) {
    let proxy = json!({
        "name": name, "title": name, "service_code": "REST", "provider_name": "NONE",
        "proxyEndPoints": [{
            "name": "default", "isDefault": true, "base_path": format!("/{name}"),
            "preFlow": {"request": {"steps": [{"policy_name": "A", "condition": "", "sequence": 1}]}},
        }],
        "targetEndPoints": [{"name": "default", "provider_id": "NONE", "relativePath": "/"}],
        "policies": [{"name": "A", "policy_content": policy}],
    });
    portal.post("/APIProxies", proxy).await.expect(201);
    let answer = portal.send("POST", &format!("/APIProxies('{name}')/Deploy"), None).await;
    (answer.status.as_u16(), answer.text)
}

fn script(file: &str) -> String {
    format!("<Javascript timeLimit=\"200\"><ResourceURL>jsc://{file}</ResourceURL></Javascript>")
}

on_both_databases! {
    async fn files_are_made_listed_read_changed_and_deleted(store: Store) {
        let portal = Portal::on(store).await;
        for root in [ENVIRONMENT, ORGANIZATION] {
            let files = format!("{root}/resourcefiles");
            let made = send(&portal, "POST", &format!("{files}?type=jsc&name=a.js"), "var a = 1;").await;
            assert_eq!((made.0, made.1), (201, json!({"name": "a.js", "type": "jsc"})));
            let twice = send(&portal, "POST", &format!("{files}?type=jsc&name=a.js"), "var a = 2;").await;
            assert_eq!(twice.0, 409, "{}", twice.2);
            send(&portal, "POST", &format!("{files}?type=properties&name=p.properties"), "k=v").await;

            let all = send(&portal, "GET", &files, "").await.1;
            assert_eq!(all, json!({"resourceFile": [
                {"name": "a.js", "type": "jsc"}, {"name": "p.properties", "type": "properties"}]}));
            let some = send(&portal, "GET", &format!("{files}/properties"), "").await.1;
            assert_eq!(some, json!({"resourceFile": [{"name": "p.properties", "type": "properties"}]}));
            assert_eq!(send(&portal, "GET", &format!("{files}/jsc/a.js"), "").await.2, "var a = 1;");

            assert_eq!(send(&portal, "PUT", &format!("{files}/jsc/a.js"), "var a = 3;").await.0, 200);
            assert_eq!(send(&portal, "GET", &format!("{files}/jsc/a.js"), "").await.2, "var a = 3;");
            assert_eq!(send(&portal, "DELETE", &format!("{files}/jsc/a.js"), "").await.0, 200);
            for (method, body) in [("GET", ""), ("PUT", "x"), ("DELETE", "")] {
                let gone = send(&portal, method, &format!("{files}/jsc/a.js"), body).await;
                assert_eq!((gone.0, &gone.1["code"]), (404, &json!("messaging.config.beans.ResourceFileDoesNotExist")));
            }
            let refused = send(&portal, "POST", &format!("{files}?type=exe&name=a"), "x").await;
            assert!(refused.0 == 400 && refused.2.contains("type must be one of"), "{}", refused.2);
        }
        let elsewhere = send(&portal, "GET", &format!("{ORGANIZATION}/environments/other/resourcefiles"), "").await;
        assert_eq!(elsewhere.0, 404);
    }

    async fn a_bundle_that_names_a_missing_resource_is_refused_and_runs_once_it_is_there(store: Store) {
        let portal = Portal::on(store).await;
        let (status, why) = deploy(&portal, "p", &script("shared.js")).await;
        assert!(status == 400 && why.contains("jsc://shared.js"), "{status} {why}");

        let file = format!("{ORGANIZATION}/resourcefiles?type=jsc&name=shared.js");
        assert_eq!(send(&portal, "POST", &file, "var a = 1;").await.0, 201);
        portal.send("POST", "/APIProxies('p')/Deploy", None).await.expect(200);
        assert!(portal.snapshots.load().proxy("p").is_some());
        assert!(portal.restart().await.load().proxy("p").is_some(), "after a restart, too");
    }

    async fn a_file_in_use_stays_and_the_refusal_names_who_uses_it(store: Store) {
        let portal = Portal::on(store).await;
        for root in [ENVIRONMENT, ORGANIZATION] {
            send(&portal, "POST", &format!("{root}/resourcefiles?type=jsc&name=shared.js"), "var a = 1;").await;
        }
        assert_eq!(deploy(&portal, "user-of-it", &script("shared.js")).await.0, 200);

        let in_environment = format!("{ENVIRONMENT}/resourcefiles/jsc/shared.js");
        let in_organization = format!("{ORGANIZATION}/resourcefiles/jsc/shared.js");
        assert_eq!(send(&portal, "DELETE", &in_environment, "").await.0, 200, "the organization has one, too");
        let refused = send(&portal, "DELETE", &in_organization, "").await;
        assert!(refused.0 == 400 && refused.2.contains("API proxy user-of-it"), "{} {}", refused.0, refused.2);
        assert_eq!(send(&portal, "GET", &in_organization, "").await.2, "var a = 1;");

        let before = portal.snapshots.load().proxy("user-of-it").cloned().unwrap();
        let broken = send(&portal, "PUT", &in_organization, "var = 1;").await;
        assert!(broken.0 == 400 && broken.2.contains("user-of-it"), "{} {}", broken.0, broken.2);
        let running = portal.snapshots.load().proxy("user-of-it").cloned().unwrap();
        assert!(std::sync::Arc::ptr_eq(&before, &running), "what ran goes on");
        assert_eq!(send(&portal, "PUT", &in_organization, "var a = 2;").await.0, 200);
        let running = portal.snapshots.load().proxy("user-of-it").cloned().unwrap();
        assert!(!std::sync::Arc::ptr_eq(&before, &running), "with the new text");
    }

    async fn property_sets_of_the_environment_are_kept_while_a_design_reads_them(store: Store) {
        let portal = Portal::on(store).await;
        let file = format!("{ENVIRONMENT}/resourcefiles/properties/limits.properties");
        let made = format!("{ENVIRONMENT}/resourcefiles?type=properties&name=limits.properties");
        assert_eq!(send(&portal, "POST", &made, "rate=5").await.0, 201);
        let policy = "<AssignMessage><AssignVariable><Name>x</Name><Template>{propertyset.limits.rate}</Template>\
                      </AssignVariable></AssignMessage>";
        assert_eq!(deploy(&portal, "reads", policy).await.0, 200);
        let refused = send(&portal, "DELETE", &file, "").await;
        assert!(refused.0 == 400 && refused.2.contains("API proxy reads"), "{} {}", refused.0, refused.2);
        portal.send("POST", "/APIProxies('reads')/Undeploy", None).await.expect(200);
        assert_eq!(send(&portal, "DELETE", &file, "").await.0, 200);
    }
}
