//! The exact JSON of items and problems (open-connectors §3 and §10).

use pierhead_testkit::Answer;
use serde_json::Value;

/// A file or folder: all members, of their types, and no others.
#[track_caller]
pub(super) fn expect_item(item: &Value, path: &str, directory: bool) {
    let members = item.as_object().unwrap_or_else(|| panic!("no object: {item}"));
    let known = [
        "id",
        "name",
        "path",
        "size",
        "directory",
        "createdDate",
        "modifiedDate",
        "tags",
        "parentFolderId",
        "properties",
    ];
    for name in known {
        assert!(members.contains_key(name), "{name} is missing: {item}");
    }
    for name in members.keys() {
        assert!(known.contains(&name.as_str()) || name == "description", "{name} is too much: {item}");
    }
    assert_eq!(item["path"], path);
    assert_eq!(item["name"], path.rsplit('/').next().unwrap());
    assert_eq!(item["directory"], directory);
    assert!(item["size"].is_u64(), "{item}");
    for name in ["id", "parentFolderId"] {
        assert!(item[name].as_str().is_some_and(|id| !id.is_empty()), "{name}: {item}");
    }
    for name in ["createdDate", "modifiedDate"] {
        // 2026-11-21T19:35:36Z
        let date = item[name].as_str().unwrap_or_default();
        let pattern: String = date.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        assert_eq!(pattern, "9999-99-99T99:99:99Z", "{name}: {item}");
    }
    assert!(item["tags"].as_array().is_some_and(|tags| tags.iter().all(Value::is_string)), "{item}");
    let properties = item["properties"].as_object().unwrap_or_else(|| panic!("properties: {item}"));
    assert_eq!(properties.get("mimeType").is_some_and(Value::is_string), !directory, "{item}");
    assert!(!directory || !properties.contains_key("thumbnailLink"), "{item}");
}

/// A problem: JSON with a request id of 24 hex digits, which is also the header's, and a message.
#[track_caller]
pub(super) fn expect_problem(answer: &Answer) {
    assert!(answer.header("content-type").starts_with("application/json"), "{}", answer.text());
    let body = answer.json();
    let id = body["requestId"].as_str().unwrap_or_default();
    assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{body}");
    assert_eq!(answer.header("elements-request-id"), id, "{body}");
    assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    for name in body.as_object().unwrap().keys() {
        assert!(
            ["requestId", "message", "providerMessage", "providerStatus", "retryable"]
                .contains(&name.as_str()),
            "{body}"
        );
    }
}
