//! A token endpoint and an API that share one store of tokens.

use std::sync::Arc;

use base64::Engine as _;
use http::Method;
use pierhead_domain::{SecretString, SeededRng, SharedRng, StoppedClock};
use serde_json::Value;

use crate::dialect::Dialect;
use crate::snapshot::{ApiKey, ApiProduct, Developer, DeveloperApp, KeyTable, LookupHash, Standing};
use crate::testing::*;
use crate::tokens::MemoryTokens;

/// Benches that share tokens and time.
pub(crate) struct Stage {
    pub(crate) tokens: Arc<MemoryTokens>,
    pub(crate) clock: StoppedClock,
    pub(crate) key: ApiKey,
    pub(crate) dialect: Dialect,
    pub(crate) rng: SharedRng,
}

fn hash() -> LookupHash {
    Arc::new(|key| {
        let mut digest = [0; 32];
        for (at, byte) in key.bytes().enumerate() {
            digest[at % 32] ^= byte.rotate_left(3);
        }
        digest
    })
}

/// The key `k-1` with the secret `s-1`, of app `a-1` and the products `gold` (scopes read, write) and `silver`.
pub(crate) fn stage() -> Stage {
    let product = |name: &str, scopes: &[&str]| {
        let scopes = scopes.iter().map(|scope| (*scope).into()).collect();
        let attributes = [("tier".into(), "top".into())].into_iter().collect();
        Arc::new(ApiProduct { name: name.into(), scopes, attributes, ..ApiProduct::default() })
    };
    let developer = Developer { id: "d-1".into(), email: "ann@example.com".into(), ..Developer::default() };
    let app = DeveloperApp {
        id: "a-1".into(),
        name: "shop".into(),
        callback_url: "https://shop.example/cb".into(),
        developer: Some(Arc::new(developer)),
        ..DeveloperApp::default()
    };
    let key = ApiKey {
        standing: Standing::Approved,
        expires_at: None,
        secret: Some(Arc::new(SecretString::from("s-1"))),
        products: vec![
            (product("gold", &["read", "write"]), Standing::Approved),
            (product("silver", &[]), Standing::Approved),
        ],
        app: Arc::new(app),
        attributes: Default::default(),
    };
    Stage {
        tokens: Arc::new(MemoryTokens::new(&SeededRng::new(9))),
        clock: StoppedClock::at(NOW),
        key,
        dialect: Dialect::Apigee,
        rng: Arc::new(SeededRng::new(11)),
    }
}

impl Stage {
    /// A proxy with these steps.
    pub(crate) fn proxy(&self, steps: &[&str]) -> Bench {
        self.bench(&steps.iter().fold(design(), |design, step| design.step(step)))
    }

    /// A proxy of one's own.
    pub(crate) fn bench(&self, design: &crate::design::ProxyDesign) -> Bench {
        let mut bench = Bench::in_dialect(design, self.dialect);
        bench = bench
            .with(|old| old.with_keys(KeyTable::new(hash(), [(hash()("k-1"), Arc::new(self.key.clone()))])));
        (bench.tokens, bench.clock) = (self.tokens.clone(), self.clock.clone());
        bench.rng = Some(self.rng.clone());
        bench
    }

    /// A form posted with the client's credentials.
    pub(crate) fn post(&self, step: &str, form: &str) -> Sent {
        self.post_as("k-1:s-1", step, form)
    }

    pub(crate) fn post_as(&self, pair: &str, step: &str, form: &str) -> Sent {
        let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        let headers: &[(&str, &str)] =
            &[("content-type", "application/x-www-form-urlencoded"), ("authorization", &basic)];
        let headers = if pair.is_empty() { &headers[..1] } else { headers };
        self.proxy(&[step]).send(request(Method::POST, "/p", headers, form))
    }

    /// `GET /p/things` with this token.
    pub(crate) fn call(&self, step: &str, token: &str) -> Sent {
        let bearer = format!("Bearer {token}");
        self.proxy(&[step]).send(request(Method::GET, "/p/things", &[("authorization", &bearer)], ""))
    }
}

/// The members of a JSON answer.
pub(crate) fn json(sent: &Sent) -> Value {
    serde_json::from_str(&sent.body()).unwrap_or_else(|_| panic!("no JSON: {}", sent.body()))
}

/// A member of a JSON answer that is a text.
pub(crate) fn member(sent: &Sent, name: &str) -> String {
    json(sent)[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", sent.body())).to_owned()
}
