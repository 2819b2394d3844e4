//! Looking into an instance of the documents hub: folders, and downloads.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::instance::instance_path;
use super::secrets::instance_wire;
use crate::Console;
use crate::interrupted::Interrupted;
use crate::shell::{Crumb, Place, Shell, html};
use crate::times::Moment;
use crate::visit::SignedIn;
use crate::wire::{Instance, StoredFile, escape};

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/instances/{id}/files", get(folder))
        .route("/console/instances/{id}/download", get(download))
}

/// How many entries one page of a folder shows.
const PAGE_SIZE: usize = 100;

#[derive(Template)]
#[template(path = "pages/files.html")]
struct FilesPage {
    shell: Shell,
    id: u64,
    folders: Vec<Crumb>,
    here: String,
    rows: Vec<FileRow>,
    next: String,
}

struct FileRow {
    name: String,
    href: String,
    directory: bool,
    size: String,
    modified: Option<Moment>,
}

async fn folder(
    SignedIn { visit, wire }: SignedIn,
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
) -> Result<Response, Interrupted> {
    let instance: Instance = wire.get(&instance_path(&id)?).await?;
    let as_instance = instance_wire(&wire, &instance.token).await?;
    let path = Some(visit.query.get("path")).filter(|path| !path.is_empty()).unwrap_or("/").to_owned();
    let mut call = format!(
        "/elements/api-v2/hubs/documents/folders/contents?path={}&pageSize={PAGE_SIZE}",
        escape(&path)
    );
    if visit.query.ticked("next") {
        call.push_str(&format!("&nextPage={}", escape(visit.query.get("next"))));
    }
    let answer = as_instance.send(Method::GET, &call, None).await.map_err(Interrupted::Refused)?;
    let next = answer.headers.get("elements-next-page-token").and_then(|token| token.to_str().ok());
    let next = next.map_or_else(String::new, |token| {
        format!("/console/instances/{id}/files?path={}&next={}", escape(&path), escape(token))
    });
    let mut files: Vec<StoredFile> = answer.json()?;
    files.sort_by_key(|file| (!file.directory, file.name.to_lowercase()));
    let now = console.clock.now();
    let (folders, here) = way(instance.id, &path);
    let page = FilesPage {
        shell: Shell::new(&visit, "Files", Place::Instances)
            .crumb("Instances", "/console/instances")
            .crumb(&instance.name, format!("/console/instances/{id}"))
            .behind(&wire),
        id: instance.id,
        folders,
        here,
        rows: files.iter().map(|file| FileRow::new(instance.id, &path, file, now)).collect(),
        next,
    };
    html(&page)
}

impl FileRow {
    fn new(id: u64, folder: &str, file: &StoredFile, now: pierhead_domain::EpochMillis) -> Self {
        let path = match file.path.as_str() {
            "" => format!("{}/{}", folder.trim_end_matches('/'), file.name),
            path => path.to_owned(),
        };
        let page = if file.directory { "files" } else { "download" };
        Self {
            name: file.name.clone(),
            href: format!("/console/instances/{id}/{page}?path={}", escape(&path)),
            directory: file.directory,
            size: if file.directory { String::new() } else { size(file.size) },
            modified: Moment::read(&file.modified_date, now),
        }
    }
}

/// The folders above `path` as links, and its own name.
fn way(id: u64, path: &str) -> (Vec<Crumb>, String) {
    let mut above =
        vec![Crumb { label: "Top".into(), href: format!("/console/instances/{id}/files?path=%2F") }];
    let mut walked = String::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        walked.push('/');
        walked.push_str(segment);
        let href = format!("/console/instances/{id}/files?path={}", escape(&walked));
        above.push(Crumb { label: segment.into(), href });
    }
    let here = above.pop().map_or_else(String::new, |crumb| crumb.label);
    (above, here)
}

/// Bytes in the unit that keeps the number short; 1 KB is 1,000 bytes, as disks are sold.
fn size(bytes: u64) -> String {
    let (unit, divisor) = match bytes {
        0..1_000 => return format!("{bytes} B"),
        1_000..1_000_000 => ("KB", 1_000),
        1_000_000..1_000_000_000 => ("MB", 1_000_000),
        _ => ("GB", 1_000_000_000),
    };
    let tenths = bytes.saturating_mul(10) / divisor;
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// Streams a file. It is always saved, never shown: a file may be a page that attacks this one.
async fn download(
    SignedIn { visit, wire }: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Interrupted> {
    let instance: Instance = wire.get(&instance_path(&id)?).await?;
    let as_instance = instance_wire(&wire, &instance.token).await?;
    let path = visit.query.get("path");
    let call = format!("/elements/api-v2/hubs/documents/files?path={}", escape(path));
    let response = as_instance.open(Method::GET, &call, None).await.map_err(Interrupted::Refused)?;
    let (parts, body) = response.into_parts();
    let mut answer = body.into_response();
    let headers = answer.headers_mut();
    let kept = [CONTENT_TYPE, CONTENT_LENGTH];
    headers.extend(
        kept.into_iter()
            .filter_map(|name| Some((parts.headers.get(&name)?.clone(), name)))
            .map(|(value, name)| (name, value)),
    );
    let name = path.rsplit('/').next().unwrap_or_default();
    let disposition = format!("attachment; filename*=UTF-8''{}", escape(name));
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Browser;

    #[tokio::test]
    async fn folders_open_and_files_are_saved_never_shown() {
        let browser = Browser::signed_in().await;
        let top = browser.get("/console/instances/501/files?path=/").await;
        top.expect(200).has("Contracts").has("files?path=%2FContracts").has("download?path=%2Freport.pdf");

        let file = browser.get("/console/instances/501/download?path=%2Freport.pdf").await;
        file.expect(200).has("%PDF-1.7");
        assert_eq!(file.header("content-type"), "application/pdf");
        assert_eq!(file.header("content-disposition"), "attachment; filename*=UTF-8''report.pdf");
        assert_eq!(file.header("content-security-policy"), "sandbox");
    }

    #[tokio::test]
    async fn a_missing_folder_is_a_page() {
        let browser = Browser::signed_in().await;
        browser.get("/console/instances/501/files?path=/none").await.expect(404).has("request id");
    }

    #[test]
    fn the_way_down_is_a_breadcrumb() {
        let (above, here) = way(1, "/a/b c");
        assert_eq!(here, "b c");
        assert_eq!(above.iter().map(|crumb| crumb.label.as_str()).collect::<Vec<_>>(), ["Top", "a"]);
        assert_eq!(way(1, "/").1, "Top");
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!([size(0), size(999), size(1_500), size(5_242_880)], ["0 B", "999 B", "1.5 KB", "5.2 MB"]);
        assert_eq!(size(u64::MAX), "1844674407.3 GB");
    }
}
