use serde_json::{Value, json};

use super::document::BadDescription;
use super::schema::{Schemas, Way};
use super::*;
use crate::exchange::{Message, Params};
use crate::testing::request;

fn schema(version: &str, schema: &Value) -> Result<(Schemas, usize), BadDescription> {
    let text = json!({ "openapi": version, "schema": schema }).to_string();
    let document = document::Document::read(&text)?;
    let mut schemas = Schemas::default();
    let id = schemas.add(&document, &document.root["schema"], "#/schema")?;
    Ok((schemas, id))
}

fn fits(version: &str, of: &Value, value: &Value) -> bool {
    let (schemas, id) = schema(version, of).unwrap_or_else(|bad| panic!("{of}: {bad}"));
    schemas.check(id, value, Way::Request).is_ok()
}

#[test]
fn each_keyword_of_schemas_takes_and_refuses() {
    for (of, good, bad) in [
        (json!({"type": "integer"}), json!(1.0), json!(1.5)),
        (json!({"type": ["string", "null"]}), json!(null), json!(1)),
        (json!({"type": "string", "nullable": true}), json!(null), json!(1)),
        (json!({"enum": [1, "a"]}), json!(1.0), json!("b")),
        (json!({"const": {"a": 1}}), json!({"a": 1}), json!({"a": 2})),
        (json!({"multipleOf": 0.1}), json!(0.3), json!(0.35)),
        (json!({"minimum": 1, "exclusiveMinimum": true}), json!(2), json!(1)),
        (json!({"exclusiveMaximum": 3}), json!(2), json!(3)),
        (json!({"maximum": 3}), json!(3), json!(4)),
        (json!({"minLength": 2, "maxLength": 3}), json!("éé"), json!("é")),
        (json!({"pattern": "^a"}), json!("ab"), json!("ba")),
        (json!({"items": {"type": "string"}, "minItems": 1, "maxItems": 2}), json!(["a"]), json!([1])),
        (json!({"uniqueItems": true}), json!([1, 2]), json!([1, 1.0])),
        (json!({"prefixItems": [{"type": "string"}], "items": false}), json!(["a"]), json!(["a", 1])),
        (json!({"contains": {"const": 1}}), json!([2, 1]), json!([2])),
        (json!({"properties": {"a": {"type": "string"}}, "required": ["a"]}), json!({"a": "b"}), json!({})),
        (json!({"additionalProperties": {"type": "string"}}), json!({"a": "b"}), json!({"a": 1})),
        (
            json!({"patternProperties": {"^x": {"type": "string"}}, "additionalProperties": false}),
            json!({"xa": "b"}),
            json!({"y": "b"}),
        ),
        (json!({"propertyNames": {"maxLength": 1}}), json!({"a": 1}), json!({"ab": 1})),
        (json!({"minProperties": 1, "maxProperties": 1}), json!({"a": 1}), json!({})),
        (json!({"allOf": [{"minimum": 1}, {"maximum": 2}]}), json!(2), json!(3)),
        (json!({"anyOf": [{"type": "string"}, {"minimum": 5}]}), json!(6), json!(4)),
        (json!({"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]}), json!(3), json!(6)),
        (json!({"not": {"type": "string"}}), json!(1), json!("a")),
        (
            json!({"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 5}}),
            json!("ab"),
            json!(4),
        ),
        (json!({"format": "date-time"}), json!("2026-11-22T01:02:03Z"), json!("2026-11-22")),
        (json!({"format": "date"}), json!("2026-11-22"), json!("2026-13-22")),
        (json!({"format": "uuid"}), json!("123e4567-e89b-12d3-a456-426614174000"), json!("123")),
        (json!({"format": "email"}), json!("a@b"), json!("a")),
        (json!({"format": "ipv4"}), json!("1.2.3.4"), json!("1.2.3")),
        (json!({"format": "ipv6"}), json!("::1"), json!("1.2.3.4")),
        (json!({"format": "uri"}), json!("urn:a"), json!("a b")),
        (json!({"format": "byte"}), json!("YQ=="), json!("?")),
        (json!({"format": "int32"}), json!(5), json!(3_000_000_000_i64)),
        (json!({"format": "int64"}), json!(5), json!(u64::MAX)),
        (json!({"format": "nobody-knows", "x-note": 1}), json!("a"), json!(null)),
    ] {
        assert!(fits("3.1.0", &of, &good), "{of} refuses {good}");
        assert_eq!(fits("3.1.0", &of, &bad), of.get("x-note").is_some(), "{of} takes {bad}");
    }
}

#[test]
fn read_only_members_are_not_required_of_requests_nor_write_only_ones_of_responses() {
    let of =
        json!({"required": ["r", "w"], "properties": {"r": {"readOnly": true}, "w": {"writeOnly": true}}});
    let (schemas, id) = schema("3.0.0", &of).unwrap();
    assert!(schemas.check(id, &json!({"w": 1}), Way::Request).is_ok());
    assert!(schemas.check(id, &json!({"w": 1}), Way::Response).is_err());
    assert!(schemas.check(id, &json!({"r": 1}), Way::Response).is_ok());
}

#[test]
fn a_schema_without_an_end_is_stopped_and_a_circle_of_references_refused() {
    let endless = json!({"allOf": [{"$ref": "#/schema"}]});
    assert!(!fits("3.0.0", &endless, &json!(1)));
    assert!(schema("3.0.0", &json!({"$ref": "#/schema"})).unwrap_err().why.contains("circle"));
    assert!(schema("3.0.0", &json!({"$ref": "http://a/b"})).unwrap_err().why.contains("out of the document"));
    assert!(schema("3.0.0", &json!({"pattern": "(?=a)"})).unwrap_err().is_unsupported);
    let beside = json!({"$ref": "#/schema/$defs/a", "maximum": 5, "$defs": {"a": {"minimum": 1}}});
    assert!(
        fits("3.1.0", &beside, &json!(3))
            && !fits("3.1.0", &beside, &json!(6))
            && !fits("3.1.0", &beside, &json!(0))
    );
}

fn check(text: &str, message: &Message, path: &str) -> Result<(), String> {
    let description = Description::compile(text).unwrap_or_else(|bad| panic!("{bad}"));
    let head = message.as_request().unwrap();
    let query: &Params = head.params();
    let asked = Asked { verb: head.method.as_str(), path, query, headers: &message.headers };
    let allowed = Allowed { headers: true, query: false, cookies: true };
    description.check_request(&asked, message, true, allowed)
}

fn get(parameter: &str, path: &str) -> bool {
    let text = format!(
        "openapi: 3.0.0\npaths:\n  /a/{{p}}:\n    get: {{parameters: [{parameter}], responses: {{}}}}\n"
    );
    let message = request(http::Method::GET, path, &[("x-h", "1,2")], "");
    let path = path.split('?').next().unwrap_or_default();
    check(&text, &message, path).is_ok()
}

#[test]
fn parameters_are_read_in_every_style() {
    const NUMBERS: &str = "schema: {type: array, items: {type: integer}, maxItems: 2}";
    const PAIR: &str =
        "schema: {type: object, required: [x], properties: {x: {type: integer}, y: {type: boolean}}}";
    for (parameter, good, bad) in [
        (format!("{{name: q, in: query, {NUMBERS}}}"), "/a/1?q=1&q=2", "/a/1?q=1&q=x"),
        (format!("{{name: q, in: query, explode: false, {NUMBERS}}}"), "/a/1?q=1,2", "/a/1?q=1,2,3"),
        (format!("{{name: q, in: query, style: spaceDelimited, {NUMBERS}}}"), "/a/1?q=1%202", "/a/1?q=1,2"),
        (format!("{{name: q, in: query, style: pipeDelimited, {NUMBERS}}}"), "/a/1?q=1|2", "/a/1?q=1|x"),
        (format!("{{name: q, in: query, {PAIR}}}"), "/a/1?x=1&y=true", "/a/1?x=a"),
        (format!("{{name: q, in: query, explode: false, {PAIR}}}"), "/a/1?q=x,1,y,true", "/a/1?q=y,true"),
        (format!("{{name: q, in: query, style: deepObject, {PAIR}}}"), "/a/1?q[x]=1", "/a/1?q[x]=b"),
        (format!("{{name: p, in: path, {NUMBERS}}}"), "/a/1,2", "/a/1,b"),
        (format!("{{name: p, in: path, style: label, {NUMBERS}}}"), "/a/.1,2", "/a/.1,b"),
        (format!("{{name: p, in: path, style: label, explode: true, {NUMBERS}}}"), "/a/.1.2", "/a/.1.b"),
        (format!("{{name: p, in: path, style: matrix, {NUMBERS}}}"), "/a/;p=1,2", "/a/;p=b"),
        (
            format!("{{name: p, in: path, style: matrix, explode: true, {NUMBERS}}}"),
            "/a/;p=1;p=2",
            "/a/;p=1;p=b",
        ),
        (format!("{{name: p, in: path, explode: true, {PAIR}}}"), "/a/x=1,y=true", "/a/y=true"),
        (
            "{name: q, in: query, content: {application/json: {schema: {type: array}}}}".into(),
            "/a/1?q=[1]",
            "/a/1?q=1",
        ),
        (
            "{name: q, in: query, allowEmptyValue: true, schema: {type: integer}}".into(),
            "/a/1?q=",
            "/a/1?q=a",
        ),
        ("{name: q, in: query, schema: {type: string, minLength: 2}}".into(), "/a/1?q=12", "/a/1?q=1"),
        ("{name: q, in: query, schema: {type: boolean}}".into(), "/a/1?q=true", "/a/1?q=yes"),
    ] {
        let (good, bad) = (
            good.replace('[', "%5B").replace(']', "%5D").replace('|', "%7C"),
            bad.replace('[', "%5B").replace(']', "%5D").replace('|', "%7C"),
        );
        assert!(get(&parameter, &good), "{parameter} refuses {good}");
        assert!(!get(&parameter, &bad), "{parameter} takes {bad}");
    }
    assert!(get(&format!("{{name: x-h, in: header, {NUMBERS}}}"), "/a/1"));
}

#[test]
fn the_most_specific_path_counts_and_text_may_stand_beside_a_parameter() {
    let text = "openapi: 3.0.0\npaths:\n  /a/{b}: {get: {parameters: [{name: b, in: path, schema: {type: integer}}]}}\n  /a/me: {get: {}}\n  '/m/{x}:run': {post: {}}\n";
    let send = |verb: http::Method, path: &str| check(text, &request(verb, path, &[], ""), path);
    assert_eq!(send(http::Method::GET, "/a/me"), Ok(()));
    assert!(send(http::Method::GET, "/a/you").is_err());
    assert_eq!(send(http::Method::POST, "/m/one:run"), Ok(()));
    assert!(send(http::Method::POST, "/m/one:stop").unwrap_err().contains("no API path"));
}

#[test]
fn swagger_2_has_its_own_parameters_bodies_and_forms() {
    let text = json!({
        "swagger": "2.0", "consumes": ["application/json"], "basePath": "/ignored",
        "paths": {
            "/a": {"post": {"parameters": [
                {"name": "q", "in": "query", "type": "array", "items": {"type": "integer"}, "collectionFormat": "pipes", "required": true},
                {"name": "body", "in": "body", "required": true, "schema": {"$ref": "#/definitions/A"}},
            ]}},
            "/f": {"post": {"consumes": ["application/x-www-form-urlencoded"], "parameters": [
                {"name": "n", "in": "formData", "type": "integer", "required": true},
                {"name": "many", "in": "formData", "type": "array", "items": {"type": "integer"}, "collectionFormat": "multi"},
            ]}},
        },
        "definitions": {"A": {"type": "object", "required": ["a"]}},
    })
    .to_string();
    let send = |path: &str, kind: &str, body: &str| {
        let message = request(http::Method::POST, path, &[("content-type", kind)], body);
        check(&text, &message, path.split('?').next().unwrap_or_default())
    };
    let (json, form) = ("application/json", "application/x-www-form-urlencoded");
    assert_eq!(send("/a?q=1%7C2", json, "{\"a\": 1}"), Ok(()));
    assert!(send("/a?q=1%7Cx", json, "{\"a\": 1}").is_err());
    assert!(send("/a?q=1", json, "{}").unwrap_err().contains("'a' is missing"));
    assert_eq!(send("/f", form, "n=1&many=1&many=2"), Ok(()));
    assert!(send("/f", form, "n=x").is_err() && send("/f", form, "many=1").is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(openapi: 3.0.0|\\n|paths:|  |/a|: |\\{|\\}|get|\\[|\\]|\\$ref|#/|'|a|-|&x|\\*x){0,40}") {
        let _ = Description::compile(&text);
    }
}
