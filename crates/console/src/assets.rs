//! Stylesheet, script, icon sprite: compiled in, named by their content, cached for a year.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::Console;

/// One file as the browser sees it.
struct Asset {
    name: String,
    content_type: &'static str,
    etag: String,
    body: String,
}

impl Asset {
    fn new(stem: &str, extension: &str, content_type: &'static str, parts: &[&str]) -> Self {
        let body = match extension {
            "css" => squeeze(&parts.concat()),
            _ => unindent(&parts.concat()),
        };
        let digest = Sha256::digest(body.as_bytes());
        let hash: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Self { name: format!("{stem}.{hash}.{extension}"), content_type, etag: format!("\"{hash}\""), body }
    }

    fn url(&self) -> String {
        format!("/console/assets/{}", self.name)
    }
}

/// A script or drawing without the indentation and empty lines that only its sources need.
fn unindent(text: &str) -> String {
    let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// A stylesheet without comments and the blanks that mean nothing. Ours has no strings that hold such blanks.
fn squeeze(css: &str) -> String {
    let mut parts = css.split("/*");
    let mut bare = parts.next().unwrap_or_default().to_owned();
    bare.extend(parts.map(|part| part.split_once("*/").map_or("", |(_, rest)| rest)));
    let mut line = unindent(&bare).replace('\n', "");
    for (wide, narrow) in
        [(" {", "{"), (": ", ":"), (", ", ","), ("; ", ";"), ("{ ", "{"), (" }", "}"), (";}", "}")]
    {
        line = line.replace(wide, narrow);
    }
    line
}

static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "console",
        "css",
        "text/css; charset=utf-8",
        &[
            include_str!("../assets/css/tokens.css"),
            include_str!("../assets/css/base.css"),
            include_str!("../assets/css/layout.css"),
            include_str!("../assets/css/controls.css"),
            include_str!("../assets/css/forms.css"),
            include_str!("../assets/css/tables.css"),
            include_str!("../assets/css/blocks.css"),
            include_str!("../assets/css/overlays.css"),
        ],
    )
});

static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "console",
        "js",
        "text/javascript; charset=utf-8",
        &[
            include_str!("../assets/js/copy.js"),
            include_str!("../assets/js/toast.js"),
            include_str!("../assets/js/filter.js"),
            include_str!("../assets/js/form.js"),
            include_str!("../assets/js/palette.js"),
            include_str!("../assets/js/consent.js"),
        ],
    )
});

static SPRITE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("icons", "svg", "image/svg+xml", &[include_str!("../assets/vendor/lucide/sprite.svg")])
});

static MARK: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("pierhead", "svg", "image/svg+xml", &[include_str!("../assets/pierhead.svg")])
});

static DEVELOP: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("develop", "css", "text/css; charset=utf-8", &[include_str!("../assets/css/develop.css")])
});

static EDITOR: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("editor", "js", "text/javascript; charset=utf-8", &[include_str!("../assets/js/editor.js")])
});

static POLICIES: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("policies", "json", "application/json", &[crate::pages::POLICIES]));

/// Address of the stylesheet of the pages that edit flows.
pub(crate) fn develop_url() -> String {
    DEVELOP.url()
}

/// Address of the editor's script.
pub(crate) fn editor_url() -> String {
    EDITOR.url()
}

/// Address of the elements and attributes that the editor offers.
pub(crate) fn policies_url() -> String {
    POLICIES.url()
}

static TRACE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("trace", "css", "text/css; charset=utf-8", &[include_str!("../assets/css/trace.css")])
});

static TRACE_SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("trace", "js", "text/javascript; charset=utf-8", &[include_str!("../assets/js/trace.js")])
});

/// Address of the stylesheet of the trace pages.
pub(crate) fn trace_url() -> String {
    TRACE.url()
}

/// Address of the script of the trace pages.
pub(crate) fn trace_script_url() -> String {
    TRACE_SCRIPT.url()
}

/// Address of the stylesheet.
pub(crate) fn style_url() -> String {
    STYLE.url()
}

/// Address of the script.
pub(crate) fn script_url() -> String {
    SCRIPT.url()
}

/// Address of the icon sprite; a fragment names the icon.
pub(crate) fn sprite_url() -> String {
    SPRITE.url()
}

/// Address of the product's mark, which is also the page icon.
pub(crate) fn mark_url() -> String {
    MARK.url()
}

/// `GET /console/assets/{name}`.
pub(crate) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/console/assets/{name}", get(serve))
}

async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let known: [&LazyLock<Asset>; 9] =
        [&STYLE, &SCRIPT, &SPRITE, &MARK, &DEVELOP, &EDITOR, &POLICIES, &TRACE, &TRACE_SCRIPT];
    let Some(asset) = known.into_iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let cached = [(ETAG, asset.etag.as_str()), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    if headers.get(IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == asset.etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, cached).into_response();
    }
    (cached, [(CONTENT_TYPE, asset.content_type)], asset.body.as_str()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_script_and_sprite_leave_room_for_the_page_within_60_kb() {
        let total = STYLE.body.len() + SCRIPT.body.len() + SPRITE.body.len() + MARK.body.len();
        assert!(total < 40 * 1024, "{total} bytes of assets");
    }

    #[test]
    fn a_stylesheet_loses_only_what_means_nothing() {
        let css =
            "/* why */\n.a:hover, .b > c {\n  margin: 0 calc(1px + 2px);\n}\n@media (x) { .d { e: f; } }";
        assert_eq!(squeeze(css), ".a:hover,.b > c{margin:0 calc(1px + 2px)}@media (x){.d{e:f}}");
        assert_eq!(STYLE.body.matches('{').count(), STYLE.body.matches('}').count());
    }

    #[test]
    fn the_sprite_holds_every_icon_a_template_names() {
        let mut files = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/templates"))];
        files.push(std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
        let mut seen = 0;
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for found in text.split("ui::icon(\"").skip(1) {
                let icon = found.split('"').next().unwrap();
                assert!(SPRITE.body.contains(&format!("id=\"{icon}\"")), "{icon} in {}", path.display());
                seen += 1;
            }
        }
        assert!(seen > 5);
    }

    #[tokio::test]
    async fn an_asset_is_sent_once_and_confirmed_after_that() {
        let first = serve(Path(STYLE.name.clone()), HeaderMap::new()).await;
        assert_eq!(first.status(), StatusCode::OK);
        let mut again = HeaderMap::new();
        again.insert(IF_NONE_MATCH, first.headers()[ETAG].clone());

        assert_eq!(serve(Path(STYLE.name.clone()), again).await.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(serve(Path("console.css".into()), HeaderMap::new()).await.status(), StatusCode::NOT_FOUND);
    }
}
