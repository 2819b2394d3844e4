//! What an assertion says, and whether it says it to us and now (SAML 2.0 core, sections 2.3 to 2.7).

use std::time::Duration;

use pierhead_domain::EpochMillis;
use pierhead_xml::Node;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::SAML;

/// How far the clocks of two systems may be apart. Unsourced: the originals do not say (decision 055).
const SKEW: Duration = Duration::from_secs(60);

/// Why an assertion does not hold.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum NotValid {
    #[error("it is not of SAML 2.0")]
    Version,
    #[error("it has no {0}")]
    Missing(&'static str),
    #[error("{0} is no moment in UTC")]
    NoMoment(&'static str),
    #[error("it does not hold yet")]
    NotYet,
    #[error("it does not hold any more")]
    NoMore,
    #[error("it has a condition that is not understood: {0}")]
    UnknownCondition(String),
    #[error("it is for another audience")]
    OtherAudience,
    #[error("its subject is not confirmed now")]
    NotConfirmed,
}

/// An assertion whose conditions hold.
pub(crate) struct Assertion<'d> {
    node: Node<'d>,
    confirmation: Option<Node<'d>>,
}

impl<'d> Assertion<'d> {
    /// Checks the conditions, of which the audience only where one is asked for.
    pub(crate) fn check(node: Node<'d>, audience: Option<&str>, now: EpochMillis) -> Result<Self, NotValid> {
        if node.attribute("Version") != Some("2.0") {
            return Err(NotValid::Version);
        }
        if text_of(node, "Issuer").is_none_or(|issuer| issuer.is_empty()) {
            return Err(NotValid::Missing("Issuer"));
        }
        let mut heard = false;
        for conditions in named(node, "Conditions") {
            in_time(conditions, now)?;
            for condition in conditions.child_elements() {
                heard |= holds(condition, audience)?;
            }
        }
        if audience.is_some() && !heard {
            return Err(NotValid::OtherAudience);
        }
        let confirmations: Vec<_> =
            named(node, "Subject").flat_map(|subject| named(subject, "SubjectConfirmation")).collect();
        let is_now = |one: &Node<'d>| {
            named(*one, "SubjectConfirmationData").next().is_none_or(|data| in_time(data, now).is_ok())
        };
        let confirmation = confirmations.iter().copied().find(is_now);
        if confirmation.is_none() && !confirmations.is_empty() {
            return Err(NotValid::NotConfirmed);
        }
        Ok(Self { node, confirmation })
    }

    /// The flow variables, without those that the assertion says nothing about.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let node = self.node;
        let subject = named(node, "Subject").next();
        let name = subject.and_then(|subject| named(subject, "NameID").next());
        let data = self.confirmation.and_then(|one| named(one, "SubjectConfirmationData").next());
        let authn = named(node, "AuthnStatement").next();
        let context = authn.and_then(|authn| named(authn, "AuthnContext").next());
        let of = |node: Option<Node<'d>>, attribute: &str| {
            node.and_then(|node| node.attribute(attribute)).map(str::to_owned)
        };
        let audiences: Vec<_> = named(node, "Conditions")
            .flat_map(|conditions| named(conditions, "AudienceRestriction"))
            .flat_map(|restriction| named(restriction, "Audience"))
            .map(|audience| audience.text().trim().to_owned())
            .collect();
        let found = [
            ("saml.id", of(Some(node), "ID")),
            ("saml.issuer", text_of(node, "Issuer")),
            ("saml.issueInstant", of(Some(node), "IssueInstant")),
            ("saml.subject", name.map(|name| name.text().trim().to_owned())),
            ("saml.subjectFormat", of(name, "Format")),
            ("saml.scmethod", of(self.confirmation, "Method")),
            ("saml.scdaddress", of(data, "Address")),
            ("saml.scdinresponse", of(data, "InResponseTo")),
            ("saml.scdrcpt", of(data, "Recipient")),
            ("saml.authnSnooa", of(authn, "SessionNotOnOrAfter")),
            ("saml.authnInstant", of(authn, "AuthnInstant")),
            ("saml.authnSessionIndex", of(authn, "SessionIndex")),
            ("saml.authnContextClassRef", context.and_then(|one| text_of(one, "AuthnContextClassRef"))),
            ("saml.audience", Some(audiences.join(",")).filter(|all| !all.is_empty())),
        ];
        found.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// The names of all variables that [`Assertion::variables`] may give.
pub(crate) const VARIABLES: &[&str] = &[
    "saml.id",
    "saml.issuer",
    "saml.issueInstant",
    "saml.subject",
    "saml.subjectFormat",
    "saml.scmethod",
    "saml.scdaddress",
    "saml.scdinresponse",
    "saml.scdrcpt",
    "saml.authnSnooa",
    "saml.authnInstant",
    "saml.authnSessionIndex",
    "saml.authnContextClassRef",
    "saml.audience",
];

fn named<'d>(node: Node<'d>, local: &'static str) -> impl Iterator<Item = Node<'d>> {
    node.child_elements().filter(move |child| child.is_named(SAML, local))
}

fn text_of(node: Node<'_>, local: &'static str) -> Option<String> {
    named(node, local).next().map(|child| child.text().trim().to_owned())
}

/// Whether a condition holds; says whether it named the audience that was asked for.
fn holds(condition: Node<'_>, audience: Option<&str>) -> Result<bool, NotValid> {
    let is = |local| condition.is_named(SAML, local);
    if is("OneTimeUse") || is("ProxyRestriction") {
        return Ok(false);
    }
    if !is("AudienceRestriction") {
        return Err(NotValid::UnknownCondition(condition.local_name().to_owned()));
    }
    let Some(audience) = audience else { return Ok(false) };
    let is_named = named(condition, "Audience").any(|one| one.text().trim() == audience);
    // Each restriction must hold for itself.
    if is_named { Ok(true) } else { Err(NotValid::OtherAudience) }
}

fn in_time(node: Node<'_>, now: EpochMillis) -> Result<(), NotValid> {
    if let Some(from) = moment(node, "NotBefore")?
        && from > now.plus(SKEW)
    {
        return Err(NotValid::NotYet);
    }
    match moment(node, "NotOnOrAfter")? {
        Some(until) if until <= now.minus(SKEW) => Err(NotValid::NoMore),
        _ => Ok(()),
    }
}

fn moment(node: Node<'_>, attribute: &'static str) -> Result<Option<EpochMillis>, NotValid> {
    let Some(text) = node.attribute(attribute) else { return Ok(None) };
    let at = OffsetDateTime::parse(text.trim(), &Rfc3339).map_err(|_| NotValid::NoMoment(attribute))?;
    let millis = i64::try_from(at.unix_timestamp_nanos() / 1_000_000);
    millis.map(|millis| Some(EpochMillis::new(millis))).map_err(|_| NotValid::NoMoment(attribute))
}
