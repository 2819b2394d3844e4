//! Where policies may send requests, and where they may not (hostile-input §4.2 line 9).

use pierhead_gateway::design::{EndpointFlows, Flow, Step};

use crate::stage::{Answer, Proxy, Stage, Upstream};

/// A service callout, a script's call, and a token that is verified with keys from there.
fn calling(url: &str) -> [(&'static str, String); 3] {
    let callout = format!(
        "<ServiceCallout><Response>answer</Response><HTTPTargetConnection><URL>{url}</URL></HTTPTargetConnection></ServiceCallout>"
    );
    let script = format!(
        "<Javascript timeLimit='60000'><Source>var call = httpClient.get('{url}'); call.waitForComplete();\
         if (!call.isSuccess()) throw new Error('refused'); \
         request.headers['X-Got'] = String(call.getResponse().status);</Source></Javascript>"
    );
    let verify = format!(
        "<VerifyJWT><Algorithm>RS256</Algorithm><Source>request.header.token</Source><PublicKey><JWKS uri='{url}'/></PublicKey></VerifyJWT>"
    );
    [("ServiceCallout", callout), ("Javascript", script), ("VerifyJWT", verify)]
}

/// Signed by nobody, by the key `k`.
const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJzdWIiOiJhIn0.AAAA";

async fn called(kind: &str, xml: &str, target: &Upstream) -> Answer {
    let step = Step { policy: "S".into(), ..Step::default() };
    let flows =
        EndpointFlows { pre: Flow { request: vec![step], ..Flow::default() }, ..EndpointFlows::default() };
    Stage::serving([Proxy::new("p", "/", target.addr).policy("S", kind, xml, flows)])
        .exchange(format!("GET /x HTTP/1.1\r\nHost: api.test\r\nToken: {TOKEN}\r\n\r\n"))
        .await
}

#[tokio::test]
async fn an_address_that_is_nobodys_leads_to_no_server_of_this_machine() {
    // The system takes 0.0.0.0 for this machine: without a guard the call would arrive.
    let (inside, target) = (Upstream::ok().await, Upstream::ok().await);
    let port = inside.addr.port();
    for host in ["0.0.0.0", "[::ffff:0.0.0.0]"] {
        for (kind, xml) in calling(&format!("http://{host}:{port}/secrets")) {
            let answer = called(kind, &xml, &target).await;
            let (status, code) = match kind {
                "Javascript" => (500, "steps.javascript.ScriptExecutionFailed"),
                "VerifyJWT" => (401, "steps.jwt.NoMatchingPublicKey"),
                _ => (500, "steps.servicecallout.ExecutionFailed"),
            };
            assert_eq!((answer.status, answer.error_code().as_str()), (status, code), "{kind} {host}");
        }
    }
    let nobody = std::net::SocketAddr::from(([0, 0, 0, 0], port));
    assert_eq!(Stage::serving([Proxy::new("p", "/", nobody)]).get("/").await.status, 503);
    assert_eq!((inside.connection_count(), target.connection_count()), (0, 0));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_leads_nowhere() {
    let (elsewhere, target) = (Upstream::ok().await, Upstream::ok().await);
    let there = elsewhere.addr;
    let redirecting = Upstream::answering(move |_| {
        format!("HTTP/1.1 302 Found\r\nlocation: http://{there}/\r\ncontent-length: 0\r\n\r\n").into_bytes()
    })
    .await;
    let [callout, script, verify] = calling(&format!("http://{}/", redirecting.addr));

    for (kind, xml) in [callout, script] {
        assert_eq!(called(kind, &xml, &target).await.status, 200, "{kind}");
    }
    assert_eq!(called(verify.0, &verify.1, &target).await.status, 401);

    assert_eq!(target.seen()[1].header("x-got"), ["302"]);
    let through = Stage::towards(&redirecting).get("/").await;
    assert_eq!((through.status, through.header("location")), (302, vec![&*format!("http://{there}/")]));
    assert_eq!(elsewhere.connection_count(), 0);
}
