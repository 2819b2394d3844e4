//! What fuzzers feed (`fuzz/`), and the tests that feed the same with the seeds: bytes in, no panic, and what
//! must hold for any bytes.

use std::borrow::Cow;

use crate::condition::{Condition, Lookup};
use crate::json::Json;
use crate::json_path::JsonPath;
use crate::template::Template;
use crate::variable::{Value, Variable};

/// Every variable is the text of its own name, and some are null.
struct Names;

impl Lookup for Names {
    fn value<'a>(&'a self, variable: &'a Variable) -> Value<'a> {
        let name = variable.to_string();
        if name.len().is_multiple_of(3) { Value::Null } else { Value::Text(Cow::Owned(name)) }
    }
}

/// A condition, parsed and decided.
pub fn condition(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(Some(condition)) = Condition::parse(text) {
        condition.holds(&Names);
    }
}

/// A message template, parsed.
pub fn template(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Template::parse(text);
    let _ = Template::parse_with(text, "{{", "}}");
}

/// What a client sends: heads and bodies come out alike however the bytes arrive.
pub fn request(bytes: &[u8]) {
    crate::server::fuzz_requests(bytes);
}

/// What a target sends: head and body come out alike however the bytes arrive.
pub fn response(bytes: &[u8]) {
    crate::upstream::fuzz_response(bytes);
}

/// A JSON document: what is written of it reads as the same.
pub fn json(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(document) = Json::parse(text) {
        let written = document.to_json();
        assert_eq!(Json::parse(&written).as_ref().map(Json::to_json), Ok(written.clone()));
    }
}

/// A JSONPath in the first line, its document in the rest.
pub fn json_path(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (path, document) = text.split_once('\n').unwrap_or((text, r#"{"a":[1,{"b":"c"},null]}"#));
    if let (Ok(path), Ok(document)) = (path.parse::<JsonPath>(), Json::parse(document)) {
        let _ = path.evaluate(&document);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn every_seed_of_the_fuzzers_passes() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
        for (target, feed) in [
            ("condition", super::condition as fn(&[u8])),
            ("template", super::template),
            ("request", super::request),
            ("response", super::response),
            ("json", super::json),
            ("json_path", super::json_path),
        ] {
            let files = std::fs::read_dir(seeds.join(target)).unwrap();
            let fed = files.map(|file| feed(&std::fs::read(file.unwrap().path()).unwrap())).count();
            assert!(fed > 0, "no seed of {target}");
        }
    }
}
