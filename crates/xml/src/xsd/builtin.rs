//! Built-in types (XML Schema part 2, 3): what texts they allow, and values that can be compared.

use std::cmp::Ordering;

use super::time::{Duration, Moment};
use crate::document::Node;
use crate::names::{is_name_char, is_name_start, is_nc_name, is_space};

macro_rules! builtins {
    ($($builtin:ident $name:literal $primitive:ident $space:ident;)*) => {
        /// A built-in atomic type.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Builtin { $($builtin),* }

        impl Builtin {
            pub(super) fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$builtin),)* _ => None }
            }

            /// The type it is derived from in the end.
            pub(super) const fn primitive(self) -> Self {
                match self { $(Self::$builtin => Self::$primitive),* }
            }

            pub(super) const fn space(self) -> Space {
                match self { $(Self::$builtin => Space::$space),* }
            }
        }
    };
}

builtins! {
    AnySimple "anySimpleType" AnySimple Preserve;
    Text "string" Text Preserve;
    NormalizedString "normalizedString" Text Replace;
    Token "token" Text Collapse;
    Language "language" Text Collapse;
    NmToken "NMTOKEN" Text Collapse;
    Name "Name" Text Collapse;
    NcName "NCName" Text Collapse;
    Id "ID" Text Collapse;
    IdRef "IDREF" Text Collapse;
    Entity "ENTITY" Text Collapse;
    Boolean "boolean" Boolean Collapse;
    Decimal "decimal" Decimal Collapse;
    Integer "integer" Decimal Collapse;
    NonPositive "nonPositiveInteger" Decimal Collapse;
    Negative "negativeInteger" Decimal Collapse;
    NonNegative "nonNegativeInteger" Decimal Collapse;
    Positive "positiveInteger" Decimal Collapse;
    Long "long" Decimal Collapse;
    Int "int" Decimal Collapse;
    Short "short" Decimal Collapse;
    Byte "byte" Decimal Collapse;
    UnsignedLong "unsignedLong" Decimal Collapse;
    UnsignedInt "unsignedInt" Decimal Collapse;
    UnsignedShort "unsignedShort" Decimal Collapse;
    UnsignedByte "unsignedByte" Decimal Collapse;
    Float "float" Float Collapse;
    Double "double" Double Collapse;
    Duration "duration" Duration Collapse;
    DateTime "dateTime" DateTime Collapse;
    Time "time" Time Collapse;
    Date "date" Date Collapse;
    YearMonth "gYearMonth" YearMonth Collapse;
    Year "gYear" Year Collapse;
    MonthDay "gMonthDay" MonthDay Collapse;
    Day "gDay" Day Collapse;
    Month "gMonth" Month Collapse;
    Hex "hexBinary" Hex Collapse;
    Base64 "base64Binary" Base64 Collapse;
    AnyUri "anyURI" AnyUri Collapse;
    QName "QName" QName Collapse;
}

/// The built-in type that another is derived from.
pub(super) fn parent(name: &str) -> &'static str {
    match name {
        "normalizedString" => "string",
        "token" => "normalizedString",
        "language" | "NMTOKEN" | "Name" => "token",
        "NCName" => "Name",
        "ID" | "IDREF" | "ENTITY" => "NCName",
        "integer" => "decimal",
        "nonPositiveInteger" | "long" | "nonNegativeInteger" => "integer",
        "negativeInteger" => "nonPositiveInteger",
        "int" => "long",
        "short" => "int",
        "byte" => "short",
        "unsignedLong" | "positiveInteger" => "nonNegativeInteger",
        "unsignedInt" => "unsignedLong",
        "unsignedShort" => "unsignedInt",
        "unsignedByte" => "unsignedShort",
        "anySimpleType" => "anyType",
        _ => "anySimpleType",
    }
}

/// What happens to white space before a text is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Space {
    Preserve,
    Replace,
    Collapse,
}

/// A value, as far as values are compared.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Typed {
    Text(String),
    Boolean(bool),
    Decimal(Decimal),
    Float(f64),
    Moment(Moment),
    Duration(Duration),
    Bytes(Vec<u8>),
    QName(String, String),
    List(Vec<Typed>),
}

/// A decimal number of any length: digits without leading and trailing zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    whole: String,
    fraction: String,
}

impl Decimal {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !are_digits(whole) || !are_digits(fraction) {
            return None;
        }
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let negative = negative && !(whole.is_empty() && fraction.is_empty());
        Some(Self { negative, whole: whole.to_owned(), fraction: fraction.to_owned() })
    }

    pub(super) const fn is_whole(&self) -> bool {
        self.fraction.is_empty()
    }

    pub(super) const fn total_digits(&self) -> usize {
        self.whole.len() + self.fraction.len()
    }

    pub(super) const fn fraction_digits(&self) -> usize {
        self.fraction.len()
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            _ => {}
        }
        let by_size = (self.whole.len(), &self.whole, &self.fraction).cmp(&(
            other.whole.len(),
            &other.whole,
            &other.fraction,
        ));
        if self.negative { by_size.reverse() } else { by_size }
    }
}

impl Typed {
    /// `None` where there is no order, or none between these two.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Decimal(a), Self::Decimal(b)) => Some(a.compare(b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Moment(a), Self::Moment(b)) => a.compare(b),
            (Self::Duration(a), Self::Duration(b)) => a.compare(b),
            _ => None,
        }
    }
}

impl Space {
    pub(super) fn apply(self, text: &str) -> String {
        match self {
            Self::Preserve => text.to_owned(),
            Self::Replace => text.replace(['\t', '\n', '\r'], " "),
            Self::Collapse => {
                text.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
            }
        }
    }
}

impl Builtin {
    /// The value of a text whose white space is as the type wants it. `at` knows prefixes.
    pub(super) fn read(self, text: &str, at: Node<'_>) -> Option<Typed> {
        if self.primitive() == Self::Decimal {
            return self.read_decimal(text);
        }
        let as_text = || Typed::Text(text.to_owned());
        let is_name = |text: &str| {
            text.starts_with(|c| c == ':' || is_name_start(c))
                && text.chars().all(|c| c == ':' || is_name_char(c))
        };
        match self {
            Self::AnySimple | Self::Text | Self::NormalizedString | Self::Token => Some(as_text()),
            Self::Language => is_language(text).then(as_text),
            Self::NmToken => {
                (!text.is_empty() && text.chars().all(|c| c == ':' || is_name_char(c))).then(as_text)
            }
            Self::Name => is_name(text).then(as_text),
            Self::NcName | Self::Id | Self::IdRef | Self::Entity => is_nc_name(text).then(as_text),
            Self::Boolean => match text {
                "true" | "1" => Some(Typed::Boolean(true)),
                "false" | "0" => Some(Typed::Boolean(false)),
                _ => None,
            },
            Self::Float | Self::Double => float(text).map(|number| {
                // Single precision holds less.
                #[expect(clippy::cast_possible_truncation, reason = "that is what single precision is")]
                let single = f64::from(number as f32);
                Typed::Float(if self == Self::Float { single } else { number })
            }),
            Self::Duration => Duration::parse(text).map(Typed::Duration),
            Self::DateTime
            | Self::Time
            | Self::Date
            | Self::YearMonth
            | Self::Year
            | Self::MonthDay
            | Self::Day
            | Self::Month => Moment::parse(self, text).map(Typed::Moment),
            Self::Hex => hex(text).map(Typed::Bytes),
            Self::Base64 => base64(text).map(Typed::Bytes),
            Self::AnyUri => {
                (!text.contains([' ', '<', '>', '"', '{', '}', '|', '\\', '^', '`'])).then(as_text)
            }
            Self::QName => {
                let (prefix, local) = crate::names::split_qname(text)?;
                Some(Typed::QName(at.resolve_prefix(prefix)?.to_owned(), local.to_owned()))
            }
            _ => None,
        }
    }

    fn read_decimal(self, text: &str) -> Option<Typed> {
        let number = Decimal::parse(text)?;
        if self == Self::Decimal {
            return Some(Typed::Decimal(number));
        }
        if text.contains('.') {
            return None;
        }
        let (least, most): (Option<&str>, Option<&str>) = match self {
            Self::NonPositive => (None, Some("0")),
            Self::Negative => (None, Some("-1")),
            Self::NonNegative => (Some("0"), None),
            Self::Positive => (Some("1"), None),
            Self::Long => (Some("-9223372036854775808"), Some("9223372036854775807")),
            Self::Int => (Some("-2147483648"), Some("2147483647")),
            Self::Short => (Some("-32768"), Some("32767")),
            Self::Byte => (Some("-128"), Some("127")),
            Self::UnsignedLong => (Some("0"), Some("18446744073709551615")),
            Self::UnsignedInt => (Some("0"), Some("4294967295")),
            Self::UnsignedShort => (Some("0"), Some("65535")),
            Self::UnsignedByte => (Some("0"), Some("255")),
            _ => (None, None),
        };
        let fits = |bound: Option<&str>, wrong: Ordering| {
            bound.and_then(Decimal::parse).is_none_or(|bound| number.compare(&bound) != wrong)
        };
        (number.is_whole() && fits(least, Ordering::Less) && fits(most, Ordering::Greater))
            .then_some(Typed::Decimal(number))
    }
}

fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let is_part = |part: &str, digits: bool| {
        (1..=8).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphabetic() || (digits && b.is_ascii_digit()))
    };
    parts.next().is_some_and(|first| is_part(first, false)) && parts.all(|part| is_part(part, true))
}

fn float(text: &str) -> Option<f64> {
    match text {
        "INF" => return Some(f64::INFINITY),
        "-INF" => return Some(f64::NEG_INFINITY),
        "NaN" => return Some(f64::NAN),
        _ => {}
    }
    let is_number = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    if is_number { text.parse().ok() } else { None }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.bytes().map(|byte| char::from(byte).to_digit(16)).collect::<Option<Vec<u32>>>()?;
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let compact: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if !compact.len().is_multiple_of(4) {
        return None;
    }
    let padding = compact.iter().rev().take_while(|byte| **byte == b'=').count();
    if padding > 2 {
        return None;
    }
    let mut out = Vec::with_capacity(compact.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for byte in &compact[..compact.len() - padding] {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).ok()?);
            bits &= (1 << count) - 1;
        }
    }
    // Bits that stand for no byte must be nothing.
    (bits == 0).then_some(out)
}
