//! Path templates: `files/{fileId}/comments`, `approvals/{approvalId}:approve`.

use serde::Deserialize;

/// A template, part by part.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// A variable, and the literal text right behind it.
    Variable {
        suffix: String,
    },
}

impl From<String> for Template {
    fn from(text: String) -> Self {
        let parts = text.trim_matches('/').split('/').map(|part| match part.split_once('}') {
            Some((variable, suffix)) if variable.starts_with('{') => {
                Part::Variable { suffix: suffix.to_owned() }
            }
            _ => Part::Literal(part.to_owned()),
        });
        Self(parts.collect())
    }
}

impl Template {
    /// How many literal parts fit; `None` when the path does not.
    pub(super) fn fits(&self, path: &str) -> Option<usize> {
        let path: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        if path.len() != self.0.len() {
            return None;
        }
        let mut literals = 0;
        for (part, given) in self.0.iter().zip(path) {
            match part {
                Part::Literal(text) if text == given => literals += 2,
                Part::Variable { suffix } => {
                    given.strip_suffix(suffix.as_str()).filter(|value| !value.is_empty())?;
                    literals += usize::from(!suffix.is_empty());
                }
                Part::Literal(_) => return None,
            }
        }
        Some(literals)
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn the_template_with_more_literals_fits_better() {
        let one = Template::from("files/{fileId}".to_owned());
        let ids = Template::from("files/generateIds".to_owned());
        assert!(ids.fits("files/generateIds") > one.fits("files/generateIds"));
        assert_eq!(ids.fits("files/x"), None);
        assert!(one.fits("files/x").is_some());
        assert_eq!(one.fits("files/"), None, "a variable is never empty");
        assert_eq!(one.fits("files/x/copy"), None);
    }

    #[test]
    fn text_behind_a_variable_belongs_to_the_template() {
        let approve = Template::from("approvals/{id}:approve".to_owned());
        assert!(approve.fits("approvals/7:approve").is_some());
        assert_eq!(approve.fits("approvals/7:cancel"), None);
    }
}
