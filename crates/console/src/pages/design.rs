//! The visual language: each component once, in both themes.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;

use crate::Console;
use crate::fields::{FormMistake, Mistakes};
use crate::interrupted::Interrupted;
use crate::shell::{Place, Shell, html};
use crate::visit::Visit;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/design", get(design))
}

#[derive(Template)]
#[template(path = "pages/design.html")]
struct DesignPage {
    shell: Shell,
    mistakes: Mistakes,
}

async fn design(visit: Visit) -> Result<Response, Interrupted> {
    let refused = FormMistake {
        message: "The vendor refused the refresh token. Reconnect to go on.".into(),
        request_id: "53dbca9430045c016b46566c".into(),
    };
    let mistakes = Mistakes { of_form: Some(refused), ..Mistakes::default() };
    let shell = Shell::new(&visit, "Design", Place::Elsewhere).crumb("Overview", "/console");
    html(&DesignPage { shell, mistakes })
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn every_component_is_shown() {
        let page = Browser::signed_in().await.get("/console/design").await;
        page.expect(200);
        for component in [
            "Buttons",
            "Pills",
            "Fields",
            "Notices",
            "Table",
            "Empty state",
            "Code",
            "Secret",
            "Flow",
            "Facts",
        ] {
            page.has(&format!("<h3>{component}</h3>"));
        }
    }
}
