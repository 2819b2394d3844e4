//! `HMAC`: computes a keyed code over a message, or checks one (api-management §9.3).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::StatusCode;
use pierhead_vault::constant_time_eq;

use crate::condition::Lookup as _;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;
use crate::policy::setting::Setting;
use crate::policy::{Compiled, Next, Policy, PolicyRun};
use crate::template::{Mac, RenderProblem, Template, decode_base64};
use crate::variable::{Stored, Variable};

/// With a `VerificationValue` the code must be that one, compared in constant time; else it goes into a
/// variable, `hmac.<policy>.output` unless `Output` names another.
///
/// Faults, all 401: `steps.hmac.UnresolvedVariable`, `steps.hmac.HmacVerificationFailed`; and
/// `steps.hmac.HmacEmptySecretKey`, `steps.hmac.HmacEncodingFailed` (Unsourced: their names).
#[derive(Debug)]
struct Hmac {
    mac: Mac,
    key: Variable,
    key_encoding: Encoding,
    message: Template,
    output: Variable,
    output_encoding: Encoding,
    expected: Option<(Setting, Encoding)>,
    lenient: bool,
}

/// How bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Hex,
    Base64,
    Base64Url,
}

impl Encoding {
    /// By its name in policy documents.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "utf8" | "utf-8" => Self::Utf8,
            "hex" | "base16" => Self::Hex,
            "base64" => Self::Base64,
            "base64url" => Self::Base64Url,
            _ => return None,
        })
    }

    /// The bytes behind a text; `None` when it is not in this encoding.
    pub(crate) fn read(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Hex => {
                let digits: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
                hex::decode(digits).ok()
            }
            Self::Base64 | Self::Base64Url => decode_base64(text),
        }
    }

    fn write(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64Url => URL_SAFE_NO_PAD.encode(bytes),
            Self::Base64 | Self::Utf8 => STANDARD.encode(bytes),
        }
    }
}

pub(super) fn compile(policy: &mut Blueprint<'_>) -> Option<Compiled> {
    policy.only_in_root(
        &[],
        &["Algorithm", "SecretKey", "Message", "Output", "VerificationValue", "IgnoreUnresolvedVariables"],
    );
    let root = policy.root;
    let lenient = policy.flag_child(root, "IgnoreUnresolvedVariables", false);
    let mac = algorithm(policy);
    let (key, key_encoding) = secret_key(policy);
    let message = root.child("Message").filter(|element| !element.text().is_empty());
    if message.is_none() {
        policy.problem(root, "MissingConfigurationElement", "HMAC needs a Message");
    }
    let message = message.map(|element| {
        policy.only(element, &[], &[]);
        policy.template(element, element.text())
    });
    let mut output_encoding = Encoding::Base64;
    let mut output = Some(Variable::new(&format!("hmac.{}.output", policy.name)));
    if let Some(element) = root.child("Output") {
        policy.only(element, &["encoding"], &[]);
        output_encoding = encoding(policy, element, Encoding::Base64);
        if !element.text().is_empty() {
            output = policy.variable(element, element.text());
        }
    }
    let expected = root.child("VerificationValue").and_then(|element| {
        policy.only(element, &["ref", "encoding"], &[]);
        let value = Setting::of(policy, element);
        if value.is_none() {
            policy.problem(element, "InvalidValueForElement", "VerificationValue needs a ref or a text");
        }
        Some((value?, encoding(policy, element, Encoding::Base64)))
    });
    Some(Box::new(Hmac {
        mac: mac?,
        key: key?,
        key_encoding,
        message: message?,
        output: output?,
        output_encoding,
        expected,
        lenient,
    }))
}

fn algorithm(policy: &mut Blueprint<'_>) -> Option<Mac> {
    let Some(element) = policy.root.child("Algorithm") else {
        policy.problem(policy.root, "MissingConfigurationElement", "HMAC needs an Algorithm");
        return None;
    };
    policy.only(element, &[], &[]);
    let mac = Mac::with(&element.text().replace('-', "").to_ascii_lowercase());
    if mac.is_none() {
        let message = "Algorithm is SHA-1, SHA-224, SHA-256, SHA-384, SHA-512 or MD-5";
        policy.problem(element, "InvalidValueForElement", message);
    }
    mac
}

fn secret_key(policy: &mut Blueprint<'_>) -> (Option<Variable>, Encoding) {
    let Some(element) = policy.root.child("SecretKey") else {
        policy.problem(policy.root, "MissingConfigurationElement", "HMAC needs a SecretKey");
        return (None, Encoding::Utf8);
    };
    policy.only(element, &["ref", "encoding"], &[]);
    let encoding = encoding(policy, element, Encoding::Utf8);
    let key = match element.attribute("ref") {
        Some(name) if element.text().is_empty() => policy.variable(element, name),
        _ => {
            let message = "SecretKey names a variable in its ref, and holds no key itself";
            policy.problem(element, "InvalidSecretInConfig", message);
            None
        }
    };
    (key, encoding)
}

fn encoding(policy: &mut Blueprint<'_>, element: &Element, default: Encoding) -> Encoding {
    let Some(name) = element.attribute("encoding") else { return default };
    Encoding::named(name).unwrap_or_else(|| {
        let message = format!("'{name}' is not one of utf8, hex, base16, base64, base64url");
        policy.problem(element, "InvalidValueForElement", message);
        default
    })
}

impl Policy for Hmac {
    fn run<'a>(&'a self, cx: &'a mut Exchange) -> PolicyRun<'a> {
        PolicyRun::Done(self.code(cx).and_then(|code| self.use_code(cx, &code)).map(|()| Next::Continue))
    }
}

impl Hmac {
    fn code(&self, cx: &Exchange) -> Result<Vec<u8>, Fault> {
        let key = match cx.value(&self.key).into_text() {
            Some(text) => self.key_encoding.read(&text).ok_or_else(|| not_encoded(self.key.name()))?,
            None if self.lenient => Vec::new(),
            None => return Err(unresolved(self.key.name())),
        };
        if key.is_empty() {
            let text = format!("The secret key in {} is empty", self.key);
            return Err(refused("steps.hmac.HmacEmptySecretKey", text));
        }
        let message = self.message.render(cx, self.lenient).map_err(|problem| match problem {
            RenderProblem::Unresolved(name) => unresolved(&name),
            RenderProblem::TooLong => {
                refused("steps.hmac.HmacEncodingFailed", "The message is too long".into())
            }
        })?;
        Ok(self.mac.of(&key, message.as_bytes()))
    }

    fn use_code(&self, cx: &mut Exchange, code: &[u8]) -> Result<(), Fault> {
        if let Some((expected, encoding)) = &self.expected {
            let expected_code = {
                let text = expected.text(cx).ok_or_else(|| unresolved(expected.name()))?;
                encoding.read(&text).ok_or_else(|| not_encoded(expected.name()))?
            };
            if !constant_time_eq(code, &expected_code) {
                let text = "The HMAC of the message is not the expected one".to_owned();
                return Err(refused("steps.hmac.HmacVerificationFailed", text));
            }
        }
        let written = Stored::from(self.output_encoding.write(code));
        cx.set(&self.output, Some(written)).map_err(|why| {
            let text = format!("Failed to set variable {}: {why}", self.output);
            Fault::internal("steps.hmac.SetVariableFailed", text)
        })
    }
}

fn refused(code: &'static str, text: String) -> Fault {
    Fault::step(StatusCode::UNAUTHORIZED, code, text)
}

fn unresolved(variable: &str) -> Fault {
    refused("steps.hmac.UnresolvedVariable", format!("Unresolved variable : {variable}"))
}

fn not_encoded(variable: &str) -> Fault {
    refused(
        "steps.hmac.HmacEncodingFailed",
        format!("The value of {variable} is not encoded as it should be"),
    )
}

#[cfg(test)]
mod tests;
