//! The switch between light, dark and the system's choice.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::post;

use super::login::own_page;
use crate::Console;
use crate::cookies;
use crate::posted::Posted;
use crate::visit::Theme;

const A_YEAR_S: u32 = 365 * 24 * 60 * 60;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/theme", post(choose))
}

async fn choose(State(console): State<Arc<Console>>, Posted(fields): Posted) -> Response {
    let line = match Theme::from_word(fields.get("theme")) {
        Theme::Auto => cookies::forget(cookies::THEME, console.secure()),
        theme => cookies::write(cookies::THEME, theme.word(), Some(A_YEAR_S), console.secure()),
    };
    (AppendHeaders([(SET_COOKIE, line)]), Redirect::to(own_page(fields.get("return")))).into_response()
}

#[cfg(test)]
mod tests {
    use crate::testing::Browser;

    #[tokio::test]
    async fn the_choice_stays_and_auto_takes_it_back() {
        let browser = Browser::signed_in().await;
        let page = browser.get("/console/maps").await;
        page.has("data-theme=\"auto\"");

        let dark =
            browser.submit(&page, "/console/theme", &[("theme", "dark"), ("return", "/console/maps")]).await;
        assert_eq!(dark.redirect(), "/console/maps");
        browser.get("/console/maps").await.has("data-theme=\"dark\"");

        browser.submit(&page, "/console/theme", &[("theme", "auto"), ("return", "/console/maps")]).await;
        browser.get("/console/maps").await.has("data-theme=\"auto\"");
    }
}
