//! Variables from payloads.

use pierhead_xml::{Document, Value, XPath};

use super::cast::VariableType;
use super::{ExtractVariables, Extracted, Trouble};
use crate::exchange::Exchange;
use crate::json::Json;
use crate::json_path::JsonPath;
use crate::policy::xml_parts;
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
pub(super) struct XmlPayload {
    /// Only the first variable that is found is set.
    pub(super) stop_at_first: bool,
    pub(super) variables: Box<[XmlVariable]>,
}

/// A variable from an XML payload: the first of its paths that finds something.
#[derive(Debug)]
pub(super) struct XmlVariable {
    pub(super) variable: Variable,
    pub(super) kind: VariableType,
    pub(super) paths: Box<[XPath]>,
}

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
        policy: &ExtractVariables,
        text: &str,
        found: &mut Vec<Extracted<'a>>,
    ) -> Result<(), Trouble> {
        let document = xml_parts::document(text).map_err(|why| policy.execution(why))?;
        for variable in &self.variables {
            let extracted = variable.extract(policy, &document)?;
            let is_found = extracted.value.is_some();
            if is_found || !self.stop_at_first {
                found.push(extracted);
            }
            if is_found && self.stop_at_first {
                break;
            }
        }
        Ok(())
    }
}

impl XmlVariable {
    fn extract(&self, policy: &ExtractVariables, document: &Document) -> Result<Extracted<'_>, Trouble> {
        for path in &self.paths {
            let value = path.evaluate(document.root()).map_err(|why| policy.execution(why.to_string()))?;
            let text = match &value {
                Value::Nodes(nodes) if nodes.is_empty() => continue,
                Value::Nodes(nodes) if self.kind == VariableType::Nodes => {
                    nodes.iter().map(|node| node.to_xml()).collect()
                }
                value => value.to_text().into_owned(),
            };
            let value = self.kind.cast(&text);
            if value.is_none() {
                return Err(Trouble::Cast(self.variable.shared_name().clone(), self.kind.name()));
            }
            return Ok(Extracted { variable: &self.variable, value });
        }
        Ok(Extracted { variable: &self.variable, value: None })
    }
}
