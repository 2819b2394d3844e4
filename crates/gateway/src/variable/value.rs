//! Typed values of flow variables.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use pierhead_domain::SecretString;

/// What reading a variable gives. An unknown variable is [`Value::Null`], never an error (api-management §5).
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// 32 bits.
    Integer(i32),
    /// 64 bits.
    Long(i64),
    /// Single precision.
    Float(f32),
    /// Double precision.
    Double(f64),
    /// Text, borrowed where it can be.
    Text(Cow<'a, str>),
}

impl<'a> Value<'a> {
    /// Borrowed text.
    pub const fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// Owned text.
    pub const fn owned(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }

    /// Whether there is no value.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value as a template or a header shows it; `None` for null.
    pub fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(text),
            other => Some(Cow::Owned(other.to_string())),
        }
    }

    /// Whether a bare variable with this value holds as a condition: boolean true or the text `true`.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Boolean(holds) => *holds,
            Self::Text(text) => text.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(v) => v.fmt(f),
            Self::Integer(v) => v.fmt(f),
            Self::Long(v) => v.fmt(f),
            Self::Float(v) => v.fmt(f),
            Self::Double(v) => v.fmt(f),
            Self::Text(v) => f.write_str(v),
        }
    }
}

/// What a variable holds between steps.
#[derive(Debug, Clone)]
pub enum Stored {
    /// `true` or `false`.
    Boolean(bool),
    /// 32 bits.
    Integer(i32),
    /// 64 bits.
    Long(i64),
    /// Single precision.
    Float(f32),
    /// Double precision.
    Double(f64),
    /// Text.
    Text(Box<str>),
    /// Text shared with the snapshot.
    Shared(Arc<str>),
    /// Text that is wiped on drop and never traced: an encrypted entry of a key value map.
    Secret(Arc<SecretString>),
    /// Several texts; reads as `[a, b]`.
    List(Box<[Box<str>]>),
}

impl Stored {
    /// The value a reader sees.
    pub fn view(&self) -> Value<'_> {
        match self {
            Self::Boolean(v) => Value::Boolean(*v),
            Self::Integer(v) => Value::Integer(*v),
            Self::Long(v) => Value::Long(*v),
            Self::Float(v) => Value::Float(*v),
            Self::Double(v) => Value::Double(*v),
            Self::Text(v) => Value::text(v),
            Self::Shared(v) => Value::text(v),
            Self::Secret(v) => Value::text(v.expose()),
            Self::List(items) => Value::owned(format!("[{}]", items.join(", "))),
        }
    }
}

impl From<Value<'_>> for Option<Stored> {
    fn from(value: Value<'_>) -> Self {
        Some(match value {
            Value::Null => return None,
            Value::Boolean(v) => Stored::Boolean(v),
            Value::Integer(v) => Stored::Integer(v),
            Value::Long(v) => Stored::Long(v),
            Value::Float(v) => Stored::Float(v),
            Value::Double(v) => Stored::Double(v),
            Value::Text(v) => Stored::Text(v.into()),
        })
    }
}

impl From<String> for Stored {
    fn from(text: String) -> Self {
        Self::Text(text.into_boxed_str())
    }
}

impl From<&str> for Stored {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<bool> for Stored {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for Stored {
    fn from(value: i64) -> Self {
        Self::Long(value)
    }
}
