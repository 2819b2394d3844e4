//! A double that serves in the background until it is stopped or dropped.

use std::io;
use std::ops::Deref;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{GoogleDrive, Handle};

/// A serving double; steer it as a [`Handle`]. Dropped, it stops taking requests.
#[derive(Debug)]
pub struct RunningGoogleDrive {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<io::Result<()>>>,
}

impl GoogleDrive {
    /// Serves on `listener` in the background.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start(self, listener: TcpListener) -> io::Result<RunningGoogleDrive> {
        let handle = self.handle(listener.local_addr()?);
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(self.serve(listener, async move {
            // Dropping the sender means the same as sending.
            let _ = stopped.await;
        }));
        Ok(RunningGoogleDrive { handle, stop: Some(stop), serving: Some(serving) })
    }
}

impl RunningGoogleDrive {
    /// Ends the answers under way, then stops.
    pub async fn stop(mut self) {
        self.stop = None;
        if let Some(serving) = self.serving.take()
            && !matches!(serving.await, Ok(Ok(())))
        {
            tracing::warn!("the double ended badly");
        }
    }
}

impl Deref for RunningGoogleDrive {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}
