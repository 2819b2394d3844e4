//! What the scripts of one request keep from one to the next.

use ahash::AHashMap;
use tokio::task::JoinHandle;

use super::Message;
use crate::fault::EngineFault;

/// Objects in variables and in the session, and calls under way.
#[derive(Debug, Default)]
pub(crate) struct ScriptMemory {
    /// Variables that hold an object, with its JSON. The variable has the same text; when it has another,
    /// somebody else set it.
    pub(crate) objects: AHashMap<Box<str>, Box<str>>,
    /// `context.session`, as JSON.
    pub(crate) session: AHashMap<Box<str>, Box<str>>,
    /// By the number that scripts know them by.
    pub(crate) calls: Vec<PendingCall>,
}

/// A call that a script made.
#[derive(Debug)]
pub(crate) enum PendingCall {
    /// It runs on while the flow goes on.
    Running(JoinHandle<Result<Message, EngineFault>>),
    /// It is over; the text is why there is no answer.
    Ended(Result<Box<Message>, String>),
}

impl PendingCall {
    /// Takes the result when there is one already; never waits.
    pub(crate) fn settle(&mut self) -> Option<&Result<Box<Message>, String>> {
        if let Self::Running(call) = self
            && call.is_finished()
        {
            use futures_util::FutureExt as _;
            if let Some(ended) = call.now_or_never() {
                *self = Self::of(ended);
            }
        }
        match self {
            Self::Running(_) => None,
            Self::Ended(result) => Some(result),
        }
    }

    /// Waits until it is over.
    pub(crate) async fn finish(&mut self) {
        if let Self::Running(call) = self {
            *self = Self::of(call.await);
        }
    }

    fn of(ended: Result<Result<Message, EngineFault>, tokio::task::JoinError>) -> Self {
        Self::Ended(match ended {
            Ok(Ok(answer)) => Ok(Box::new(answer)),
            Ok(Err(fault)) => Err(fault.fault().text().to_owned()),
            Err(_) => Err("the call was ended".to_owned()),
        })
    }
}
