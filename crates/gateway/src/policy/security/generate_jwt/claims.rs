//! The claims of a new token.

use std::time::Duration;

use pierhead_domain::time_ordered_id;
use serde_json::{Map, Value};

use super::moments;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::policy::blueprint::Blueprint;
use crate::policy::security::jose::additions::Additions;
use crate::policy::security::jose::{Family, duration, needed};
use crate::policy::setting::Setting;

const FAMILY: Family = Family::Jwt;

#[derive(Debug)]
pub(super) struct Claims {
    subject: Option<Setting>,
    issuer: Option<Setting>,
    audience: Option<(Setting, Multiple)>,
    id: Id,
    expires_in: Option<Setting>,
    not_before: Option<Setting>,
    additional: Additions,
    custom: Option<Setting>,
}

/// Whether an audience is always, never or by its commas a list.
#[derive(Debug, Clone, Copy)]
enum Multiple {
    One,
    List,
}

#[derive(Debug)]
enum Id {
    None,
    /// An empty element.
    New,
    Given(Setting),
}

impl Claims {
    pub(super) fn of(policy: &mut Blueprint<'_>) -> Option<Self> {
        let root = policy.root;
        let subject = Setting::child(policy, root, "Subject", &[]);
        let issuer = Setting::child(policy, root, "Issuer", &[]);
        let audience = Setting::child(policy, root, "Audience", &["multiple"]).map(|setting| {
            let is_list =
                root.child("Audience").is_some_and(|element| policy.flag(element, "multiple", false));
            let commas = setting.literal_text().is_some_and(|text| text.contains(','));
            (setting, if is_list || commas { Multiple::List } else { Multiple::One })
        });
        let id = match Setting::child(policy, root, "Id", &[]) {
            Some(setting) => Id::Given(setting),
            None if root.child("Id").is_some() => Id::New,
            None => Id::None,
        };
        let expires_in = Setting::child(policy, root, "ExpiresIn", &[]);
        if let Some(element) = root.child("ExpiresIn").filter(|element| !element.text().is_empty()) {
            duration::of(policy, element)?;
        }
        let not_before = Setting::child(policy, root, "NotBefore", &[]);
        if let Some(element) = root.child("NotBefore").filter(|element| !element.text().is_empty())
            && moments::read(element.text()).is_none()
        {
            let message = format!("'{}' is not a moment like 2026-11-21T09:30:00Z", element.text());
            policy.problem(element, "InvalidValueForElement", message);
        }
        let additional = Additions::claims(policy);
        let custom = Setting::child(policy, root, "CustomClaims", &[]);
        Some(Self { subject, issuer, audience, id, expires_in, not_before, additional, custom })
    }

    pub(super) fn write(&self, cx: &Exchange, lenient: bool) -> Result<Map<String, Value>, Fault> {
        let mut claims = Map::new();
        let mut text = |name: &str, setting: &Option<Setting>| {
            let value = setting.as_ref().map(|setting| needed(cx, setting, lenient, FAMILY)).transpose()?;
            if let Some(value) = value.flatten() {
                claims.insert(name.to_owned(), value.into());
            }
            Ok::<_, Fault>(())
        };
        text("sub", &self.subject)?;
        text("iss", &self.issuer)?;
        if let Some((setting, multiple)) = &self.audience
            && let Some(value) = needed(cx, setting, lenient, FAMILY)?
        {
            let value = match multiple {
                Multiple::One => Value::from(&*value),
                Multiple::List => {
                    let items = value.trim_start_matches('[').trim_end_matches(']');
                    items.split(',').map(str::trim).map(Value::from).collect()
                }
            };
            claims.insert("aud".into(), value);
        }
        let now = cx.now();
        match &self.id {
            Id::None => {}
            Id::New => {
                claims.insert("jti".into(), time_ordered_id(now, cx.services.rng.as_ref()).into());
            }
            Id::Given(setting) => {
                if let Some(id) = needed(cx, setting, lenient, FAMILY)? {
                    claims.insert("jti".into(), id.into());
                }
            }
        }
        claims.insert("iat".into(), now.seconds().into());
        if let Some(setting) = &self.expires_in
            && let Some(text) = needed(cx, setting, lenient, FAMILY)?
        {
            let millis = duration::read(&text).and_then(|millis| u64::try_from(millis).ok());
            let Some(millis) = millis else {
                return Err(FAMILY.fault("GenerationFailed", "ExpiresIn is no length of time"));
            };
            claims.insert("exp".into(), now.plus(Duration::from_millis(millis)).seconds().into());
        }
        if let Some(setting) = &self.not_before
            && let Some(text) = needed(cx, setting, lenient, FAMILY)?
        {
            let Some(seconds) = moments::read(&text) else {
                return Err(FAMILY.fault("GenerationFailed", "NotBefore is no moment"));
            };
            claims.insert("nbf".into(), seconds.into());
        }
        self.additional.write(cx, &mut claims, lenient, FAMILY)?;
        if let Some(setting) = &self.custom
            && let Some(text) = needed(cx, setting, lenient, FAMILY)?
        {
            match serde_json::from_str(&text) {
                Ok(Value::Object(members)) => claims.extend(members),
                _ => return Err(FAMILY.fault("InvalidJsonFormat", "CustomClaims is no JSON object")),
            }
        }
        Ok(claims)
    }
}
