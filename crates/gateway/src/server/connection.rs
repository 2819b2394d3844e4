//! Drives one client connection: hyper, the guard's refusals, the clock, the drain.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::farewell;
use super::worker::Open;
use crate::guard::{Guard, HeadLimits, Refusal, Waiting, Watch};
use crate::limits::Limits;
use crate::proxy::{self, Client};

/// Why a connection ended.
enum End {
    /// hyper is through with it, and has closed our side unless the connection broke.
    Finished { broken: bool },
    /// The guard refused what came last.
    Refused(Refusal),
    /// Nothing was asked for too long.
    Idle,
    /// The client kept us waiting in the middle of something.
    Stalled,
}

/// Serves a connection until it ends.
pub(super) async fn drive<S>(open: &Open, stream: S, peer: SocketAddr, local: SocketAddr)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let worker = &open.worker;
    let limits = &worker.limits;
    let head =
        HeadLimits { line: limits.request_line_bytes, headers: limits.header_bytes, count: limits.headers };
    let guard = Guard::new(stream, head, worker.counters.clone());
    let watch = guard.watch();
    let client = Rc::new(Client { peer, local, tls: false, watch: Rc::clone(&watch) });
    let service = service_fn(|request| proxy::serve(Rc::clone(worker), Rc::clone(&client), request));
    let mut connection = worker.http.serve_connection(TokioIo::new(guard), service);
    let mut timer = pin!(tokio::time::sleep_until((Instant::now() + tick(limits)).into()));
    let (mut known, mut draining) = (false, false);

    let end = poll_fn(|cx| {
        if !known {
            open.wake_on_drain(cx.waker());
            known = true;
        }
        loop {
            if worker.draining() && !draining {
                draining = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            if let Poll::Ready(result) = Pin::new(&mut connection).poll(cx) {
                return Poll::Ready(End::Finished { broken: result.is_err() && !watch.body_refused() });
            }
            if let Some(refusal) = watch.refusal_due() {
                return Poll::Ready(End::Refused(refusal));
            }
            // Most deadlines lie beyond the timer's next tick, which finds them: a request arms no timer.
            if let Some(deadline) = watch.deadline()
                && deadline < timer.deadline().into_std()
            {
                timer.as_mut().reset(deadline.into());
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            if let Some(end) = overdue(&watch, limits, now) {
                return Poll::Ready(end);
            }
            timer.as_mut().reset(next_look(&watch, limits, now).into());
            // An expired exchange is told by polling it again.
            watch.expire(now);
        }
    })
    .await;

    match end {
        End::Finished { broken: true } | End::Stalled => {}
        End::Finished { broken: false } | End::Idle => {
            farewell::linger(connection.into_parts().io.into_inner().into_inner()).await;
        }
        End::Refused(refusal) => {
            let fault = refusal.fault();
            worker.counters.refused(fault.fault().status().as_u16());
            farewell::refuse(connection.into_parts().io.into_inner().into_inner(), &fault).await;
        }
    }
}

/// How often a connection looks at the clock at least.
fn tick(limits: &Limits) -> Duration {
    limits.header_timeout.min(limits.idle_timeout).min(limits.client_timeout)
}

/// When the present wait has lasted too long; `None` while the client waits for us.
fn due(watch: &Watch, limits: &Limits) -> Option<Instant> {
    match watch.waiting() {
        Waiting::Head(since) => Some(since + limits.header_timeout),
        Waiting::Idle(since) if watch.has_received() => Some(since + limits.idle_timeout),
        Waiting::Idle(since) => Some(since + limits.header_timeout),
        Waiting::Client(since) => Some(since + limits.client_timeout),
        Waiting::Answer => None,
    }
}

fn overdue(watch: &Watch, limits: &Limits, now: Instant) -> Option<End> {
    if due(watch, limits)? > now {
        return None;
    }
    Some(match watch.waiting() {
        Waiting::Head(_) => End::Refused(Refusal::HeadTimeout),
        Waiting::Idle(_) => End::Idle,
        Waiting::Client(_) | Waiting::Answer => End::Stalled,
    })
}

fn next_look(watch: &Watch, limits: &Limits, now: Instant) -> Instant {
    let at_most = now + tick(limits);
    due(watch, limits).map_or(at_most, |due| due.min(at_most))
}
