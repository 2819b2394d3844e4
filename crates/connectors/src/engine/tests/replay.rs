//! Every recorded exchange of the catalogue, played strictly; and the folder's story on a real directory.

use std::collections::BTreeSet;

use serde_json::json;

use super::exchange::{Player, Step, catalog, seen};
use super::*;
use crate::definition::{ExchangeOrigin, Node};

#[tokio::test]
async fn every_recorded_exchange_plays_as_it_was_recorded() {
    let (mut played, mut told) = (BTreeSet::new(), BTreeMap::<(String, String), usize>::new());
    for folder in std::fs::read_dir(catalog()).unwrap() {
        let folder = folder.unwrap().path();
        let Ok(files) = std::fs::read_dir(folder.join("exchanges")) else { continue };
        let key = folder.file_name().unwrap().to_str().unwrap().to_owned();
        for file in files {
            let file = file.unwrap().path();
            let text = std::fs::read_to_string(&file).unwrap();
            let story = Node::read(&text)
                .unwrap_or_else(|bad| panic!("{}:{}: {}", file.display(), bad.line, bad.message));
            let story = story.to_json();
            play(&key, &story).await;
            let origin = story["origin"].as_str().unwrap().to_owned();
            *told.entry((key.clone(), origin)).or_default() += story["exchanges"].as_array().unwrap().len();
            played.insert(key.clone());
        }
    }
    assert_eq!(played.into_iter().collect::<Vec<_>>(), ["folder", "googledrive", "webdav"]);
    // What the catalogue tells people is what was played here.
    let catalogue = Catalogue::load(&[]).unwrap();
    for connector in catalogue.all() {
        for (origin, count) in connector.exchanges.iter() {
            let key = (connector.key.clone(), origin.name().to_owned());
            assert_eq!(told.get(&key).copied().unwrap_or(0), count as usize, "{key:?}");
        }
        let verified = connector.exchanges.verified();
        assert_eq!(verified > 0, connector.key != "googledrive", "{}: {verified}", connector.key);
    }
}

async fn play(key: &str, story: &Value) {
    let origin = story["origin"].as_str().unwrap();
    assert!(ExchangeOrigin::ALL.iter().any(|known| known.name() == origin), "{origin}");
    assert!(!story["source"].as_str().unwrap().is_empty());
    let directory = tempfile::tempdir().unwrap();
    let mut settings: Vec<(String, String)> = story["settings"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    settings.push(("root.path".to_owned(), directory.path().to_str().unwrap().to_owned()));
    let settings: Vec<(&str, &str)> =
        settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let connection = TestConnection::new(key, &settings);
    let player = Arc::new(Player::default());
    let engine = engine(player.clone(), vec![]);
    let mut next = String::new();
    for exchange in story["exchanges"].as_array().unwrap() {
        let name = exchange["name"].as_str().unwrap();
        player.0.lock().unwrap().extend(exchange["vendor"].as_array().into_iter().flatten().cloned());
        let headers = exchange["headers"].as_object().into_iter().flatten();
        let step = Step {
            name: name.to_owned(),
            call: exchange["call"].as_str().unwrap().replace("{next}", &next),
            body: exchange["body"].as_str().map(str::to_owned),
            headers: headers
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect(),
        };
        let found = run(&engine, &connection, step.call()).await;
        next = found.next.clone().unwrap_or_default();
        assert!(player.0.lock().unwrap().is_empty(), "{key}: {name}: recorded requests were not made");
        let (found, wanted) = (seen(&found), &exchange["answer"]);
        assert!(fits(wanted, &found), "{key}: {name}:\nwanted {wanted:#}\nfound {found:#}");
        assert_eq!(found["next_page"], wanted["next_page"], "{key}: {name}");
    }
}

/// Whether `found` holds all that `wanted` says; times of a real directory are not compared.
fn fits(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.iter().all(|(name, wanted)| found.get(name).is_some_and(|found| fits(wanted, found)))
        }
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(wanted, found)| fits(wanted, found))
        }
        (wanted, found) => wanted == found,
    }
}

#[test]
fn fitting_is_strict_about_what_is_said() {
    assert!(fits(&json!({"a": [1]}), &json!({"a": [1], "b": 2})));
    assert!(!fits(&json!({"a": [1]}), &json!({"a": [1, 2]})));
    assert!(!fits(&json!({"a": null}), &json!({})));
}
