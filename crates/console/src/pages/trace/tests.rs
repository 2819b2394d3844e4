use crate::testing::{Browser, bundles};

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
    let ask = browser.get(&format!("{at}/delete")).await;
    ask.has("Delete the session t?");
    let done = browser.submit(&ask, &format!("{at}/delete"), &[]).await;
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

const HELLO: &str = "/console/proxies/Hello/trace";

/// A file as Export saves it, with two requests in it: one answered 401 long ago, and one answered 200.
async fn exported(browser: &Browser, name: &str) -> Vec<u8> {
    let page = browser.get(HELLO).await;
    browser.submit(&page, HELLO, &[("session", name), ("timeout", "600")]).await.redirect();
    let file = browser.bytes(&format!("{HELLO}/1/{name}/export")).await;
    let mut file: serde_json::Value = serde_json::from_slice(&file).unwrap();
    let failed = crate::fake::transaction();
    let mut fine = failed.clone();
    fine["id"] = "a3".into();
    fine["status"] = 200.into();
    fine["began"] = 1_763_740_799_000_i64.into();
    fine["points"][0]["message"]["line"] = "POST /hello/Orders?x=1".into();
    file["transactions"] = serde_json::json!([failed, fine]);
    serde_json::to_vec(&file).unwrap()
}

async fn imported() -> Browser {
    let (browser, _) = Browser::before_management().await;
    browser.import(&bundles::hello("A"), "Hello", true).await;
    let file = exported(&browser, "first").await;
    let form = browser.get(HELLO).await;
    form.has("Import a session");
    let done = browser.upload(&form, &format!("{HELLO}/import"), "old.trace.json", &file).await;
    assert_eq!(done.redirect(), format!("{HELLO}/1/old?done=imported"));
    browser
}

#[tokio::test]
async fn an_exported_session_is_shown_again_and_what_is_none_is_refused() {
    let browser = imported().await;
    browser
        .get(&format!("{HELLO}/1/old"))
        .await
        .in_order(&["POST /hello/Orders?x=1", "GET /googledrive/files"]);
    browser.get(&format!("{HELLO}/1/old/a2")).await.expect(200).has("Verify key");
    let form = browser.get(HELLO).await;
    let at = format!("{HELLO}/import");
    browser.upload(&form, &at, "x.json", b"{}").await.expect(400).has("no exported session");
    browser.upload(&form, &at, "x.har", b"{\"log\": {}}").await.expect(400).has("no exported session");
    browser.upload(&form, &at, "", b"").await.expect(400).has("Choose a file");
    let file = exported(&browser, "second").await;
    browser.upload(&form, &at, "old.trace.json", &file).await.expect(400).has("exists already");
}

#[tokio::test]
async fn recorded_requests_are_found_by_proxy_status_path_and_time() {
    let browser = imported().await;
    for (query, shown, hidden) in [
        ("", "/old/a2", "no such thing"),
        ("status=4xx", "/old/a2", "/old/a3"),
        ("status=200", "/old/a3", "/old/a2"),
        ("status=failed", "/old/a2", "/old/a3"),
        ("path=orders", "/old/a3", "/old/a2"),
        ("minutes=1", "/old/a3", "/old/a2"),
        ("proxy=Hello", "/old/a2", "no such thing"),
    ] {
        browser.get(&format!("/console/traces?{query}")).await.expect(200).has(shown).has_not(hidden);
        browser.get(&format!("{HELLO}/1/old?{query}")).await.expect(200).has(shown).has_not(hidden);
    }
    browser.get("/console/traces?proxy=None").await.has("No recorded request fits");
    browser.get("/console/traces?status=many").await.expect(400);
    let (empty, _) = Browser::before_management().await;
    empty.get("/console/traces").await.expect(200).has("No session yet").has("curl");
}

#[tokio::test]
async fn two_recorded_requests_are_compared_side_by_side() {
    let browser = imported().await;
    let at = "/console/traces/compare";
    let page = browser.get(&format!("{at}?pick=Hello/1/old/a2&pick=Hello/1/old/a3")).await;
    page.expect(200)
        .has("<del>401</del>")
        .has("<ins>200</ins>")
        .in_order(&["A: GET /googledrive/files", "B: POST"]);
    let same = browser.get(&format!("{at}?pick=Hello/1/old/a2&pick=Hello/1/old/a2")).await;
    same.has("No difference.");
    for picks in ["", "pick=Hello/1/old/a2", "pick=Hello/1/old/a2&pick=Other/1/old/a3", "pick=a&pick=b"] {
        browser.get(&format!("{at}?{picks}")).await.expect(400).has("tick exactly two");
    }
    browser.get(&format!("{at}?pick=Hello/1/old/a2&pick=Hello/1/none/a3")).await.expect(404);
}

#[tokio::test]
async fn masks_are_added_changed_and_deleted_for_all_proxies_and_for_one() {
    let browser = imported().await;
    for at in ["/console/traces/masks", "/console/proxies/Hello/trace/masks"] {
        browser.get(at).await.expect(200).has("Nothing more is hidden");
        let new = format!("{at}/new");
        let form = browser.get(&new).await;
        let typed = [
            ("name", "cards"),
            ("variables", "request.formparam.pin\r\n\r\nflow.pin"),
            ("jSONPathsRequest", "$.card.number"),
            ("xPathsResponse", "/s:order/s:iban"),
            ("namespaces", "s=urn:shop"),
        ];
        let done = browser.submit(&form, &new, &typed).await;
        assert_eq!(done.redirect(), format!("{at}?done=saved"));
        browser.get(at).await.has("flow.pin").has("$.card.number");
        browser.submit(&form, &new, &typed).await.expect(400).has("There is one of this name");
        let one = format!("{at}/config/cards");
        let form = browser.get(&one).await;
        form.expect(200).has("s=urn:shop").has("request.formparam.pin\nflow.pin");
        let refused = browser.submit(&form, &one, &[("jSONPathsRequest", "$.[")]).await;
        refused.expect(400).has("$.[");
        browser.submit(&form, &one, &[("namespaces", "urn:shop")]).await.expect(400).has("prefix=namespace");
        browser.submit(&form, &one, &[("variables", "flow.other")]).await.redirect();
        browser.get(at).await.has("flow.other").has_not("flow.pin");
        let ask = browser.get(&format!("{one}/delete")).await;
        ask.expect(200).has("Delete the mask configuration cards?");
        browser.submit(&ask, &format!("{one}/delete"), &[]).await.redirect();
        browser.get(at).await.has("Nothing more is hidden");
        browser.get(&one).await.expect(404);
    }
}
