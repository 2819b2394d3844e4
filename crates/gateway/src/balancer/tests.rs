use std::sync::Arc;
use std::time::Duration;

use pierhead_domain::EpochMillis;

use super::*;
use crate::compile::{CompileProblem, CompiledProxy, Endpoint, TargetServer, World, compile};
use crate::design::{BalancedServer, Destination, HealthMonitor, HealthProbe, HttpProbe, LoadBalancer};
use crate::snapshot::Snapshot;
use crate::testing::*;

fn server(name: &str) -> BalancedServer {
    BalancedServer { name: name.into(), ..BalancedServer::default() }
}

fn three() -> LoadBalancer {
    LoadBalancer { servers: vec![server("a"), server("b"), server("c")], ..LoadBalancer::default() }
}

fn world_of_servers() -> World {
    let mut world = world();
    for name in ["a", "b", "c", "off"] {
        let endpoint = Endpoint { path_prefix: "".into(), ..endpoint(&format!("{name}.example")) };
        let server = TargetServer { endpoint, enabled: name != "off" };
        world.target_servers.insert(name.into(), Arc::new(server));
    }
    world
}

fn compiled_on(balancer: LoadBalancer) -> Result<CompiledProxy, Vec<CompileProblem>> {
    compile(&design().on_target(Destination::Balanced(balancer)), "3", &world_of_servers())
}

fn balancer(design: LoadBalancer) -> Arc<Balancer> {
    compiled_on(design).unwrap().targets[0].balancer().unwrap().clone()
}

fn chosen(balancer: &Balancer, rounds: usize) -> String {
    (0..rounds)
        .map(|_| {
            balancer
                .choose(NOW, &[])
                .map_or_else(|| "-".into(), |index| balancer.servers[index].name.to_string())
        })
        .collect()
}

#[test]
fn servers_take_turns() {
    assert_eq!(chosen(&balancer(three()), 7), "abcabca");
}

#[test]
fn weights_are_shares_of_the_requests() {
    let mut design = LoadBalancer { algorithm: "Weighted".into(), ..three() };
    design.servers[0].weight = Some(3);
    let chosen = chosen(&balancer(design), 10);
    assert_eq!(chosen.matches('a').count(), 6, "{chosen}");
    assert_eq!(chosen.matches('b').count(), 2, "{chosen}");
}

#[test]
fn the_server_with_the_fewest_requests_is_chosen() {
    let balancer = balancer(LoadBalancer { algorithm: "LeastConnections".into(), ..three() });
    let on_a = InUse::begin(&balancer, 0);
    let _on_b = InUse::begin(&balancer, 1);
    assert_eq!(chosen(&balancer, 3), "ccc");
    let _on_c = (InUse::begin(&balancer, 2), InUse::begin(&balancer, 2));
    drop(on_a);
    assert_eq!(chosen(&balancer, 2), "aa");
}

#[test]
fn a_server_that_failed_too_often_is_left_out_until_the_time_is_over() {
    let design = LoadBalancer { max_failures: 2, disable_seconds: 10, ..three() };
    let balancer = balancer(design);
    balancer.fail(1, NOW);
    assert_eq!(chosen(&balancer, 3), "abc", "one failure is not two");
    balancer.fail(1, NOW);
    assert_eq!(chosen(&balancer, 6).matches(['a', 'c']).count(), 6);
    let later = NOW.plus(Duration::from_secs(10));
    let names: Vec<_> = (0..3).filter_map(|_| balancer.choose(later, &[])).collect();
    assert!(names.contains(&1), "{names:?}");
    balancer.fail(1, later);
    assert!(
        (0..3).filter_map(|_| balancer.choose(later, &[])).any(|index| index == 1),
        "its slate was clean"
    );
}

#[test]
fn success_makes_failures_forgotten_and_zero_is_never() {
    let strict = balancer(LoadBalancer { max_failures: 2, ..three() });
    strict.fail(0, NOW);
    strict.succeed(0);
    strict.fail(0, NOW);
    assert_eq!(chosen(&strict, 3), "abc");
    strict.fail(0, NOW);
    assert!(!chosen(&strict, 6).contains('a'));
    assert!(
        strict.choose(EpochMillis::new(i64::MAX - 1), &[1, 2]).is_none(),
        "until a probe or a deployment"
    );
    strict.succeed(0);
    assert!(chosen(&strict, 3).contains('a'), "a good probe brings it back");
    let patient = balancer(three());
    (0..100).for_each(|_| patient.fail(0, NOW));
    assert_eq!(chosen(&patient, 3), "abc");
}

#[test]
fn a_fallback_takes_requests_only_when_no_other_can() {
    let mut design = LoadBalancer { max_failures: 1, ..three() };
    design.servers[0].fallback = true;
    let balancer = balancer(design);
    assert_eq!(chosen(&balancer, 4), "bcbc");
    assert_eq!(balancer.choose(NOW, &[1, 2]), Some(0));
    balancer.fail(1, NOW);
    balancer.fail(2, NOW);
    assert_eq!(chosen(&balancer, 2), "aa");
    assert!(balancer.is_fallback(0) && !balancer.is_fallback(1));
    balancer.fail(0, NOW);
    assert_eq!(chosen(&balancer, 1), "-");
}

#[test]
fn servers_that_are_switched_off_take_no_requests() {
    let mut design = three();
    design.servers[2].disabled = true;
    design.servers.push(server("off"));
    assert_eq!(chosen(&balancer(design), 4), "abab");
}

#[test]
fn mistakes_are_found_at_deploy() {
    let rules = |design: LoadBalancer| -> Vec<_> {
        compiled_on(design).err().unwrap_or_default().iter().map(|problem| problem.rule).collect()
    };
    assert!(rules(three()).is_empty());
    assert_eq!(rules(LoadBalancer::default()), ["NoTargetServer"]);
    assert_eq!(
        rules(LoadBalancer { servers: vec![server("a"), server("zz")], ..three() }),
        ["UnknownTargetServer"]
    );
    assert_eq!(rules(LoadBalancer { servers: vec![server("oc")], ..three() }), ["UnknownTargetServer"]);
    assert!(
        rules(LoadBalancer { servers: vec![server("backend")], ..three() }).is_empty(),
        "an API provider"
    );
    assert_eq!(rules(LoadBalancer { algorithm: "Random".into(), ..three() }), ["UnknownAlgorithm"]);
    let probing = |probe: HttpProbe| {
        let probe = HealthProbe::Http(Box::new(probe));
        let health = Some(HealthMonitor { enabled: true, interval_seconds: 5, probe });
        rules(LoadBalancer { health, ..three() })
    };
    assert!(probing(HttpProbe { path: "/ok".into(), ..HttpProbe::default() }).is_empty());
    assert_eq!(probing(HttpProbe { verb: "A B".into(), ..HttpProbe::default() }), ["InvalidHealthMonitor"]);
    assert_eq!(probing(HttpProbe { path: "/a b".into(), ..HttpProbe::default() }), ["InvalidHealthMonitor"]);
}

#[test]
fn a_request_goes_to_its_server_and_variables_say_which() {
    let design = LoadBalancer { path: "/v1/{request.header.part}".into(), ..three() };
    let bench = Bench::on(Snapshot::empty("acme", "test").with_proxy(compiled_on(design).unwrap()).unwrap());
    let sent = bench.send(request(http::Method::GET, "/p/x?q=1", &[("part", "p")], ""));
    assert_eq!(sent.url(), "https://a.example:443/v1/p/x?q=1");
    assert_eq!(sent.var("loadbalancing.targetserver"), "a");
    assert_eq!(sent.var("loadbalancing.isfallback"), "false");
    assert_eq!(sent.var("loadbalancing.failedservers"), "null");
    assert_eq!(
        (sent.var("target.host"), sent.var("target.url")),
        ("a.example".into(), "https://a.example:443/v1/p".into())
    );
    assert_eq!(bench.get("/p").status(), 500, "the path needs its variable");
}

#[test]
fn another_server_is_tried_only_when_that_helps() {
    let bench = |design: LoadBalancer| {
        Bench::on(Snapshot::empty("acme", "test").with_proxy(compiled_on(design).unwrap()).unwrap())
    };
    let mut sent = bench(three()).get("/p");
    let next = crate::flow::go_on(&mut sent.cx, true, true);
    assert!(next.is_some_and(|to| to.url().starts_with("https://b.example")));
    assert_eq!(
        (sent.var("loadbalancing.targetserver"), sent.var("loadbalancing.failedservers")),
        ("b".into(), "[a]".into())
    );
    assert!(crate::flow::go_on(&mut sent.cx, false, true).is_none(), "it went well");
    assert!(crate::flow::go_on(&mut sent.cx, true, false).is_none(), "the body is gone");
    assert!(crate::flow::go_on(&mut sent.cx, true, true).is_some());
    assert!(crate::flow::go_on(&mut sent.cx, true, true).is_none(), "each is tried once");
    let mut once = bench(LoadBalancer { retry: Some(false), ..three() }).get("/p");
    assert!(crate::flow::go_on(&mut once.cx, true, true).is_none());
}

#[test]
fn without_any_server_the_client_is_told() {
    let mut design = three();
    design.servers.iter_mut().for_each(|server| server.disabled = true);
    let snapshot = Snapshot::empty("acme", "test").with_proxy(compiled_on(design).unwrap()).unwrap();
    let sent = Bench::on(snapshot).get("/p");
    assert_eq!((sent.status(), sent.code().as_str()), (503, "messaging.adaptors.http.flow.NoActiveTargets"));
}
