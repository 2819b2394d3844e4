//! A setting that a policy document gives as a text, as a variable, or both.

use std::borrow::Cow;

use crate::condition::Lookup as _;
use crate::exchange::Exchange;
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;
use crate::template::Template;
use crate::variable::Variable;

/// `ref` wins when it has a value, else the text (api-management §9, "Common"). The text may be a template.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) reference: Option<Variable>,
    literal: Option<Template>,
}

impl Setting {
    /// Reads an element with a `ref` attribute; `None` when it has neither a variable nor a text.
    pub(crate) fn of<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<Self> {
        Self::by(policy, element, "ref")
    }

    /// The same where the attribute has another name.
    pub(crate) fn by<'d>(policy: &mut Blueprint<'d>, element: &'d Element, attribute: &str) -> Option<Self> {
        let name = element.attribute(attribute).map(str::trim).filter(|name| !name.is_empty());
        let reference = name.and_then(|name| policy.variable(element, name));
        let literal = Some(element.text()).filter(|text| !text.is_empty());
        let literal = literal.map(|text| policy.template(element, text));
        (reference.is_some() || literal.is_some()).then_some(Self { reference, literal })
    }

    /// A child that has only a `ref` and a text.
    pub(crate) fn child<'d>(
        policy: &mut Blueprint<'d>,
        parent: &'d Element,
        name: &str,
        attributes: &[&str],
    ) -> Option<Self> {
        let element = parent.child(name)?;
        policy.only(element, &[&["ref"], attributes].concat(), &[]);
        Self::of(policy, element)
    }

    /// A text that is always the same.
    pub(crate) fn text_of(text: &str) -> Self {
        Self { reference: None, literal: Some(Template::literal(text)) }
    }

    /// The text, or `None` when nothing gives one.
    pub(crate) fn text<'a>(&'a self, cx: &'a Exchange) -> Option<Cow<'a, str>> {
        let value = self.reference.as_ref().and_then(|name| cx.value(name).into_text());
        value.or_else(|| self.literal.as_ref()?.render(cx, false).ok())
    }

    /// The text in the document, when it is the same for every exchange.
    pub(crate) fn literal_text(&self) -> Option<&str> {
        self.literal.as_ref()?.as_literal()
    }

    /// What an error calls it.
    pub(crate) fn name(&self) -> &str {
        self.reference.as_ref().map_or("", Variable::name)
    }
}
