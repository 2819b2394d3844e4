//! A setting that is given as text, by a variable, or both.

use std::borrow::Cow;

use crate::condition::Lookup;
use crate::exchange::Exchange;
use crate::policy::{Blueprint, Element};
use crate::variable::Variable;

/// The variable wins when it has a value, else the text is taken (api-management §9).
#[derive(Debug, Clone, Default)]
pub(crate) struct Setting {
    reference: Option<Variable>,
    literal: Option<Box<str>>,
}

impl Setting {
    /// `<Name ref="variable">text</Name>`; an empty `ref` and an empty text are none.
    pub(crate) fn read(policy: &mut Blueprint<'_>, element: &Element) -> Self {
        Self::of(policy, element, "ref", element.text())
    }

    /// With the variable's name in another attribute and the text elsewhere.
    pub(crate) fn of(policy: &mut Blueprint<'_>, element: &Element, reference: &str, literal: &str) -> Self {
        let reference = element.attribute(reference).map(str::trim).filter(|name| !name.is_empty());
        Self {
            reference: reference.and_then(|name| policy.variable(element, name)),
            literal: Some(literal).filter(|text| !text.is_empty()).map(Into::into),
        }
    }

    /// Neither a variable nor a text is given.
    pub(crate) const fn is_empty(&self) -> bool {
        self.reference.is_none() && self.literal.is_none()
    }

    pub(crate) const fn reference(&self) -> Option<&Variable> {
        self.reference.as_ref()
    }

    pub(crate) fn literal(&self) -> Option<&str> {
        self.literal.as_deref()
    }

    /// What the variable says; `None` without one and without a value.
    pub(crate) fn referred<'a>(&'a self, cx: &'a Exchange) -> Option<Cow<'a, str>> {
        cx.value(self.reference.as_ref()?).into_text().filter(|text| !text.is_empty())
    }

    /// The value for an exchange.
    pub(crate) fn text<'a>(&'a self, cx: &'a Exchange) -> Option<Cow<'a, str>> {
        self.referred(cx).or_else(|| self.literal.as_deref().map(Cow::Borrowed))
    }
}
