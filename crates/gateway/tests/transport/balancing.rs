//! Several servers behind one target: turns, retries, probes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use pierhead_domain::{EpochMillis, StoppedClock};
use pierhead_gateway::design::{
    BalancedServer, Destination, HealthMonitor, HealthProbe, HttpProbe, LoadBalancer,
};
use tokio::net::TcpListener;

use crate::stage::{Proxy, Stage, Upstream, eventually};

fn server(name: &str) -> BalancedServer {
    BalancedServer { name: name.into(), ..BalancedServer::default() }
}

fn over(balancer: LoadBalancer, servers: &[(&str, SocketAddr)]) -> Proxy {
    Proxy::new("p", "/", servers[0].1).towards(Destination::Balanced(balancer)).with_servers(servers)
}

fn two() -> LoadBalancer {
    LoadBalancer { servers: vec![server("a"), server("b")], ..LoadBalancer::default() }
}

async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.expect("binds").local_addr().expect("bound")
}

async fn saying(status: u16) -> (Upstream, Arc<AtomicU16>) {
    let status = Arc::new(AtomicU16::new(status));
    let said = Arc::clone(&status);
    let upstream = Upstream::answering(move |_| {
        let status = said.load(Ordering::SeqCst);
        format!("HTTP/1.1 {status} Said\r\nContent-Length: 3\r\n\r\n{status}").into_bytes()
    })
    .await;
    (upstream, status)
}

const POST: &str = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody";

#[tokio::test]
async fn a_request_whose_server_is_away_goes_to_the_next_with_its_body() {
    let up = Upstream::ok().await;
    let stage = Stage::serving([over(two(), &[("a", nobody().await), ("b", up.addr)])]);
    for _ in 0..4 {
        assert_eq!(stage.exchange(POST).await.status, 200);
    }
    let seen = up.seen();
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|seen| seen.body == b"body"));
    let strict = LoadBalancer { retry: Some(false), ..two() };
    let stage = Stage::serving([over(strict, &[("a", nobody().await), ("b", up.addr)])]);
    let mut statuses = [stage.exchange(POST).await.status, stage.exchange(POST).await.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 503]);
}

#[tokio::test]
async fn a_status_that_means_unhealthy_is_tried_elsewhere_and_counts() {
    let ((ill, _), (well, _)) = (saying(503).await, saying(200).await);
    let balancer = LoadBalancer { unhealthy_statuses: vec![503], max_failures: 2, ..two() };
    let stage = Stage::serving([over(balancer, &[("a", ill.addr), ("b", well.addr)])]);
    for _ in 0..10 {
        assert_eq!(stage.get("/").await.status, 200);
    }
    assert_eq!(ill.seen().len(), 2, "after two failures it is left out");
    assert_eq!(well.seen().len(), 10);
}

#[tokio::test]
async fn when_all_servers_fail_the_last_answer_is_the_clients() {
    let (ill, _) = saying(503).await;
    let balancer = LoadBalancer { unhealthy_statuses: vec![503], ..two() };
    let stage = Stage::serving([over(balancer, &[("a", ill.addr), ("b", ill.addr)])]);
    let answer = stage.get("/").await;
    assert_eq!((answer.status, answer.text().as_str()), (503, "503"));
    assert_eq!(ill.seen().len(), 2);
}

#[tokio::test]
async fn a_probed_server_leaves_and_comes_back() {
    let clock = StoppedClock::at(EpochMillis::new(1_000_000));
    let ((shaky, says), (well, _)) = (saying(200).await, saying(200).await);
    let probe = HttpProbe { path: "/health".into(), verb: "HEAD".into(), ..HttpProbe::default() };
    let health = HealthMonitor {
        enabled: true,
        interval_seconds: 5,
        probe: HealthProbe::Http(Box::new(HttpProbe {
            include_health_check_id: true,
            verb: "GET".into(),
            ..probe
        })),
    };
    let balancer = LoadBalancer { max_failures: 1, health: Some(health), ..two() };
    let proxy = over(balancer, &[("a", shaky.addr), ("b", well.addr)]);
    let time = clock.clone();
    let stage = Stage::with([proxy], move |config| config.clock = Arc::new(time));
    let probes = || shaky.seen().iter().filter(|seen| seen.head.starts_with("GET /health ")).count();
    let asked = || shaky.seen().iter().filter(|seen| seen.head.starts_with("GET /asked ")).count();
    eventually("the first probe", || probes() == 1).await;
    assert_eq!(shaky.seen()[0].header("x-apigee-healthcheck-id").len(), 1);

    says.store(500, Ordering::SeqCst);
    clock.advance(Duration::from_secs(5));
    eventually("the second probe", || probes() == 2).await;
    eventually_left_out(&stage, &asked).await;
    says.store(200, Ordering::SeqCst);
    clock.advance(Duration::from_secs(5));
    eventually("the third probe", || probes() == 3).await;
    let before = asked();
    for _ in 0..200 {
        stage.get("/asked").await;
        if asked() > before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the server did not come back");
}

/// Until two requests in a row pass the server by.
async fn eventually_left_out(stage: &Stage, asked: &impl Fn() -> usize) {
    for _ in 0..200 {
        let before = asked();
        stage.get("/asked").await;
        stage.get("/asked").await;
        if asked() == before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the server was never left out");
}

#[tokio::test]
async fn a_tcp_probe_is_a_connection_that_opens() {
    let clock = StoppedClock::at(EpochMillis::new(1_000_000));
    let away = nobody().await;
    let well = Upstream::ok().await;
    let health = HealthMonitor {
        enabled: true,
        interval_seconds: 1,
        probe: HealthProbe::Tcp { connect_timeout_seconds: 1, port: None },
    };
    let balancer = LoadBalancer { max_failures: 1, health: Some(health), retry: Some(false), ..two() };
    let proxy = over(balancer, &[("a", away), ("b", well.addr)]);
    let stage = Stage::with([proxy], move |config| config.clock = Arc::new(clock));
    eventually("a probe", || well.connection_count() > 0).await;
    for _ in 0..200 {
        if [stage.get("/").await.status, stage.get("/").await.status] == [200, 200] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the server that does not listen was never left out");
}
