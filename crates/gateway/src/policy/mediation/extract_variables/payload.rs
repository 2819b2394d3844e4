//! Variables from payloads.

use super::cast::VariableType;
use super::{ExtractVariables, Extracted, Trouble};
use crate::exchange::Exchange;
use crate::json::Json;
use crate::json_path::JsonPath;
use crate::template::Template;
use crate::variable::{Stored, Variable};

/// A variable from a JSON payload: the first of its paths that leads somewhere.
#[derive(Debug)]
pub(super) struct JsonVariable {
    pub(super) variable: Variable,
    pub(super) kind: VariableType,
    pub(super) paths: Box<[Path]>,
}

#[derive(Debug)]
pub(super) enum Path {
    Compiled(JsonPath),
    /// Holds variables, so that it is compiled for each exchange.
    Template(Template),
}

/// Variables from an XML payload.
#[derive(Debug)]
pub(super) struct XmlPayload {}

impl JsonVariable {
    pub(super) fn extract<'a>(
        &'a self,
        cx: &Exchange,
        document: &Json<'_>,
    ) -> Result<Extracted<'a>, Trouble> {
        for path in &self.paths {
            let value = match path {
                Path::Compiled(path) => self.value(path, document)?,
                Path::Template(template) => {
                    // A value stays the value it is: it cannot end the quotes around it.
                    let text = template.render_escaped(cx, true, |value| {
                        value
                            .chars()
                            .flat_map(|c| {
                                matches!(c, '\'' | '"' | '\\').then_some('\\').into_iter().chain([c])
                            })
                            .collect()
                    });
                    let path = text
                        .map_err(|why| why.to_string())
                        .and_then(|text| text.parse::<JsonPath>().map_err(|bad| bad.to_string()));
                    let path = path.map_err(|why| Trouble::Path(self.variable.shared_name().clone(), why))?;
                    self.value(&path, document)?
                }
            };
            if value.is_some() {
                return Ok(Extracted { variable: &self.variable, value });
            }
        }
        Ok(Extracted { variable: &self.variable, value: None })
    }

    fn value(&self, path: &JsonPath, document: &Json<'_>) -> Result<Option<Stored>, Trouble> {
        let name = || self.variable.shared_name().clone();
        let found = path.evaluate(document).map_err(|why| Trouble::PathRun(name(), why.to_string()))?;
        match found.shown() {
            None => Ok(None),
            Some(text) => match self.kind.cast(&text) {
                Some(value) => Ok(Some(value)),
                None => Err(Trouble::Cast(name(), self.kind.name())),
            },
        }
    }
}

impl XmlPayload {
    pub(super) fn extract<'a>(
        &'a self,
        _policy: &ExtractVariables,
        _text: &str,
        _found: &mut Vec<Extracted<'a>>,
    ) -> Result<(), Trouble> {
        Ok(())
    }
}
