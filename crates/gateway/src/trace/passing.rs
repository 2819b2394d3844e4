//! A body that passes by a recorded exchange: its beginning is kept for the session.

use std::rc::Rc;

use bytes::Bytes;

use super::kept::RawBody;
use super::recorder::Recorder;

/// Notes a body frame by frame; what it has seen is handed in when it is dropped.
pub(crate) struct Passing {
    recorder: Rc<Recorder>,
    of_request: bool,
    gone: Gone,
}

/// What has gone by.
#[derive(Debug, Default)]
pub(super) struct Gone {
    /// The beginning, or all of it.
    pub(super) seen: Vec<u8>,
    /// Bytes so far.
    pub(super) total: usize,
    /// Its end came.
    pub(super) ended: bool,
}

impl Passing {
    /// Of the request's body.
    pub(crate) fn of_request(recorder: &Rc<Recorder>) -> Self {
        Self { recorder: Rc::clone(recorder), of_request: true, gone: Gone::default() }
    }

    /// Of the target's answer.
    pub(crate) fn of_response(recorder: &Rc<Recorder>) -> Self {
        Self { recorder: Rc::clone(recorder), of_request: false, gone: Gone::default() }
    }

    pub(crate) fn note(&mut self, part: &Bytes) {
        let room = self.recorder.body_bytes().saturating_sub(self.gone.seen.len());
        self.gone.seen.extend_from_slice(&part[..part.len().min(room)]);
        self.gone.total += part.len();
    }

    /// Nothing more comes.
    pub(crate) fn end(&mut self) {
        self.gone.ended = true;
    }
}

impl Gone {
    pub(super) fn whole(self) -> RawBody {
        if !self.ended || self.seen.len() < self.total {
            return RawBody::NotKept;
        }
        match self.total {
            0 => RawBody::Empty,
            _ => RawBody::Whole(Bytes::from(self.seen)),
        }
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.recorder.gone_by(self.of_request, std::mem::take(&mut self.gone));
    }
}
