//! The fixed catalogue of functions. A new function is one entry here and its few lines beside its kin.

mod encoding;
mod forms;
mod lists;
mod moments;
mod paths;
mod text;
mod values;

use std::ops::RangeInclusive;

use serde_json::Value;

pub(crate) use forms::{Form, form};

/// A function of the language.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) arity: RangeInclusive<usize>,
    pub(crate) body: Body,
}

/// How a function works.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Body {
    /// From the input and the arguments' values.
    Value(fn(&Value, &[Value]) -> Result<Value, String>),
    /// Evaluates its arguments itself.
    Form(Form),
}

/// The function of this name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    CATALOGUE.binary_search_by(|function| function.name.cmp(name)).ok().map(|index| &CATALOGUE[index])
}

const fn value(
    name: &'static str,
    arguments: usize,
    body: fn(&Value, &[Value]) -> Result<Value, String>,
) -> Function {
    Function { name, arity: arguments..=arguments, body: Body::Value(body) }
}

const fn takes(name: &'static str, least: usize, most: usize, form: Form) -> Function {
    Function { name, arity: least..=most, body: Body::Form(form) }
}

/// Sorted by name (a test says so).
static CATALOGUE: &[Function] = &[
    value("abs", 0, values::abs),
    value("add", 0, lists::add),
    takes("all", 0, 1, Form::All),
    takes("any", 0, 1, Form::Any),
    value("ascii_downcase", 0, text::downcase),
    value("ascii_upcase", 0, text::upcase),
    value("base64", 0, encoding::base64),
    value("base64d", 0, encoding::base64_decode),
    value("base64url", 0, encoding::base64url),
    value("base64urld", 0, encoding::base64url_decode),
    value("basename", 0, paths::basename),
    value("ceil", 0, values::ceil),
    value("compact", 0, values::compact),
    value("contains", 1, text::contains),
    value("dirname", 0, paths::dirname),
    takes("empty", 0, 0, Form::Empty),
    value("endswith", 1, text::ends_with),
    value("epoch_to_httpdate", 0, moments::epoch_to_httpdate),
    value("epoch_to_iso", 0, moments::epoch_to_iso),
    takes("error", 0, 1, Form::Error),
    value("extension", 0, paths::extension),
    takes("first", 0, 1, Form::First),
    value("flatten", 0, lists::flatten),
    value("floor", 0, values::floor),
    value("from_entries", 0, lists::from_entries),
    value("fromdate", 0, moments::iso_to_epoch),
    value("fromjson", 0, encoding::from_json),
    value("has", 1, values::has),
    value("href_path", 0, paths::href_path),
    value("httpdate_to_epoch", 0, moments::httpdate_to_epoch),
    value("httpdate_to_iso", 0, moments::httpdate_to_iso),
    value("index", 1, text::index),
    value("iso_seconds", 0, moments::iso_seconds),
    value("iso_to_epoch", 0, moments::iso_to_epoch),
    value("join", 1, text::join),
    value("keys", 0, values::keys),
    takes("last", 0, 1, Form::Last),
    value("length", 0, values::length),
    value("ltrimstr", 1, text::strip_prefix),
    takes("map", 1, 1, Form::Map),
    takes("map_values", 1, 1, Form::MapValues),
    value("max", 0, lists::max),
    takes("max_by", 1, 1, Form::MaxBy),
    value("min", 0, lists::min),
    takes("min_by", 1, 1, Form::MinBy),
    takes("not", 0, 0, Form::Not),
    value("path_join", 1, paths::join),
    value("replace", 2, text::replace),
    value("reverse", 0, lists::reverse),
    value("round", 0, values::round),
    value("rtrimstr", 1, text::strip_suffix),
    takes("select", 1, 1, Form::Select),
    value("sha256", 0, encoding::sha256),
    value("sort", 0, lists::sort),
    takes("sort_by", 1, 1, Form::SortBy),
    value("split", 1, text::split),
    value("startswith", 1, text::starts_with),
    value("to_entries", 0, lists::to_entries),
    value("toarray", 0, lists::to_array),
    value("todate", 0, moments::epoch_to_iso),
    value("tojson", 0, encoding::to_json),
    value("tonumber", 0, values::to_number),
    value("tostring", 0, values::to_string),
    value("trim", 0, text::trim),
    value("type", 0, values::type_name),
    value("unique", 0, lists::unique),
    value("urldecode", 0, encoding::url_decode),
    value("urlencode", 0, encoding::url_encode),
    value("urlpath", 0, encoding::url_path),
    value("values", 0, values::values),
    value("without", 1, values::without),
];

/// The input as text, or an error that says what it is instead.
fn string(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("needs a string, not {}", crate::operators::kind(value)))
}

fn array(value: &Value) -> Result<&Vec<Value>, String> {
    value.as_array().ok_or_else(|| format!("needs an array, not {}", crate::operators::kind(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_sorted_so_that_every_function_is_found() {
        assert!(CATALOGUE.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
