//! Query options, with and without `$` (PIPER writes the first one without; api-management §8.4).

use super::ODataError;
use super::filter::{Filter, edm_of};
use super::schema::{Edm, EntitySet, Schema};

/// Most expanded navigation properties in one request.
const MAX_EXPANDED: usize = 200;
/// Longest path of an expanded navigation property.
const MAX_EXPAND_DEPTH: usize = 8;

/// What a client asks for, checked against the set it asks.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) filter: Option<Filter>,
    /// Property paths; true is descending.
    pub(crate) order: Vec<(String, bool)>,
    pub(crate) top: Option<usize>,
    pub(crate) skip: usize,
    /// Entities that earlier pages of the server showed.
    pub(crate) skip_token: usize,
    /// Property and navigation paths; empty means everything.
    pub(crate) select: Vec<String>,
    pub(crate) expand: Expand,
    /// `$inlinecount=allpages`.
    pub(crate) counted: bool,
    /// `$format`.
    pub(crate) format: Option<String>,
    /// `$search`: any text property contains it, letter case ignored.
    pub(crate) search: Option<String>,
    /// All options as given, for links to the next page.
    given: Vec<(String, String)>,
}

/// A tree of navigation properties to be answered in line.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Expand(Vec<(&'static str, Expand)>);

impl Expand {
    /// What to expand below a navigation property; `None` when it is not asked for.
    pub(crate) fn below(&self, navigation: &str) -> Option<&Expand> {
        self.0.iter().find(|(known, _)| *known == navigation).map(|(_, below)| below)
    }

    /// Exactly one navigation property, and below it `below`.
    pub(crate) fn only(navigation: &'static str, below: Expand) -> Self {
        Self(vec![(navigation, below)])
    }

    /// From its branches.
    pub(crate) fn of(branches: Vec<(&'static str, Expand)>) -> Self {
        Self(branches)
    }

    fn child(&mut self, navigation: &'static str) -> &mut Expand {
        let at = self.0.iter().position(|(known, _)| *known == navigation).unwrap_or_else(|| {
            self.0.push((navigation, Expand::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    fn parse(schema: &Schema, set: &'static EntitySet, text: &str) -> Result<Self, ODataError> {
        let mut root = Self::default();
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        for (count, item) in items.enumerate() {
            if count == MAX_EXPANDED || item.split('/').count() > MAX_EXPAND_DEPTH {
                return Err(ODataError::bad(format!(
                    "$expand has more than {MAX_EXPANDED} items or one with more than {MAX_EXPAND_DEPTH} steps"
                )));
            }
            let (mut at, mut in_set) = (&mut root, set);
            for name in item.split('/').map(str::trim) {
                let unknown = || {
                    ODataError::bad(format!("$expand: {} has no navigation property '{name}'", in_set.name))
                };
                let navigation = in_set.navigation(name).ok_or_else(unknown)?;
                in_set = schema.set(navigation.target).ok_or_else(unknown)?;
                at = at.child(navigation.name);
            }
        }
        Ok(root)
    }
}

impl Options {
    /// Reads a raw query for entities of `set`.
    pub(crate) fn parse(schema: &Schema, set: &'static EntitySet, query: &str) -> Result<Self, ODataError> {
        let mut options = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let name = name.trim();
            if name.is_empty() {
                continue;
            }
            options.given.push((name.to_owned(), value.to_string()));
            options.take(schema, set, name, &value)?;
        }
        Ok(options)
    }

    fn take(
        &mut self,
        schema: &Schema,
        set: &'static EntitySet,
        name: &str,
        value: &str,
    ) -> Result<(), ODataError> {
        match name.strip_prefix('$').unwrap_or(name) {
            "filter" if value.trim().is_empty() => {}
            "filter" => self.filter = Some(Filter::parse(set, value)?),
            "orderby" => self.order = order(set, value)?,
            "top" => self.top = Some(number("$top", value)?),
            "skip" => self.skip = number("$skip", value)?,
            "skiptoken" => self.skip_token = number("$skiptoken", value)?,
            "select" => self.select = select(set, value)?,
            "expand" => self.expand = Expand::parse(schema, set, value)?,
            "inlinecount" => {
                self.counted = match value {
                    "allpages" => true,
                    "none" => false,
                    _ => return Err(ODataError::bad("$inlinecount must be 'allpages' or 'none'")),
                }
            }
            "format" => self.format = Some(value.to_owned()),
            "search" => self.search = Some(value.to_lowercase()).filter(|search| !search.is_empty()),
            // Options without `$` that the protocol does not know are the service's own; none changes an
            // answer here (`forceUpdateFromRT` asks for what is always true of ours).
            _ if !name.starts_with('$') => {}
            _ => return Err(ODataError::bad(format!("there is no query option '{name}'"))),
        }
        Ok(())
    }

    /// The query of the page that begins after `shown` entities.
    pub(crate) fn next_query(&self, shown: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.given {
            if name.trim_start_matches('$') != "skiptoken" {
                query.append_pair(name, value);
            }
        }
        query.append_pair("$skiptoken", &shown.to_string());
        query.finish()
    }
}

/// `$format` of a raw query, for answers that have no entity set.
pub(crate) fn format_of(query: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name.trim_start_matches('$') == "format")
        .map(|(_, value)| value.into_owned())
}

fn number(name: &str, value: &str) -> Result<usize, ODataError> {
    value.trim().parse().map_err(|_| ODataError::bad(format!("{name} must be a whole number from 0")))
}

fn order(set: &'static EntitySet, value: &str) -> Result<Vec<(String, bool)>, ODataError> {
    let mut order = Vec::new();
    for item in value.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let mut words = item.split_whitespace();
        let path = words.next().unwrap_or_default();
        if matches!(edm_of(set, path)?, Edm::Complex(_)) {
            return Err(ODataError::bad(format!("$orderby: '{path}' has no order")));
        }
        let descending = match (words.next(), words.next()) {
            (None | Some("asc"), None) => false,
            (Some("desc"), None) => true,
            _ => return Err(ODataError::bad(format!("$orderby: '{item}' is not '<property> asc|desc'"))),
        };
        order.push((path.to_owned(), descending));
    }
    Ok(order)
}

fn select(set: &'static EntitySet, value: &str) -> Result<Vec<String>, ODataError> {
    let names: Vec<String> =
        value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if names.iter().any(|name| name == "*") {
        return Ok(Vec::new());
    }
    for name in &names {
        let first = name.split('/').next().unwrap_or_default();
        if set.navigation(first).is_none() {
            edm_of(set, name)
                .map_err(|_| ODataError::bad(format!("$select: {} has no property '{name}'", set.name)))?;
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odata::key::tests::ONE;

    static SCHEMA: Schema = Schema { namespace: "n", container: "c", sets: &[&ONE] };

    fn parse(query: &str) -> Result<Options, ODataError> {
        Options::parse(&SCHEMA, &ONE, query)
    }

    #[test]
    fn options_come_with_and_without_the_dollar() {
        let piper = parse("filter=name+eq+'x'&$orderby=name&$skip=1&$top=4").unwrap();
        assert!(piper.filter.is_some());
        assert_eq!((piper.order, piper.skip, piper.top), (vec![("name".into(), false)], 1, Some(4)));
        assert_eq!(parse("$orderby=name%20desc").unwrap().order, [("name".into(), true)]);
        assert!(parse("forceUpdateFromRT=true&$format=json").is_ok());
    }

    #[test]
    fn a_wrong_option_is_named() {
        for (query, word) in [
            ("$nothing=1", "$nothing"),
            ("$top=-1", "$top"),
            ("$skip=x", "$skip"),
            ("$select=nome", "nome"),
            ("$expand=nothing", "nothing"),
            ("$orderby=name up", "name up"),
            ("$inlinecount=some", "$inlinecount"),
        ] {
            let why = parse(query).unwrap_err().to_string();
            assert!(why.contains(word), "{query}: {why}");
        }
    }

    #[test]
    fn the_next_page_keeps_the_other_options() {
        let options = parse("$filter=name ne 'a b'&$skiptoken=2").unwrap();
        assert_eq!(options.next_query(4), "%24filter=name+ne+%27a+b%27&%24skiptoken=4");
    }
}
