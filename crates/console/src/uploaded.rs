//! The extractor of a form with a file: read with a limit, and only with a valid form token.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};

use crate::Console;
use crate::interrupted::Interrupted;
use crate::visit::Visit;

/// The largest upload.
pub(crate) const LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// The file of a form that this visitor was given by this console; empty when none was chosen.
///
/// A value of this type has passed the form token check; nothing checks again.
pub(crate) struct Uploaded {
    /// As the browser calls it.
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
}

impl FromRequest<Arc<Console>> for Uploaded {
    type Rejection = Interrupted;

    async fn from_request(request: Request, console: &Arc<Console>) -> Result<Self, Interrupted> {
        let visit = request.extensions().get::<Visit>().cloned().ok_or(Interrupted::Broken)?;
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let boundary = multer::parse_boundary(kind.unwrap_or_default());
        let boundary = boundary.map_err(|_| Interrupted::StaleForm)?;
        let body = Limited::new(request.into_body(), LIMIT_BYTES).collect().await;
        let body = body.map_err(|_| Interrupted::UploadTooLarge)?.to_bytes();
        let once = futures_util::stream::once(async move { Ok::<_, Infallible>(body) });
        let mut form = multer::Multipart::new(once, boundary);
        let (mut token, mut file) = (String::new(), Self { name: String::new(), bytes: Bytes::new() });
        while let Some(field) = form.next_field().await.map_err(|_| Interrupted::StaleForm)? {
            let file_name = field.file_name().map(str::to_owned);
            let is_token = field.name() == Some("_csrf");
            let bytes = field.bytes().await.map_err(|_| Interrupted::StaleForm)?;
            match file_name {
                Some(name) => file = Self { name, bytes },
                None if is_token => token = String::from_utf8_lossy(&bytes).into_owned(),
                None => {}
            }
        }
        if console.signer.verifies("form", &visit.form_seed, &token) {
            Ok(file)
        } else {
            Err(Interrupted::StaleForm)
        }
    }
}

impl Uploaded {
    /// The file's name without folders and `.zip`.
    pub(crate) fn stem(&self) -> &str {
        let file = self.name.rsplit(['/', '\\']).next().unwrap_or_default();
        file.strip_suffix(".zip").or_else(|| file.strip_suffix(".ZIP")).unwrap_or(file)
    }
}
