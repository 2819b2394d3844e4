//! What must hold of the code and of every definition.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;
use crate::definition::DefinitionFiles;

#[test]
fn every_built_in_definition_is_right_and_complete() {
    let catalogue = Catalogue::load(&[]).unwrap_or_else(|bad| panic!("{}", list(&bad)));
    let keys: Vec<&str> = catalogue.all().iter().map(|connector| connector.key.as_str()).collect();
    assert_eq!(keys, ["folder", "googledrive", "webdav"]);
    assert_eq!(catalogue.get("21").unwrap().key, "googledrive");
    for connector in catalogue.all() {
        assert!(connector.icon.starts_with(b"<svg"), "{}", connector.key);
        assert!(connector.docs.len() > 100, "{} has no notes", connector.key);
        assert!(connector.operations.len() > 30, "{}", connector.key);
    }
}

#[test]
fn no_vendor_is_named_in_the_code() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for part in ["engine", "driver", "definition", "ceql", "catalogue.rs"] {
        check(&source.join(part));
    }

    fn check(path: &Path) {
        if path.is_dir() {
            for entry in std::fs::read_dir(path).unwrap() {
                check(&entry.unwrap().path());
            }
            return;
        }
        // Tests name the connectors they try; examples in doc comments name keys.
        if path.components().any(|part| part.as_os_str() == "tests") {
            return;
        }
        let text = std::fs::read_to_string(path).unwrap();
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let line = line.to_lowercase();
            for vendor in ["google", "webdav", "dropbox", "onedrive", "nextcloud", "salesforce"] {
                assert!(!line.contains(vendor), "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn all_mistakes_are_reported_with_file_line_and_key() {
    let yaml = "format: 2\nconnector: {key: X, id: 1, hub: documents, name: N, description: D}\nauth: []\n\
                transport: {driver: ftp, base_url: \"http://{nope}\"}\nresources:\n  /things:\n    list: {get: /t, \
                records: \".a[\", typo: 1}\n    fields: {id: 5, n: .n}\n";
    let files = DefinitionFiles {
        name: "x/connector.yaml".to_owned(),
        yaml: yaml.to_owned(),
        ..DefinitionFiles::default()
    };
    let found: Vec<String> = Connector::read(&files).unwrap_err().iter().map(ToString::to_string).collect();
    for expected in [
        "x/connector.yaml:1: format: is required and must be 1",
        "x/connector.yaml:2: connector.key: must be lower-case letters and digits",
        "x/connector.yaml:3: auth: needs a list of exactly one",
        "x/connector.yaml:4: transport.driver: must be one of http, file",
        "x/connector.yaml:4: transport.base_url: unknown name nope",
        "x/connector.yaml:7: resources./things.list.records: is no expression",
        "x/connector.yaml:7: resources./things.list.typo: unknown key",
    ] {
        assert!(
            found.iter().any(|mistake| mistake.starts_with(expected)),
            "{expected}\nnot in\n{}",
            found.join("\n")
        );
    }
    let broken = DefinitionFiles { yaml: "a: [".to_owned(), ..files.clone() };
    assert!(Connector::read(&broken).unwrap_err()[0].message.contains("is no YAML"));
    let twice = DefinitionFiles { yaml: "format: 1\nformat: 1\n".to_owned(), ..files };
    assert!(Connector::read(&twice).unwrap_err()[0].to_string().contains(":2:"));
}

/// The published schema says of every kind of block exactly the keys the reader knows.
#[test]
fn the_published_schema_agrees_with_the_reader() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/schema/connector.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut known: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for files in crate::catalogue::built_in() {
        let reading = crate::definition::Reading::of(&files.name);
        Connector::read_into(&reading, &files);
        for (kind, keys) in reading.known() {
            known.entry(kind).or_default().extend(keys);
        }
    }
    // Blocks whose keys the author chooses.
    let free = [
        "templates",
        "texts",
        "mapping",
        "fields",
        "resources",
        "paginations",
        "where fields",
        "where field",
    ];
    for (kind, keys) in known.iter().filter(|(kind, _)| !free.contains(kind)) {
        let described = &schema["$defs"][kind.replace(' ', "_")]["properties"];
        let described =
            described.as_object().unwrap_or_else(|| panic!("the schema does not describe {kind}"));
        let described: BTreeSet<String> = described.keys().cloned().collect();
        assert_eq!(&described, keys, "{kind}");
    }
}
