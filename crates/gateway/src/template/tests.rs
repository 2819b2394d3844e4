use http::Method;
use proptest::prelude::*;

use super::*;
use crate::testing::*;

fn render(template: &str) -> String {
    let bench = Bench::new(&design());
    let headers = [("host", "api.example"), ("x-name", "a\"<b>&'c"), ("x-num", "1377112607"), ("x-key", "k")];
    let cx = bench.begin(request(Method::GET, "/p/some/path?q=v%20w", &headers, "")).unwrap();
    Template::parse(template).unwrap().render(&cx, true).unwrap().into_owned()
}

#[test]
fn variables_are_replaced_and_other_braces_left_alone() {
    for (template, text) in [
        ("", ""),
        ("plain", "plain"),
        ("{request.verb} {proxy.pathsuffix}", "GET /some/path"),
        ("{request.queryparam.q}!", "v w!"),
        ("{unknown}|", "|"),
        (r#"{"a": {"b": 1}}"#, r#"{"a": {"b": 1}}"#),
        (r#"{"verb":"{request.verb}"}"#, r#"{"verb":"GET"}"#),
        ("{ request.verb }", "{ request.verb }"),
        ("{{request.verb}}", "{GET}"),
        ("{}", "{}"),
        ("{", "{"),
        ("a{request.verb", "a{request.verb"),
        ("function(){ return 1; }", "function(){ return 1; }"),
        ("{1}", "{1}"),
        (r#"\{"verb": "{request.verb}"\}"#, r#"{"verb": "GET"}"#),
        (r#"\{"a": \{"b":"{request.verb}"}}"#, r#"{"a": {"b":"GET"}}"#),
        (r"\{request.verb}", "{request.verb}"),
        (r"C:\temp", r"C:\temp"),
        (r"a\}", r"a\}"),
    ] {
        assert_eq!(render(template), text, "{template}");
    }
}

#[test]
fn delimiters_can_be_others() {
    let bench = Bench::new(&design());
    let cx = bench.begin(get("/p")).unwrap();
    let template = Template::parse_with(r#"{"v":"@request.verb#","at":"a@b"}"#, "@", "#").unwrap();
    assert_eq!(template.render(&cx, true).unwrap(), r#"{"v":"GET","at":"a@b"}"#);
    let template = Template::parse_with(r"\{@request.verb#\}", "@", "#").unwrap();
    assert_eq!(template.render(&cx, true).unwrap(), r"\{GET\}");
    let template = Template::parse_with("%%request.verb%% {request.verb}", "%%", "%%").unwrap();
    assert_eq!(template.render(&cx, true).unwrap(), "GET {request.verb}");
}

#[test]
fn an_unresolved_variable_is_named_unless_lenient() {
    let bench = Bench::new(&design());
    let cx = bench.begin(get("/p")).unwrap();
    for (template, name) in
        [("a{none}", "none"), ("{toUpperCase(other)}", "other"), ("{firstnonnull(x,y)}", "x")]
    {
        let error = Template::parse(template).unwrap().render(&cx, false).unwrap_err();
        assert_eq!(error.to_string(), format!("Unresolved variable : {name}"));
    }
}

#[test]
fn functions_of_text() {
    for (template, text) in [
        ("{substring('hello',1,3)}", "el"),
        ("{substring('hello',-3)}", "llo"),
        ("{substring('hello',2)}", "llo"),
        ("{substring('hé',1,99)}", "é"),
        ("{substring('hello',3,1)}", ""),
        ("{toUpperCase(request.header.x-key)}", "K"),
        ("{toLowerCase('ÄB')}", "äb"),
        ("{replaceAll('a1b22','\\d+','#')}", "a#b#"),
        ("{replaceFirst('a1b22','\\d+','#')}", "a#b22"),
        ("{replaceAll('ab','(a)(b)','$2$1')}", "ba"),
        ("{replaceAll('a.b','\\.','\\$')}", "a$b"),
        ("{replaceAll(request.header.x-key,request.header.x-key,'z')}", "z"),
        ("{escapeJSON(request.header.x-name)}", "a\\\"<b>&'c"),
        ("{escapeXML(request.header.x-name)}", "a&quot;&lt;b&gt;&amp;&apos;c"),
        ("{escapeXML11(request.header.x-name)}", "a&quot;&lt;b&gt;&amp;&apos;c"),
        ("{encodeHTML(request.header.x-name)}", "a&quot;&lt;b&gt;&amp;&#39;c"),
        ("{encodeBase64('a?b')}", "YT9i"),
        ("{decodeBase64('YT9i')}", "a?b"),
        ("{decodeBase64('_-8')}", "\u{fffd}\u{fffd}"),
        ("{encodeURL('a b/ü')}", "a+b%2F%C3%BC"),
        ("{decodeURL('a+b%2F')}", "a b/"),
        ("{firstnonnull(none,request.header.x-key,'z')}", "k"),
        ("{firstnonnull(none,'z')}", "z"),
        ("{ toUpperCase('x') }", "{ toUpperCase('x') }"),
        ("{toUpperCase( 'it\\'s' )}", "IT'S"),
        ("{toUpperCase('x'}", "{toUpperCase('x'}"),
    ] {
        assert_eq!(render(template), text, "{template}");
    }
}

#[test]
fn digests_agree_with_published_vectors() {
    for (template, text) in [
        ("{md5Hex('abc')}", "900150983cd24fb0d6963f7d28e17f72"),
        ("{sha1Hex('abc')}", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("{sha224Hex('abc')}", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
        ("{sha256Hex('abc')}", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("{md5Base64('abc')}", "kAFQmDzST7DWlj99KOF/cg=="),
        ("{sha256Base64('abc')}", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
    ] {
        assert_eq!(render(template), text, "{template}");
    }
    assert!(render("{sha384Hex('abc')}").starts_with("cb00753f45a35e8bb5a03d699ac65007"));
    assert!(render("{sha512Hex('abc')}").starts_with("ddaf35a193617abacc417349ae204131"));
    // RFC 4231 case 2, RFC 2202 case 2.
    let of = |name: &str| render(&format!("{{{name}('Jefe','what do ya want for nothing?','UTF-8','hex')}}"));
    assert_eq!(of("hmacSha256"), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_eq!(of("hmacSha1"), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    assert_eq!(of("hmacMd5"), "750c783e6ab0b503eaa86e310a5db738");
    assert!(of("hmacSha224").starts_with("a30e01098bc6dbbf"));
    assert!(of("hmacSha384").starts_with("af45d2e376484031"));
    assert!(of("hmacSha512").starts_with("164b7a7bfcf819e2"));
    assert_eq!(
        render("{hmacSha256('4a656665','what do ya want for nothing?','hex','base64')}"),
        "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
    );
}

#[test]
fn functions_of_time_and_chance() {
    assert_eq!(render("{timeFormat('yyyy-MM-dd',request.header.x-num)}"), "2013-08-21");
    assert_eq!(render("{timeFormatMs('HH:mm:ss.SSS','1496775291007')}"), "18:54:51.007");
    assert_eq!(render("{timeFormatUTC('yyyy')}"), "2017");
    assert_eq!(render("{timeFormatUTCMs('ss.SSS',system.timestamp)}"), "51.007");
    let plate = render("{xeger('[A-Z]{2}-[0-9]{3}')}");
    assert_eq!((plate.len(), &plate[2..3]), (6, "-"));
    let uuid = render("{createUuid()}");
    assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
    for _ in 0..20 {
        assert!((5..=7).contains(&render("{randomLong(5,7)}").parse::<i64>().unwrap()));
    }
    assert!(render("{randomLong()}").parse::<i64>().unwrap() >= 0);
}

#[test]
fn what_is_no_function_is_an_error_at_deploy_that_names_it() {
    for (template, part) in [
        ("{xpath('/a[',request.content)}", "XPath, character 3"),
        ("{xpath('/a',request.content,'date')}", "xpath gives no 'date'"),
        ("{xpath('/a')}", "takes 2 to 3 arguments"),
        ("{jsonPath('$[',request.content)}", "JSONPath, character 2"),
        ("{jsonPath('$.a')}", "takes 2 to 3 arguments"),
        ("{xeger(a)}", "in single quotes"),
        ("{xeger('(a')}", "does not compile"),
        ("{frobnicate(a)}", "no function frobnicate"),
        ("{toUpperCase(a,b)}", "takes 1 arguments, not 2"),
        ("{replaceAll(a,'(?=x)','y')}", "look-ahead"),
    ] {
        let bad = Template::parse(template).unwrap_err();
        assert!(bad.why.contains(part), "{template}: {bad}");
    }
    assert_eq!(Template::parse("a{xeger(b)}").unwrap_err().position, 1);
}

proptest! {
    #[test]
    fn no_text_makes_a_template_panic(text in "[{}()'a-z,.\\\\ \\PC]{0,40}", prefix in "[{@%]{1,2}", suffix in "[}#%a]{1,2}") {
        if let Ok(template) = Template::parse_with(&text, &prefix, &suffix) {
            let bench = Bench::new(&design());
            let cx = bench.begin(get("/p")).unwrap();
            let _ = template.render(&cx, true);
        }
    }

    #[test]
    fn text_without_delimiters_stays_as_it_is(text in "[^{]{0,40}") {
        prop_assert_eq!(render(&text), text);
    }
}

#[test]
fn json_path_gives_one_value_unless_the_array_is_asked_for() {
    let bench = Bench::new(&design());
    let body =
        r#"{"a":"x","list":["p","q"],"o":{"n":1},"none":null,"items":[{"t":"one"},{"t":"two"}],"empty":[]}"#;
    let path = "/p?path=%24.items%5B1%5D.t&bad=%24%5B";
    let cx = bench.begin(request(Method::POST, path, &[], body)).unwrap();
    for (template, text) in [
        ("{jsonPath('$.a',request.content)}", "x"),
        ("{jsonPath('$.o', request.content)}", r#"{"n":1}"#),
        ("{jsonPath('$.list',request.content)}", "p"),
        ("{jsonPath('$.list',request.content,false)}", "p"),
        ("{jsonPath('$.list',request.content,true)}", r#"["p","q"]"#),
        ("{jsonPath('$.items[*].t',request.content)}", "one"),
        ("{jsonPath('$.items[*].t',request.content,'true')}", r#"["one","two"]"#),
        ("{jsonPath('$.items[-1].t',request.content,true)}", "two"),
        ("{jsonPath('$.items[?(@.t==\\'two\\')].t',request.content)}", "two"),
        ("{jsonPath(request.queryparam.path,request.content)}", "two"),
        ("{jsonPath('$.b',request.content)}|", "|"),
        ("{jsonPath('$.none',request.content)}|", "|"),
        ("{jsonPath('$.empty',request.content)}|", "|"),
        ("{jsonPath('$.empty',request.content,true)}|", "[]|"),
        ("{jsonPath(request.queryparam.bad,request.content)}|", "|"),
        ("{jsonPath('$.a',request.verb)}|", "|"),
        ("{jsonPath('$.a',unknown)}|", "|"),
    ] {
        assert_eq!(Template::parse(template).unwrap().render(&cx, true).unwrap(), text, "{template}");
    }
    let strict = Template::parse("{jsonPath('$.b',request.content)}").unwrap();
    assert_eq!(strict.render(&cx, false).unwrap_err().to_string(), "Unresolved variable : request.content");
}

#[test]
fn xpath_looks_into_xml() {
    let bench = Bench::new(&design());
    let body = "<a><b k='1'>x</b><b>y</b></a>";
    let cx = bench.begin(request(Method::POST, "/p?path=%2Fa%2Fb%5B2%5D&bad=%5B", &[], body)).unwrap();
    let render = |template: &str, lenient| {
        Template::parse(template).unwrap().render(&cx, lenient).map(|text| text.into_owned())
    };
    for (template, text) in [
        ("{xpath('/a/b/text()',request.content)}", "xy"),
        ("{xpath('/a/b',request.content)}", "<b k=\"1\">x</b><b>y</b>"),
        ("{xpath('/a/b',request.content,'node')}", "<b k=\"1\">x</b>"),
        ("{xpath('/a/b',request.content,'string')}", "x"),
        ("{xpath('/a/b/@k',request.content)}", "1"),
        ("{xpath('count(/a/b)',request.content)}", "2"),
        ("{xpath('/a/b/@k',request.content,'number')}", "1"),
        ("{xpath('/a/c',request.content,'boolean')}", "false"),
        ("{xpath('/a/c',request.content)}", ""),
        ("{xpath(request.queryparam.path, request.content, 'string')}", "y"),
    ] {
        assert_eq!(render(template, false).unwrap(), text, "{template}");
    }
    for template in [
        "{xpath('/a',none)}",
        "{xpath(request.queryparam.bad,request.content)}",
        "{xpath('/a',request.verb)}",
    ] {
        assert!(render(template, false).is_err(), "{template}");
        assert_eq!(render(template, true).unwrap(), "", "{template}");
    }
}
