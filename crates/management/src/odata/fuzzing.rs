//! Ways in for `crate::fuzzing`.

use axum::http::{HeaderMap, HeaderValue, Method, header};
use bytes::Bytes;

use pierhead_domain::EpochMillis;

use super::options::Options;
use super::path::Resource;
use super::{Call, Limits, Schema, batch};

pub(crate) fn fuzz_uri(schema: &Schema, path: &str, query: &str) {
    let Ok(Resource::Entities(target)) = Resource::parse(schema, &["Deploy", "Undeploy"], path) else {
        return;
    };
    let set = target.last_set();
    if let Ok(options) = Options::parse(schema, set, query) {
        let next = options.next_query(100);
        assert!(Options::parse(schema, set, &next).is_ok(), "the next page of {query:?} is {next:?}");
    }
}

pub(crate) fn fuzz_batch(body: &[u8]) {
    let kind = HeaderValue::from_static("multipart/mixed; boundary=b");
    let limits = Limits {
        root: "http://localhost/Management.svc".into(),
        page: 100,
        batch_operations: 10,
        now: EpochMillis::new(0),
        nonce: "n".into(),
    };
    let call = Call {
        method: Method::POST,
        path: "$batch".into(),
        query: String::new(),
        headers: HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]),
        body: Bytes::copy_from_slice(body),
    };
    batch::fuzz(&limits, &call);
}
