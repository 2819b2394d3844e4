//! The extractor of a console form: read with a limit, and only with a valid form token.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use http_body_util::{BodyExt, Limited};

use crate::Console;
use crate::fields::Fields;
use crate::interrupted::Interrupted;
use crate::visit::Visit;

/// The largest form: a key value map's value may be 10 KB, which percent-encoding can treble.
const LIMIT_BYTES: usize = 128 * 1024;

/// The fields of a form that this visitor was given by this console.
///
/// A value of this type has passed the form token check; nothing checks again.
pub(crate) struct Posted(pub(crate) Fields);

impl FromRequest<Arc<Console>> for Posted {
    type Rejection = Interrupted;

    async fn from_request(request: Request, console: &Arc<Console>) -> Result<Self, Interrupted> {
        let visit = request.extensions().get::<Visit>().cloned().ok_or(Interrupted::Broken)?;
        let body = Limited::new(request.into_body(), LIMIT_BYTES).collect().await;
        let fields = Fields::parse(&body.map_err(|_| Interrupted::FormTooLarge)?.to_bytes());
        if console.signer.verifies("form", &visit.form_seed, fields.get("_csrf")) {
            Ok(Self(fields))
        } else {
            Err(Interrupted::StaleForm)
        }
    }
}
