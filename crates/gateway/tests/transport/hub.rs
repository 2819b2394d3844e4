//! The hub of this installation as target: in process, streamed, cancelled with its client.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use pierhead_domain::SecretString;
use pierhead_gateway::design::{EndpointFlows, Flow, Step};
use pierhead_gateway::ports::{Hub, HubBody, KvmScope, PortFuture};

use crate::stage::{Proxy, Stage, eventually, pattern, with_hub};

type Respond = dyn Fn(Request<HubBody>) -> PortFuture<Response<HubBody>> + Send + Sync;

/// A hub that runs on the test's runtime, as the real one runs on the control plane's.
struct FakeHub {
    respond: Box<Respond>,
    runtime: tokio::runtime::Handle,
}

impl FakeHub {
    fn new<F, Fut>(respond: F) -> Self
    where
        F: Fn(Request<HubBody>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Response<HubBody>> + Send + 'static,
    {
        Self {
            respond: Box::new(move |request| Box::pin(respond(request))),
            runtime: tokio::runtime::Handle::current(),
        }
    }
}

impl Hub for FakeHub {
    fn call(&self, request: Request<HubBody>) -> PortFuture<Response<HubBody>> {
        let call = tokio_util_abort(self.runtime.spawn((self.respond)(request)));
        Box::pin(call)
    }
}

/// Awaits a task and ends it when nobody waits any more.
async fn tokio_util_abort(task: tokio::task::JoinHandle<Response<HubBody>>) -> Response<HubBody> {
    struct Abort(tokio::task::AbortHandle);
    impl Drop for Abort {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    let _abort = Abort(task.abort_handle());
    task.await.expect("the hub does not fail")
}

fn whole(bytes: impl Into<Bytes>) -> HubBody {
    HubBody::new(Full::new(bytes.into()).map_err(|never| match never {}))
}

/// A hub that is not waited for long.
fn impatient(hub: FakeHub) -> Stage {
    serving(hub, |proxy| proxy.target_property("io.timeout.millis", "500"))
}

fn stage(hub: FakeHub) -> Stage {
    serving(hub, |proxy| proxy)
}

/// The OpenConnectors policy in the target's PreFlow, and its token in the map.
fn serving(hub: FakeHub, change: impl FnOnce(Proxy) -> Proxy) -> Stage {
    let xml = r#"<OpenConnectors name="OpenConnectors"><InstanceSecret kvm-map-name="apim.oc.instance.token" kvm-key-name="default"/></OpenConnectors>"#;
    let step = Step { policy: "OpenConnectors".into(), condition: String::new() };
    let flows =
        EndpointFlows { pre: Flow { request: vec![step], ..Flow::default() }, ..EndpointFlows::default() };
    let proxy = Proxy::hub("Googledrive", "/googledrive").target_policy(
        "OpenConnectors",
        "OpenConnectors",
        xml,
        flows,
    );
    let stage = Stage::with([change(proxy)], with_hub(hub));
    stage.snapshot.update(|now| {
        let entry = [("default".to_owned(), SecretString::from("token"))];
        now.with_kvm_map(KvmScope::Proxy("Googledrive".into()), "apim.oc.instance.token", entry, true)
    });
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_out_of_the_hub_with_the_three_secrets_sent() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    let stage = stage(FakeHub::new(move |request| {
        record.lock().expect("not poisoned").push((
            request.uri().to_string(),
            request
                .headers()
                .get("authorization")
                .and_then(|value| value.to_str().ok())
                .unwrap_or("")
                .to_owned(),
        ));
        async move {
            let frames = pattern(5 * 1024 * 1024)
                .chunks(64 * 1024)
                .map(|chunk| Ok(http_body::Frame::data(Bytes::copy_from_slice(chunk))))
                .collect::<Vec<_>>();
            let body = HubBody::new(StreamBody::new(futures_util::stream::iter(frames)));
            Response::builder().header("content-type", "application/pdf").body(body).expect("a response")
        }
    }));

    let answer = stage.get("/googledrive/files?path=/x.pdf").await;

    assert_eq!((answer.status, answer.header("content-type")), (200, vec!["application/pdf"]));
    assert!(answer.body == pattern(5 * 1024 * 1024));
    let seen = seen.lock().expect("not poisoned").clone();
    assert_eq!(
        seen,
        [("/files?path=/x.pdf".to_owned(), "User user, Organization org, Element token".to_owned())]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_every_size_reach_the_hub_byte_for_byte() {
    let stage = stage(FakeHub::new(|request| async move {
        let length = request.headers().get("content-length").cloned();
        let body = request.into_body().collect().await.expect("a whole body").to_bytes();
        let mut response = Response::new(whole(body));
        if let Some(length) = length {
            response.headers_mut().insert("x-announced", length);
        }
        response
    }));
    for size in [0, 1, 5 * 1024 * 1024, 64 * 1024 * 1024] {
        let body = pattern(size);
        let request = [
            format!("POST /googledrive/files HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n")
                .into_bytes(),
            body.clone(),
        ];
        let answer = stage.exchange(request.concat()).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body == body, "{size}");
        assert_eq!(answer.header("x-announced"), if size > 0 { vec![size.to_string()] } else { vec![] });
    }
}

#[tokio::test]
async fn a_platform_path_never_reaches_the_hub() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let stage = stage(FakeHub::new(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        async { Response::new(whole("secret")) }
    }));
    for path in [
        "organizations/me",
        "instances",
        "authentication/secrets",
        "%69nstances",
        "INSTANCES",
        "files%2f..%2finstances/..",
        "./instances",
        "",
        "elements",
    ] {
        let answer = stage.get(&format!("/googledrive/{path}")).await;
        assert!(matches!(answer.status, 400 | 403), "{path}: {}", answer.status);
    }
    assert_eq!(stage.get("/googledrive/instances").await.status, 403);
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_hub_that_is_too_slow_is_a_gateway_timeout_and_its_call_ends() {
    struct Ended(Arc<AtomicUsize>);
    impl Drop for Ended {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let (calls, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (called, count) = (Arc::clone(&calls), Arc::clone(&ended));
    let stage = impatient(FakeHub::new(move |_| {
        let guard = Ended(Arc::clone(&count));
        called.fetch_add(1, Ordering::SeqCst);
        async move {
            let _guard = guard;
            std::future::pending().await
        }
    }));

    let answer = stage.get("/googledrive/files").await;
    assert_eq!(
        (answer.status, answer.error_code().as_str()),
        (504, "messaging.adaptors.http.flow.GatewayTimeout")
    );
    eventually("the call was ended", || ended.load(Ordering::SeqCst) == 1).await;

    let mut client = stage.client().await;
    client.send("GET /googledrive/files HTTP/1.1\r\nHost: x\r\n\r\n").await;
    eventually("the hub is called", || calls.load(Ordering::SeqCst) == 2).await;
    drop(client);
    eventually("a client that leaves ends it too", || ended.load(Ordering::SeqCst) == 2).await;
}

#[tokio::test]
async fn a_hub_answer_that_falls_silent_is_cut_off() {
    let stage = impatient(FakeHub::new(|_| async {
        let first = futures_util::stream::iter([Ok(http_body::Frame::data(Bytes::from_static(b"begin")))]);
        let body = StreamBody::new(futures_util::StreamExt::chain(first, futures_util::stream::pending()));
        Response::builder().header("content-length", "10").body(HubBody::new(body)).expect("a response")
    }));
    let mut client = stage.client().await;
    client.send("GET /googledrive/files HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut all = Vec::new();
    let reading = tokio::io::AsyncReadExt::read_to_end(&mut client.stream, &mut all);
    let _ = tokio::time::timeout(Duration::from_secs(60), reading).await.expect("cut off in time");
    let text = String::from_utf8_lossy(&all);
    assert!(text.contains("begin") && !text.ends_with("0\r\n\r\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_after_its_body_was_read_ends_the_call() {
    let (calls, ends) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (called, ended) = (Arc::clone(&calls), Arc::clone(&ends));
    let stage = stage(FakeHub::new(move |request| {
        struct Ends(Arc<AtomicUsize>);
        impl Drop for Ends {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let (called, ends) = (Arc::clone(&called), Ends(Arc::clone(&ended)));
        async move {
            let _ends = ends;
            let body = request.into_body().collect().await.expect("whole").to_bytes();
            assert_eq!(body, "hello");
            called.fetch_add(1, Ordering::SeqCst);
            std::future::pending().await
        }
    }));
    let mut client = stage.client().await;
    client.send("PUT /googledrive/files HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel").await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    client.send("lo").await;
    eventually("the hub has the body", || calls.load(Ordering::SeqCst) == 1).await;

    drop(client);

    eventually("the call ended", || ends.load(Ordering::SeqCst) == 1).await;
    eventually("counted as aborted", || stage.gateway.counters().aborted == 1).await;
}
