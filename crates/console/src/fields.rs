//! What a form said, in order, and what is wrong with it.

use std::collections::BTreeMap;

/// The fields of a posted form or a query, decoded, in the order they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// From `application/x-www-form-urlencoded` bytes.
    pub(crate) fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// These fields, as a form that was filled in by us.
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// The field's text as typed, or nothing.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Every field of this name, in order.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The field without blanks around it: what names and addresses mean.
    pub(crate) fn trimmed(&self, name: &str) -> &str {
        self.get(name).trim()
    }

    /// Whether a checkbox of this name was ticked.
    pub(crate) fn ticked(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }
}

/// What is wrong with a form: one sentence per field, and one for the form as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mistakes {
    /// By field name.
    pub(crate) of_fields: BTreeMap<String, String>,
    /// What concerns no single field.
    pub(crate) of_form: Option<FormMistake>,
}

/// An error of a form that no field can carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FormMistake {
    /// What happened and what to do.
    pub(crate) message: String,
    /// The wire's request id, to find the log line.
    pub(crate) request_id: String,
}

impl Mistakes {
    /// Notes a mistake of a field; the first one stays.
    pub(crate) fn field(&mut self, name: &str, sentence: impl Into<String>) {
        self.of_fields.entry(name.to_owned()).or_insert_with(|| sentence.into());
    }

    /// Notes that a needed field is empty.
    pub(crate) fn needs(&mut self, fields: &Fields, name: &str, sentence: &str) {
        if fields.trimmed(name).is_empty() {
            self.field(name, sentence);
        }
    }

    /// The sentence beside a field, or nothing.
    pub(crate) fn at(&self, name: &str) -> &str {
        self.of_fields.get(name).map_or("", String::as_str)
    }

    /// Whether nothing is wrong.
    pub(crate) fn none(&self) -> bool {
        self.of_fields.is_empty() && self.of_form.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_what_was_typed() {
        let fields = Fields::parse(b"name=+a+b+&config.base.url=http%3A%2F%2Fx&config.x=&ssl=on");

        assert_eq!(fields.get("name"), " a b ");
        assert_eq!(fields.trimmed("name"), "a b");
        assert!(fields.ticked("ssl") && !fields.ticked("tls"));
        assert_eq!(fields.get("config.base.url"), "http://x");
    }

    #[test]
    fn the_first_mistake_of_a_field_stays() {
        let mut mistakes = Mistakes::default();
        mistakes.needs(&Fields::default(), "name", "Give it a name.");
        mistakes.field("name", "Too long.");

        assert_eq!(mistakes.at("name"), "Give it a name.");
        assert!(!mistakes.none());
    }
}
