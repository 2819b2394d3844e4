//! What an upload leaves at the vendor under a hidden name while it is not whole.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http::request::Parts;
use tokio::runtime::Handle;

use crate::driver::{CallTimes, Outbound};
use crate::engine::{Body, empty_body};

/// Waits before the next try to remove it: a server may still hold the file of the upload that broke off, or
/// only now be making it.
const WAITS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(5)];

/// An unfinished file at the vendor. Dropping this removes the file in the background, also when the
/// client left and nobody waits for the call any more.
pub(super) struct Leftover {
    outbound: Arc<dyn Outbound>,
    times: CallTimes,
    /// The request that removes it; none when there is nothing to remove.
    head: Option<Parts>,
}

impl Leftover {
    pub(super) fn new(outbound: Arc<dyn Outbound>, times: CallTimes, discard: Request<Body>) -> Self {
        Self { outbound, times, head: Some(discard.into_parts().0) }
    }

    /// The file got its own name: nothing is left over.
    pub(super) fn settle(mut self) {
        self.head = None;
    }

    /// Removes the file before the caller is answered.
    pub(super) async fn remove(mut self) {
        if let Some(head) = self.head.take()
            && discard(self.outbound.as_ref(), self.times, &head).await != Discarded::Removed
        {
            // Not yet: the drop tries again.
            self.head = Some(head);
        }
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        let (Some(head), Ok(runtime)) = (self.head.take(), Handle::try_current()) else { return };
        let (outbound, times) = (Arc::clone(&self.outbound), self.times);
        runtime.spawn(async move {
            let mut last = Discarded::Kept;
            for wait in WAITS {
                tokio::time::sleep(wait).await;
                last = discard(outbound.as_ref(), times, &head).await;
                if last == Discarded::Removed {
                    return;
                }
            }
            if last == Discarded::Kept {
                tracing::warn!(
                    target: "pierhead::hub",
                    host = head.uri.host(),
                    "an unfinished upload could not be removed; its name begins with .pierhead-"
                );
            }
        });
    }
}

/// What came of one try.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Discarded {
    Removed,
    /// Nothing is there. A server that has not yet begun with the upload says so, too.
    Absent,
    Kept,
}

async fn discard(outbound: &dyn Outbound, times: CallTimes, head: &Parts) -> Discarded {
    let request = Request::from_parts(head.clone(), empty_body());
    match outbound.send(request, times).await {
        Ok(answer) if answer.status().is_success() => Discarded::Removed,
        Ok(answer) if matches!(answer.status().as_u16(), 404 | 410) => Discarded::Absent,
        _ => Discarded::Kept,
    }
}
