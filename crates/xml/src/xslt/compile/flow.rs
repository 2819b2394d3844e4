//! Instructions that choose, repeat and call.

use super::super::avt::Avt;
use super::super::grouping::GroupBy;
use super::super::instruction::{Content, Mode};
use super::super::number::{Level, Numbering};
use super::super::{Select, pattern};
use super::*;
use crate::xpath::{Axis, Expr, NodeTest, Path, Start, Step};

impl Compiler {
    /// `None` when the element is none of these.
    pub(super) fn flow(&mut self, element: Node<'_>) -> Compiled<Option<Instruction>> {
        Ok(Some(match element.local_name() {
            "if" => {
                let here = self.here(element);
                let test = Attributes::of(&here, &["test"], &[])?.need_expr("test")?;
                Instruction::If { test, body: self.body(element, &[])? }
            }
            "choose" => self.choose(element)?,
            "for-each" => {
                let here = self.here(element);
                let select = Attributes::of(&here, &["select"], &[])?.need_expr("select")?;
                let sorts = self.sorts(element)?;
                Instruction::ForEach { select, sorts, body: self.body(element, &["sort"])? }
            }
            "apply-templates" => self.apply_templates(element)?,
            "call-template" => {
                only_children(element, &["with-param"])?;
                let here = self.here(element);
                let name = here.name(Attributes::of(&here, &["name"], &[])?.need("name")?)?;
                let template = self.sheet.named.get(&name).copied().unwrap_or(0);
                self.calls.push((name, element.line()));
                Instruction::CallTemplate { template, with: self.with(element)? }
            }
            "number" => self.number(element)?,
            "for-each-group" if self.shared.later => self.for_each_group(element)?,
            "perform-sort" if self.shared.later => {
                only_children(element, &["sort"])?;
                let here = self.here(element);
                let select = Attributes::of(&here, &[], &["select"])?.need_expr("select")?;
                Instruction::PerformSort { select, sorts: self.sorts(element)? }
            }
            "analyze-string" if self.shared.later => self.analyze_string(element)?,
            _ => return Ok(None),
        }))
    }

    fn choose(&mut self, element: Node<'_>) -> Compiled<Instruction> {
        Attributes::of(&self.here(element), &[], &[])?;
        only_children(element, &["when", "otherwise"])?;
        let (mut when, mut otherwise) = (Vec::new(), None);
        for child in element.child_elements() {
            let here = self.here(child);
            if otherwise.is_some() {
                return Err(here.bad("xsl:otherwise is the last of xsl:choose"));
            }
            if child.local_name() == "when" {
                let test = Attributes::of(&here, &["test"], &[])?.need_expr("test")?;
                when.push((test, self.body(child, &[])?));
            } else {
                Attributes::of(&here, &[], &[])?;
                otherwise = Some(self.body(child, &[])?);
            }
        }
        if when.is_empty() {
            return Err(self.here(element).bad("xsl:choose has no xsl:when"));
        }
        Ok(Instruction::Choose { when, otherwise: otherwise.unwrap_or_default() })
    }

    fn apply_templates(&mut self, element: Node<'_>) -> Compiled<Instruction> {
        only_children(element, &["sort", "with-param"])?;
        let here = self.here(element);
        let attributes = Attributes::of(&here, &["select", "mode"], &[])?;
        let select = attributes.expr("select")?;
        let mode = match attributes.get("mode").map(str::trim) {
            None => Mode::Named(None),
            Some("#current") if self.shared.later => Mode::Current,
            Some("#default") if self.shared.later => Mode::Named(None),
            Some(name) => Mode::Named(Some(here.name(name)?)),
        };
        let sorts = self.sorts(element)?;
        Ok(Instruction::ApplyTemplates { select, mode, sorts, with: self.with(element)? })
    }

    fn with(&mut self, element: Node<'_>) -> Compiled<Vec<Variable>> {
        let mut with: Vec<Variable> = Vec::new();
        for child in element.child_elements().filter(|child| child.is_named(XSLT, "with-param")) {
            let variable = self.variable(child)?;
            if with.iter().any(|given| given.name == variable.name) {
                return Err(self.here(child).bad("a parameter is given twice"));
            }
            with.push(variable);
        }
        Ok(with)
    }

    fn sorts(&mut self, element: Node<'_>) -> Compiled<Vec<Sort>> {
        let mut sorts = Vec::new();
        for child in element.child_elements().filter(|child| child.is_named(XSLT, "sort")) {
            let here = self.here(child);
            let attributes = Attributes::of(
                &here,
                &["select", "lang", "data-type", "order", "case-order"],
                &["collation", "stable"],
            )?;
            if attributes.get("collation").is_some() {
                return Err(here.bad("collations are not supported"));
            }
            let key = match attributes.expr("select")? {
                Some(select) => Content::Select(select),
                None if child.first_child().is_some() && self.shared.later => {
                    Content::Body(self.body(child, &[])?)
                }
                None => Content::Select(own(child.line())),
            };
            let here = self.here(child);
            let attributes = Attributes { here: &here };
            sorts.push(Sort {
                key,
                order: attributes.avt_or("order", "ascending")?,
                data_type: attributes.avt_or("data-type", "text")?,
                case_order: attributes.avt_or("case-order", "")?,
                line: child.line(),
            });
        }
        Ok(sorts)
    }

    fn number(&mut self, element: Node<'_>) -> Compiled<Instruction> {
        only_children(element, &[])?;
        let here = self.here(element);
        let allowed = [
            "level",
            "count",
            "from",
            "value",
            "format",
            "lang",
            "letter-value",
            "grouping-separator",
            "grouping-size",
        ];
        let attributes = Attributes::of(&here, &allowed, &[])?;
        for name in ["lang", "letter-value"] {
            if attributes.get(name).is_some_and(|value| !matches!(value, "en" | "alphabetic")) {
                return Err(here.bad(format!("{name} of xsl:number is not supported")));
            }
        }
        let level = match attributes.get("level").map(str::trim) {
            None | Some("single") => Level::Single,
            Some("multiple") => Level::Multiple,
            Some("any") => Level::Any,
            Some(other) => return Err(here.bad(format!("xsl:number has no level {other}"))),
        };
        let patterns = |name| attributes.get(name).map(|text| pattern::compile(text, &here)).transpose();
        Ok(Instruction::Number(Box::new(Numbering {
            level,
            count: patterns("count")?,
            from: patterns("from")?,
            value: attributes.expr("value")?,
            format: attributes.avt_or("format", "1")?,
            grouping_separator: attributes.avt("grouping-separator")?,
            grouping_size: attributes.avt("grouping-size")?,
            line: element.line(),
        })))
    }

    fn for_each_group(&mut self, element: Node<'_>) -> Compiled<Instruction> {
        let here = self.here(element);
        let by = ["group-by", "group-adjacent", "group-starting-with", "group-ending-with"];
        let allowed = [&["select"], by.as_slice()].concat();
        let attributes = Attributes::of(&here, &[], &allowed)?;
        let mut given = by.into_iter().filter_map(|name| Some((name, attributes.get(name)?)));
        let by = match (given.next(), given.next()) {
            (Some(("group-by", text)), None) => GroupBy::Value(here.expr(text)?),
            (Some(("group-adjacent", text)), None) => GroupBy::Adjacent(here.expr(text)?),
            (Some(("group-starting-with", text)), None) => {
                GroupBy::StartingWith(pattern::compile(text, &here)?)
            }
            (Some((_, text)), None) => GroupBy::EndingWith(pattern::compile(text, &here)?),
            _ => return Err(here.bad("xsl:for-each-group needs one way to group")),
        };
        let select = attributes.need_expr("select")?;
        let sorts = self.sorts(element)?;
        Ok(Instruction::ForEachGroup { select, by, sorts, body: self.body(element, &["sort"])? })
    }

    fn analyze_string(&mut self, element: Node<'_>) -> Compiled<Instruction> {
        only_children(element, &["matching-substring", "non-matching-substring", "fallback"])?;
        let here = self.here(element);
        let attributes = Attributes::of(&here, &[], &["select", "regex", "flags"])?;
        let select = attributes.need_expr("select")?;
        let regex = Avt::compile(attributes.need("regex")?, &here)?;
        let flags = attributes.avt_or("flags", "")?;
        let (mut matching, mut other) = (Body::new(), Body::new());
        for child in element.child_elements() {
            match child.local_name() {
                "matching-substring" => matching = self.body(child, &[])?,
                "non-matching-substring" => other = self.body(child, &[])?,
                _ => {}
            }
        }
        Ok(Instruction::AnalyzeString { select, regex, flags, matching, other, line: element.line() })
    }
}

/// The expression `.`.
fn own(line: u32) -> Select {
    let step = Step { axis: Axis::Own, test: NodeTest::Node, predicates: Vec::new() };
    Select {
        expr: Expr::Path(Path { start: Start::Context, predicates: Vec::new(), steps: vec![step] }),
        line,
    }
}
