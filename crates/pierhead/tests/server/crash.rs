//! `kill -9` at any point: on restart everything acknowledged is there and nothing is half there.
//!
//! Each test writes in a loop, kills the program in the middle of whichever write is then under way, starts
//! it again on the same data and looks. Rounds are killed after different numbers of writes.

use std::path::Path;

use http::Method;
use pierhead_testkit::{Admin, Drive, Request};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::process::{Home, Process};

const ROUNDS: usize = 4;

/// Runs `write` with 0, 1, 2… until the program is killed, which is after `kill_after` acknowledged writes;
/// gives the names of those that were acknowledged.
async fn killed_while_writing<W>(process: Process, kill_after: usize, write: W) -> Vec<String>
where
    W: AsyncFn(usize) -> Option<String>,
{
    let (count, mut counted) = watch::channel(0);
    let writing = async {
        let mut acknowledged = Vec::new();
        for index in 0.. {
            let Some(name) = write(index).await else { break };
            acknowledged.push(name);
            count.send_replace(acknowledged.len());
        }
        acknowledged
    };
    // On a thread of its own: the kill must not wait until the writer pauses.
    let killing = tokio::spawn(async move {
        counted.wait_for(|written| *written >= kill_after).await.unwrap();
        process.kill();
    });
    let acknowledged = writing.await;
    killing.await.unwrap();
    assert!(acknowledged.len() >= kill_after, "the writer stopped before it was killed");
    acknowledged
}

/// A management call by name, or `None` when the program went away before it answered.
async fn manage(process: &pierhead_testkit::Site, bearer: &str, path: &str, body: &Value) -> Option<u16> {
    let request = Request::post(process.management(path))
        .header("authorization", &format!("Bearer {bearer}"))
        .header("accept", "application/json")
        .json(body);
    let status = process.client.try_answer(request).await?.status.as_u16();
    assert!((200..300).contains(&status), "POST {path} answered {status}");
    Some(status)
}

async fn read(admin: &Admin, path: &str) -> Option<Value> {
    let answer = admin.manage(Method::GET, path, None).await;
    if answer.status == 404 {
        return None;
    }
    Some(answer.expect_status(200).json()["d"].clone())
}

fn map(name: &str, values: &[&str]) -> Value {
    let values: Vec<Value> =
        values.iter().map(|key| json!({"name": key, "map_name": name, "value": "v"})).collect();
    json!({"name": name, "encrypted": true, "scope": "ENV", "keyMapEntryValues": values})
}

fn names(list: &Value) -> Vec<String> {
    list["results"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

async fn maps_and_their_entries(home: Home) {
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let process = Process::start(&home);
        let admin = process.admin().await;
        for name in &acknowledged {
            assert!(read(&admin, &format!("/KeyMapEntries('{name}')")).await.is_some(), "{name} is gone");
        }
        let all = read(&admin, "/KeyMapEntries?$top=1000").await.unwrap();
        for name in names(&all) {
            let entries = read(&admin, &format!("/KeyMapEntries('{name}')/keyMapEntryValues")).await.unwrap();
            assert_eq!(names(&entries), ["one", "three", "two"], "{name} is half there");
        }
        let (site, bearer) = ((*process).clone(), admin.bearer.clone());
        acknowledged.extend(
            killed_while_writing(process, 3 + 5 * round, async |index| {
                let name = format!("r{round}-{index}");
                let body = map(&name, &["one", "two", "three"]);
                manage(&site, &bearer, "/KeyMapEntries", &body).await.map(|_| name)
            })
            .await,
        );
    }
}

async fn single_entries_of_one_map(home: Home) {
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let process = Process::start(&home);
        let admin = process.admin().await;
        let there = read(&admin, "/KeyMapEntries('m')/keyMapEntryValues?$top=1000").await;
        let there = there.map(|list| names(&list)).unwrap_or_default();
        for name in &acknowledged {
            assert!(there.contains(name), "round {round}: {name} was acknowledged and is gone");
        }
        let (site, bearer) = ((*process).clone(), admin.bearer.clone());
        if round == 0 {
            manage(&site, &bearer, "/KeyMapEntries", &map("m", &[])).await.unwrap();
        }
        acknowledged.extend(
            killed_while_writing(process, 5 + 7 * round, async |index| {
                let name = format!("r{round}-{index}");
                let body = json!({"name": name, "map_name": "m", "value": "v"});
                manage(&site, &bearer, "/KeyMapEntryValues", &body).await.map(|_| name)
            })
            .await,
        );
    }
}

async fn connector_instances(home: Home) {
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("a.txt"), "tide table").unwrap();
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let process = Process::start(&home);
        let admin = process.admin().await;
        for token in &acknowledged {
            admin.hub_get(token, "/files?path=/a.txt").await.expect_status(200);
        }
        // Also those whose answer was lost: whole, with a token that works, or not there.
        let all = admin.call(Method::GET, "/instances?pageSize=200", None).await;
        if all.status != 404 {
            for instance in all.expect_status(200).json().as_array().unwrap() {
                let one = admin.call(Method::GET, &format!("/instances/{}", instance["id"]), None).await;
                let token = one.expect_status(200).json()["token"].as_str().unwrap().to_owned();
                admin.hub_get(&token, "/files?path=/a.txt").await.expect_status(200);
            }
        }
        let (site, platform) = ((*process).clone(), admin.platform());
        let root = files.path().display().to_string();
        acknowledged.extend(
            killed_while_writing(process, 2 + 3 * round, async |index| {
                let body = json!({
                    "name": format!("r{round}-{index}"), "element": {"key": "folder"},
                    "configuration": {"root.path": root},
                });
                let request =
                    Request::post(site.hub("/instances")).header("authorization", &platform).json(&body);
                let answer = site.client.try_answer(request).await?;
                Some(answer.expect_status(200).json()["token"].as_str().unwrap().to_owned())
            })
            .await,
        );
    }
}

/// Every instance that is there has its owner's consent whole: its vendor answers.
async fn assert_connected(admin: &Admin, acknowledged: &[String]) {
    let listed = admin.call(Method::GET, "/instances?pageSize=200", None).await.expect_status(200).json();
    let mut tokens = acknowledged.to_vec();
    for instance in listed.as_array().unwrap() {
        assert_eq!(instance["valid"], true, "{instance}");
        let one = admin.call(Method::GET, &format!("/instances/{}", instance["id"]), None).await;
        tokens.push(one.expect_status(200).json()["token"].as_str().unwrap().to_owned());
    }
    for token in tokens {
        assert_eq!(admin.hub_get(&token, "/files?path=/a.txt").await.expect_status(200).text(), "tide table");
    }
}

/// A drive with a file, and an instance that has its owner's consent.
async fn consented(home: &Home) -> (Drive, String) {
    let drive = Drive::start().await;
    let process = Process::start(home);
    let admin = process.admin().await;
    let token = admin.connect_drive(&drive).await;
    let upload = Request::post(process.hub("/files?path=/a.txt"))
        .header("authorization", &admin.element(&token))
        .file("a.txt", "text/plain", b"tide table");
    process.client.send(upload).await.expect_status(200);
    (drive, token)
}

async fn instances_with_a_consent(home: Home) {
    const CONSENTS: usize = 14;
    let (drive, token) = consented(&home).await;
    let mut acknowledged = vec![token];
    for round in 0..ROUNDS {
        let process = Process::start(&home);
        let admin = process.admin().await;
        assert_connected(&admin, &acknowledged).await;
        let mut bodies = Vec::new();
        for _ in 0..CONSENTS {
            let came_back = drive.came_back(&admin.consent_url(&drive, None).await, true);
            bodies.push(admin.drive_instance(&drive, &came_back));
        }
        let (site, platform) = ((*process).clone(), admin.platform());
        acknowledged.extend(
            killed_while_writing(process, 1 + 2 * round, async |index| {
                let Some(body) = bodies.get(index) else {
                    // All used up before the program is dead.
                    while site.client.try_answer(Request::get(site.control("/healthz"))).await.is_some() {}
                    return None;
                };
                let request =
                    Request::post(site.hub("/instances")).header("authorization", &platform).json(body);
                let answer = site.client.try_answer(request).await?;
                Some(answer.expect_status(200).json()["token"].as_str().unwrap().to_owned())
            })
            .await,
        );
    }
    assert_connected(&Process::start(&home).admin().await, &acknowledged).await;
}

async fn refreshed_vendor_tokens(home: Home) {
    let (drive, token) = consented(&home).await;
    for round in 0..ROUNDS {
        let process = Process::start(&home);
        let admin = process.admin().await;
        assert_connected(&admin, std::slice::from_ref(&token)).await;
        let (site, element) = ((*process).clone(), admin.element(&token));
        killed_while_writing(process, 2 + 3 * round, async |_| {
            drive.expire_access_tokens();
            let request = Request::get(site.hub("/files?path=/a.txt")).header("authorization", &element);
            Some(site.client.try_answer(request).await?.expect_status(200).text())
        })
        .await;
    }
    assert_connected(&Process::start(&home).admin().await, &[token]).await;
}

fn proxy(name: &str) -> Value {
    json!({
        "name": name, "title": name, "service_code": "REST", "provider_name": "oc",
        "proxyEndPoints": [{"name": "default", "isDefault": true, "base_path": format!("/{name}")}],
        "targetEndPoints": [{"name": "default", "provider_id": "oc", "relativePath": "/elements/api-v2/"}],
    })
}

/// A proxy that is there has all its parts; one that is not has left none.
async fn assert_whole(admin: &Admin, name: &str) -> bool {
    let expand = "$expand=proxyEndPoints,targetEndPoints,policies,targetEndPoints/postFlow/request/steps";
    let map =
        format!("/GenericKeyMapEntries(name='apim.oc.instance.token',scope='APIPROXY',scopeId='{name}')");
    let map = read(admin, &map).await.is_some();
    let Some(there) = read(admin, &format!("/APIProxies('{name}')?{expand}")).await else {
        assert!(!map, "the map of {name} is there without it");
        return false;
    };
    assert!(map, "{name} is there without its map");
    for part in ["proxyEndPoints", "targetEndPoints", "policies"] {
        assert_eq!(names(&there[part]).len(), 1, "{name}: {part}: {there}");
    }
    assert!(there.to_string().contains("OpenConnectors"), "{there}");
    true
}

async fn proxies_by_deep_insert(home: Home) {
    let mut acknowledged: Vec<String> = Vec::new();
    let mut lost: Option<String> = None;
    for round in 0..ROUNDS {
        let process = Process::start(&home);
        let admin = process.admin().await;
        if round == 0 {
            admin.create_open_connectors_provider("oc").await;
        }
        for name in &acknowledged {
            assert!(assert_whole(&admin, name).await, "{name} was acknowledged and is gone");
        }
        if let Some(name) = lost.take()
            && !assert_whole(&admin, &name).await
        {
            // Its name and base path are free.
            admin.create_proxy(&name, "oc", &format!("/{name}")).await;
        }
        let (site, bearer) = ((*process).clone(), admin.bearer.clone());
        let written = killed_while_writing(process, 2 + 3 * round, async |index| {
            let name = format!("P{round}-{index}");
            manage(&site, &bearer, "/APIProxies", &proxy(&name)).await.map(|_| name)
        })
        .await;
        lost = Some(format!("P{round}-{}", written.len()));
        acknowledged.extend(written);
    }
}

/// A folder instance and `count` proxies to it that are ready to be deployed.
async fn prepare(admin: &Admin, files: &Path, count: usize) {
    let token = admin.connect_folder(files).await;
    admin.create_open_connectors_provider("oc").await;
    for index in 0..count {
        let name = format!("P{index}");
        admin.create_proxy(&name, "oc", &format!("/{name}")).await;
        admin.put_instance_token(&name, &token).await;
    }
}

async fn deployments(home: Home) {
    const PER_ROUND: usize = 12;
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("a.txt"), "tide table").unwrap();
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let process = Process::start(&home);
        let admin = process.admin().await;
        if round == 0 {
            prepare(&admin, files.path(), ROUNDS * PER_ROUND).await;
        }
        // What the design says is deployed is served, and nothing else is.
        for index in 0..ROUNDS * PER_ROUND {
            let name = format!("P{index}");
            let state = read(&admin, &format!("/APIProxies('{name}')")).await.unwrap()["state"].clone();
            let answer = process.client.get(process.gateway(&format!("/{name}/files?path=/a.txt"))).await;
            if state == "DEPLOYED" {
                assert_eq!(answer.expect_status(200).text(), "tide table");
            } else {
                answer.expect_status(404);
                assert!(!acknowledged.contains(&name), "{name} was deployed and is {state}");
            }
        }
        let (site, bearer) = ((*process).clone(), admin.bearer.clone());
        acknowledged.extend(
            killed_while_writing(process, 1 + 3 * round, async |index| {
                // Round and round: a program that dies late would run out of proxies to deploy.
                let name = format!("P{}", round * PER_ROUND + index % PER_ROUND);
                let path = format!("/APIProxies('{name}')/Deploy");
                manage(&site, &bearer, &path, &json!({})).await.map(|_| name)
            })
            .await,
        );
    }
}

/// Each subject on the embedded database and, where one is given, on PostgreSQL.
macro_rules! on_both_databases {
    ($($subject:ident)+) => {$(
        mod $subject {
            use crate::process::Home;

            #[tokio::test(flavor = "multi_thread")]
            async fn embedded() {
                super::$subject(Home::embedded()).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                if let Some(home) = Home::on_postgres().await {
                    super::$subject(home).await;
                }
            }
        }
    )+};
}

on_both_databases!(
    maps_and_their_entries single_entries_of_one_map connector_instances instances_with_a_consent
    refreshed_vendor_tokens proxies_by_deep_insert deployments
);
