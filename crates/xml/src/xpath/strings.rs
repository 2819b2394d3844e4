//! What functions do with text.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};

use super::number::round;
use crate::names::is_space;

pub(super) fn before<'d>(text: Cow<'d, str>, what: &str) -> Cow<'d, str> {
    match text.find(what) {
        Some(at) => cut(text, 0, at),
        None => Cow::Borrowed(""),
    }
}

pub(super) fn after<'d>(text: Cow<'d, str>, what: &str) -> Cow<'d, str> {
    match text.find(what) {
        Some(at) => {
            let end = text.len();
            cut(text, at + what.len(), end)
        }
        None => Cow::Borrowed(""),
    }
}

/// Characters whose position p holds `p >= round(start)` and `p < round(start) + round(length)`.
pub(super) fn substring(text: Cow<'_, str>, start: f64, length: f64) -> Cow<'_, str> {
    let from = round(start);
    let until = from + round(length);
    if from.is_nan() || until.is_nan() {
        return Cow::Borrowed("");
    }
    let (mut begin, mut end) = (text.len(), text.len());
    let mut position = 0.0;
    for (at, _) in text.char_indices() {
        position += 1.0;
        if position >= from && at < begin {
            begin = at;
        }
        if position >= until {
            end = at;
            break;
        }
    }
    if begin >= end { Cow::Borrowed("") } else { cut(text, begin, end) }
}

fn cut(text: Cow<'_, str>, begin: usize, end: usize) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[begin..end]),
        Cow::Owned(text) => Cow::Owned(text[begin..end].to_owned()),
    }
}

pub(super) fn normalize_space(text: Cow<'_, str>) -> Cow<'_, str> {
    let is_normal = !text.starts_with(is_space)
        && !text.ends_with(is_space)
        && !text.contains(['\t', '\n', '\r'])
        && !text.contains("  ");
    if is_normal {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for word in text.split(is_space).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    Cow::Owned(out)
}

pub(super) fn translate(text: &str, from: &str, to: &str) -> String {
    let mut map = ahash::AHashMap::new();
    let mut by = to.chars();
    for c in from.chars() {
        let by = by.next();
        map.entry(c).or_insert(by);
    }
    text.chars().filter_map(|c| map.get(&c).copied().unwrap_or(Some(c))).collect()
}

/// A regular expression of XPath 2.0.
pub(super) struct Pattern {
    regex: Regex,
    groups: usize,
}

impl Pattern {
    pub(super) fn compile(pattern: &str, flags: &str) -> Result<Self, String> {
        let mut builder = RegexBuilder::new(&crate::regular::translate(pattern)?);
        builder.size_limit(1 << 20);
        for flag in flags.chars() {
            match flag {
                's' => builder.dot_matches_new_line(true),
                'm' => builder.multi_line(true),
                'i' => builder.case_insensitive(true),
                'x' => builder.ignore_whitespace(true),
                other => return Err(format!("a regular expression has no flag '{other}'")),
            };
        }
        let regex = builder.build().map_err(|_| "not a regular expression that is supported".to_owned())?;
        Ok(Self { groups: regex.captures_len(), regex })
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// `$1` is a group, a backslash escapes; anything else of the two is an error.
    pub(super) fn replace(&self, text: &str, by: &str) -> Result<String, String> {
        self.must_not_match_nothing()?;
        let mut template = String::with_capacity(by.len());
        let mut chars = by.chars().peekable();
        while let Some(c) = chars.next() {
            match (c, chars.peek()) {
                ('\\', Some('\\')) => template.push('\\'),
                ('\\', Some('$')) => template.push_str("$$"),
                ('$', Some(digit)) if digit.is_ascii_digit() => {
                    let mut group = 0;
                    let mut first = true;
                    // As many digits as name a group.
                    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
                        let longer = group * 10 + digit as usize;
                        if !first && longer >= self.groups {
                            break;
                        }
                        (group, first) = (longer, false);
                        chars.next();
                    }
                    template.push_str(&format!("${{{group}}}"));
                    continue;
                }
                ('\\' | '$', _) => return Err("replace(): '\\' or '$' stands alone".to_owned()),
                (c, _) => {
                    template.push(c);
                    continue;
                }
            }
            chars.next();
        }
        Ok(self.regex.replace_all(text, template.as_str()).into_owned())
    }

    pub(super) fn split(&self, text: &str) -> Result<Vec<String>, String> {
        self.must_not_match_nothing()?;
        if text.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.regex.split(text).map(str::to_owned).collect())
    }

    fn must_not_match_nothing(&self) -> Result<(), String> {
        if self.regex.is_match("") {
            Err("the regular expression matches the empty text".to_owned())
        } else {
            Ok(())
        }
    }
}
