//! OAuth 2.0 tokens that policies issue: what is known of one, and the port through which they are kept
//! (decision 046).

mod memory;

use std::sync::Arc;

use pierhead_domain::{EpochMillis, SecretString};
use serde::{Deserialize, Serialize};

use crate::ports::PortFuture;

pub use memory::MemoryTokens;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Gives access.
    Access,
    /// Gives another access token.
    Refresh,
    /// Gives the first tokens, once.
    Code,
}

impl TokenKind {
    /// Its word in the store and in look-up hashes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
            Self::Code => "code",
        }
    }
}

/// What is known of a token; its text is not among it. Times are epoch milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Shared by all that came of one authorization.
    pub grant: String,
    /// The API key it was issued to.
    pub client_id: String,
    /// The app of the key.
    pub app_id: String,
    /// The end user, when the policy was told one.
    pub end_user: Option<String>,
    /// `client_credentials`, `password`, `authorization_code` or `implicit`.
    pub grant_type: String,
    /// Scopes, parted by blanks.
    pub scope: String,
    /// When it was issued.
    pub issued_at: i64,
    /// When it stops working; `None` is never.
    pub expires_at: Option<i64>,
    /// Whether it was revoked, or spent.
    pub revoked: bool,
    /// Of a code: where the answer went.
    pub redirect_uri: Option<String>,
    /// Of an access or refresh token: the refresh token of the grant.
    pub refresh: Option<RefreshPart>,
    /// Custom attributes.
    pub attributes: Vec<TokenAttribute>,
}

/// The refresh token beside an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshPart {
    /// When it was issued.
    pub issued_at: i64,
    /// When it stops working; `None` is never.
    pub expires_at: Option<i64>,
    /// How often the grant was refreshed.
    pub count: u32,
}

/// A custom attribute of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAttribute {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
    /// Whether answers show it.
    pub display: bool,
}

impl Token {
    /// Whether its time is over.
    pub fn is_expired(&self, now: EpochMillis) -> bool {
        self.expires_at.is_some_and(|at| at <= now.as_i64())
    }

    /// An attribute by name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|one| one.name == name).map(|one| one.value.as_str())
    }
}

/// A token to be issued. The text is hashed on its way into the store.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What it is for.
    pub kind: TokenKind,
    /// What the client gets.
    pub text: SecretString,
    /// What is known of it.
    pub token: Token,
}

/// A code or refresh token that is used up by issuing others.
#[derive(Debug, Clone)]
pub struct Spent {
    /// Code or refresh.
    pub kind: TokenKind,
    /// Its text.
    pub text: SecretString,
    /// It goes on working; only the access tokens of its grant end.
    pub keep: bool,
}

/// Whose tokens are revoked; both parts must fit where both are given.
#[derive(Debug, Clone, Default)]
pub struct RevokeFor {
    /// The app.
    pub app_id: Option<String>,
    /// The end user.
    pub end_user: Option<String>,
    /// Only those issued before; epoch milliseconds.
    pub before: i64,
    /// Refresh tokens too.
    pub cascade: bool,
}

/// The tokens cannot be read or written now; the text is for the log.
#[derive(Debug, Clone, thiserror::Error)]
#[error("tokens cannot be read or written: {0}")]
pub struct TokensUnavailable(pub String);

/// Where tokens are kept: as keyed hashes, never in clear. What returns is durable, as far as the store is.
pub trait Tokens: Send + Sync {
    /// What memory knows of a token. Never waits; `None` says nothing.
    fn recall(&self, kind: TokenKind, text: &str) -> Option<Arc<Token>>;

    /// What is known of a token, from memory or the store.
    fn find(
        &self,
        kind: TokenKind,
        text: String,
    ) -> PortFuture<Result<Option<Arc<Token>>, TokensUnavailable>>;

    /// Issues tokens, all or none. With `spent`, that token must be there and not be revoked: it is revoked in the
    /// same step, and so are the access tokens of its grant. `false`: somebody was first, and nothing was issued.
    fn issue(&self, new: Vec<NewToken>, spent: Option<Spent>) -> PortFuture<Result<bool, TokensUnavailable>>;

    /// Replaces attributes of an access token by name and adds others; `None` when there is no such token.
    fn set_attributes(
        &self,
        text: String,
        attributes: Vec<TokenAttribute>,
    ) -> PortFuture<Result<Option<Arc<Token>>, TokensUnavailable>>;

    /// Revokes or approves a token; with `cascade` all access and refresh tokens of its grant. Says whether it
    /// is there.
    fn set_revoked(
        &self,
        kind: TokenKind,
        text: String,
        revoked: bool,
        cascade: bool,
    ) -> PortFuture<Result<bool, TokensUnavailable>>;

    /// Revokes every token of a grant.
    fn revoke_grant(&self, grant: String) -> PortFuture<Result<(), TokensUnavailable>>;

    /// Revokes the tokens of an app or an end user; says how many.
    fn revoke_for(&self, whose: RevokeFor) -> PortFuture<Result<u64, TokensUnavailable>>;

    /// Forgets a token; says whether it was there.
    fn remove(&self, kind: TokenKind, text: String) -> PortFuture<Result<bool, TokensUnavailable>>;
}
