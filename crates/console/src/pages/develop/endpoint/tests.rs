use crate::testing::{Browser, Page, bundles};

const AT: &str = "/console/proxies/Whole/revisions/1";

async fn whole(deploy: bool) -> Browser {
    let (browser, _) = Browser::before_management().await;
    browser.import(&bundles::whole(), "Whole", deploy).await;
    browser
}

/// Sends the form as it stands, with some fields typed anew; a button is pressed by its `act`.
async fn press(browser: &Browser, form: &Page, path: &str, changed: &[(&str, &str)]) -> Page {
    let mut typed = form.typed("endpoint");
    for (name, value) in changed {
        match typed.iter_mut().rev().find(|(known, _)| known == name) {
            Some(field) => field.1 = (*value).to_owned(),
            None => typed.push(((*name).to_owned(), (*value).to_owned())),
        }
    }
    let typed: Vec<_> = typed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.submit(form, path, &typed).await
}

#[tokio::test]
async fn a_form_that_is_sent_as_it_came_changes_nothing() {
    let browser = whole(false).await;
    for kind in ["proxy", "target"] {
        let path = format!("{AT}/endpoints/{kind}/default");
        let form = browser.get(&path).await;
        form.expect(200).has("Saving changes").has_not("meanwhile");
        let done = press(&browser, &form, &path, &[("act", "save")]).await;
        let after = browser.get(done.redirect()).await;
        assert_eq!(form.typed("endpoint"), after.typed("endpoint"), "{kind}");
    }
}

#[tokio::test]
async fn the_shape_of_a_proxy_endpoint_is_edited() {
    let browser = whole(false).await;
    let path = format!("{AT}/endpoints/proxy/default");
    let form = browser.get(&path).await;
    form.in_order(&["value=\"/whole\"", "value=\"special\"", "value=\"usual\"", "Reads", "Slow"]);
    let moved = press(&browser, &form, &path, &[("act", "route-up-1")]).await;
    moved.expect(200).in_order(&["value=\"usual\"", "value=\"special\""]);
    let typed = [
        ("base_path", "/entire"),
        ("route_name", "nothing"),
        ("route_condition", "request.verb = \"HEAD\""),
        ("property_name", "api.timeout"),
        ("property_value", "1500"),
        ("act", "save"),
    ];
    let done = press(&browser, &form, &path, &typed).await;
    assert_eq!(done.redirect(), format!("{path}?done=saved"));
    let after = browser.get(done.redirect()).await;
    after.has("value=\"/entire\"").has("value=\"nothing\"").has("value=\"1500\"");
    browser.get(AT).await.has("/entire").has("request.verb = &#34;HEAD&#34;");

    let refused =
        press(&browser, &after, &path, &[("route_condition", "(("), ("route_name", "x"), ("act", "save")])
            .await;
    refused.expect(400).has("Nothing was saved").has("value=\"((\"").has("proxies/default.xml:");
    let refused = press(&browser, &after, &path, &[("base_path", "no slash"), ("act", "save")]).await;
    refused.expect(400).has("must start with").has("value=\"no slash\"");
    let refused = press(&browser, &after, &path, &[("name", ""), ("act", "save")]).await;
    refused.expect(400).has("Give the endpoint a name");
}

#[tokio::test]
async fn endpoints_are_added_renamed_and_deleted_after_a_question() {
    let browser = whole(false).await;
    let new = format!("{AT}/new-endpoint/target");
    let form = browser.get(&new).await;
    let typed = [("name", "third"), ("url", "https://third.example/"), ("act", "save")];
    let done = press(&browser, &form, &new, &typed).await;
    assert_eq!(done.redirect(), format!("{AT}/endpoints/target/third?done=saved"));
    press(&browser, &form, &new, &typed).await.expect(400).has("exists already");
    press(&browser, &form, &new, &[("name", "x"), ("act", "save")])
        .await
        .expect(400)
        .has("Enter the address");

    let form = browser.get(&format!("{AT}/endpoints/target/other")).await;
    let done = press(
        &browser,
        &form,
        &format!("{AT}/endpoints/target/other"),
        &[("name", "second"), ("act", "save")],
    )
    .await;
    assert_eq!(done.redirect(), format!("{AT}/endpoints/target/second?done=saved"));
    browser.get(&format!("{AT}/endpoints/proxy/default")).await.has("value=\"target:second\" selected");

    let ask = browser.get(&format!("{AT}/endpoints/target/second/delete")).await;
    ask.expect(200)
        .has("It is in use")
        .has("Route rule special of the proxy endpoint default")
        .has_not(">Delete</button>");
    let refused = browser.submit(&form, &format!("{AT}/endpoints/target/second/delete"), &[]).await;
    refused.expect(400).has("It is in use").has("second");
    let ask = browser.get(&format!("{AT}/endpoints/target/third/delete")).await;
    let done = browser.submit(&ask, &format!("{AT}/endpoints/target/third/delete"), &[]).await;
    browser.get(done.redirect()).await.has("Deleted").has_not("endpoints/target/third");
    for gone in ["endpoints/target/third", "endpoints/other/default", "endpoints/target/third/delete"] {
        browser.get(&format!("{AT}/{gone}")).await.expect(404);
    }
    let last = browser.submit(&form, &format!("{AT}/endpoints/proxy/default/delete"), &[]).await;
    last.expect(400).has("so it stays");
}

#[tokio::test]
async fn a_target_chooses_among_servers_and_what_runs_is_never_touched() {
    let browser = whole(true).await;
    let form = browser.get("/console/target-servers/new").await;
    let typed = [("name", "one"), ("host", "one.example"), ("port", "80"), ("enabled", "on")];
    browser.submit(&form, "/console/target-servers/new", &typed).await.redirect();
    let path = format!("{AT}/endpoints/target/default");
    let form = browser.get(&path).await;
    form.has("saving makes a new revision").has("<option value=\"one\">");
    press(&browser, &form, &path, &[("way", "servers"), ("act", "save")])
        .await
        .expect(400)
        .has("at least one");
    let typed = [
        ("way", "servers"),
        ("server_name", "one"),
        ("server_weight", "2"),
        ("max_failures", "3"),
        ("act", "save"),
    ];
    let done = press(&browser, &form, &path, &typed).await;
    assert_eq!(done.redirect(), "/console/proxies/Whole/revisions/2/endpoints/target/default?done=saved");
    browser.get(done.redirect()).await.has("value=\"servers\" selected").has("value=\"3\"");
    browser.get("/console/proxies/Whole/revisions/2").await.has("load balancer: one");
    browser.get(&path).await.has("backend.example").has("value=\"url\" selected");
}

#[tokio::test]
async fn rules_are_put_in_order_added_and_deleted() {
    let browser = whole(false).await;
    let at = format!("{AT}/steps?kind=proxy&endpoint=default&flow=fault-new&way=fault");
    let form = browser.get(&at).await;
    form.expect(200).has("Add a fault rule");
    browser
        .submit(&form, &at, &[("flow_name", ""), ("act", "save")])
        .await
        .expect(400)
        .has("Give the fault rule a name");
    let typed = [
        ("flow_name", "Any"),
        ("flow_condition", ""),
        ("new_policy", "Stop"),
        ("new_condition", ""),
        ("act", "save"),
    ];
    browser.submit(&form, &at, &typed).await.redirect();
    let at = format!("{AT}/steps?kind=proxy&endpoint=default&flow=fault-default&way=fault");
    let form = browser.get(&at).await;
    let typed = [
        ("flow_condition", ""),
        ("always", "on"),
        ("new_policy", "Log"),
        ("new_condition", ""),
        ("act", "save"),
    ];
    browser.submit(&form, &at, &typed).await.redirect();
    browser.get(&at).await.has("name=\"always\" type=\"checkbox\" value=\"on\" checked");

    let path = format!("{AT}/endpoints/proxy/default");
    let form = browser.get(&path).await;
    form.in_order(&["Slow", "Any", "Default fault rule"]);
    let moved = press(&browser, &form, &path, &[("act", "fault-up-1")]).await;
    moved.expect(200).in_order(&["Any", "Slow"]);
    let done = press(&browser, &moved, &path, &[("act", "save")]).await;
    let saved = browser.get(done.redirect()).await;
    saved.in_order(&["Any", "Slow", "Default fault rule"]);
    let gone = press(&browser, &saved, &path, &[("act", "fault-remove-0")]).await;
    let done = press(&browser, &gone, &path, &[("act", "save")]).await;
    browser.get(done.redirect()).await.has_not("Move Any").has("Move Slow");
    let delete = at.replace("/steps?", "/steps/delete?");
    let ask = browser.get(&delete).await;
    ask.has("Delete the fault rule Default fault rule?");
    browser.submit(&ask, &delete, &[]).await.redirect();
    browser.get(&path).await.has("Add a default fault rule");
    browser.get(&delete).await.expect(404);
}
