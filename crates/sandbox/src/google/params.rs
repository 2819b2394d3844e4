//! Query parameters, read as the API description types them.

use super::problem::Problem;

/// The decoded query of a request. The first of repeated parameters counts, as at Google.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(Vec<(String, String)>);

/// Every boolean of the methods served here; a bad one is refused wherever it appears.
const FLAGS: &[&str] = &[
    "acknowledgeAbuse",
    "copyComments",
    "enforceExpansiveAccess",
    "enforceSingleParent",
    "ignoreDefaultVisibility",
    "includeCorpusRemovals",
    "includeDeleted",
    "includeItemsFromAllDrives",
    "includeRemoved",
    "includeTeamDriveItems",
    "keepRevisionForever",
    "moveToNewOwnersRoot",
    "prettyPrint",
    "removeExpiration",
    "restrictToMyDrive",
    "sendNotificationEmail",
    "supportsAllDrives",
    "supportsTeamDrives",
    "transferOwnership",
    "useContentAsIndexableText",
    "useDomainAdminAccess",
];

impl Params {
    pub(crate) fn parse(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// As [`Self::get`], an empty value counting as absent.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    pub(crate) fn flag_or(&self, name: &str, default: bool) -> bool {
        if self.filled(name).is_some() { self.flag(name) } else { default }
    }

    /// The parts of a comma-separated list.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        self.get(name).unwrap_or_default().split(',').map(str::trim).filter(|part| !part.is_empty()).collect()
    }

    /// A whole number between `least` and `most`.
    pub(crate) fn number(
        &self,
        name: &'static str,
        default: u32,
        least: u32,
        most: u32,
    ) -> Result<u32, Problem> {
        let Some(text) = self.filled(name) else { return Ok(default) };
        match text.parse::<i64>() {
            Ok(number) => match u32::try_from(number) {
                Ok(number) if (least..=most).contains(&number) => Ok(number),
                _ => Err(Problem::invalid_parameter(
                    name,
                    format!("Invalid value '{number}'. Values must be within the range: [{least}, {most}]"),
                )),
            },
            Err(_) => Err(Problem::invalid_parameter(name, format!("Invalid integer value: '{text}'."))),
        }
    }

    /// What every method checks, whatever it is.
    pub(crate) fn check_common(&self) -> Result<(), Problem> {
        for (name, value) in &self.0 {
            if let Some(flag) = FLAGS.iter().find(|flag| *flag == name)
                && !matches!(value.to_ascii_lowercase().as_str(), "true" | "false" | "")
            {
                return Err(Problem::invalid_parameter(*flag, format!("Invalid boolean value: '{value}'.")));
            }
        }
        match self.get("alt") {
            None | Some("json" | "media") => Ok(()),
            Some(other) => {
                let message = format!("Invalid value '{other}'. Accepted values: [json, media]");
                Err(Problem::invalid_parameter("alt", message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_outside_its_range_is_refused_by_name() {
        let params = Params::parse(Some("pageSize=0"));
        let problem = params.number("pageSize", 100, 1, 1000).unwrap_err().to_string();
        assert!(problem.contains("[1, 1000]"), "{problem}");
        assert_eq!(Params::parse(None).number("pageSize", 100, 1, 1000).unwrap(), 100);
        assert!(Params::parse(Some("pageSize=ten")).number("pageSize", 100, 1, 1000).is_err());
    }

    #[test]
    fn a_boolean_is_true_or_false_and_nothing_else() {
        assert!(Params::parse(Some("supportsAllDrives=maybe")).check_common().is_err());
        assert!(Params::parse(Some("supportsAllDrives=True&other=maybe")).check_common().is_ok());
    }
}
