//! What of a message goes on from one side to the other (api-management §9.7).

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST};

use crate::compile::{Retained, TargetPlan};
use crate::exchange::Exchange;

/// Drops what of the client's request the target endpoint does not take over. Its own steps come afterwards
/// and may add what they like.
pub(super) fn request(cx: &mut Exchange, target: &TargetPlan) {
    headers(&mut cx.request.headers, &target.request_headers);
    if target.query_params.only_listed
        && let Some(head) = cx.request.as_request_mut()
    {
        let names: Vec<String> = head.params().names().into_iter().map(str::to_owned).collect();
        let params = head.edit_params();
        names.iter().filter(|name| !target.query_params.keeps(name)).for_each(|name| params.remove(name));
    }
}

/// The same for the target's answer.
pub(super) fn response(cx: &mut Exchange, target: &TargetPlan) {
    if let Some(response) = &mut cx.response {
        headers(&mut response.headers, &target.response_headers);
    }
}

fn headers(headers: &mut HeaderMap, retained: &Retained) {
    if !retained.only_listed {
        return;
    }
    // What says how the body is to be read stays with the body. Unsourced.
    let describes_body = [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LENGTH, HOST];
    let dropped: Vec<_> = headers
        .keys()
        .filter(|name| !retained.keeps(name.as_str()) && !describes_body.contains(name))
        .cloned()
        .collect();
    for name in dropped {
        headers.remove(name);
    }
}
