use crate::testing::*;

const KEY: &str = "<CacheKey><Prefix>p</Prefix><KeyFragment>k</KeyFragment></CacheKey>";

#[test]
fn a_miss_leaves_the_variable_as_it_is() {
    let set = "<AssignMessage><AssignVariable><Name>flow.found</Name><Value>before</Value></AssignVariable></AssignMessage>";
    let lookup = format!("<LookupCache>{KEY}<AssignTo>flow.found</AssignTo></LookupCache>");
    let sent = Bench::new(&design().step(set).step(&lookup)).get("/p");
    assert_eq!(sent.var("flow.found"), "before");
    for (name, value) in
        [("cachename", "default"), ("cachekey", "p__k"), ("cachehit", "false"), ("assignto", "flow.found")]
    {
        assert_eq!(sent.var(&format!("lookupcache.s1.{name}")), value, "{name}");
    }
}

#[test]
fn a_cached_value_can_be_put_into_a_message() {
    let design = design()
        .step(&format!("<PopulateCache>{KEY}<Source>request.verb</Source></PopulateCache>"))
        .step(&format!("<LookupCache>{KEY}<AssignTo>request.header.x-found</AssignTo></LookupCache>"));
    assert_eq!(Bench::new(&design).get("/p").header("x-found"), "GET");
}

#[test]
fn fault_set_variable_failed() {
    let design = design()
        .step(&format!("<PopulateCache>{KEY}<Source>request.verb</Source></PopulateCache>"))
        .step(&format!("<LookupCache>{KEY}<AssignTo>client.ip</AssignTo></LookupCache>"));
    let sent = Bench::new(&design).get("/p");
    assert_eq!((sent.status(), sent.code().as_str()), (500, "steps.lookupcache.SetVariableFailed"));
    assert_eq!(sent.var("lookupcache.s1.failed"), "true");
}

#[test]
fn mistakes_are_found_at_deploy() {
    assert_eq!(problem_of(&format!("<LookupCache>{KEY}</LookupCache>")), "AssignToIsMissing");
    assert_eq!(
        problem_of(&format!("<LookupCache>{KEY}<AssignTo>a b</AssignTo></LookupCache>")),
        "InvalidVariableName"
    );
}
