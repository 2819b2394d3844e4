//! Patterns: literal text with `{variable}` and `*` in it.

use regex::{Regex, RegexBuilder};

use crate::variable::Variable;

/// Must fit the whole text.
#[derive(Debug)]
pub(super) struct Pattern {
    regex: Regex,
    variables: Box<[Variable]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BadPattern {
    /// The rule is `PatternWithoutVariable`.
    NoVariable,
    /// The rule is `InvalidPattern`.
    Invalid(&'static str),
    /// The rule is `InstantiationFailed`.
    TooLarge,
}

impl Pattern {
    /// In a path a variable is one segment or a part of one; elsewhere it is as much as there is.
    /// `name` gives the whole name of a variable.
    pub(super) fn parse(
        text: &str,
        ignore_case: bool,
        in_path: bool,
        name: impl Fn(&str) -> String,
    ) -> Result<Self, BadPattern> {
        let (any, one) = if in_path { ("[^/]*", "([^/]+?)") } else { (".*", "(.+?)") };
        let mut regex = String::from("^");
        let mut variables = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '{' => {
                    let end = rest.find('}').ok_or(BadPattern::Invalid("a brace is not closed"))?;
                    let variable = rest[..end].trim();
                    let is_name = !variable.is_empty()
                        && variable.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
                    if !is_name {
                        return Err(BadPattern::Invalid("braces hold the name of a variable"));
                    }
                    variables.push(Variable::new(&name(variable)));
                    regex.push_str(one);
                    rest = &rest[end + 1..];
                }
                '}' => return Err(BadPattern::Invalid("a brace is closed that is not open")),
                '*' if rest.starts_with('*') => {
                    rest = &rest[1..];
                    regex.push_str(".*");
                }
                '*' => regex.push_str(any),
                c => regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
            }
        }
        if variables.is_empty() {
            return Err(BadPattern::NoVariable);
        }
        regex.push('$');
        let built = RegexBuilder::new(&regex)
            .case_insensitive(ignore_case)
            .dot_matches_new_line(true)
            .size_limit(1 << 20)
            .build();
        let regex = built.map_err(|_| BadPattern::TooLarge)?;
        Ok(Self { regex, variables: variables.into() })
    }

    /// Variables with what they stand for; none when the pattern does not fit.
    pub(super) fn matches<'a>(&'a self, text: &str) -> Vec<(&'a Variable, String)> {
        let Some(captures) = self.regex.captures(text) else { return Vec::new() };
        let values = captures.iter().skip(1).map(|value| value.map_or("", |value| value.as_str()).to_owned());
        self.variables.iter().zip(values).collect()
    }
}
