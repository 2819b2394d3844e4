//! Stories that are told rightly and wrongly.

use super::*;

const BUNDLE: [(&str, &str); 3] = [
    ("apiproxy/a.xml", "<APIProxy name=\"a\"/>"),
    (
        "apiproxy/proxies/default.xml",
        "<ProxyEndpoint name=\"default\"><HTTPProxyConnection><BasePath>/a</BasePath></HTTPProxyConnection><RouteRule name=\"r\"><TargetEndpoint>default</TargetEndpoint></RouteRule></ProxyEndpoint>",
    ),
    (
        "apiproxy/targets/default.xml",
        "<TargetEndpoint name=\"default\"><HTTPTargetConnection><URL>http://backend.test/base</URL></HTTPTargetConnection></TargetEndpoint>",
    ),
];

/// A collection `samples` with one bundle `one`; the guard removes it.
fn samples() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in BUNDLE {
        let path = folder.path().join("samples/one").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    std::fs::write(folder.path().join("samples/one/invoke.sh"), "curl").unwrap();
    folder
}

async fn tried(calls: &str) -> Vec<Verdict> {
    let folder = samples();
    let text = format!(
        "collection = \"someone/samples\"\ndescribes = []\nbundles = [\"one/apiproxy\"]\n[[world.mock]]\npath = \"/base/x\"\nbody = '<r a=\"1\"><s>t &amp; u</s></r>'\n[[world.mock]]\npath = \"/base/j\"\nheaders = {{ location = \"/next?code=c7\" }}\nbody = '{{\"n\":1,\"s\":[\"y\"]}}'\n[[scenario]]\nname = \"s\"\n{calls}"
    );
    let story: Story = toml::from_str(&text).unwrap();
    let root = collection(folder.path(), &story.collection);
    try_out(&story, root.as_deref()).await
}

async fn failure(call: &str) -> Option<String> {
    match tried(&format!("[[scenario.call]]\n{call}")).await.remove(0) {
        Verdict::Passed => None,
        Verdict::Failed(why) => Some(why),
        Verdict::Absent => Some("absent".to_owned()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_passes_when_everything_is_as_it_says() {
    for call in [
        "path = \"/a/x\"\nexpect = { status = 200, xml = { \"r/s\" = \"t & u\", \"r/@a\" = \"1\" } }\nseen = [{ method = \"GET\", host = \"backend.test\", path = \"/base/x\", query = \"\" }]\n",
        "path = \"/a/j\"\nexpect = { json = { \"/n\" = 1, \"/s/0\" = \"y\" }, has_json = [\"/s\"], has_headers = [\"location\"] }\nkeep = { code = { header = \"location\", parameter = \"code\" }, y = { json = \"/s/0\" } }\n[[scenario.call]]\npath = \"/a/echo?${code}\"\nbody = \"${y}\"\nmethod = \"POST\"\nseen = [{ query = \"c7\", body = \"y\" }]\n",
        "path = \"/elsewhere\"\ntimes = 3\nexpect = { status = 404, fault = \"messaging.adaptors.http.flow.ApplicationNotFound\" }\nseen = []\n",
    ] {
        assert_eq!(failure(call).await, None, "{call}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_difference_is_said() {
    for (call, said) in [
        ("path = \"/a/x\"\nexpect = { status = 201 }", "status 200 instead of 201"),
        ("path = \"/a/x\"\nexpect = { body = \"\" }", "body"),
        ("path = \"/a/x\"\nexpect = { xml = { \"r/s\" = \"t\" } }", "r/s is [\"t & u\"]"),
        ("path = \"/a/j\"\nexpect = { json = { \"/n\" = 2 } }", "/n is 1 instead of 2"),
        ("path = \"/a/j\"\nexpect = { has_json = [\"/m\"] }", "nothing at /m"),
        ("path = \"/a/j\"\nexpect = { headers = { location = \"/\" } }", "header location is"),
        ("path = \"/a/j\"\nexpect = { no_headers = [\"location\"] }", "there is a header location"),
        ("path = \"/a/j\"\nexpect = { contains = [\"zz\"] }", "lacks \"zz\""),
        ("path = \"/a/j\"\nexpect = { lacks = [\"n\"] }", "contains \"n\""),
        ("path = \"/a/j\"\nsome = { status = 429 }", "no answer is as one should be"),
        ("path = \"/a/j\"\nseen = []", "1 calls to targets more than expected"),
        ("path = \"/a/j\"\nseen = [{ path = \"/other\" }]", "path \"/base/j\" instead of \"/other\""),
        ("path = \"/a/${never}\"", "nothing was kept as 'never'"),
    ] {
        let why = failure(call).await.unwrap_or_default();
        assert!(why.contains(said), "{call}: {why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_is_not_there_is_absent_and_not_passed() {
    let story: Story = toml::from_str(
        "collection = \"someone/samples\"\ndescribes = []\nbundles = [\"two/apiproxy\"]\n[[scenario]]\nname = \"s\"\ncall = []\n",
    )
    .unwrap();
    let folder = samples();
    let root = collection(folder.path(), &story.collection).unwrap();
    assert!(matches!(try_out(&story, Some(&root)).await[..], [Verdict::Absent]));
    assert!(matches!(try_out(&story, None).await[..], [Verdict::Absent]));
}

#[test]
fn feature_files_and_call_scripts_are_found() {
    let folder = samples();
    let root = folder.path().join("samples");
    for hidden in ["node_modules/x/invoke.sh", "one/test/a.feature"] {
        std::fs::create_dir_all(root.join(hidden).parent().unwrap()).unwrap();
        std::fs::write(root.join(hidden), "").unwrap();
    }
    let mut found = Vec::new();
    descriptions(&root, &root, &mut found).unwrap();
    assert_eq!(found, ["one/invoke.sh", "one/test/a.feature"]);
}

#[test]
fn all_stories_can_be_read_and_tell_which_description_they_try() {
    let tales = story::read_all(&story::folder()).unwrap();
    assert!(!tales.stories.is_empty());
    for (file, story) in &tales.stories {
        assert!(!story.describes.is_empty(), "{file}: describes nothing");
    }
    for exception in &tales.exceptions {
        assert!(exception.reason.len() > 20, "{}: why?", exception.describes);
    }
}
