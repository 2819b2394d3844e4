//! What an `OAuthV2` document says.

use std::sync::Arc;

use crate::condition::Lookup as _;
use crate::exchange::Exchange;
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;
use crate::policy::security::oauth::problem::Manner;
use crate::policy::setting::Setting;
use crate::tokens::{TokenAttribute, TokenKind};
use crate::variable::Variable;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Generate,
    Implicit,
    Code,
    Refresh,
    Verify,
    Invalidate,
    Validate,
    GenerateJwt,
    RefreshJwt,
    VerifyJwt,
}

impl Operation {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "GenerateAccessToken" => Self::Generate,
            "GenerateAccessTokenImplicitGrant" => Self::Implicit,
            "GenerateAuthorizationCode" => Self::Code,
            "RefreshAccessToken" => Self::Refresh,
            "VerifyAccessToken" => Self::Verify,
            "InvalidateToken" => Self::Invalidate,
            "ValidateToken" => Self::Validate,
            "GenerateJWTAccessToken" => Self::GenerateJwt,
            "RefreshJWTAccessToken" => Self::RefreshJwt,
            "VerifyJWTAccessToken" => Self::VerifyJwt,
            _ => return None,
        })
    }

    pub(super) const fn is_jwt(self) -> bool {
        matches!(self, Self::GenerateJwt | Self::RefreshJwt | Self::VerifyJwt)
    }

    pub(super) const fn is_verify(self) -> bool {
        matches!(self, Self::Verify | Self::VerifyJwt)
    }
}

/// A parameter of the request: the first of these variables that has a value.
#[derive(Debug)]
pub(super) struct Parameter(Vec<Variable>);

impl Parameter {
    pub(super) fn text(&self, cx: &Exchange) -> Option<String> {
        let found = self.0.iter().find_map(|variable| cx.value(variable).into_text());
        found.map(|text| text.into_owned()).filter(|text| !text.is_empty())
    }
}

/// A custom attribute of a token.
#[derive(Debug)]
pub(in crate::policy::security) struct Attribute {
    pub(super) name: Box<str>,
    pub(super) value: Setting,
    pub(super) display: bool,
}

/// A token to be revoked or approved.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) kind: TokenKind,
    pub(super) cascade: bool,
    pub(super) variable: Variable,
}

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) name: Arc<str>,
    /// `oauthv2accesstoken.<policy>.`
    pub(super) prefix: Arc<str>,
    /// `oauthv2authcode.<policy>.`
    pub(super) code_prefix: Arc<str>,
    /// The empty prefix.
    pub(super) global: Arc<str>,
    pub(super) operation: Operation,
    pub(super) expires_in: Option<Setting>,
    pub(super) refresh_expires_in: Option<Setting>,
    pub(super) grants: Vec<String>,
    pub(super) grant_type: Parameter,
    pub(super) client_id: Parameter,
    pub(super) client_secret: Parameter,
    pub(super) redirect_uri: Parameter,
    pub(super) scope: Parameter,
    pub(super) state: Parameter,
    pub(super) code: Parameter,
    pub(super) user_name: Parameter,
    pub(super) password: Parameter,
    pub(super) refresh_token: Parameter,
    pub(super) end_user: Option<Parameter>,
    pub(super) response_type: Parameter,
    pub(super) access_token: Option<Variable>,
    pub(super) access_token_prefix: Box<str>,
    /// Scopes of which a verified token needs one.
    pub(super) needed_scopes: Vec<String>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) answer: bool,
    pub(super) error_answer: bool,
    /// The answer is form-encoded.
    pub(super) as_form: bool,
    pub(super) reuse_refresh: bool,
    pub(super) rfc: bool,
    pub(super) external_authorization: bool,
    pub(super) external_access: Option<Variable>,
    pub(super) external_refresh: Option<Variable>,
    pub(super) external_code: Option<Variable>,
    pub(super) store: bool,
    pub(super) tokens: Vec<Named>,
}

const ELEMENTS: &[&str] = &[
    "Operation",
    "ExpiresIn",
    "RefreshTokenExpiresIn",
    "SupportedGrantTypes",
    "GrantType",
    "ClientId",
    "RedirectUri",
    "Scope",
    "State",
    "Code",
    "UserName",
    "PassWord",
    "RefreshToken",
    "AppEndUser",
    "ResponseType",
    "AccessToken",
    "AccessTokenPrefix",
    "Attributes",
    "GenerateResponse",
    "GenerateErrorResponse",
    "ReuseRefreshToken",
    "ExternalAuthorization",
    "ExternalAccessToken",
    "ExternalAuthorizationCode",
    "ExternalRefreshToken",
    "StoreToken",
    "RFCCompliantRequestResponse",
    "CacheExpiryInSeconds",
    "Algorithm",
    "SecretKey",
    "PrivateKey",
    "PublicKey",
    "Tokens",
];

const GRANTS: &[&str] = &["client_credentials", "password", "authorization_code", "implicit"];

impl Settings {
    pub(super) fn of(policy: &mut Blueprint<'_>) -> Option<Self> {
        policy.only_in_root(&[], ELEMENTS);
        let root = policy.root;
        let operation = match root.child("Operation") {
            Some(element) => {
                policy.only(element, &[], &[]);
                let operation = Operation::named(element.text());
                if operation.is_none() {
                    let message = format!("'{}' is not an operation of OAuthV2", element.text());
                    policy.problem(element, "InvalidOperation", message);
                }
                operation?
            }
            // As in the original: a document without an operation issues tokens.
            None => Operation::Generate,
        };
        let (answer, as_form) = answer(policy);
        let (error_answer, _) = enabled(policy, "GenerateErrorResponse");
        let expires_in = lifetime(policy, "ExpiresIn");
        let refresh_expires_in = lifetime(policy, "RefreshTokenExpiresIn");
        if let Some(element) = root.child("CacheExpiryInSeconds") {
            // What memory knows is never older than a revocation, so there is nothing to expire.
            policy.only(element, &["ref"], &[]);
        }
        let needed_scopes = match root.child("Scope").filter(|_| operation.is_verify()) {
            Some(element) => {
                element.text().split([' ', ',']).filter(|s| !s.is_empty()).map(str::to_owned).collect()
            }
            None => Vec::new(),
        };
        let grants = grants(policy, operation);
        let places = Places::of(operation, &grants);
        let variable = |policy: &mut Blueprint<'_>, name| one_variable(policy, name);
        Some(Self {
            name: policy.name.clone(),
            prefix: format!("oauthv2accesstoken.{}.", policy.name).into(),
            code_prefix: format!("oauthv2authcode.{}.", policy.name).into(),
            global: "".into(),
            operation,
            expires_in,
            refresh_expires_in,
            grants,
            grant_type: parameter(policy, places, "GrantType", "grant_type"),
            client_id: parameter(policy, places, "ClientId", "client_id"),
            client_secret: parameter(policy, places, "", "client_secret"),
            redirect_uri: parameter(policy, places, "RedirectUri", "redirect_uri"),
            scope: if operation.is_verify() {
                Parameter(Vec::new())
            } else {
                parameter(policy, places, "Scope", "scope")
            },
            state: parameter(policy, places, "State", "state"),
            code: parameter(policy, places, "Code", "code"),
            user_name: parameter(policy, places, "UserName", "username"),
            password: parameter(policy, places, "PassWord", "password"),
            refresh_token: parameter(policy, places, "RefreshToken", "refresh_token"),
            end_user: root
                .child("AppEndUser")
                .is_some()
                .then(|| parameter(policy, places, "AppEndUser", "app_enduser")),
            response_type: parameter(policy, places, "ResponseType", "response_type"),
            access_token: variable(policy, "AccessToken"),
            access_token_prefix: root
                .child("AccessTokenPrefix")
                .map_or("Bearer", |element| element.text())
                .into(),
            needed_scopes,
            attributes: attributes(policy),
            answer,
            error_answer: error_answer.unwrap_or(answer),
            as_form,
            reuse_refresh: policy.flag_child(root, "ReuseRefreshToken", false),
            rfc: policy.flag_child(root, "RFCCompliantRequestResponse", false),
            external_authorization: policy.flag_child(root, "ExternalAuthorization", false),
            external_access: variable(policy, "ExternalAccessToken"),
            external_refresh: variable(policy, "ExternalRefreshToken"),
            external_code: variable(policy, "ExternalAuthorizationCode"),
            store: policy.flag_child(root, "StoreToken", true),
            tokens: tokens(policy, operation),
        })
    }

    /// Whether a request without `grant_type` may ask for a token with `response_type`.
    pub(super) fn supports_implicit(&self) -> bool {
        self.grants.iter().any(|grant| grant == "implicit")
    }

    /// How a refused request is told.
    pub(super) fn manner(&self, cx: &Exchange) -> Manner {
        Manner { answer: self.error_answer, rfc: self.rfc, dialect: cx.proxy().dialect }
    }

    /// The attributes of a new token; one whose variable and text have no value is left out.
    pub(super) fn new_attributes(&self, cx: &Exchange) -> Vec<TokenAttribute> {
        self.attributes.iter().filter_map(|attribute| attribute.resolve(cx)).collect()
    }
}

/// `enabled` of an element; `None` when it is not there.
fn enabled(policy: &mut Blueprint<'_>, name: &str) -> (Option<bool>, bool) {
    let Some(element) = policy.root.child(name) else { return (None, false) };
    policy.only(element, &["enabled"], &["Format"]);
    let enabled = policy.flag(element, "enabled", true);
    let mut as_form = false;
    if let Some(format) = element.child("Format") {
        as_form = format.text() == "FORM_PARAM";
        if !matches!(format.text(), "JSON" | "FORM_PARAM" | "") {
            let message = format!("Format '{}' is not JSON or FORM_PARAM", format.text());
            policy.problem(format, "InvalidValueForElement", message);
        }
    }
    (Some(enabled), as_form)
}

fn answer(policy: &mut Blueprint<'_>) -> (bool, bool) {
    let (enabled, as_form) = enabled(policy, "GenerateResponse");
    (enabled.unwrap_or(false), as_form)
}

fn lifetime(policy: &mut Blueprint<'_>, name: &str) -> Option<Setting> {
    let element = policy.root.child(name)?;
    policy.only(element, &["ref"], &[]);
    let text = element.text();
    if !text.is_empty() && !text.parse::<i64>().is_ok_and(|millis| millis == -1 || millis > 0) {
        let message = format!("'{text}' is not a number of milliseconds above 0, or -1");
        policy.problem(element, "InvalidValueForExpiresIn", message);
    }
    Setting::of(policy, element)
}

fn grants(policy: &mut Blueprint<'_>, operation: Operation) -> Vec<String> {
    let mut grants = Vec::new();
    let Some(element) = policy.root.child("SupportedGrantTypes") else {
        // Those that need no more than is there anyway.
        return vec!["authorization_code".into(), "implicit".into()];
    };
    policy.only(element, &[], &["GrantType"]);
    for grant in element.children("GrantType") {
        let name = grant.text();
        if GRANTS.contains(&name) {
            grants.push(name.to_owned());
        } else {
            policy.problem(grant, "InvalidGrantType", format!("'{name}' is not a grant type"));
        }
    }
    if grants.is_empty() && matches!(operation, Operation::Generate | Operation::GenerateJwt) {
        policy.problem(element, "InvalidGrantType", "GenerateAccessToken needs a grant type");
    }
    grants
}

/// Where a parameter that no element names is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Places {
    None,
    Form,
    /// In the form, and what a browser that is sent here asks with also in the query.
    Browsers,
    FormAndQuery,
}

const OF_BROWSERS: &[&str] = &["client_id", "redirect_uri", "response_type", "scope", "state"];

impl Places {
    fn of(operation: Operation, grants: &[String]) -> Self {
        match operation {
            Operation::Verify | Operation::VerifyJwt | Operation::Invalidate | Operation::Validate => {
                Self::None
            }
            Operation::Code | Operation::Implicit => Self::FormAndQuery,
            Operation::Generate if grants.iter().any(|grant| grant == "implicit") => Self::Browsers,
            Operation::Generate | Operation::Refresh | Operation::GenerateJwt | Operation::RefreshJwt => {
                Self::Form
            }
        }
    }
}

/// The variable that an element names, else the parameter's usual places: the form, and for authorization, which a
/// browser asks for, the query.
fn parameter(policy: &mut Blueprint<'_>, usual: Places, element: &str, name: &str) -> Parameter {
    if let Some(found) = one_variable(policy, element) {
        return Parameter(vec![found]);
    }
    let root = policy.root;
    let form = format!("request.formparam.{name}");
    let query = format!("request.queryparam.{name}");
    let places = match usual {
        Places::None => Vec::new(),
        Places::Browsers if OF_BROWSERS.contains(&name) => vec![form, query],
        Places::Form | Places::Browsers => vec![form],
        Places::FormAndQuery => vec![form, query],
    };
    Parameter(places.iter().filter_map(|place| policy.variable(root, place)).collect())
}

fn one_variable(policy: &mut Blueprint<'_>, name: &str) -> Option<Variable> {
    let element = policy.root.child(name).filter(|element| !element.text().is_empty())?;
    policy.only(element, &[], &[]);
    policy.variable(element, element.text())
}

fn attributes(policy: &mut Blueprint<'_>) -> Vec<Attribute> {
    let root = policy.root;
    let mut attributes = Vec::new();
    for element in root.children("Attributes") {
        policy.only(element, &[], &["Attribute"]);
        for child in element.children("Attribute") {
            attributes.extend(attribute(policy, child));
        }
    }
    attributes
}

/// An `Attribute` with name, value and whether answers show it.
pub(in crate::policy::security) fn attribute<'d>(
    policy: &mut Blueprint<'d>,
    element: &'d Element,
) -> Option<Attribute> {
    policy.only(element, &["name", "ref", "display"], &[]);
    let name = element.attribute("name").map(str::trim).filter(|name| !name.is_empty());
    if name.is_none() {
        policy.problem(element, "InvalidAttributeName", "an Attribute needs a name");
    }
    let display = policy.flag(element, "display", true);
    let value = Setting::of(policy, element)?;
    Some(Attribute { name: name?.into(), value, display })
}

impl Attribute {
    pub(in crate::policy::security) fn resolve(&self, cx: &Exchange) -> Option<TokenAttribute> {
        let value = self.value.text(cx)?.into_owned();
        Some(TokenAttribute { name: self.name.to_string(), value, display: self.display })
    }

    pub(in crate::policy::security) fn name(&self) -> &str {
        &self.name
    }
}

fn tokens(policy: &mut Blueprint<'_>, operation: Operation) -> Vec<Named> {
    let root = policy.root;
    let mut named = Vec::new();
    let element = root.child("Tokens");
    if let Some(element) = element {
        policy.only(element, &[], &["Token"]);
        for token in element.children("Token") {
            policy.only(token, &["type", "cascade"], &[]);
            let kind = match token.attribute("type") {
                Some("accesstoken") => TokenKind::Access,
                Some("refreshtoken") => TokenKind::Refresh,
                other => {
                    let message = format!("type {other:?} is not accesstoken or refreshtoken");
                    policy.problem(token, "InvalidTokenType", message);
                    continue;
                }
            };
            let cascade = policy.flag(token, "cascade", false);
            if let Some(variable) = policy.variable(token, token.text()) {
                named.push(Named { kind, cascade, variable });
            }
        }
    }
    if matches!(operation, Operation::Invalidate | Operation::Validate) && element.is_none() {
        policy.problem(root, "MissingConfigurationElement", "the operation needs Tokens");
    }
    named
}
