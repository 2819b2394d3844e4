//! OAuth 2.0 tokens of policies: hashed and sealed in the store, access tokens that are used in memory
//! (decision 046).

mod memory;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Duration;

use pierhead_domain::time_ordered_id;
use pierhead_gateway::ports::PortFuture;
use pierhead_gateway::tokens::{
    NewToken, RevokeFor, Spent, Token, TokenAttribute, TokenKind, Tokens, TokensUnavailable,
};
use pierhead_store::WriteTx;
use pierhead_store::tokens::{StoredToken, TokenFilter};
use pierhead_vault::Sealed;
use tokio::runtime::Handle;

use self::memory::Memory;
use crate::management::Management;

/// How often other nodes' changes are looked for: the longest time that a token revoked elsewhere goes on working.
const WATCH: Duration = Duration::from_secs(1);
/// How far back: longer than a transaction takes, and than the clocks of nodes differ.
const OVERLAP_MS: i64 = 15_000;
/// After this long without an answer of the store nothing in memory is believed any more.
const BLIND: Duration = Duration::from_secs(10);
/// How long expired tokens are kept, so that they are told from unknown ones.
const KEEP_EXPIRED_MS: i64 = 86_400_000;
/// Looks between two removals of what is old.
const LOOKS_BETWEEN_SWEEPS: u32 = 600;

type Failure = Box<dyn Error + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Keeper {
    management: Management,
    memory: Arc<Memory>,
    /// Where the store's connections live.
    runtime: Handle,
}

impl Keeper {
    pub(crate) fn start(management: &Management) -> Arc<dyn Tokens> {
        let keeper = Arc::new(Self::new(management));
        let runtime = keeper.runtime.clone();
        runtime.spawn(watch(Arc::downgrade(&keeper)));
        keeper
    }

    fn new(management: &Management) -> Self {
        Self { management: management.clone(), memory: Arc::default(), runtime: Handle::current() }
    }

    fn hash(&self, kind: TokenKind, text: &str) -> [u8; 32] {
        self.management.parts().vault.lookup().digest(lookup_kind(kind), text)
    }

    fn stored_hash(&self, kind: TokenKind, text: &str) -> String {
        self.management.parts().vault.lookup_hash(lookup_kind(kind), text).to_string()
    }

    fn end_user_hash(&self, user: Option<&str>) -> String {
        let hash = |user| self.management.parts().vault.lookup_hash("oauth-end-user", user).to_string();
        user.map(hash).unwrap_or_default()
    }

    /// On the store's runtime, and to its end even when the client leaves.
    fn run<T, F>(&self, work: impl FnOnce(Self) -> F) -> PortFuture<Result<T, TokensUnavailable>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let task = self.runtime.spawn(work(self.clone()));
        Box::pin(async move {
            let done = task.await.unwrap_or_else(|stopped| Err(stopped.into()));
            done.map_err(|failure| TokensUnavailable(text_of(&*failure)))
        })
    }

    async fn read(&self, kind: TokenKind, text: &str) -> Result<Option<Arc<Token>>, Failure> {
        let parts = self.management.parts();
        let seen = self.memory.changes();
        let hash = self.stored_hash(kind, text);
        let Some(stored) = parts.store.token(parts.organization(), kind.as_str(), &hash).await? else {
            return Ok(None);
        };
        let token = Arc::new(self.open(&stored)?);
        if kind == TokenKind::Access {
            self.memory.put(self.hash(kind, text), token.clone(), seen);
        }
        Ok(Some(token))
    }

    fn seal(&self, kind: TokenKind, hash: String, token: &Token) -> Result<StoredToken, Failure> {
        let parts = self.management.parts();
        let clear = serde_json::to_vec(token)?;
        let sealed = parts.vault.seal(parts.organization(), &place(kind.as_str(), &hash), &clear)?;
        Ok(StoredToken {
            kind: kind.as_str().to_owned(),
            hash,
            grant: token.grant.clone(),
            app: token.app_id.clone(),
            end_user: self.end_user_hash(token.end_user.as_deref()),
            issued_ms: token.issued_at,
            expires_ms: token.expires_at,
            revoked: token.revoked,
            sealed: sealed.into_bytes(),
        })
    }

    /// The columns rule over what was sealed: they are what changes.
    fn open(&self, stored: &StoredToken) -> Result<Token, Failure> {
        let parts = self.management.parts();
        let sealed = Sealed::from_stored(stored.sealed.clone());
        let clear =
            parts.vault.open_bytes(parts.organization(), &place(&stored.kind, &stored.hash), &sealed)?;
        let token: Token = serde_json::from_slice(&clear)?;
        Ok(Token { revoked: stored.revoked, expires_at: stored.expires_ms, ..token })
    }

    async fn note(&self, tx: &WriteTx, grant: &str) -> Result<(), Failure> {
        let parts = self.management.parts();
        let now = parts.clock.now();
        let id = time_ordered_id(now, parts.rng.as_ref());
        Ok(tx.note_token_change(parts.organization(), &id, grant, now.as_i64()).await?)
    }

    async fn look(&self) -> Result<(), Failure> {
        let parts = self.management.parts();
        let since = parts.clock.now().as_i64() - OVERLAP_MS;
        for grant in parts.store.token_changes(parts.organization(), since).await? {
            self.memory.forget(&grant);
        }
        Ok(())
    }

    async fn sweep(&self) -> Result<(), Failure> {
        let parts = self.management.parts();
        let before = parts.clock.now().as_i64() - KEEP_EXPIRED_MS;
        let tx = parts.store.write().await?;
        tx.remove_old_tokens(parts.organization(), before).await?;
        Ok(tx.commit().await?)
    }
}

/// Applies what other nodes change, for as long as somebody uses the keeper.
async fn watch(keeper: Weak<Keeper>) {
    let mut ticks = tokio::time::interval(WATCH);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut blind, mut looks) = (Duration::ZERO, 0_u32);
    loop {
        ticks.tick().await;
        let Some(keeper) = keeper.upgrade() else { return };
        match keeper.look().await {
            Ok(()) => blind = Duration::ZERO,
            Err(failure) => {
                if blind.is_zero() {
                    tracing::warn!(error = %failure, "changes of tokens cannot be read: {failure}");
                }
                blind += WATCH;
                if blind >= BLIND {
                    keeper.memory.forget("");
                }
            }
        }
        looks = looks.wrapping_add(1);
        if looks % LOOKS_BETWEEN_SWEEPS == 1
            && let Err(failure) = keeper.sweep().await
        {
            tracing::warn!(error = %failure, "old tokens cannot be removed: {failure}");
        }
    }
}

impl Tokens for Keeper {
    fn recall(&self, kind: TokenKind, text: &str) -> Option<Arc<Token>> {
        if kind == TokenKind::Access { self.memory.get(&self.hash(kind, text)) } else { None }
    }

    fn find(
        &self,
        kind: TokenKind,
        text: String,
    ) -> PortFuture<Result<Option<Arc<Token>>, TokensUnavailable>> {
        self.run(|keeper| async move { keeper.read(kind, &text).await })
    }

    fn issue(&self, new: Vec<NewToken>, spent: Option<Spent>) -> PortFuture<Result<bool, TokensUnavailable>> {
        self.run(|keeper| async move {
            if new.is_empty() && spent.is_none() {
                return Ok(true);
            }
            let parts = keeper.management.parts();
            let organization = parts.organization();
            let tx = parts.store.write().await?;
            let mut changed = None;
            if let Some(spent) = spent {
                let hash = keeper.stored_hash(spent.kind, spent.text.expose());
                let held = tx.hold_token(organization, spent.kind.as_str(), &hash).await?;
                let Some(old) = held.filter(|old| !old.revoked) else { return Ok(false) };
                if !spent.keep {
                    tx.put_token(organization, &StoredToken { revoked: true, ..old.clone() }).await?;
                }
                let kinds = [TokenKind::Access.as_str()];
                let of_grant =
                    TokenFilter { grant: Some(&old.grant), kinds: &kinds, ..TokenFilter::default() };
                tx.set_tokens_revoked(organization, &of_grant, true).await?;
                keeper.note(&tx, &old.grant).await?;
                changed = Some(old.grant);
            }
            for one in &new {
                let hash = keeper.stored_hash(one.kind, one.text.expose());
                tx.put_token(organization, &keeper.seal(one.kind, hash, &one.token)?).await?;
            }
            tx.commit().await?;
            if let Some(grant) = changed {
                keeper.memory.forget(&grant);
            }
            // A new token is used at once, mostly.
            let seen = keeper.memory.changes();
            for one in new.into_iter().filter(|one| one.kind == TokenKind::Access) {
                keeper.memory.put(keeper.hash(one.kind, one.text.expose()), Arc::new(one.token), seen);
            }
            Ok(true)
        })
    }

    fn set_attributes(
        &self,
        text: String,
        attributes: Vec<TokenAttribute>,
    ) -> PortFuture<Result<Option<Arc<Token>>, TokensUnavailable>> {
        self.run(|keeper| async move {
            let parts = keeper.management.parts();
            let organization = parts.organization();
            let kind = TokenKind::Access;
            let hash = keeper.stored_hash(kind, &text);
            let tx = parts.store.write().await?;
            let Some(stored) = tx.hold_token(organization, kind.as_str(), &hash).await? else {
                return Ok(None);
            };
            let mut token = keeper.open(&stored)?;
            token.put_attributes(attributes);
            tx.put_token(organization, &keeper.seal(kind, hash, &token)?).await?;
            keeper.note(&tx, &token.grant).await?;
            tx.commit().await?;
            keeper.memory.forget(&token.grant);
            Ok(Some(Arc::new(token)))
        })
    }

    fn set_revoked(
        &self,
        kind: TokenKind,
        text: String,
        revoked: bool,
        cascade: bool,
    ) -> PortFuture<Result<bool, TokensUnavailable>> {
        self.run(|keeper| async move {
            let parts = keeper.management.parts();
            let organization = parts.organization();
            let hash = keeper.stored_hash(kind, &text);
            let tx = parts.store.write().await?;
            let Some(stored) = tx.hold_token(organization, kind.as_str(), &hash).await? else {
                return Ok(false);
            };
            let grant = stored.grant.clone();
            tx.put_token(organization, &StoredToken { revoked, ..stored }).await?;
            if cascade {
                let kinds = [TokenKind::Access.as_str(), TokenKind::Refresh.as_str()];
                let of_grant = TokenFilter { grant: Some(&grant), kinds: &kinds, ..TokenFilter::default() };
                tx.set_tokens_revoked(organization, &of_grant, revoked).await?;
            }
            keeper.note(&tx, &grant).await?;
            tx.commit().await?;
            keeper.memory.forget(&grant);
            Ok(true)
        })
    }

    fn revoke_grant(&self, grant: String) -> PortFuture<Result<(), TokensUnavailable>> {
        self.run(|keeper| async move {
            let parts = keeper.management.parts();
            let tx = parts.store.write().await?;
            let of_grant = TokenFilter { grant: Some(&grant), ..TokenFilter::default() };
            tx.set_tokens_revoked(parts.organization(), &of_grant, true).await?;
            keeper.note(&tx, &grant).await?;
            tx.commit().await?;
            keeper.memory.forget(&grant);
            Ok(())
        })
    }

    fn revoke_for(&self, whose: RevokeFor) -> PortFuture<Result<u64, TokensUnavailable>> {
        self.run(|keeper| async move {
            let parts = keeper.management.parts();
            let end_user = whose.end_user.as_deref().map(|user| keeper.end_user_hash(Some(user)));
            let kinds = [TokenKind::Access.as_str(), TokenKind::Refresh.as_str()];
            let filter = TokenFilter {
                app: whose.app_id.as_deref(),
                end_user: end_user.as_deref(),
                before: Some(whose.before),
                kinds: if whose.cascade { &kinds } else { &kinds[..1] },
                ..TokenFilter::default()
            };
            let tx = parts.store.write().await?;
            let revoked = tx.set_tokens_revoked(parts.organization(), &filter, true).await?;
            // Which grants they are of is not worth a query: everything is read anew.
            keeper.note(&tx, "").await?;
            tx.commit().await?;
            keeper.memory.forget("");
            Ok(revoked)
        })
    }

    fn remove(&self, kind: TokenKind, text: String) -> PortFuture<Result<bool, TokensUnavailable>> {
        self.run(|keeper| async move {
            let parts = keeper.management.parts();
            let organization = parts.organization();
            let hash = keeper.stored_hash(kind, &text);
            let tx = parts.store.write().await?;
            let Some(stored) = tx.hold_token(organization, kind.as_str(), &hash).await? else {
                return Ok(false);
            };
            tx.remove_token(organization, kind.as_str(), &hash).await?;
            keeper.note(&tx, &stored.grant).await?;
            tx.commit().await?;
            keeper.memory.forget(&stored.grant);
            Ok(true)
        })
    }
}

const fn lookup_kind(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Access => "oauth-access",
        TokenKind::Refresh => "oauth-refresh",
        TokenKind::Code => "oauth-code",
    }
}

/// Where a sealed record lies, for the vault.
fn place(kind: &str, hash: &str) -> String {
    format!("oauth_token/sealed/{kind}/{hash}")
}

fn text_of(failure: &(dyn Error + Send + Sync)) -> String {
    let mut text = failure.to_string();
    let mut source = failure.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
