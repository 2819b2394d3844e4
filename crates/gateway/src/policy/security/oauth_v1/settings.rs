//! What a policy about OAuth 1.0 says.

use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;
use crate::policy::setting::Setting;
use crate::tokens::{TokenAttribute, TokenKind};
use crate::variable::Variable;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    RequestToken,
    Verifier,
    AccessToken,
    Verify,
    Validate,
    Invalidate,
}

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Form,
    Xml,
}

/// Whether the policy answers itself.
#[derive(Debug)]
pub(super) struct Manner {
    pub(super) tokens: Option<Format>,
    pub(super) errors: Option<Format>,
    pub(super) realm: Option<Setting>,
}

/// A token to be revoked or approved.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) kind: TokenKind,
    pub(super) variable: Variable,
    pub(super) cascade: bool,
}

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) operation: Operation,
    pub(super) manner: Manner,
    pub(super) url: Option<Setting>,
    pub(super) expires_in: Option<Setting>,
    pub(super) access_token: Option<Variable>,
    pub(super) request_token: Option<Setting>,
    pub(super) verifier: Option<Setting>,
    pub(super) end_user: Option<Setting>,
    pub(super) attributes: Vec<(String, Setting, bool)>,
    pub(super) tokens: Vec<Named>,
}

impl Settings {
    pub(super) fn read(policy: &mut Blueprint<'_>) -> Option<Self> {
        policy.only_in_root(
            &[],
            &[
                "AccessToken",
                "AppUserId",
                "Attributes",
                "ExpiresIn",
                "GenerateErrorResponse",
                "GenerateResponse",
                "OAuthConfig",
                "Operation",
                "RequestToken",
                "Tokens",
                "URL",
                "VerifierCode",
            ],
        );
        let root = policy.root;
        let operation = operation(policy)?;
        let manner = Manner {
            tokens: format(policy, "GenerateResponse", &[]),
            errors: format(policy, "GenerateErrorResponse", &["Realm"]),
            realm: root
                .child("GenerateErrorResponse")
                .and_then(|element| Setting::child(policy, element, "Realm", &[])),
        };
        let access_token = root.child("AccessToken").filter(|element| !element.text().is_empty());
        let settings = Self {
            operation,
            manner,
            url: Setting::child(policy, root, "URL", &[]),
            expires_in: Setting::child(policy, root, "ExpiresIn", &[]),
            access_token: access_token.and_then(|element| policy.variable(element, element.text())),
            request_token: Setting::child(policy, root, "RequestToken", &[]),
            verifier: Setting::child(policy, root, "VerifierCode", &[]),
            end_user: Setting::child(policy, root, "AppUserId", &[]),
            attributes: attributes(policy),
            tokens: tokens(policy),
        };
        let of_status = matches!(operation, Operation::Validate | Operation::Invalidate);
        if of_status && settings.tokens.is_empty() {
            policy.problem(root, "MissingConfigurationElement", "the operation needs Tokens");
            return None;
        }
        if operation == Operation::Verifier && settings.request_token.is_none() {
            policy.problem(root, "MissingConfigurationElement", "GenerateVerifier needs a RequestToken");
            return None;
        }
        Some(settings)
    }

    /// The attributes of a new token.
    pub(super) fn attributes(&self, cx: &crate::exchange::Exchange) -> Vec<TokenAttribute> {
        let value = |setting: &Setting| setting.text(cx).map(|text| text.into_owned());
        self.attributes
            .iter()
            .filter_map(|(name, setting, display)| {
                Some(TokenAttribute { name: name.clone(), value: value(setting)?, display: *display })
            })
            .collect()
    }
}

fn operation(policy: &mut Blueprint<'_>) -> Option<Operation> {
    let element = policy.root.child("Operation");
    let at = element.unwrap_or(policy.root);
    Some(match element.map_or("", Element::text) {
        "GenerateRequestToken" => Operation::RequestToken,
        "GenerateVerifier" => Operation::Verifier,
        "GenerateAccessToken" => Operation::AccessToken,
        "VerifyAccessToken" => Operation::Verify,
        "ValidateToken" => Operation::Validate,
        "InvalidateToken" => Operation::Invalidate,
        other => {
            policy.problem(at, "InvalidOperation", format!("'{other}' is no operation of OAuthV1"));
            return None;
        }
    })
}

/// Without `enabled` it is off, as in OAuthV2.
fn format(policy: &mut Blueprint<'_>, name: &str, more: &[&str]) -> Option<Format> {
    let element = policy.root.child(name)?;
    policy.only(element, &["enabled"], &[&["Format"], more].concat());
    let enabled = policy.flag(element, "enabled", false);
    let format = match element.child("Format").map(Element::text) {
        None | Some("" | "FORM_PARAM") => Format::Form,
        Some("XML") => Format::Xml,
        Some(other) => {
            policy.problem(element, "InvalidValueForElement", format!("'{other}' is not XML or FORM_PARAM"));
            return None;
        }
    };
    enabled.then_some(format)
}

fn attributes(policy: &mut Blueprint<'_>) -> Vec<(String, Setting, bool)> {
    let Some(element) = policy.root.child("Attributes") else { return Vec::new() };
    policy.only(element, &[], &["Attribute"]);
    let mut found = Vec::new();
    for child in element.children("Attribute") {
        policy.only(child, &["name", "ref", "display"], &[]);
        let display = policy.flag(child, "display", true);
        let name = child.attribute("name").map(str::trim).filter(|name| !name.is_empty());
        match (name, Setting::of(policy, child)) {
            (Some(name), Some(setting)) => found.push((name.to_owned(), setting, display)),
            _ => policy.problem(child, "MissingName", "an attribute needs a name and a value"),
        }
    }
    found
}

fn tokens(policy: &mut Blueprint<'_>) -> Vec<Named> {
    let Some(element) = policy.root.child("Tokens") else { return Vec::new() };
    policy.only(element, &[], &["Token"]);
    let mut found = Vec::new();
    for child in element.children("Token") {
        policy.only(child, &["type", "cascade"], &[]);
        let cascade = policy.flag(child, "cascade", false);
        let kind = match child.attribute("type").unwrap_or("accesstoken") {
            "accesstoken" => TokenKind::Access,
            "requesttoken" => TokenKind::Code,
            other => {
                policy.problem(child, "InvalidTokenType", format!("'{other}' is no type of a token"));
                continue;
            }
        };
        if let Some(variable) = policy.variable(child, child.text()) {
            found.push(Named { kind, variable, cascade });
        }
    }
    found
}
