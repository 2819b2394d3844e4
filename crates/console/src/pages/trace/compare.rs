//! Two recorded requests side by side, and what differs.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use percent_encoding::percent_decode_str;

use super::SessionAt;
use super::replay::{ReplayPage, Side};
use super::transaction::line;
use crate::Console;
use crate::interrupted::Interrupted;
use crate::shell::html;
use crate::visit::SignedIn;
use crate::wire::escape;
use crate::wire::trace::Compared;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/traces/compare", get(compare))
}

/// `<proxy>/<revision>/<session>/<id>`, each part escaped.
fn picked(text: &str) -> Option<(SessionAt, String)> {
    let parts: Vec<String> =
        text.split('/').map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect();
    let [proxy, revision, session, id] = <[String; 4]>::try_from(parts).ok()?;
    Some((SessionAt { proxy, revision, session }, id))
}

async fn compare(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
) -> Result<Response, Interrupted> {
    let picks: Vec<_> = visit.query.all("pick").into_iter().filter_map(picked).collect();
    let [(one, one_id), (other, other_id)] = picks.as_slice() else {
        return Err(Interrupted::NotTwo);
    };
    if one.proxy != other.proxy {
        return Err(Interrupted::NotTwo);
    }
    let path = format!(
        "{}/data/{}/compare?with={}&session={}&revision={}",
        one.path(&console),
        escape(one_id),
        escape(other_id),
        escape(&other.session),
        escape(&other.revision)
    );
    let compared: Compared = wire.get(&path).await?;
    let title = |letter: &str, transaction| format!("{letter}: {}", line(transaction));
    html(&ReplayPage {
        shell: one.shell(&visit, "Compare").behind(&wire),
        title: "Compare",
        sentence: "Two recorded requests: what the client got, what the target got, steps and variables.",
        again: String::new(),
        words: ["A", "B"],
        sides: [
            Side::of(title("A", &compared.recorded), &compared.recorded, "a"),
            Side::of(title("B", &compared.other), &compared.other, "b"),
        ],
        differences: compared.differences,
    })
}
