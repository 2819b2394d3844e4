//! Calls that the steps of a recorded exchange make.

use std::rc::Rc;
use std::time::Instant;

use super::recorder::{Recorder, micros, traced};
use super::shot::MessageShot;
use super::transaction::Point;
use crate::callout::{Callout, LocalFuture, Outbound};
use crate::exchange::Message;
use crate::fault::EngineFault;
use crate::logging::LogLine;

/// Makes the calls, and writes them down.
pub(super) struct TracedOutbound {
    inner: Rc<dyn Outbound>,
    recorder: Rc<Recorder>,
}

impl TracedOutbound {
    pub(super) fn new(inner: Rc<dyn Outbound>, recorder: Rc<Recorder>) -> Self {
        Self { inner, recorder }
    }
}

/// What a call for a token sends and gets, by its names in RFC 6749 and RFC 7523: hidden wherever it goes.
const CREDENTIALS: &[&str] = &[
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "assertion",
    "client_assertion",
    "password",
];

fn keep_credentials(recorder: &Recorder, message: &Message) {
    let text = message.content();
    if let Ok(serde_json::Value::Object(members)) = serde_json::from_str(&text) {
        let known = members.iter().filter(|(name, _)| CREDENTIALS.contains(&name.as_str()));
        known.filter_map(|(_, value)| value.as_str()).for_each(|value| recorder.keep_secret(value));
    }
    for (name, value) in message.form().iter() {
        if CREDENTIALS.contains(&name) {
            recorder.keep_secret(value);
        }
    }
}

impl Outbound for TracedOutbound {
    fn call(&self, callout: Callout) -> LocalFuture<Result<Message, EngineFault>> {
        let recorder = Rc::clone(&self.recorder);
        let (url, request) = (callout.url(), callout.request.clone());
        let called = self.inner.call(callout);
        Box::pin(async move {
            let began = Instant::now();
            let answered = called.await;
            let took_us = micros(began);
            if let Ok(answer) = &answered {
                let method = request.as_request().map(|head| head.method.clone()).unwrap_or_default();
                recorder.keep_answer(false, method, url.clone(), answer);
            }
            keep_credentials(&recorder, &request);
            answered.iter().for_each(|answer| keep_credentials(&recorder, answer));
            let request = recorder.shot("request", &request);
            let answer = answered.as_ref().ok().map(|answer| recorder.shot("answer", answer));
            let fault = answered.as_ref().err().map(|fault| traced(&fault.fault()));
            let size = url.len() + request.size() + answer.as_ref().map_or(0, MessageShot::size);
            recorder.add(size, Point::Call { url: recorder.url(url), took_us, request, answer, fault });
            answered
        })
    }

    fn log(&self, line: LogLine) -> bool {
        self.inner.log(line)
    }

    /// The exchange itself says what was sent and received.
    fn forward(&self, callout: Callout) -> LocalFuture<Result<Message, EngineFault>> {
        self.inner.forward(callout)
    }

    fn target(&self, method: &http::Method, url: &str) -> Option<Result<Message, EngineFault>> {
        self.inner.target(method, url)
    }
}
