//! The rest of the program as a replay sees it: everything can be read, nothing changes.

use std::sync::Arc;

use crate::analytics::{AnalyticsRecord, AnalyticsSink};
use crate::ports::{KvmAddress, KvmUnavailable, KvmWriter, PortFuture, Ports};
use crate::tokens::{
    NewToken, RevokeFor, Spent, Token, TokenAttribute, TokenKind, Tokens, TokensUnavailable,
};

/// The same ports, behind which every write is forgotten.
pub(super) fn read_only(ports: &Ports) -> Ports {
    Ports {
        hub: ports.hub.clone(),
        kvm: Arc::new(Forgets),
        analytics: Arc::new(Forgets),
        tokens: Arc::new(ReadOnly(Arc::clone(&ports.tokens))),
    }
}

struct Forgets;

impl KvmWriter for Forgets {
    fn put(&self, _: KvmAddress, _: String, _: bool) -> PortFuture<Result<(), KvmUnavailable>> {
        Box::pin(async { Ok(()) })
    }

    fn delete(&self, _: KvmAddress) -> PortFuture<Result<(), KvmUnavailable>> {
        Box::pin(async { Ok(()) })
    }
}

impl AnalyticsSink for Forgets {
    fn record(&self, _: AnalyticsRecord) {}
}

/// Looks tokens up; what it would issue, change or revoke, it says it did.
struct ReadOnly(Arc<dyn Tokens>);

impl ReadOnly {
    fn is_there(&self, kind: TokenKind, text: String) -> PortFuture<Result<bool, TokensUnavailable>> {
        let found = self.0.find(kind, text);
        Box::pin(async move { Ok(found.await?.is_some()) })
    }
}

impl Tokens for ReadOnly {
    fn recall(&self, kind: TokenKind, text: &str) -> Option<Arc<Token>> {
        self.0.recall(kind, text)
    }

    fn find(
        &self,
        kind: TokenKind,
        text: String,
    ) -> PortFuture<Result<Option<Arc<Token>>, TokensUnavailable>> {
        self.0.find(kind, text)
    }

    /// A code that was spent the first time would be refused: here it is taken as it was then.
    fn issue(&self, _: Vec<NewToken>, _: Option<Spent>) -> PortFuture<Result<bool, TokensUnavailable>> {
        Box::pin(async { Ok(true) })
    }

    fn set_attributes(
        &self,
        text: String,
        attributes: Vec<TokenAttribute>,
    ) -> PortFuture<Result<Option<Arc<Token>>, TokensUnavailable>> {
        let found = self.0.find(TokenKind::Access, text);
        Box::pin(async move {
            Ok(found.await?.map(|token| {
                let mut token = Token::clone(&token);
                token.attributes.retain(|old| attributes.iter().all(|new| new.name != old.name));
                token.attributes.extend(attributes);
                Arc::new(token)
            }))
        })
    }

    fn set_revoked(
        &self,
        kind: TokenKind,
        text: String,
        _: bool,
        _: bool,
    ) -> PortFuture<Result<bool, TokensUnavailable>> {
        self.is_there(kind, text)
    }

    fn revoke_grant(&self, _: String) -> PortFuture<Result<(), TokensUnavailable>> {
        Box::pin(async { Ok(()) })
    }

    fn revoke_for(&self, _: RevokeFor) -> PortFuture<Result<u64, TokensUnavailable>> {
        Box::pin(async { Ok(0) })
    }

    fn remove(&self, kind: TokenKind, text: String) -> PortFuture<Result<bool, TokensUnavailable>> {
        self.is_there(kind, text)
    }
}
