//! Where a request comes from: for throttles and logs, never for authorisation.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::Extensions;

tokio::task_local! {
    static PEER: Option<IpAddr>;
}

/// The address of the client whose request this task serves; `None` outside of one.
pub fn current() -> Option<IpAddr> {
    PEER.try_with(|peer| *peer).ok().flatten()
}

/// Runs `work` as part of a request with these extensions. A request that the server makes to itself has no
/// connection: it comes from wherever the request comes from that it is made for.
pub(crate) async fn scope<F: Future>(extensions: &Extensions, work: F) -> F::Output {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
    PEER.scope(peer.or_else(current), work).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_made_for_another_comes_from_where_that_one_comes_from() {
        let mut outer = Extensions::new();
        outer.insert(ConnectInfo::<SocketAddr>("[::ffff:192.0.2.7]:99".parse().unwrap()));
        let seen = scope(&outer, scope(&Extensions::new(), async { current() })).await;
        assert_eq!(seen, Some("192.0.2.7".parse().unwrap()));
        assert_eq!(current(), None);
    }
}
