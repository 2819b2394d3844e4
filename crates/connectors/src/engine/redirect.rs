//! Redirects of requests that only read. Each hop is a request of its own, so the address guard sees every
//! one of them; to another origin go no credentials, and from https to http goes nothing.

use http::{HeaderName, HeaderValue, Method, Response, header};
use url::Url;

use super::Body;
use super::build::Prepared;
use crate::driver::OutboundProblem;

/// Hops one request may take.
pub(crate) const MAX_HOPS: usize = 5;

/// Headers for the first origin's eyes only, besides those marked sensitive.
const CREDENTIALS: &[HeaderName] = &[header::AUTHORIZATION, header::COOKIE];

/// Points `prepared` at where the answer leads; false when it leads nowhere or the request does more than
/// read.
pub(crate) fn lead_on(prepared: &mut Prepared, answer: &Response<Body>) -> Result<bool, OutboundProblem> {
    let plain = prepared.method.is_safe();
    if !(plain || prepared.method.as_str() == "PROPFIND")
        || !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308)
    {
        return Ok(false);
    }
    let Some(target) = answer.headers().get(header::LOCATION) else { return Ok(false) };
    let refused = |rule: &str| OutboundProblem::Refused(format!("the vendor leads on, but {rule}"));
    let unreadable = || refused("its address cannot be read");
    let target = target.to_str().map_err(|_| unreadable())?;
    let here = Url::parse(&prepared.url).map_err(|_| unreadable())?;
    let mut there = here.join(target).map_err(|_| unreadable())?;
    there.set_fragment(None);
    if here.scheme() == "https" && there.scheme() != "https" {
        return Err(refused("from https to an unprotected address"));
    }
    if here.origin() != there.origin() {
        if !matches!(prepared.method, Method::GET | Method::HEAD) {
            return Err(refused("to another server"));
        }
        let secret =
            |name: &HeaderName, value: &HeaderValue| value.is_sensitive() || CREDENTIALS.contains(name);
        prepared.headers.retain(|(name, value)| !secret(name, value));
    }
    prepared.url = there.into();
    Ok(true)
}
