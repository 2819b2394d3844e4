//! `xsl:for-each-group` and `xsl:analyze-string` (XSLT 2.0, 14 and 15).

use ahash::AHashMap;
use regex::RegexBuilder;

use super::instruction::{Body, Sort};
use super::pattern::Pattern;
use super::run::Run;
use super::{Select, TransformError};
use crate::document::Builder;
use crate::xpath::{Focus, Value};

#[derive(Debug)]
pub(super) enum GroupBy {
    Value(Select),
    Adjacent(Select),
    StartingWith(Vec<Pattern>),
    EndingWith(Vec<Pattern>),
}

/// A key and the items that have it.
type Group<'d> = (Value<'d>, Vec<Value<'d>>);

impl<'d> Run<'_, 'd> {
    pub(super) fn for_each_group(
        &self,
        select: &Select,
        by: &GroupBy,
        sorts: &[Sort],
        body: &Body,
        focus: &Focus<'d>,
        out: &mut Builder,
    ) -> Result<(), TransformError> {
        let items = self.value(select, focus)?.into_items();
        let groups = self.groups(items, by, select.line, focus)?;
        let firsts: Vec<Value<'d>> = groups.iter().filter_map(|(_, items)| items.first().cloned()).collect();
        let order = self.sorted_groups(firsts, &groups, sorts, focus)?;
        let size = order.len();
        for (position, index) in order.into_iter().enumerate() {
            let Some((key, items)) = groups.get(index).cloned() else { continue };
            let Some(first) = items.first().cloned() else { continue };
            let before = self.group.replace(Some((key, Value::from_items(items))));
            let inner = self.focus_on(&first, position + 1, size, focus);
            let done = self.with_current(inner.node, || self.body(body, &inner, out));
            self.group.replace(before);
            done?;
        }
        Ok(())
    }

    /// Indices of the groups in the order of their first items, in which sort keys may ask for the group.
    fn sorted_groups(
        &self,
        firsts: Vec<Value<'d>>,
        groups: &[Group<'d>],
        sorts: &[Sort],
        focus: &Focus<'d>,
    ) -> Result<Vec<usize>, TransformError> {
        if sorts.is_empty() {
            return Ok((0..groups.len()).collect());
        }
        // The key of a group is what sorts nearly always ask for: each group is current while its key is made.
        let mut keyed = Vec::with_capacity(groups.len());
        for (index, first) in firsts.iter().enumerate() {
            let (key, items) = groups[index].clone();
            let before = self.group.replace(Some((key, Value::from_items(items))));
            let inner = self.focus_on(first, index + 1, firsts.len(), focus);
            let keys = self.sort_keys(sorts, &inner);
            self.group.replace(before);
            keyed.push((index, keys?));
        }
        self.order(keyed, sorts, focus)
    }

    fn groups(
        &self,
        items: Vec<Value<'d>>,
        by: &GroupBy,
        line: u32,
        focus: &Focus<'d>,
    ) -> Result<Vec<Group<'d>>, TransformError> {
        let mut groups: Vec<Group<'d>> = Vec::new();
        let mut places: AHashMap<String, usize> = AHashMap::new();
        let size = items.len();
        let mut ended = true;
        for (index, item) in items.into_iter().enumerate() {
            let inner = self.focus_on(&item, index + 1, size, focus);
            let matches = |patterns: &[Pattern]| {
                self.matches_any(patterns, inner.node).map_err(|error| self.failed(line, error))
            };
            match by {
                GroupBy::Value(key) => {
                    let keys = self.with_current(inner.node, || self.value(key, &inner))?.into_items();
                    for key in keys {
                        let text = key.to_text().into_owned();
                        let place = *places.entry(text.clone()).or_insert_with(|| {
                            groups.push((text.into(), Vec::new()));
                            groups.len() - 1
                        });
                        groups[place].1.push(item.clone());
                    }
                }
                GroupBy::Adjacent(key) => {
                    let key = self.with_current(inner.node, || self.value(key, &inner))?.to_text();
                    match groups.last_mut().filter(|(last, _)| last.to_text() == key) {
                        Some((_, items)) => items.push(item),
                        None => groups.push((key.into(), vec![item])),
                    }
                }
                GroupBy::StartingWith(patterns) => {
                    if matches(patterns)? || groups.is_empty() {
                        groups.push(("".into(), Vec::new()));
                    }
                    if let Some((_, items)) = groups.last_mut() {
                        items.push(item);
                    }
                }
                GroupBy::EndingWith(patterns) => {
                    if ended {
                        groups.push(("".into(), Vec::new()));
                    }
                    ended = matches(patterns)?;
                    if let Some((_, items)) = groups.last_mut() {
                        items.push(item);
                    }
                }
            }
        }
        Ok(groups)
    }

    /// Runs one body for what matches a regular expression and another for what lies between.
    pub(super) fn analyze(
        &self,
        text: &str,
        (regex, flags): (&str, &str),
        (matching, other): (&Body, &Body),
        line: u32,
        out: &mut Builder,
    ) -> Result<(), TransformError> {
        let translated = crate::regular::translate(regex).map_err(|why| self.fail(line, why))?;
        let mut builder = RegexBuilder::new(&translated);
        builder.size_limit(1 << 20).case_insensitive(flags.contains('i')).multi_line(flags.contains('m'));
        builder.dot_matches_new_line(flags.contains('s')).ignore_whitespace(flags.contains('x'));
        let regex =
            builder.build().map_err(|_| self.fail(line, "not a regular expression that is supported"))?;
        if regex.is_match("") {
            return Err(self.fail(line, "the regular expression matches the empty text"));
        }
        let mut parts: Vec<(Vec<String>, bool)> = Vec::new();
        let mut end = 0;
        for found in regex.captures_iter(text) {
            let Some(whole) = found.get(0) else { continue };
            if whole.start() > end {
                parts.push((vec![text[end..whole.start()].to_owned()], false));
            }
            let groups =
                found.iter().map(|group| group.map_or(String::new(), |group| group.as_str().to_owned()));
            parts.push((groups.collect(), true));
            end = whole.end();
        }
        if end < text.len() {
            parts.push((vec![text[end..].to_owned()], false));
        }
        let size = parts.len();
        for (index, (groups, is_match)) in parts.into_iter().enumerate() {
            let mut piece = Builder::new(self.next_order());
            piece.text(groups.first().map_or("", String::as_str), false);
            let document = self.plant(piece.finish());
            let node = document.root().first_child().unwrap_or(document.root());
            let groups = if is_match { groups } else { Vec::new() };
            let before = self.regex_groups.replace(groups);
            let inner = Focus { node, position: index + 1, size };
            let body = if is_match { matching } else { other };
            let done = self.with_current(node, || self.body(body, &inner, out));
            self.regex_groups.replace(before);
            done?;
        }
        Ok(())
    }
}
