use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn all(program: &str, input: Value) -> Vec<Value> {
    let program = Program::compile(program).unwrap_or_else(|error| panic!("{program}: {error}"));
    program.all(&input, &Variables::none()).unwrap()
}

fn one(program: &str, input: Value) -> Value {
    let mut found = all(program, input);
    assert_eq!(found.len(), 1, "{program}: {found:?}");
    found.remove(0)
}

#[test]
fn paths_select_and_missing_members_are_null() {
    let input = json!({"a": {"b": [1, 2, 3], "x y": true}});
    assert_eq!(one(".a.b[0]", input.clone()), 1);
    assert_eq!(one(".a[\"x y\"]", input.clone()), true);
    assert_eq!(one(".a.'x y'", input.clone()), true);
    assert_eq!(one(".a.b[-1]", input.clone()), 3);
    assert_eq!(one(".a.b[1:]", input.clone()), json!([2, 3]));
    assert_eq!(all(".a.b[]", input.clone()), [1, 2, 3]);
    assert_eq!(one(".no.such[4]", input), Value::Null);
    assert!(all(".none[]", json!({})).is_empty());
}

#[test]
fn expressions_have_the_precedence_their_authors_know() {
    assert_eq!(one("1 + 2 * 3 == 7 and not | not", json!(null)), false);
    assert_eq!(one(".a // .b // \"c\"", json!({"a": null, "b": false})), "c");
    assert_eq!(one("[.[] | select(. > 1)] | length", json!([1, 2, 3])), 2);
    assert_eq!(one("if .a then \"y\" elif .b then \"z\" else \"n\" end", json!({"b": 1})), "z");
    assert_eq!(one("{a, b: (1, 2), (\"c\" + \"d\"): .a}", json!({"a": 0})), json!({"a": 0, "b": 1, "cd": 0}));
    assert_eq!(one(". as $x | [1, 2] | map(. * $x)", json!(3)), json!([3, 6]));
    assert_eq!(one("\"\\(.a)-\\(.b | join(\",\"))\"", json!({"a": 1, "b": ["x", "y"]})), "1-x,y");
    assert_eq!(one("[.[] | tonumber?]", json!(["1", "x"])), json!([1]));
}

#[test]
fn every_kind_of_function_answers() {
    for (program, input, expected) in [
        ("base64 | base64d", json!("ä"), json!("ä")),
        ("base64url", json!("??>"), json!("Pz8-")),
        ("urlencode", json!("a b/c"), json!("a%20b%2Fc")),
        ("urlpath", json!("/a b/c"), json!("/a%20b/c")),
        ("href_path", json!("http://h:1/a%20b/?q#f"), json!("/a b/")),
        (
            "iso_to_epoch | epoch_to_iso",
            json!("2026-01-02T05:04:05.999+02:00"),
            json!("2026-01-02T03:04:05Z"),
        ),
        ("httpdate_to_iso", json!("Sun, 06 Nov 1994 08:49:37 GMT"), json!("1994-11-06T08:49:37Z")),
        ("epoch_to_httpdate", json!(784_111_777), json!("Sun, 06 Nov 1994 08:49:37 GMT")),
        ("[basename, dirname, extension]", json!("/a/b.txt"), json!(["b.txt", "/a", "txt"])),
        ("path_join(\"/x\")", json!("/a/"), json!("/a/x")),
        ("sha256", json!("abc"), json!("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")),
        ("to_entries | from_entries", json!({"a": 1}), json!({"a": 1})),
        ("sort_by(.n) | first.n", json!([{"n": 2}, {"n": 1}]), json!(1)),
        ("[unique, add, max, reverse]", json!([2, 1, 2]), json!([[1, 2], 5, 2, [2, 1, 2]])),
        ("compact | keys", json!({"a": null, "b": 1}), json!(["b"])),
        ("any(. > 2), all(. > 0) | tostring", json!([1, 3]), json!("true")),
        ("toarray | length", json!({"one": 1}), json!(1)),
        ("replace(\"'\"; \"\\\\'\")", json!("it's"), json!("it\\'s")),
        ("has(\"a\") and (keys | contains(\"a\"))", json!({"a": 1}), json!(true)),
    ] {
        assert_eq!(all(program, input)[0], expected, "{program}");
    }
}

#[test]
fn what_could_run_for_ever_is_not_in_the_language() {
    for program in
        ["..", "def f: f; f", "reduce .[] as $x (0; . + $x)", "recurse", "range(1)", "while(true; .)"]
    {
        assert!(Program::compile(program).is_err(), "{program}");
    }
    assert!(Program::compile(&"(".repeat(1000)).is_err());
    assert!(Program::compile(&"1+".repeat(1000)).is_err());
    assert!(Program::compile(&".a".repeat(1000)).is_err());
}

#[test]
fn limits_stop_what_grows() {
    let small = Limits { steps: 10_000, size: 10_000 };
    let doubling = Program::compile(&format!("\"x\"{}", " | . + .".repeat(40))).unwrap().with_limits(small);
    assert!(doubling.value(&Value::Null, &Variables::none()).unwrap_err().message.contains("too large"));
    let many =
        Program::compile(&format!("[1, 2, 3, 4]{}", " | [.[], .[]]".repeat(30))).unwrap().with_limits(small);
    assert!(many.value(&Value::Null, &Variables::none()).is_err());
}

#[test]
fn errors_say_where() {
    assert_eq!(Program::compile(".a | foo(1)").unwrap_err().at, 5);
    let error =
        Program::compile(".a + 1").unwrap().value(&json!({"a": "x"}), &Variables::none()).unwrap_err();
    assert_eq!((error.at, error.message.as_str()), (3, "string and number cannot be added"));
}

#[test]
fn templates_keep_values_inside_their_place() {
    let id = json!("../x?y");
    let variables = Variables::none().with("id", &id);
    let path = Template::compile("/files/{id}/x", Escape::Url).unwrap();
    assert_eq!(path.render(&Value::Null, &variables).unwrap(), "/files/..%2Fx%3Fy/x");
    assert_eq!(path.names(), ["id"]);
    let encoded = Template::compile("{id|urlpath}", Escape::Url).unwrap();
    assert_eq!(encoded.render(&Value::Null, &variables).unwrap(), "../x%3Fy");
    let xml = Template::compile("<a>{\"<&>\"}</a>{{}}", Escape::Xml).unwrap();
    assert_eq!(xml.render(&Value::Null, &variables).unwrap(), "<a>&lt;&amp;&gt;</a>{}");
    let missing = Template::compile("{.a}", Escape::None).unwrap();
    assert_eq!(missing.render_optional(&json!({}), &variables).unwrap(), None);
    assert!(missing.render(&json!({}), &variables).is_err());
    assert!(Template::compile("a}b", Escape::None).is_err());
    assert!(Template::compile("a{.b", Escape::None).is_err());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-zäß/'{} ]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec(("[a-c]", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_the_compiler_panic(text in ".{0,80}") {
        let _ = Program::compile(&text);
        let _ = Template::compile(&text, Escape::Url);
    }

    #[test]
    fn no_program_panics_on_any_input(words in proptest::collection::vec(prop_oneof![
        Just("."), Just(".a"), Just(".[]"), Just("|"), Just(","), Just("map(.)"), Just("["), Just("]"), Just("+"),
        Just("-1"), Just("*"), Just("/"), Just("%"), Just("//"), Just("length"), Just("keys"), Just("tostring"),
        Just("tonumber"), Just("add"), Just("sort"), Just("first"), Just("split(\"a\")"), Just("join(\",\")"),
        Just("basename"), Just("extension"), Just("[1:-1]"), Just("?"), Just("fromdate"), Just("todate"),
        Just("epoch_to_httpdate"), Just("base64d"), Just("floor"), Just("abs"), Just("to_entries"), Just("not")], 0..12),
        input in any_json()) {
        if let Ok(program) = Program::compile(&words.join(" ")) {
            let _ = program.all(&input, &Variables::none());
        }
    }

    #[test]
    fn encodings_lead_back(text in ".{0,40}") {
        prop_assert_eq!(one("base64 | base64d", json!(&text)), json!(&text));
        prop_assert_eq!(one("base64url | base64urld", json!(&text)), json!(&text));
        prop_assert_eq!(one("urlencode | urldecode", json!(&text)), json!(&text));
        prop_assert_eq!(one("tojson | fromjson", json!(&text)), json!(&text));
    }
}
