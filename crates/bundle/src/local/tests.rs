//! A local gateway over HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;
use crate::{Files, Limits, read_files};

const KEYED: &str = "<VerifyAPIKey name=\"Key\"><APIKey ref=\"request.queryparam.k\"/></VerifyAPIKey>";

fn bundle(steps: &[&str], policies: &[(&str, &str)]) -> Bundle {
    let mut files = Files::default();
    let steps: String = steps.iter().map(|name| format!("<Step><Name>{name}</Name></Step>")).collect();
    files.insert("apiproxy/a.xml", "<APIProxy name=\"a\"/>");
    files.insert(
        "apiproxy/proxies/default.xml",
        format!("<ProxyEndpoint name=\"default\"><PreFlow><Request>{steps}</Request></PreFlow><HTTPProxyConnection><BasePath>/a</BasePath><VirtualHost>secure</VirtualHost></HTTPProxyConnection><RouteRule name=\"r\"><TargetEndpoint>default</TargetEndpoint></RouteRule></ProxyEndpoint>"),
    );
    files.insert(
        "apiproxy/targets/default.xml",
        "<TargetEndpoint name=\"default\"><HTTPTargetConnection><URL>https://backend.test/base</URL></HTTPTargetConnection></TargetEndpoint>",
    );
    for (name, xml) in policies {
        files.insert(format!("apiproxy/policies/{name}.xml"), *xml);
    }
    read_files(&files, "a", &Limits::default()).unwrap()
}

fn get(addr: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {addr}\r\nx-mine: 1\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

async fn local(options: Options) -> LocalGateway {
    LocalGateway::start(Options { mock_targets: true, threads: NonZeroUsize::new(1), ..options })
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mocked_target_says_what_it_got_under_the_real_targets_name() {
    let gateway = local(Options::default()).await;
    let served = gateway.serve(&bundle(&[], &[])).unwrap();
    assert_eq!(served.base_paths, ["/a"]);

    let answer = get(gateway.addr(), "/a/orders?id=7");

    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for part in
        ["\"host\":\"backend.test\"", "\"path\":\"/base/orders\"", "\"query\":\"id=7\"", "\"x-mine\":\"1\""]
    {
        assert!(answer.contains(part), "{part}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_bundle_never_replaces_a_good_one() {
    let gateway = local(Options::default()).await;
    gateway.serve(&bundle(&[], &[])).unwrap();

    let report = gateway.serve(&bundle(&["Gone"], &[])).unwrap_err();

    assert_eq!(report.verdict, Verdict::Refused);
    assert!(get(gateway.addr(), "/a").starts_with("HTTP/1.1 200"));
    gateway.serve(&bundle(&["Key"], &[("Key", KEYED)])).unwrap();
    assert!(get(gateway.addr(), "/a").starts_with("HTTP/1.1 401"), "the good one that follows does");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_flags_and_settings_are_accepted_and_no_others() {
    let settings = Settings::parse(
        "[[product]]\nname = \"other\"\nproxies = [\"b\"]\n[[app]]\nname = \"one\"\nkey = \"k-app\"\n[[app]]\nname = \"two\"\nkey = \"k-other\"\nproducts = [\"other\"]\n",
        "test",
    );
    let gateway =
        local(Options { keys: vec!["k-flag".into()], settings: settings.unwrap(), ..Options::default() })
            .await;
    gateway.serve(&bundle(&["Key"], &[("Key", KEYED)])).unwrap();
    for (key, status) in [("k-flag", 200), ("k-app", 200), ("k-other", 401), ("nobody", 401)] {
        let answer = get(gateway.addr(), &format!("/a?k={key}"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{key}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_policy_writes_into_a_map_the_next_request_reads() {
    let operations = "<KeyValueMapOperations name=\"Map\" mapIdentifier=\"m\"><Scope>environment</Scope><Get assignTo=\"request.header.seen\"><Key><Parameter>k</Parameter></Key></Get><Put override=\"true\"><Key><Parameter>k</Parameter></Key><Value ref=\"request.queryparam.v\"/></Put></KeyValueMapOperations>";
    let settings = Settings::parse("[[map]]\nname = \"m\"\nentries = { k = \"first\" }\n", "test").unwrap();
    let gateway = local(Options { settings, ..Options::default() }).await;
    gateway.serve(&bundle(&["Map"], &[("Map", operations)])).unwrap();
    assert!(get(gateway.addr(), "/a?v=second").contains("\"seen\":\"first\""));
    assert!(get(gateway.addr(), "/a?v=third").contains("\"seen\":\"second\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_flow_is_served_behind_a_proxy_that_calls_it() {
    let mut files = Files::default();
    files.insert("sharedflowbundle/S.xml", "<SharedFlowBundle name=\"Check_1\"/>");
    files.insert(
        "sharedflowbundle/sharedflows/default.xml",
        "<SharedFlow name=\"default\"><Step><Name>Key</Name></Step></SharedFlow>",
    );
    files.insert("sharedflowbundle/policies/Key.xml", KEYED);
    let gateway = local(Options { keys: vec!["k".into()], ..Options::default() }).await;
    let served = gateway.serve(&read_files(&files, "s", &Limits::default()).unwrap()).unwrap();
    assert_eq!(served.base_paths, ["/check-1"]);
    assert!(get(gateway.addr(), "/check-1").starts_with("HTTP/1.1 401"));
    assert!(get(gateway.addr(), "/check-1?k=k").starts_with("HTTP/1.1 200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn property_sets_and_substitutes_of_the_settings_are_there() {
    let settings = Settings::parse(
        "[property_set.place]\nregion = \"north\"\n[substitutes]\n\"a.B\" = \"context.setVariable('request.header.signed', 'yes');\"\n",
        "test",
    );
    let gateway = local(Options { settings: settings.unwrap(), ..Options::default() }).await;
    let assign = "<AssignMessage name=\"Set\"><Set><Headers><Header name=\"region\">{propertyset.place.region}</Header></Headers></Set></AssignMessage>";
    let java = "<JavaCallout name=\"Java\"><ClassName>a.B</ClassName><ResourceURL>java://b.jar</ResourceURL></JavaCallout>";

    gateway.serve(&bundle(&["Set", "Java"], &[("Set", assign), ("Java", java)])).unwrap();

    let answer = get(gateway.addr(), "/a");
    assert!(answer.contains("\"region\":\"north\"") && answer.contains("\"signed\":\"yes\""), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mocked_target_answers_as_the_settings_say_and_tells_what_it_was_asked() {
    let settings = Settings::parse(
        "[[mock]]\nhost = \"backend.test\"\npath = \"/base/orders*\"\nquery = { id = \"7\" }\ntimes = 1\nstatus = 404\nheaders = { x-why = \"gone\" }\nbody = \"no order 7\"\n",
        "test",
    );
    let gateway = local(Options { settings: settings.unwrap(), ..Options::default() }).await;
    gateway.serve(&bundle(&[], &[])).unwrap();

    let [other, first, second] =
        ["/a/orders?id=70", "/a/orders/x?all=1&id=7", "/a/orders?id=7"].map(|path| get(gateway.addr(), path));

    assert!(other.starts_with("HTTP/1.1 200") && other.contains("\"query\":\"id=70\""), "{other}");
    assert!(first.starts_with("HTTP/1.1 404") && first.contains("x-why: gone"), "{first}");
    assert!(first.ends_with("no order 7"), "{first}");
    assert!(second.starts_with("HTTP/1.1 200"), "only once: {second}");
    let paths: Vec<_> = gateway.seen().into_iter().map(|call| call.path).collect();
    assert_eq!(paths, ["/base/orders", "/base/orders/x", "/base/orders"]);
    assert!(gateway.seen().is_empty(), "told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_bundles_are_served_beside_each_other_and_replaced_together() {
    let mut other = bundle(&[], &[]);
    let Content::Proxy(design) = &mut other.content else { panic!("a proxy") };
    design.name = "b".into();
    design.proxy_endpoints[0].base_path = "/b".into();
    let gateway = local(Options::default()).await;
    gateway.serve(&bundle(&[], &[])).unwrap();

    gateway.serve_beside(&other).unwrap();

    for path in ["/a", "/b"] {
        assert!(get(gateway.addr(), path).starts_with("HTTP/1.1 200"), "{path}");
    }
    let mut third = other.clone();
    let Content::Proxy(design) = &mut third.content else { panic!("a proxy") };
    design.name = "c".into();
    let report = gateway.serve_beside(&third).unwrap_err();
    assert!(report.findings.iter().any(|finding| finding.rule == "DuplicateBasePath"), "{report}");
    gateway.serve(&other).unwrap();
    assert!(get(gateway.addr(), "/a").starts_with("HTTP/1.1 404"));
    assert!(get(gateway.addr(), "/b").starts_with("HTTP/1.1 200"));
}
