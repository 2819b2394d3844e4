use crate::testing::*;

const KEY: &str = "<CacheKey><Prefix>p</Prefix><KeyFragment ref='request.queryparam.k'/></CacheKey>";

fn bench(source: &str) -> Bench {
    Bench::new(
        &design()
            .step(&format!("<PopulateCache>{KEY}<Source>{source}</Source></PopulateCache>"))
            .step(&format!("<LookupCache>{KEY}<AssignTo>flow.found</AssignTo></LookupCache>")),
    )
}

#[test]
fn a_variable_is_cached_under_its_key() {
    let bench = bench("request.queryparam.v");
    assert_eq!(bench.get("/p?k=1&v=one").var("flow.found"), "one");
    bench.get("/p?k=2&v=two");
    assert_eq!(bench.get("/p?k=1").var("flow.found"), "one", "without a value nothing is overwritten");
    assert_eq!(bench.get("/p?k=1&v=new").var("flow.found"), "new");
}

#[test]
fn numbers_are_cached_as_text_and_messages_as_their_content() {
    assert_eq!(bench("system.timestamp").get("/p").var("flow.found"), NOW.as_i64().to_string());
    let post = request(http::Method::POST, "/p", &[("host", "api.example")], "the body");
    let bench = bench("request");
    assert_eq!(bench.send(post).var("flow.found"), "the body");
}

#[test]
fn fault_entry_cannot_be_cached() {
    let bench = bench("request.content");
    let post = |path: &str, length: usize| {
        bench.send(request(http::Method::POST, path, &[("host", "api.example")], &"x".repeat(length)))
    };
    assert!(!post("/p", 512 * 1024).is_answered());
    for sent in [post("/p", 512 * 1024 + 1), post(&format!("/p?k={}", "k".repeat(2_048)), 1)] {
        assert_eq!(
            (sent.status(), sent.code().as_str()),
            (500, "policies.populatecache.EntryCannotBeCached")
        );
        assert_eq!(sent.var("populatecache.s0.failed"), "true");
    }
}

#[test]
fn mistakes_are_found_at_deploy() {
    assert_eq!(problem_of(&format!("<PopulateCache>{KEY}</PopulateCache>")), "SourceIsMissing");
    assert_eq!(
        problem_of(&format!("<PopulateCache>{KEY}<Source>a b</Source></PopulateCache>")),
        "InvalidVariableName"
    );
}
