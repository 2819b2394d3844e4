//! A setting that a policy document gives as a text, as a variable, or both.

use std::borrow::Cow;

use super::blueprint::Blueprint;
use super::element::Element;
use crate::condition::Lookup as _;
use crate::exchange::Exchange;
use crate::template::Template;
use crate::variable::Variable;

/// `ref` wins when it has a value, else the text (api-management §9, "Common"). The text may be a template; that of
/// counters and caches is plain.
#[derive(Debug, Default)]
pub(crate) struct Setting {
    reference: Option<Variable>,
    literal: Option<Template>,
}

impl Setting {
    /// Reads an element with a `ref` attribute; `None` when it has neither a variable nor a text.
    pub(crate) fn of<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<Self> {
        Self::by(policy, element, "ref")
    }

    /// The same where the attribute has another name.
    pub(crate) fn by<'d>(policy: &mut Blueprint<'d>, element: &'d Element, attribute: &str) -> Option<Self> {
        let reference = referred(policy, element, attribute);
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

    /// Reads an element whose text is plain; it may give nothing.
    pub(crate) fn plain(policy: &mut Blueprint<'_>, element: &Element) -> Self {
        Self::plain_by(policy, element, "ref", element.text())
    }

    /// The same with the variable's name in another attribute and the text elsewhere.
    pub(crate) fn plain_by(
        policy: &mut Blueprint<'_>,
        element: &Element,
        attribute: &str,
        literal: &str,
    ) -> Self {
        let literal = Some(literal).filter(|text| !text.is_empty()).map(Template::literal);
        Self { reference: referred(policy, element, attribute), literal }
    }

    /// A text that is always the same.
    pub(crate) fn text_of(text: &str) -> Self {
        Self { reference: None, literal: Some(Template::literal(text)) }
    }

    /// Neither a variable nor a text is given.
    pub(crate) const fn is_empty(&self) -> bool {
        self.reference.is_none() && self.literal.is_none()
    }

    /// The text, or `None` when nothing gives one.
    pub(crate) fn text<'a>(&'a self, cx: &'a Exchange) -> Option<Cow<'a, str>> {
        let value = self.reference.as_ref().and_then(|name| cx.value(name).into_text());
        value.or_else(|| self.written(cx))
    }

    /// The same where an empty value is none.
    pub(crate) fn filled<'a>(&'a self, cx: &'a Exchange) -> Option<Cow<'a, str>> {
        self.referred(cx).or_else(|| self.written(cx))
    }

    /// What the variable says; `None` without one and without a value.
    pub(crate) fn referred<'a>(&'a self, cx: &'a Exchange) -> Option<Cow<'a, str>> {
        cx.value(self.reference.as_ref()?).into_text().filter(|text| !text.is_empty())
    }

    fn written<'a>(&'a self, cx: &'a Exchange) -> Option<Cow<'a, str>> {
        self.literal.as_ref()?.render(cx, false).ok()
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

fn referred(policy: &mut Blueprint<'_>, element: &Element, attribute: &str) -> Option<Variable> {
    let name = element.attribute(attribute).map(str::trim).filter(|name| !name.is_empty());
    name.and_then(|name| policy.variable(element, name))
}
