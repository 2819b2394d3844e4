//! `files/{fileId}/export`: Google documents as other formats.

use axum::body::Body;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde_json::{Value, json};

use super::super::bearer::Call;
use super::super::oauth::escape_html;
use super::super::oauth::scope::Needs;
use super::super::problem::Problem;
use super::node::{DOCUMENT, Node, PRESENTATION, SPREADSHEET};
use super::pdf;

/// Google exports no more than this.
const LIMIT: u64 = 10 << 20;

const PDF: &str = "application/pdf";

/// What each of Google's types can be exported as, the first being its own text.
const TARGETS: &[(&str, &[&str])] = &[
    (DOCUMENT, &["text/plain", "text/html", "text/markdown", PDF]),
    (SPREADSHEET, &["text/csv", "text/tab-separated-values", PDF]),
    (PRESENTATION, &["text/plain", PDF]),
];

/// What can be imported as each of Google's types.
const SOURCES: &[(&str, &[&str])] = &[
    (DOCUMENT, &["text/plain", "text/markdown"]),
    (SPREADSHEET, &["text/csv"]),
    (PRESENTATION, &["text/plain"]),
];

/// The formats a type can be exported as; `None` for types without exports.
pub(crate) fn targets(mime_type: &str) -> Option<&'static [&'static str]> {
    TARGETS.iter().find(|(source, _)| *source == mime_type).map(|(_, targets)| *targets)
}

/// Whether contents of a type can be kept as a file of `mime_type`.
pub(crate) fn can_hold(mime_type: &str, sent: Option<&str>) -> bool {
    if !mime_type.starts_with("application/vnd.google-apps.") {
        return true;
    }
    let sent = sent.map(|sent| sent.split(';').next().unwrap_or(sent).trim());
    let sources = SOURCES.iter().find(|(target, _)| *target == mime_type).map(|(_, sources)| *sources);
    match (sources, sent) {
        (Some(sources), Some(sent)) => sources.contains(&sent),
        _ => false,
    }
}

/// `exportFormats` of about.
pub(crate) fn formats() -> Value {
    TARGETS
        .iter()
        .map(|(source, targets)| ((*source).to_owned(), json!(targets)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// `importFormats` of about.
pub(crate) fn imports() -> Value {
    let mut all = serde_json::Map::new();
    for (target, sources) in SOURCES {
        for source in *sources {
            let known = all.entry(*source).or_insert_with(|| json!([]));
            if let Value::Array(list) = known {
                list.push(json!(target));
            }
        }
    }
    all.into()
}

/// `exportLinks` of a Google document.
pub(crate) fn links(node: &Node, base: &str) -> Option<Value> {
    let links = targets(&node.mime_type)?.iter().map(|target| {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("mimeType", target).finish();
        ((*target).to_owned(), json!(format!("{base}/drive/v3/files/{}/export?{query}", node.id)))
    });
    Some(links.collect::<serde_json::Map<_, _>>().into())
}

pub(crate) async fn export(call: Call, Path(file_id): Path<String>) -> Result<Response, Problem> {
    call.needs(Needs::Content)?;
    let target = call.params.filled("mimeType").ok_or_else(|| Problem::required("mimeType"))?;
    let (node, blob) = {
        let tree = call.app.tree();
        let (node, _) = tree.visible(call.viewer(), &file_id, call.app.now())?;
        (node.clone(), node.head().map(|head| head.blob.clone()))
    };
    let Some(targets) = targets(&node.mime_type) else {
        let message = "Export only supports Docs Editors files.";
        return Err(
            Problem::new(StatusCode::FORBIDDEN, "fileNotExportable", message).about_parameter("fileId")
        );
    };
    if !targets.contains(&target) {
        return Err(
            Problem::bad_request("The requested conversion is not supported.").about_parameter("convertTo")
        );
    }
    let blob = blob.ok_or_else(Problem::internal)?;
    if blob.size() > LIMIT {
        let message = "This file is too large to be exported.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "exportSizeLimitExceeded", message));
    }
    let text =
        tokio::task::spawn_blocking(move || blob.text(LIMIT)).await.map_err(|_| Problem::internal())??;
    Ok((
        [(CONTENT_TYPE, target.to_owned()), (CONTENT_DISPOSITION, "attachment".to_owned())],
        Body::from(render(&node.name, &text, target)),
    )
        .into_response())
}

fn render(title: &str, text: &str, target: &str) -> Vec<u8> {
    match target {
        PDF => pdf::document(title, text),
        "text/html" => format!(
            "<html><head><meta charset=\"utf-8\"><title>{}</title></head><body>{}</body></html>",
            escape_html(title),
            text.lines().map(|line| format!("<p>{}</p>", escape_html(line))).collect::<String>(),
        )
        .into_bytes(),
        "text/tab-separated-values" => text.replace(',', "\t").into_bytes(),
        // Google's plain text begins with a byte order mark and ends lines with CR LF.
        "text/plain" => format!("\u{feff}{}", text.replace("\r\n", "\n").replace('\n', "\r\n")).into_bytes(),
        _ => text.as_bytes().to_vec(),
    }
}
