use crate::testing::Browser;

const TRACE: &str = "/console/proxies/Googledrive/trace";

async fn recording() -> Browser {
    let browser = Browser::signed_in().await;
    browser.control().world().traces.sessions.push(("t".into(), true));
    browser
}

#[tokio::test]
async fn a_session_is_started_with_its_filter() {
    let browser = Browser::signed_in().await;
    let page = browser.get(TRACE).await;
    page.expect(200).has("No session yet").has("Start recording").has("Revision 2");
    let fields = [
        ("session", "mine"),
        ("timeout", "600"),
        ("header", "x-customer"),
        ("header_value", "a b"),
        ("param", "debug"),
        ("param_value", "1"),
        ("filter", "request.verb = \"GET\""),
    ];
    let done = browser.submit(&page, TRACE, &fields).await;
    assert_eq!(done.redirect(), format!("{TRACE}/2/mine?done=tracing"));
    let query = browser.control().world().traces.last_query.clone();
    assert_eq!(
        query,
        "session=mine&timeout=600&header_x-customer=a+b&qparam_debug=1&filter=request.verb+%3D+%22GET%22"
    );
    browser.get(TRACE).await.has("mine").has("header x-customer: acme").has("3 older dropped");
}

#[tokio::test]
async fn a_mistake_is_said_and_what_was_typed_stays() {
    let browser = Browser::signed_in().await;
    let page = browser.get(TRACE).await;
    let refused = browser.submit(&page, TRACE, &[("session", "taken"), ("timeout", "600")]).await;
    refused.expect(400).has("session taken exists already").has("value=\"taken\"");
    let refused = browser.submit(&page, TRACE, &[("header_value", "x")]).await;
    refused.expect(400).has("Enter its name.");
    browser
        .get("/console/proxies/Petstore/trace")
        .await
        .has("Deploy the proxy first")
        .has_not("Start recording");
}

#[tokio::test]
async fn a_session_shows_its_requests_is_stopped_exported_and_deleted() {
    let browser = recording().await;
    let at = format!("{TRACE}/2/t");
    let page = browser.get(&at).await;
    page.expect(200).has("Recording").has("data-poll=").in_order(&["/t/a2\"", "401", "/t/a1\"", "200"]);
    page.has("steps.oauth.v2.FailedToResolveAPIKey").has("12.3 ms");
    let rows = browser.get(&format!("{at}/rows")).await;
    assert_eq!(rows.header("x-recording"), "true");
    rows.has("GET /googledrive/files").has_not("<html");

    let done = browser.submit(&page, &format!("{at}/stop"), &[]).await;
    browser.get(done.redirect()).await.has("Stopped").has_not("data-poll=");
    let file = browser.get(&format!("{at}/export")).await;
    assert!(file.header("content-disposition").contains("t.trace.json"));
    let done = browser.submit(&page, &format!("{at}/delete"), &[]).await;
    browser.get(done.redirect()).await.has("No session yet");
    browser.get(&at).await.expect(404);
}

#[tokio::test]
async fn a_transaction_is_a_line_of_steps_with_what_each_did() {
    let browser = recording().await;
    let page = browser.get(&format!("{TRACE}/2/t/a2")).await;
    page.expect(200).has("Failed to resolve API Key variable");
    page.in_order(&[
        "Request of the client",
        "Read limits",
        "skipped",
        "Mark",
        "1 variable changed",
        "flow.who",
        "Call",
        "https://erp.example:443/stock",
        "Verify key",
        "failed",
        "Answer to the client",
        "Replay",
    ]);
    page.has("&#34;b&#34;: [\n")
        .has("  &#60;b&#62;1&#60;/b&#62;")
        .has("<details class=\"trace-step bad\" open>");
    page.has("<option value=\"2\">Revision 2</option>").has_not(" style=");
}

#[tokio::test]
async fn a_replay_shows_what_differs_side_by_side() {
    let browser = recording().await;
    let at = format!("{TRACE}/2/t/a2");
    let page = browser.get(&at).await;
    let replay =
        browser.submit(&page, &format!("{at}/replay"), &[("revision", "draft"), ("targets", "live")]).await;
    replay.expect(200).has("3 differences").has("<del>401</del>").has("<ins>200</ins>").has("not there");
    replay
        .has("ProxyRequest/PreFlow: Quota")
        .in_order(&["Recorded, revision 2", "Replayed, the design as it stands"]);
    assert_eq!(browser.control().world().traces.last_query, "revision=draft&targets=live");
    let same = browser.submit(&page, &format!("{at}/replay"), &[("revision", "2")]).await;
    same.has("No difference.");
}
