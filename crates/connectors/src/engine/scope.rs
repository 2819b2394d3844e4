//! What expressions and templates of a definition see.

use pierhead_script::{EvalError, Program, Template, Variables};
use serde_json::{Map, Value};

use super::{CallProblem, Connection, Credential, Settings};
use crate::definition::Connector;

/// Named values during one call. Setting a name again replaces its value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    values: Vec<(String, Value)>,
}

impl Scope {
    /// A scope with `connection`.
    pub(crate) fn of(connection: &dyn Connection) -> Self {
        let connector = connection.connector();
        let settings = |key: &str| connection.setting(key).map(str::to_owned);
        Self::default().with("connection", connection_value(connector, &settings))
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        match self.values.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.values.push((name.to_owned(), value)),
        }
    }

    pub(crate) fn get(&self, name: &str) -> &Value {
        self.values.iter().find(|(known, _)| known == name).map_or(&Value::Null, |(_, value)| value)
    }

    /// Runs `program` over `input`. Names the definition may use but this call does not have are null.
    pub(crate) fn value(&self, program: &Program, input: &Value) -> Result<Value, EvalError> {
        program.value(input, &self.variables(program.names()))
    }

    pub(crate) fn all(&self, program: &Program, input: &Value) -> Result<Vec<Value>, EvalError> {
        program.all(input, &self.variables(program.names()))
    }

    pub(crate) fn test(&self, program: &Program, input: &Value) -> Result<bool, EvalError> {
        program.test(input, &self.variables(program.names()))
    }

    pub(crate) fn text(&self, template: &Template) -> Result<Option<String>, EvalError> {
        template.render_optional(&Value::Null, &self.variables(template.names()))
    }

    fn variables<'a>(&'a self, names: &'a [String]) -> Variables<'a> {
        names.iter().fold(Variables::none(), |variables, name| variables.with(name, self.get(name)))
    }
}

/// `connection`: every setting of the definition by its wire key, with the definition's default where the
/// instance has none. Settings without either are absent, so that a template that needs one says so.
pub(crate) fn connection_value(connector: &Connector, settings: Settings<'_>) -> Value {
    let given = connector.configuration.iter().filter_map(|setting| {
        let value =
            settings(&setting.key).filter(|value| !value.is_empty()).or_else(|| setting.default.clone());
        value.map(|value| (setting.key.clone(), Value::from(value)))
    });
    Value::Object(given.collect::<Map<_, _>>())
}

/// `credential`: the secret material by its names.
pub(crate) fn credential_value(credential: &Credential) -> Value {
    let parts = credential.parts().map(|(name, secret)| (name.to_owned(), Value::from(secret.expose())));
    Value::Object(parts.collect::<Map<_, _>>())
}

/// The definition's own expression failed: our side's fault, with the block's name and no value.
pub(crate) fn definition_fault(label: &str, error: &EvalError) -> CallProblem {
    CallProblem::internal(format!("the connector's definition failed in {label}: {error}"))
}
