//! Tokens in memory: for a gateway without a store, and for tests. They end with the process.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ahash::AHashMap;
use pierhead_domain::Rng;

use super::{NewToken, RevokeFor, Spent, Token, TokenAttribute, TokenKind, Tokens, TokensUnavailable};
use crate::ports::PortFuture;
use crate::template::Mac;

/// More tokens than this are not kept: those that were issued first go first.
const MAX_TOKENS: usize = 1_000_000;

type Hash = [u8; 32];

/// Tokens by keyed hash, in memory.
pub struct MemoryTokens {
    key: [u8; 32],
    all: Mutex<AHashMap<(TokenKind, Hash), Arc<Token>>>,
}

impl MemoryTokens {
    /// None yet; the key of the hashes is drawn from `rng`.
    pub fn new(rng: &dyn Rng) -> Self {
        let mut key = [0; 32];
        rng.fill(&mut key);
        Self { key, all: Mutex::default() }
    }

    fn hash(&self, text: &str) -> Hash {
        let code = Mac::with("sha256").map(|mac| mac.of(&self.key, text.as_bytes())).unwrap_or_default();
        code.try_into().unwrap_or_default()
    }

    fn all(&self) -> MutexGuard<'_, AHashMap<(TokenKind, Hash), Arc<Token>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn revoke_where(&self, fits: impl Fn(TokenKind, &Token) -> bool, revoked: bool) -> u64 {
        let mut changed = 0;
        for ((kind, _), token) in self.all().iter_mut() {
            if token.revoked != revoked && fits(*kind, token) {
                Arc::make_mut(token).revoked = revoked;
                changed += 1;
            }
        }
        changed
    }
}

fn done<T: Send + 'static>(value: T) -> PortFuture<Result<T, TokensUnavailable>> {
    Box::pin(std::future::ready(Ok(value)))
}

impl Tokens for MemoryTokens {
    fn recall(&self, kind: TokenKind, text: &str) -> Option<Arc<Token>> {
        self.all().get(&(kind, self.hash(text))).cloned()
    }

    fn find(
        &self,
        kind: TokenKind,
        text: String,
    ) -> PortFuture<Result<Option<Arc<Token>>, TokensUnavailable>> {
        done(self.recall(kind, &text))
    }

    fn issue(&self, new: Vec<NewToken>, spent: Option<Spent>) -> PortFuture<Result<bool, TokensUnavailable>> {
        let mut all = self.all();
        if let Some(spent) = spent {
            let Some(old) = all.get_mut(&(spent.kind, self.hash(spent.text.expose()))) else {
                return done(false);
            };
            if old.revoked {
                return done(false);
            }
            let grant = old.grant.clone();
            Arc::make_mut(old).revoked = !spent.keep;
            for ((kind, _), token) in all.iter_mut() {
                if *kind == TokenKind::Access && token.grant == grant {
                    Arc::make_mut(token).revoked = true;
                }
            }
        }
        for one in new {
            all.insert((one.kind, self.hash(one.text.expose())), Arc::new(one.token));
        }
        while all.len() > MAX_TOKENS {
            let oldest = all.iter().min_by_key(|(_, token)| token.issued_at).map(|(key, _)| *key);
            let Some(oldest) = oldest else { break };
            all.remove(&oldest);
        }
        done(true)
    }

    fn set_attributes(
        &self,
        text: String,
        attributes: Vec<TokenAttribute>,
    ) -> PortFuture<Result<Option<Arc<Token>>, TokensUnavailable>> {
        let mut all = self.all();
        let Some(token) = all.get_mut(&(TokenKind::Access, self.hash(&text))) else { return done(None) };
        Arc::make_mut(token).put_attributes(attributes);
        done(Some(token.clone()))
    }

    fn set_revoked(
        &self,
        kind: TokenKind,
        text: String,
        revoked: bool,
        cascade: bool,
    ) -> PortFuture<Result<bool, TokensUnavailable>> {
        let grant = {
            let mut all = self.all();
            let Some(token) = all.get_mut(&(kind, self.hash(&text))) else { return done(false) };
            Arc::make_mut(token).revoked = revoked;
            token.grant.clone()
        };
        if cascade {
            self.revoke_where(|kind, token| kind != TokenKind::Code && token.grant == grant, revoked);
        }
        done(true)
    }

    fn revoke_grant(&self, grant: String) -> PortFuture<Result<(), TokensUnavailable>> {
        self.revoke_where(|_, token| token.grant == grant, true);
        done(())
    }

    fn revoke_for(&self, whose: RevokeFor) -> PortFuture<Result<u64, TokensUnavailable>> {
        done(self.revoke_where(|kind, token| whose.fits(kind, token), true))
    }

    fn remove(&self, kind: TokenKind, text: String) -> PortFuture<Result<bool, TokensUnavailable>> {
        done(self.all().remove(&(kind, self.hash(&text))).is_some())
    }
}

impl RevokeFor {
    fn fits(&self, kind: TokenKind, token: &Token) -> bool {
        let kinds =
            if self.cascade { [TokenKind::Access, TokenKind::Refresh] } else { [TokenKind::Access; 2] };
        kinds.contains(&kind)
            && token.issued_at < self.before
            && self.app_id.as_ref().is_none_or(|app| *app == token.app_id)
            && (self.end_user.is_none() || self.end_user == token.end_user)
    }
}

impl Token {
    /// Replaces attributes by name and adds others.
    pub fn put_attributes(&mut self, attributes: Vec<TokenAttribute>) {
        for new in attributes {
            match self.attributes.iter_mut().find(|old| old.name == new.name) {
                Some(old) => *old = new,
                None => self.attributes.push(new),
            }
        }
    }
}

impl fmt::Debug for MemoryTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTokens").finish_non_exhaustive()
    }
}
