//! Following redirects, where a caller wants that.

use bytes::Bytes;
use http::header::{self, HeaderName};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use url::Url;

use crate::{Body, CallLimits, Egress, EgressError, bytes_body};

/// The most redirects that [`Egress::follow`] follows for anybody.
pub const MAX_REDIRECTS: usize = 10;

/// In a response's extensions: where it really came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalUri(
    /// The address of the last hop.
    pub Uri,
);

/// Headers for the first origin's eyes only.
const CREDENTIALS: &[&str] = &["authorization", "cookie", "proxy-authorization"];

impl Egress {
    /// Sends a request and follows up to `at_most` redirects (never more than [`MAX_REDIRECTS`]). Every hop
    /// passes the guard again. To another origin go no credentials and no header marked sensitive; from
    /// https to http goes nothing. 303, and 301 and 302 after POST, continue with GET (RFC 9110 §15.4).
    pub async fn follow(
        &self,
        request: Request<Bytes>,
        limits: CallLimits,
        at_most: usize,
    ) -> Result<Response<Body>, EgressError> {
        let (parts, mut body) = request.into_parts();
        let (mut method, mut address, mut headers) = (parts.method, parts.uri, parts.headers);
        let mut hops_left = at_most.min(MAX_REDIRECTS);
        loop {
            let mut hop = Request::new(bytes_body(body.clone()));
            *hop.method_mut() = method.clone();
            *hop.uri_mut() = address.clone();
            *hop.headers_mut() = headers.clone();
            let mut response = self.send(hop, limits).await?;
            let Some(location) = redirect_target(&response) else {
                response.extensions_mut().insert(FinalUri(address));
                return Ok(response);
            };
            let stop =
                |rule| EgressError::Redirect { host: address.host().unwrap_or_default().to_owned(), rule };
            if hops_left == 0 {
                return Err(stop("there were too many in a row"));
            }
            hops_left -= 1;
            let here = Url::parse(&address.to_string()).map_err(|_| stop("its address cannot be read"))?;
            let there = here.join(&location).map_err(|_| stop("its address cannot be read"))?;
            if here.scheme() == "https" && there.scheme() != "https" {
                return Err(stop("it leads from https to an unprotected address"));
            }
            if here.origin() != there.origin() {
                forget_credentials(&mut headers);
            }
            if becomes_get(response.status(), &method) {
                method = Method::GET;
                body = Bytes::new();
                for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING] {
                    headers.remove(name);
                }
            }
            headers.remove(header::HOST);
            let mut next = there;
            next.set_fragment(None);
            address = next.as_str().parse().map_err(|_| stop("its address cannot be read"))?;
        }
    }
}

fn redirect_target(response: &Response<Body>) -> Option<String> {
    let follows = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(header::LOCATION).filter(|_| follows)?;
    Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
}

fn becomes_get(status: StatusCode, method: &Method) -> bool {
    match status.as_u16() {
        303 => method != Method::HEAD,
        301 | 302 => method == Method::POST,
        _ => false,
    }
}

fn forget_credentials(headers: &mut HeaderMap) {
    let secret: Vec<HeaderName> = headers
        .iter()
        .filter(|(name, value)| value.is_sensitive() || CREDENTIALS.contains(&name.as_str()))
        .map(|(name, _)| name.clone())
        .collect();
    for name in secret {
        headers.remove(name);
    }
}
