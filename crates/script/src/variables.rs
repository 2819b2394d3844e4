//! Values a host gives to a program by name.

use serde_json::Value;

/// Named values, borrowed from the host. A later one of the same name hides the earlier.
#[derive(Debug, Clone, Default)]
pub struct Variables<'a> {
    values: Vec<(&'a str, &'a Value)>,
}

impl<'a> Variables<'a> {
    /// No variables.
    pub fn none() -> Self {
        Self::default()
    }

    /// The same with one more.
    #[must_use]
    pub fn with(mut self, name: &'a str, value: &'a Value) -> Self {
        self.values.push((name, value));
        self
    }

    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.values.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}
