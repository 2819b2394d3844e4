use proptest::prelude::*;

use super::*;

const STORE: &str = r#"{"store":{"book":[
  {"category":"reference","author":"Nigel Rees","title":"Sayings of the Century","price":8.95},
  {"category":"fiction","author":"Evelyn Waugh","title":"Sword of Honour","price":12.99},
  {"category":"fiction","author":"Herman Melville","title":"Moby Dick","isbn":"0-553-21311-3","price":8.99},
  {"category":"fiction","author":"J. R. R. Tolkien","title":"The Lord of the Rings","isbn":"0-395-19395-8","price":22.99}],
  "bicycle":{"color":"red","price":19.95}},"expensive":10,"none":null,"a b":{"c.d":1},"tags":["x","y"],"nested":[[1,2],[3]]}"#;

/// What `path` finds in the store, as a variable would show it.
fn found(path: &str) -> Option<String> {
    let document = Json::parse(STORE).unwrap();
    let path: JsonPath = path.parse().unwrap_or_else(|bad| panic!("{path}: {bad}"));
    let found = path.evaluate(&document).unwrap();
    let is_one = path.is_definite() || (path.is_scan() && path.function.is_some());
    assert_eq!(matches!(found, Found::One(_)), is_one && found != Found::Nothing, "{path:?}");
    found.shown().map(Cow::into_owned)
}

#[test]
fn a_definite_path_gives_the_value_itself() {
    for (path, value) in [
        ("$.expensive", "10"),
        ("expensive", "10"),
        ("$['expensive']", "10"),
        ("$[\"store\"]['bicycle'].color", "red"),
        ("$.store.book[0].title", "Sayings of the Century"),
        ("store.book[0].title", "Sayings of the Century"),
        ("$.store.book[-1].price", "22.99"),
        ("$['a b']['c.d']", "1"),
        ("$.store.bicycle", r#"{"color":"red","price":19.95}"#),
        ("$.tags", r#"["x","y"]"#),
        ("$.nested[1][0]", "3"),
        ("$.store.bicycle['price','color']", r#"{"color":"red","price":19.95}"#),
        ("$.tags.length()", "2"),
        ("$.store.book.size()", "4"),
        ("$.store.bicycle.keys()", r#"["color","price"]"#),
        ("$..price.max()", "22.99"),
        ("$..price.sum()", "73.87"),
        ("$..book.length()", "1"),
        ("$..price.length()", "5"),
        ("$.nested[0].avg()", "1.5"),
        ("$.nested[0].min()", "1"),
        ("$.nested[0].stddev()", "0.5"),
        ("$.nested[0].sum(5)", "8"),
        ("$.nested[0].append(9)", "[1,2,9]"),
        ("$.tags.first()", "x"),
        ("$.tags.last()", "y"),
        ("$.tags.index(-2)", "x"),
        ("$.tags.concat(\"-\", $.expensive)", "xy-10"),
    ] {
        assert_eq!(found(path).as_deref(), Some(value), "{path}");
    }
}

#[test]
fn an_indefinite_path_gives_an_array() {
    for (path, value) in [
        ("$.store.book[*].price", "[8.95,12.99,8.99,22.99]"),
        ("$.store.book.*.price", "[8.95,12.99,8.99,22.99]"),
        ("$..isbn", r#"["0-553-21311-3","0-395-19395-8"]"#),
        ("$.store..price", "[8.95,12.99,8.99,22.99,19.95]"),
        ("$..book[2].title", r#"["Moby Dick"]"#),
        ("$..book[-1:].title", r#"["The Lord of the Rings"]"#),
        ("$..book[0,1].title", r#"["Sayings of the Century","Sword of Honour"]"#),
        ("$.tags[:1]", r#"["x"]"#),
        ("$.tags[0:5]", r#"["x","y"]"#),
        ("$.tags[1:]", r#"["y"]"#),
        ("$.tags[5:]", "[]"),
        ("$.nested[*][0]", "[1,3]"),
        ("$.store.book[*].isbn.length()", "[13,13]"),
        ("$.store.book[*].nothing", "[]"),
        ("$.store['book','bicycle'].color", r#"["red"]"#),
        ("$..nothing", "[]"),
        ("$..nested[0]", "[[1,2]]"),
        ("$.expensive.*", "[]"),
    ] {
        assert_eq!(found(path).as_deref(), Some(value), "{path}");
    }
}

#[test]
fn filters_choose_among_items() {
    let titles = |indexes: &[usize]| {
        let all = ["Sayings of the Century", "Sword of Honour", "Moby Dick", "The Lord of the Rings"];
        serde_json::to_string(&indexes.iter().map(|index| all[*index]).collect::<Vec<_>>()).unwrap()
    };
    for (filter, chosen) in [
        ("@.isbn", vec![2, 3]),
        ("!@.isbn", vec![0, 1]),
        ("!(@.isbn)", vec![0, 1]),
        ("@.price < 10", vec![0, 2]),
        ("@.price <= 8.99", vec![0, 2]),
        ("@.price>12.99", vec![3]),
        ("@.price>=12.99", vec![1, 3]),
        ("10 > @.price", vec![0, 2]),
        ("@.price < $.expensive", vec![0, 2]),
        ("@.category=='fiction'", vec![1, 2, 3]),
        ("@.category == \"reference\"", vec![0]),
        ("@['category'] != 'fiction'", vec![0]),
        ("@.price == 8.950", vec![0]),
        ("@.price == '8.95'", vec![0]),
        ("@.price === '8.95'", vec![]),
        ("@.price !== '8.95'", vec![0, 1, 2, 3]),
        ("@.nothing == null", vec![]),
        ("@.nothing != 'x'", vec![0, 1, 2, 3]),
        ("@.author =~ /.*tolkien/i", vec![3]),
        ("@.author =~ /tolkien/i", vec![]),
        ("@.author =~ /J\\. .*/", vec![3]),
        ("@.category == 'fiction' && @.price < 10", vec![2]),
        ("@.price < 9 || @.price > 20", vec![0, 2, 3]),
        ("@.isbn && (@.price < 9 || @.price > 20)", vec![2, 3]),
        ("@.category in ['reference', 'x']", vec![0]),
        ("@.category nin ['reference']", vec![1, 2, 3]),
        ("@.title contains 'of'", vec![0, 1, 3]),
        ("@.isbn size 13", vec![2, 3]),
        ("@.title empty false", vec![0, 1, 2, 3]),
        ("@.author < 'H'", vec![1]),
        ("@.price < 'H'", vec![]),
        ("true == false", vec![]),
    ] {
        let path = format!("$.store.book[?({filter})].title");
        assert_eq!(found(&path), Some(titles(&chosen)), "{path}");
    }
    for (path, value) in [
        ("$.tags[?(@ == 'x')]", r#"["x"]"#),
        ("$..[?(@.color)].price", "[19.95]"),
        ("$..[?(@.isbn)].price", "[8.99,22.99]"),
        ("$..[?(@ == 'y')]", r#"["y"]"#),
        ("$.nested[?(@ anyof [3,4])]", "[[3]]"),
        ("$.nested[?(@ noneof [3,4])]", "[[1,2]]"),
        ("$.nested[?(@ subsetof [1,2,4])]", "[[1,2]]"),
        ("$.nested[?(@ all [1,2])]", "[[1,2]]"),
        ("$.nested[?(@ contains 3)]", "[[3]]"),
        ("$.nested[?(@.length() > 1)]", "[[1,2]]"),
        ("$.nested[?(@[1])]", "[[1,2]]"),
        ("$.nested[?(@[*])][0]", "[1,3]"),
        ("$.nested[?(@ empty true)]", "[]"),
        // An object is tested itself.
        ("$.[?(@.store.bicycle.price>0)].expensive", "[10]"),
        ("$.store.bicycle[?(@.color == 'blue')]", "[]"),
    ] {
        assert_eq!(found(path).as_deref(), Some(value), "{path}");
    }
}

#[test]
fn a_path_that_leads_nowhere_gives_nothing() {
    for path in [
        "$.nothing",
        "$.nothing.at.all",
        "$.nothing[*].x",
        "$.expensive.x",
        "$.tags[2]",
        "$.tags[-3]",
        "$.tags.x",
        "$.store[0]",
        "$.none",
        "$.none.x",
        "$.expensive.length()",
        "$.tags.max()",
        "$.expensive['a','b']",
    ] {
        assert_eq!(found(path), None, "{path}");
    }
}

#[test]
fn older_spellings_are_read() {
    for path in ["$", "$.", "@"] {
        assert!(found(path).unwrap().starts_with("{\"store\""), "{path}");
    }
    assert_eq!(found(" $.[ 'expensive' ] ").as_deref(), Some("10"));
    let list = Json::parse(r#"[{"name":"pod1"},{"name":"pod2"}]"#).unwrap();
    for (path, value) in [("$.[0].name", "pod1"), ("$.[*].name", r#"["pod1","pod2"]"#), ("[1].name", "pod2")]
    {
        let path: JsonPath = path.parse().unwrap();
        assert_eq!(path.evaluate(&list).unwrap().shown().unwrap(), value);
    }
}

#[test]
fn a_path_that_does_not_compile_says_where() {
    for (path, position) in [
        ("", 0),
        ("  ", 0),
        ("$.a.", 4),
        ("$..", 3),
        ("$...a", 3),
        ("$.a b", 2),
        ("$[", 2),
        ("$[]", 2),
        ("$[a]", 2),
        ("$['a]", 2),
        ("$['a'", 5),
        ("$[1,]", 4),
        ("$[?@.a]", 3),
        ("$[?(@.a]", 7),
        ("$[?(@.a == )]", 11),
        ("$[?(@.a =~ 'x')]", 11),
        ("$[?(@.a =~ /(?=x)y/)]", 19),
        ("$[?('a')]", 7),
        ("$.a.nope()", 9),
        ("$.a.index()", 11),
        ("$.a.length().b", 13),
        ("$a", 1),
        ("$[99999999999999999999]", 2),
    ] {
        let bad = path.parse::<JsonPath>().unwrap_err();
        assert_eq!(bad.position, position, "{path}: {bad}");
    }
    let deep = format!("$[?({}@.a", "(".repeat(5000));
    assert!(deep.parse::<JsonPath>().unwrap_err().why.contains("nests"));
}

#[test]
fn a_greedy_path_is_stopped() {
    let items: Vec<String> = (0..3000).map(|n| format!("{{\"a\":{n}}}")).collect();
    let text = format!("[{}]", items.join(","));
    let document = Json::parse(&text).unwrap();
    let path: JsonPath = "$[?(@.a in $..a)]".parse().unwrap();
    assert_eq!(path.evaluate(&document), Err(TooManySteps));
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        (0..100i32).prop_map(|n| n.to_string()),
        "[a-c]{0,3}".prop_map(|text| format!("\"{text}\""))
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(("[a-c]", inner), 0..4).prop_map(|members| {
                let members: Vec<String> =
                    members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_path_and_no_document_make_it_panic(path in "[$@.*?()\\[\\]'a-c0-2:,=!<>&| ~/-]{0,30}", text in json()) {
        let document = Json::parse(&text).unwrap();
        if let Ok(path) = path.parse::<JsonPath>() {
            let _ = path.evaluate(&document);
        }
    }

    #[test]
    fn a_scan_finds_what_every_path_of_names_finds(text in json()) {
        let document = Json::parse(&text).unwrap();
        let all: JsonPath = "$..a".parse().unwrap();
        let Found::Many(all) = all.evaluate(&document).unwrap() else { panic!() };
        for path in ["$.a", "$.b.a", "$.a.a", "$[0].a", "$[1][0].a"] {
            let path: JsonPath = path.parse().unwrap();
            if let Found::One(value) = path.evaluate(&document).unwrap() {
                prop_assert!(all.contains(&value));
            }
        }
    }

    #[test]
    fn wildcards_equal_all_indexes(text in json()) {
        let document = Json::parse(&text).unwrap();
        if let Json::Array(items) = &document {
            let every: JsonPath = "$[*]".parse().unwrap();
            let sliced: JsonPath = "$[0:]".parse().unwrap();
            prop_assert_eq!(every.evaluate(&document).unwrap(), sliced.evaluate(&document).unwrap());
            let Found::Many(found) = every.evaluate(&document).unwrap() else { panic!() };
            prop_assert_eq!(found.len(), items.len());
        }
    }
}
