//! JSON web keys and sets of them (RFC 7517).

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::JoseError;
use super::compact::{decode, encode};
use super::key::{Curve, Key, PublicKey, RsaNumbers, ec_key, ec_point};

/// One key of a set.
#[derive(Debug)]
pub struct WebKey {
    /// `kid`.
    pub id: Option<String>,
    /// `alg`.
    pub algorithm: Option<String>,
    /// `use`.
    pub usage: Option<String>,
    /// The key itself.
    pub key: Key,
}

impl WebKey {
    /// Reads one key in JSON.
    pub fn read(text: &str) -> Result<Self, JoseError> {
        let value: Value = serde_json::from_str(text).map_err(|_| JoseError::BadKey("it is no JSON"))?;
        Self::of(&value)
    }

    fn of(value: &Value) -> Result<Self, JoseError> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let owned = |name| text(name).map(str::to_owned);
        let number = |name: &str| -> Result<Zeroizing<Vec<u8>>, JoseError> {
            let text = text(name).ok_or(JoseError::BadKey("a member of the JWK is missing"))?;
            let bytes =
                decode(text).map_err(|_| JoseError::BadKey("a member of the JWK is not base64url"))?;
            Ok(Zeroizing::new(bytes))
        };
        let positive = |name: &str| -> Result<Zeroizing<Vec<u8>>, JoseError> {
            let bytes = number(name)?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            Ok(Zeroizing::new(bytes[zeros..].to_vec()))
        };
        let key = match text("kty") {
            Some("oct") => Key::Secret(number("k")?),
            Some("RSA") if value.get("d").is_some() => {
                let [n, e, d] = [positive("n")?, positive("e")?, positive("d")?];
                let [p, q] = [positive("p")?, positive("q")?];
                let [dp, dq, q_inverse] = [positive("dp")?, positive("dq")?, positive("qi")?];
                let numbers =
                    RsaNumbers { n: &n, e: &e, d: &d, p: &p, q: &q, dp: &dp, dq: &dq, q_inverse: &q_inverse };
                Key::Private(numbers.key()?)
            }
            Some("RSA") => {
                Key::Public(PublicKey::Rsa { n: positive("n")?.to_vec(), e: positive("e")?.to_vec() })
            }
            Some("EC") => {
                let curve = text("crv").and_then(Curve::named);
                let curve = curve.ok_or(JoseError::BadKey("curves are P-256, P-384 and P-521"))?;
                if value.get("d").is_some() {
                    Key::Private(ec_key(curve, &number("d")?)?)
                } else {
                    let (x, y) = (number("x")?, number("y")?);
                    if x.len() != curve.bytes() || y.len() != curve.bytes() {
                        return Err(JoseError::BadKey("a coordinate has the wrong length"));
                    }
                    Key::Public(ec_point(curve, &[&[4], x.as_slice(), y.as_slice()].concat())?)
                }
            }
            _ => return Err(JoseError::BadKey("keys are of type oct, RSA or EC")),
        };
        Ok(Self { id: owned("kid"), algorithm: owned("alg"), usage: owned("use"), key })
    }
}

impl PublicKey {
    /// The members of a point, for `epk`.
    pub(super) fn to_jwk(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let mut set = |name: &str, value: String| members.insert(name.to_owned(), value.into());
        match self {
            Self::Rsa { n, e } => {
                set("kty", "RSA".into());
                set("n", encode(n));
                set("e", encode(e));
            }
            Self::Ec { curve, point } => {
                let (x, y) = point[1..].split_at(curve.bytes());
                set("kty", "EC".into());
                set("crv", curve.name().into());
                set("x", encode(x));
                set("y", encode(y));
            }
        }
        members
    }

    pub(super) fn of_jwk(value: &Value) -> Result<Self, JoseError> {
        WebKey::of(value)?.key.public().ok_or(JoseError::WrongKeyType)
    }
}

/// A set of keys. Keys of kinds that are not read here are left out, as RFC 7517 asks.
#[derive(Debug, Default)]
pub struct JwkSet(Vec<WebKey>);

impl JwkSet {
    /// Reads a set, or a single key, in JSON.
    pub fn read(text: &str) -> Result<Self, JoseError> {
        let value: Value = serde_json::from_str(text).map_err(|_| JoseError::BadKey("it is no JSON"))?;
        match value.get("keys") {
            Some(Value::Array(keys)) => {
                Ok(Self(keys.iter().filter_map(|key| WebKey::of(key).ok()).collect()))
            }
            Some(_) => Err(JoseError::BadKey("keys is no array")),
            None => Ok(Self(vec![WebKey::of(&value)?])),
        }
    }

    /// Whether a key of this id is among them.
    pub fn has(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id.as_deref() == Some(id))
    }

    /// The keys that a token with this `kid` may have been made with: those of the id, or all where the token
    /// names none. Keys for another use or algorithm are not among them.
    pub fn candidates<'a>(
        &'a self,
        id: Option<&'a str>,
        usage: &'a str,
        algorithm: &'a str,
    ) -> impl Iterator<Item = &'a WebKey> + 'a {
        self.0.iter().filter(move |key| {
            (id.is_none() || key.id.as_deref() == id)
                && key.usage.as_deref().is_none_or(|known| known == usage)
                && key.algorithm.as_deref().is_none_or(|known| known == algorithm)
        })
    }
}
