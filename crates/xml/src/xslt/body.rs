//! Running instructions.

use super::Select;
use super::TransformError;
use super::instruction::{Body, Content, Instruction, LiteralElement, Mode, Scope, Sort, Variable};
use super::run::Run;
use crate::document::{Builder, Node, NodeKind};
use crate::names::{is_nc_name, split_qname};
use crate::xpath::{ExpandedName, Focus, Value};

type Done = Result<(), TransformError>;

impl<'d> Run<'_, 'd> {
    /// Runs a body; its variables end with it.
    pub(super) fn body(&self, body: &Body, focus: &Focus<'d>, out: &mut Builder) -> Done {
        self.scoped(|| {
            for instruction in body {
                self.work.spend(1).map_err(|error| self.failed(0, error))?;
                self.instruction(instruction, focus, out)?;
                self.checked(out)?;
            }
            Ok(())
        })
    }

    fn instruction(&self, instruction: &Instruction, focus: &Focus<'d>, out: &mut Builder) -> Done {
        match instruction {
            Instruction::Text { text, raw } => {
                out.text(text, *raw);
                Ok(())
            }
            Instruction::Literal(element) => self.literal(element, focus, out),
            Instruction::ApplyTemplates { select, mode, sorts, with } => {
                self.apply_templates((select.as_ref(), mode, sorts, with), focus, out)
            }
            Instruction::CallTemplate { template, with } => {
                let given = self.arguments(with, focus)?;
                self.template(&self.sheet.templates[*template], given, focus, out)
            }
            Instruction::ForEach { select, sorts, body } => self.for_each(select, sorts, body, focus, out),
            Instruction::ForEachGroup { select, by, sorts, body } => {
                self.for_each_group(select, by, sorts, body, focus, out)
            }
            Instruction::If { test, body } => {
                if self.value(test, focus)?.to_boolean() {
                    self.body(body, focus, out)
                } else {
                    Ok(())
                }
            }
            Instruction::Choose { when, otherwise } => {
                for (test, body) in when {
                    if self.value(test, focus)?.to_boolean() {
                        return self.body(body, focus, out);
                    }
                }
                self.body(otherwise, focus, out)
            }
            Instruction::ValueOf { value, separator, raw } => {
                let separator = separator.as_ref().map(|avt| self.avt(avt, focus)).transpose()?;
                let text = self.content(value, separator.as_deref(), focus)?;
                out.text(&text, *raw);
                Ok(())
            }
            Instruction::Element { name, namespace, scope, sets, body, line } => {
                let name = self.avt(name, focus)?;
                let namespace = namespace.as_ref().map(|avt| self.avt(avt, focus)).transpose()?;
                let (prefix, local, uri) =
                    self.computed_name(&name, namespace.as_deref(), scope, true, *line)?;
                out.element(&prefix, &local, &uri);
                self.sets(sets, focus, out)?;
                self.body(body, focus, out)?;
                out.end();
                Ok(())
            }
            Instruction::Attribute { name, namespace, scope, value, separator, line } => {
                let name = self.avt(name, focus)?;
                let namespace = namespace.as_ref().map(|avt| self.avt(avt, focus)).transpose()?;
                let (prefix, local, uri) =
                    self.computed_name(&name, namespace.as_deref(), scope, false, *line)?;
                let separator = separator.as_ref().map(|avt| self.avt(avt, focus)).transpose()?;
                let text = self.content(value, separator.as_deref(), focus)?;
                self.must_take_attributes(out, *line)?;
                out.result_attribute(&prefix, &local, &uri, &text);
                Ok(())
            }
            Instruction::Comment { value, line } => {
                let text = self.content(value, None, focus)?;
                if text.contains("--") || text.ends_with('-') {
                    return Err(self.fail(*line, "a comment cannot hold '--' or end in '-'"));
                }
                out.comment(&text);
                Ok(())
            }
            Instruction::Processing { name, value, line } => {
                let name = self.avt(name, focus)?;
                let text = self.content(value, None, focus)?;
                if !is_nc_name(&name) || name.eq_ignore_ascii_case("xml") || text.contains("?>") {
                    return Err(self.fail(*line, "not a processing instruction"));
                }
                out.instruction(&name, text.trim_start());
                Ok(())
            }
            Instruction::Namespace { name, value, line } => {
                let (prefix, uri) = (self.avt(name, focus)?, self.content(value, None, focus)?);
                self.must_take_attributes(out, *line)?;
                let is_prefix =
                    prefix.is_empty() || (is_nc_name(&prefix) && prefix != "xml" && prefix != "xmlns");
                if !is_prefix || uri.is_empty() {
                    return Err(self.fail(*line, "not a namespace"));
                }
                out.declare(&prefix, &uri);
                Ok(())
            }
            Instruction::Copy { sets, body, line } => self.shallow_copy(sets, body, *line, focus, out),
            Instruction::CopyOf { select } => {
                let value = self.value(select, focus)?;
                self.write(value, select.line, out)
            }
            Instruction::Sequence { select } => {
                let value = self.value(select, focus)?;
                self.write(value, select.line, out)
            }
            Instruction::AnalyzeString { select, regex, flags, matching, other, line } => {
                let value = self.value(select, focus)?;
                let (regex, flags) = (self.avt(regex, focus)?, self.avt(flags, focus)?);
                self.analyze(&value.to_text(), (&regex, &flags), (matching, other), *line, out)
            }
            Instruction::PerformSort { select, sorts } => {
                let items = self.value(select, focus)?.into_items();
                let sorted = self.sorted(items, sorts, focus)?;
                self.write(Value::Sequence(sorted), select.line, out)
            }
            Instruction::Variable(variable) => {
                let value = self.bound(variable, focus)?;
                self.bind(&variable.name, value);
                Ok(())
            }
            Instruction::Number(numbering) => {
                let text = self.number(numbering, focus)?;
                out.text(&text, false);
                Ok(())
            }
            Instruction::Message { value, terminate } => {
                let text = self.content(value, None, focus)?.into_owned();
                if matches!(self.avt(terminate, focus)?.trim(), "yes" | "true" | "1") {
                    return Err(TransformError::Terminated(text));
                }
                let mut messages = self.messages.borrow_mut();
                // A stylesheet that talks without end talks to nobody.
                if messages.len() < 1_000 {
                    messages.push(text);
                }
                Ok(())
            }
        }
    }

    fn literal(&self, element: &LiteralElement, focus: &Focus<'d>, out: &mut Builder) -> Done {
        out.start(&element.prefix, &element.local, &element.uri);
        for (prefix, uri) in &element.namespaces {
            if out.resolve(prefix) != Some(&**uri) {
                out.declare(prefix, uri);
            }
        }
        if out.resolve(&element.prefix) != Some(&*element.uri) {
            out.declare(&element.prefix, &element.uri);
        }
        self.sets(&element.sets, focus, out)?;
        for attribute in &element.attributes {
            let value = self.avt(&attribute.value, focus)?;
            out.result_attribute(&attribute.prefix, &attribute.local, &attribute.uri, &value);
        }
        self.body(&element.body, focus, out)?;
        out.end();
        Ok(())
    }

    /// The attributes of sets; those that come later win.
    fn sets(&self, names: &[ExpandedName], focus: &Focus<'d>, out: &mut Builder) -> Done {
        for name in names {
            for set in self.sheet.sets.get(name).into_iter().flatten() {
                self.sets(&set.uses, focus, out)?;
                // Sets see the variables of the stylesheet only.
                self.in_frame(Vec::new(), || self.body(&set.attributes, focus, out))?;
            }
        }
        Ok(())
    }

    fn apply_templates(
        &self,
        (select, mode, sorts, with): (Option<&Select>, &Mode, &[Sort], &[Variable]),
        focus: &Focus<'d>,
        out: &mut Builder,
    ) -> Done {
        let nodes: Vec<Node<'d>> = match select {
            Some(select) => {
                let value = self.value(select, focus)?;
                value.into_nodes("xsl:apply-templates").map_err(|error| self.failed(select.line, error))?
            }
            None => focus.node.children().collect(),
        };
        let nodes = if sorts.is_empty() {
            nodes
        } else {
            let items = self.sorted(Value::Nodes(nodes).into_items(), sorts, focus)?;
            items
                .into_iter()
                .filter_map(|item| match item {
                    Value::Nodes(nodes) => nodes.first().copied(),
                    _ => None,
                })
                .collect()
        };
        let given = self.arguments(with, focus)?;
        let size = nodes.len();
        self.in_mode(mode, || {
            for (index, node) in nodes.into_iter().enumerate() {
                let focus = Focus { node, position: index + 1, size };
                self.apply(node, &focus, given.clone(), out)?;
            }
            Ok(())
        })
    }

    fn for_each(
        &self,
        select: &Select,
        sorts: &[Sort],
        body: &Body,
        focus: &Focus<'d>,
        out: &mut Builder,
    ) -> Done {
        let items = self.items(select, sorts, focus)?;
        let size = items.len();
        for (index, item) in items.into_iter().enumerate() {
            let inner = self.focus_on(&item, index + 1, size, focus);
            self.with_current(inner.node, || self.body(body, &inner, out))?;
        }
        Ok(())
    }

    fn items(
        &self,
        select: &Select,
        sorts: &[Sort],
        focus: &Focus<'d>,
    ) -> Result<Vec<Value<'d>>, TransformError> {
        let value = self.value(select, focus)?;
        if !self.sheet.later && !matches!(value, Value::Nodes(_)) {
            return Err(self.fail(select.line, "xsl:for-each needs nodes"));
        }
        self.sorted(value.into_items(), sorts, focus)
    }

    fn shallow_copy(
        &self,
        sets: &[ExpandedName],
        body: &Body,
        line: u32,
        focus: &Focus<'d>,
        out: &mut Builder,
    ) -> Done {
        match focus.node.kind() {
            NodeKind::Root => self.body(body, focus, out),
            NodeKind::Element => {
                out.shallow_element(focus.node);
                self.sets(sets, focus, out)?;
                self.body(body, focus, out)?;
                out.end();
                Ok(())
            }
            kind => {
                if matches!(kind, NodeKind::Attribute | NodeKind::Namespace) {
                    self.must_take_attributes(out, line)?;
                }
                out.copy(focus.node);
                Ok(())
            }
        }
    }

    /// Writes a value: nodes as copies, the rest as text with blanks between.
    fn write(&self, value: Value<'d>, line: u32, out: &mut Builder) -> Done {
        let mut after_text = false;
        for item in value.into_items() {
            match item {
                Value::Nodes(nodes) => {
                    after_text = false;
                    for node in nodes {
                        self.spend(node.weight())?;
                        if matches!(node.kind(), NodeKind::Attribute | NodeKind::Namespace) {
                            self.must_take_attributes(out, line)?;
                        }
                        out.copy(node);
                        self.checked(out)?;
                    }
                }
                other => {
                    if std::mem::replace(&mut after_text, true) {
                        out.text(" ", false);
                    }
                    out.text(&other.to_text(), false);
                }
            }
        }
        Ok(())
    }

    fn must_take_attributes(&self, out: &Builder, line: u32) -> Done {
        if out.takes_attributes() {
            Ok(())
        } else {
            Err(self.fail(line, "an attribute or namespace must come before what is in its element"))
        }
    }

    /// A name that is computed: prefix, local part, namespace.
    fn computed_name(
        &self,
        name: &str,
        namespace: Option<&str>,
        scope: &Scope,
        is_element: bool,
        line: u32,
    ) -> Result<(String, String, String), TransformError> {
        let name = name.trim();
        let (prefix, local) =
            split_qname(name).ok_or_else(|| self.fail(line, format!("'{name}' is no name")))?;
        if !is_element && name == "xmlns" {
            return Err(self.fail(line, "an attribute cannot be named xmlns"));
        }
        let uri = match namespace {
            Some(uri) => uri,
            None if prefix == "xml" => crate::names::XML,
            None if prefix.is_empty() && !is_element => "",
            None => match scope.iter().find(|(bound, _)| **bound == *prefix) {
                Some((_, uri)) => uri,
                None if prefix.is_empty() => "",
                None => return Err(self.fail(line, format!("the prefix {prefix} is not bound"))),
            },
        };
        // Without a namespace there is no prefix.
        let prefix = if uri.is_empty() { "" } else { prefix };
        Ok((prefix.to_owned(), local.to_owned(), uri.to_owned()))
    }

    /// The values that a body gives, for a function.
    pub(super) fn values(&self, body: &Body) -> Result<Value<'d>, TransformError> {
        self.values_at(body, &Focus::on(self.current.get()))
    }

    pub(super) fn values_at(&self, body: &Body, focus: &Focus<'d>) -> Result<Value<'d>, TransformError> {
        let mut items = Vec::new();
        self.scoped(|| self.collect(body, focus, &mut items))?;
        Ok(Value::from_items(items))
    }

    fn collect(&self, body: &Body, focus: &Focus<'d>, items: &mut Vec<Value<'d>>) -> Done {
        for instruction in body {
            self.spend(1 + items.len() as u64 / 64)?;
            match instruction {
                Instruction::Sequence { select } => items.extend(self.value(select, focus)?.into_items()),
                Instruction::PerformSort { select, sorts } => items.extend(self.items(select, sorts, focus)?),
                Instruction::Variable(variable) => {
                    let value = self.bound(variable, focus)?;
                    self.bind(&variable.name, value);
                }
                Instruction::If { test, body } => {
                    if self.value(test, focus)?.to_boolean() {
                        self.scoped(|| self.collect(body, focus, items))?;
                    }
                }
                Instruction::Choose { when, otherwise } => {
                    let mut chosen = otherwise;
                    for (test, body) in when {
                        if self.value(test, focus)?.to_boolean() {
                            chosen = body;
                            break;
                        }
                    }
                    self.scoped(|| self.collect(chosen, focus, items))?;
                }
                Instruction::ForEach { select, sorts, body } => {
                    let over = self.items(select, sorts, focus)?;
                    let size = over.len();
                    for (index, item) in over.into_iter().enumerate() {
                        let inner = self.focus_on(&item, index + 1, size, focus);
                        let each = || self.with_current(inner.node, || self.collect(body, &inner, items));
                        self.scoped(each)?;
                    }
                }
                Instruction::ValueOf { value: Content::Select(select), separator: None, .. } => {
                    items.push(self.content(&Content::Select(select.clone()), None, focus)?.into());
                }
                made => {
                    let mut out = Builder::new(self.next_order());
                    self.instruction(made, focus, &mut out)?;
                    let root = self.plant(out.finish()).root();
                    items.extend(root.children().map(|node| Value::Nodes(vec![node])));
                }
            }
        }
        Ok(())
    }
}
