//! One revision of a shared flow: its steps, policies and files, and the flow hooks that run it.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde_json::Value;

use super::{Open, Revision, files};
use crate::Console;
use crate::interrupted::Interrupted;
use crate::pages::flow_hooks::{Hook, all_hooks};
use crate::shell::{Shell, html};
use crate::wire::{Report, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/shared-flows/{name}", get(show))
        .route("/console/shared-flows/{name}/revisions/{revision}", get(show))
}

#[derive(Template)]
#[template(path = "pages/shared_flow.html")]
struct FlowPage {
    shell: Shell,
    at: Revision,
    report: Report,
    files: Vec<(String, String)>,
    hooks: Vec<Hook>,
}

/// A revision, or the newest one.
async fn show(open: Open, State(console): State<Arc<Console>>) -> Result<Response, Interrupted> {
    let Open { visit, wire, at, .. } = open;
    let path = at.path(&console);
    let shown: Value = wire.get(&path).await?;
    let report: Report = wire.get(&format!("{path}/report")).await?;
    let hooks = all_hooks(&console, &wire).await?;
    let shell = at.own_shell(&visit).behind(&wire);
    html(&FlowPage { shell, at, report, files: files(&shown), hooks })
}

impl FlowPage {
    /// The page of a policy.
    fn policy(&self, name: &str) -> String {
        format!("{}/policies/{}", self.at.href(), escape(name))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Browser, bundles};

    const AT: &str = "/console/shared-flows/Guard/revisions/1";

    #[tokio::test]
    async fn a_shared_flow_is_edited_in_place() {
        let (browser, _) = Browser::before_management().await;
        browser.import(&bundles::guard(), "Guard", false).await;
        let page = browser.get("/console/shared-flows/Guard").await;
        page.expect(200).has("Not deployed").has(&format!("{AT}/steps")).has(&format!("{AT}/policies/Stop"));
        let kinds = browser.get(&format!("{AT}/new-policy")).await;
        kinds.expect(200).has(&format!("{AT}/new-policy/AssignMessage"));
        let new = format!("{AT}/new-policy/AssertCondition");
        let form = browser.get(&new).await;
        let content = "<AssertCondition><Condition>request.verb = \"GET\"</Condition></AssertCondition>";
        let done = browser.submit(&form, &new, &[("name", "Ask"), ("content", content)]).await;
        assert_eq!(done.redirect(), format!("{AT}/policies/Ask?done=created"));

        let steps = format!("{AT}/steps");
        let form = browser.get(&steps).await;
        form.expect(200).has("Of the shared flow").has("value=\"Stop\"").has("not deployed");
        let typed = [
            ("policy", "Stop"),
            ("condition", ""),
            ("new_policy", "Ask"),
            ("new_condition", "request.verb = \"PUT\""),
            ("act", "save"),
        ];
        let done = browser.submit(&form, &steps, &typed).await;
        let page = browser.get(done.redirect()).await;
        page.expect(200).has("Saved").in_order(&["Stop", "Ask", "request.verb = &#34;PUT&#34;"]);
        let refused =
            browser.submit(&form, &steps, &[("policy", "Ask"), ("condition", "(("), ("act", "save")]).await;
        refused.expect(400).has("sharedflows/default.xml:").has("value=\"((\"");
        let ask = browser.get(&format!("{AT}/policies/Ask/delete")).await;
        ask.expect(200).has("It is in use");
        let form = browser.get(&format!("{AT}/new-file")).await;
        let typed = [("type", "jsc"), ("name", "b.js"), ("content", "var b;")];
        let done = browser.submit(&form, &format!("{AT}/new-file"), &typed).await;
        browser.get(done.redirect()).await.has(&format!("{AT}/files/jsc/b.js"));
        for missing in ["/console/shared-flows/None", "/console/shared-flows/Guard/revisions/7"] {
            browser.get(missing).await.expect(404);
        }
    }

    #[tokio::test]
    async fn a_deployed_shared_flow_gets_a_new_revision_and_hooks_are_attached_from_its_page() {
        let (browser, real) = Browser::before_management().await;
        browser.import(&bundles::guard(), "Guard", true).await;
        let steps = format!("{AT}/steps");
        let form = browser.get(&steps).await;
        form.has("saving makes a new revision");
        let done = browser.submit(&form, &steps, &[("act", "save")]).await;
        assert_eq!(done.redirect(), "/console/shared-flows/Guard/revisions/2?done=saved&");
        let two = browser.get(done.redirect()).await;
        two.has("No step").has("revision 1 is deployed");
        assert_eq!(&*real.snapshots.load().shared_flow("Guard").unwrap().revision, "1");

        let hook = "/console/flow-hooks/PreProxyFlowHook";
        let typed = [("flow", "Guard"), ("return", AT)];
        let done = browser.submit(&two, hook, &typed).await;
        assert_eq!(done.redirect(), format!("{AT}?done=attached"));
        browser.get(done.redirect()).await.has("Detach").has("PreProxyFlowHook");
        let ask = browser.get(&format!("{hook}/detach?return={AT}")).await;
        ask.expect(200).has("Detach Guard from PreProxyFlowHook?");
        let done = browser.submit(&ask, &format!("{hook}/detach?return={AT}"), &[]).await;
        assert_eq!(done.redirect(), format!("{AT}?done=detached"));
        let elsewhere =
            browser.submit(&two, hook, &[("flow", "Guard"), ("return", "https://evil.example/")]).await;
        assert_eq!(elsewhere.redirect(), "/console/flow-hooks?done=attached");
    }
}
