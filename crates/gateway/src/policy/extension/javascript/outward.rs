//! `httpClient`: calls that scripts make.

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use pierhead_script::js::HostValue;

use super::host::{Answer, Outside, failed};
use crate::callout::{Callout, locate};
use crate::compile::TargetTimeouts;
use crate::exchange::{Exchange, Message, MessageBody, PendingCall};
use crate::proxy::strip_hop_by_hop;

/// Calls that the scripts of one request may make.
const MOST_CALLS: usize = 100;

/// Begins a call; gives its number. It goes on while the script and the flow do.
pub(super) fn send(cx: &mut Exchange, outside: &Outside, arguments: &[HostValue]) -> Answer {
    let [url, method, headers, body] = arguments else { return Err(failed("a call needs a URL")) };
    let calls = &mut cx.scripts.get_or_insert_default().calls;
    if calls.len() >= MOST_CALLS {
        return Err(failed(format!("the scripts of one request may make {MOST_CALLS} calls")));
    }
    let begun = match callout(outside, url, method, headers, body) {
        Ok(callout) => PendingCall::Running(tokio::task::spawn_local(outside.outbound.call(callout))),
        // What is wrong with the request is told as the original does: by the exchange, not by a throw.
        Err(why) => PendingCall::Ended(Err(why)),
    };
    calls.push(begun);
    #[expect(clippy::cast_precision_loss, reason = "there are few calls")]
    Ok(HostValue::Number((calls.len() - 1) as f64))
}

fn callout(
    outside: &Outside,
    url: &HostValue,
    method: &HostValue,
    headers: &HostValue,
    body: &HostValue,
) -> Result<Callout, String> {
    let url = url.as_text().unwrap_or_default();
    let (mut endpoint, target) = locate(url).ok_or_else(|| format!("'{url}' is not an http or https URL"))?;
    endpoint.trust_all = outside.trust_all;
    endpoint.identity = outside.identity.clone()?.filter(|_| endpoint.tls);
    let method = method.as_text().unwrap_or("GET").to_ascii_uppercase();
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| format!("'{method}' is not a method"))?;
    let body = match body.as_text() {
        None | Some("") => MessageBody::Empty,
        Some(text) => MessageBody::Replaced(bytes::Bytes::copy_from_slice(text.as_bytes())),
    };
    Ok(Callout {
        endpoint,
        request: request(method, target, headers, body)?,
        timeouts: TargetTimeouts::default(),
        within: outside.within,
        answer_limit: outside.answer_limit,
    })
}

fn request(
    method: Method,
    target: PathAndQuery,
    pairs: &HostValue,
    body: MessageBody,
) -> Result<Message, String> {
    let mut headers = HeaderMap::new();
    if let HostValue::List(pairs) = pairs {
        for pair in pairs.chunks_exact(2) {
            let bad = || format!("header '{}' cannot be sent", pair[0]);
            let name = HeaderName::from_bytes(pair[0].as_bytes()).map_err(|_| bad())?;
            headers.append(name, HeaderValue::from_str(&pair[1]).map_err(|_| bad())?);
        }
    }
    // Scripts hand on the headers of a request that had another host and another body.
    strip_hop_by_hop(&mut headers).map_err(|_| "too many headers are named by Connection".to_owned())?;
    headers.remove(http::header::HOST);
    headers.remove(http::header::CONTENT_LENGTH);
    Ok(Message::request(method, target, Version::HTTP_11, headers, body))
}

/// How a call ended: null while it runs; `error` and why; or `answer`, status, reason, content, headers.
pub(super) fn outcome(cx: &mut Exchange, arguments: &[HostValue]) -> Answer {
    Ok(match call(cx, arguments).ok_or_else(|| failed("there is no such call"))?.settle() {
        None => HostValue::Null,
        Some(Err(why)) => HostValue::List(vec!["error".into(), why.clone()]),
        Some(Ok(answer)) => {
            let reason = answer.as_response().map_or("", |head| head.reason_phrase());
            let mut parts = vec![
                "answer".into(),
                answer.status().as_u16().to_string(),
                reason.to_owned(),
                answer.content().into_owned(),
            ];
            for (name, value) in &answer.headers {
                parts.push(name.as_str().to_owned());
                parts.push(String::from_utf8_lossy(value.as_bytes()).into_owned());
            }
            HostValue::List(parts)
        }
    })
}

/// The call of a number.
pub(super) fn call<'x>(cx: &'x mut Exchange, arguments: &[HostValue]) -> Option<&'x mut PendingCall> {
    let Some(HostValue::Number(number)) = arguments.first() else { return None };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "out of range finds nothing")]
    let index = *number as usize;
    cx.scripts.as_mut()?.calls.get_mut(index)
}
