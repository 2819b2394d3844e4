//! What stands directly in a stylesheet.

use super::super::decimal::DecimalFormat;
use super::super::instruction::{Bound, Set};
use super::super::keys::Key;
use super::super::pattern::{self, Pattern, Rule};
use super::super::space::SpaceRule;
use super::*;

impl Compiler {
    pub(super) fn stylesheet(&mut self, root: Node<'_>) -> Compiled<()> {
        self.check_root(root)?;
        self.collect_names(root)?;
        for child in root.children() {
            match child.kind() {
                NodeKind::Text if !is_blank(child.own_text()) => {
                    return Err(BadStylesheet {
                        line: child.line(),
                        why: "text between templates".to_owned(),
                    });
                }
                NodeKind::Element if child.namespace() == XSLT => self.top_level(child)?,
                NodeKind::Element if child.namespace().is_empty() => {
                    return Err(self
                        .here(child)
                        .bad(format!("{} may not stand between templates", child.name())));
                }
                // Data of others, which XSLT leaves to them.
                _ => {}
            }
        }
        Ok(())
    }

    fn check_root(&self, root: Node<'_>) -> Compiled<()> {
        let here = self.here(root);
        let allowed = ["id", "version", "exclude-result-prefixes", "extension-element-prefixes"];
        let attributes = Attributes::of(&here, &allowed, &["input-type-annotations", "default-validation"])?;
        if attributes.get("extension-element-prefixes").is_some_and(|prefixes| !is_blank(prefixes)) {
            let prefixes = attributes.get("extension-element-prefixes").unwrap_or_default();
            let used = prefixes.split_ascii_whitespace().find(|prefix| {
                let uri = root.resolve_prefix(prefix);
                root.descendants().any(|node| node.is_element() && Some(node.namespace()) == uri)
            });
            if let Some(prefix) = used {
                return Err(here.bad(format!("extension elements are not supported: {prefix}")));
            }
        }
        Ok(())
    }

    /// Names that expressions may use before they are declared.
    fn collect_names(&mut self, root: Node<'_>) -> Compiled<()> {
        let (mut globals, mut functions, mut named) = (Vec::new(), Vec::new(), Vec::new());
        let mut templates = 0;
        for child in root.child_elements().filter(|child| child.namespace() == XSLT) {
            let here = self.here(child);
            let name = child.attribute("name").map(|name| here.name(name)).transpose()?;
            match (child.local_name(), name) {
                ("variable" | "param", Some(name)) => {
                    if globals.contains(&name) {
                        return Err(here.bad(format!("the variable {} is there already", name.local)));
                    }
                    globals.push(name);
                }
                ("function", Some(name)) if self.shared.later => {
                    if name.uri.is_empty() {
                        return Err(here.bad("the name of a function needs a prefix"));
                    }
                    let parameters =
                        child.child_elements().filter(|node| node.is_named(XSLT, "param")).count();
                    if functions.contains(&(name.clone(), parameters)) {
                        return Err(here.bad(format!("the function {} is there already", name.local)));
                    }
                    functions.push((name, parameters));
                }
                ("template", name) => {
                    if let Some(name) = name {
                        named.push((name, templates, child.line()));
                    }
                    templates += 1;
                }
                ("namespace-alias", _) => self.alias(child)?,
                _ => {}
            }
        }
        for (name, index, line) in named {
            let local = name.local.clone();
            if self.sheet.named.insert(name, index).is_some() {
                return Err(BadStylesheet { line, why: format!("the template {local} is there already") });
            }
        }
        (self.shared.globals, self.shared.functions) = (globals, functions);
        Ok(())
    }

    fn alias(&mut self, element: Node<'_>) -> Compiled<()> {
        let here = self.here(element);
        let attributes = Attributes::of(&here, &["stylesheet-prefix", "result-prefix"], &[])?;
        let resolve = |name: &str| -> Compiled<(Box<str>, Box<str>)> {
            let prefix = attributes.need(name)?.trim();
            let prefix = if prefix == "#default" { "" } else { prefix };
            let uri = element
                .resolve_prefix(prefix)
                .ok_or_else(|| here.bad(format!("the prefix {prefix} is not bound")))?;
            Ok((prefix.into(), uri.into()))
        };
        let (_, from) = resolve("stylesheet-prefix")?;
        let to = resolve("result-prefix")?;
        self.aliases.insert(from, to);
        Ok(())
    }

    fn top_level(&mut self, element: Node<'_>) -> Compiled<()> {
        match element.local_name() {
            "template" => self.template(element),
            "variable" | "param" => {
                let is_parameter = element.local_name() == "param";
                let variable = self.variable(element)?;
                self.sheet.globals.push(Global { variable, is_parameter });
                Ok(())
            }
            "output" => {
                only_children(element, &[])?;
                let here = Here::new(&self.shared, element);
                self.sheet.output.read(&here)
            }
            "key" => self.key(element),
            "strip-space" | "preserve-space" => self.space(element),
            "decimal-format" => self.decimal_format(element),
            "attribute-set" => self.attribute_set(element),
            "namespace-alias" => only_children(element, &[]),
            "function" if self.shared.later => self.function(element),
            "include" | "import" => Err(self
                .here(element)
                .bad(format!("{} is not allowed: a stylesheet stands alone", element.name()))),
            _ => Err(self.here(element).bad(format!("{} is not supported here", element.name()))),
        }
    }

    fn template(&mut self, element: Node<'_>) -> Compiled<()> {
        let here = self.here(element);
        let attributes = Attributes::of(&here, &["match", "name", "priority", "mode"], &["as"])?;
        let patterns = attributes.get("match").map(|text| pattern::compile(text, &here)).transpose()?;
        if patterns.is_none() && attributes.get("name").is_none() {
            return Err(here.bad("a template needs a match or a name"));
        }
        if patterns.is_none() && (attributes.get("mode").is_some() || attributes.get("priority").is_some()) {
            return Err(here.bad("a template without match has neither mode nor priority"));
        }
        let priority = match attributes.get("priority") {
            None => None,
            Some(text) => match crate::xpath::parse_number(text) {
                number if number.is_nan() => return Err(here.bad("the priority is no number")),
                number => Some(number),
            },
        };
        let modes = match attributes.get("mode") {
            None => vec![None],
            Some(modes) if modes.contains("#all") => return Err(here.bad("the mode #all is not supported")),
            Some(modes) => {
                let mode = |name: &str| if name == "#default" { Ok(None) } else { here.name(name).map(Some) };
                modes.split_ascii_whitespace().map(mode).collect::<Compiled<Vec<_>>>()?
            }
        };
        let index = self.sheet.templates.len();
        let template = self.scoped(|compiler| {
            let parameters = compiler.parameters(element)?;
            let body = compiler.body(element, &["param"])?;
            Ok(Template { line: element.line(), parameters, body })
        })?;
        self.sheet.templates.push(template);
        self.add_rules(patterns.unwrap_or_default(), priority, index, &modes);
        Ok(())
    }

    pub(super) fn add_rules(
        &mut self,
        patterns: Vec<Pattern>,
        priority: Option<f64>,
        template: usize,
        modes: &[Option<ExpandedName>],
    ) {
        for mode in modes {
            for pattern in &patterns {
                let priority = priority.unwrap_or_else(|| pattern.priority());
                let rule = Rule { pattern: pattern.clone(), priority, template };
                self.sheet.rules.entry(mode.clone()).or_default().push(rule);
            }
        }
    }

    /// The parameters at the beginning of a template or function.
    fn parameters(&mut self, element: Node<'_>) -> Compiled<Vec<Parameter>> {
        let mut parameters = Vec::new();
        let mut over = false;
        for child in element.children() {
            if !child.is_named(XSLT, "param") {
                over |= child.is_element() || (child.kind() == NodeKind::Text && !is_blank(child.own_text()));
                continue;
            }
            if over {
                return Err(self.here(child).bad("parameters come before all else"));
            }
            let required = self.shared.later
                && matches!(child.attribute("required").map(str::trim), Some("yes" | "true" | "1"));
            let variable = self.variable(child)?;
            self.declare_local(&variable.name, &self.here(child))?;
            parameters.push(Parameter { variable, required });
        }
        Ok(parameters)
    }

    fn function(&mut self, element: Node<'_>) -> Compiled<()> {
        let here = self.here(element);
        let attributes = Attributes::of(&here, &[], &["name", "as", "override"])?;
        attributes.need("name")?;
        let function = self.scoped(|compiler| {
            let parameters = compiler.parameters(element)?;
            if let Some(given) = parameters.iter().find(|p| !matches!(p.variable.value, Bound::Nothing)) {
                let why = format!("the parameter {} of a function has no default", given.variable.name.local);
                return Err(BadStylesheet { line: given.variable.line, why });
            }
            let parameters = parameters.into_iter().map(|parameter| parameter.variable.name).collect();
            let body = compiler.body(element, &["param"])?;
            Ok(OwnFunction { parameters, body })
        })?;
        // In the order in which they were collected: their numbers are in the expressions.
        self.sheet.functions.push(function);
        Ok(())
    }

    fn key(&mut self, element: Node<'_>) -> Compiled<()> {
        only_children(element, &[])?;
        let here = self.here(element);
        let attributes = Attributes::of(&here, &["name", "match", "use"], &[])?;
        let key = Key {
            matches: pattern::compile(attributes.need("match")?, &here)?,
            uses: attributes.need_expr("use")?,
        };
        let name = here.name(attributes.need("name")?)?;
        self.sheet.keys.entry(name).or_default().push(key);
        Ok(())
    }

    fn space(&mut self, element: Node<'_>) -> Compiled<()> {
        only_children(element, &[])?;
        let here = self.here(element);
        let attributes = Attributes::of(&here, &["elements"], &[])?;
        let strips = element.local_name() == "strip-space";
        let mut rules = Vec::new();
        for name in attributes.need("elements")?.split_ascii_whitespace() {
            let (uri, local) = match name {
                "*" => (None, None),
                name => match name.strip_suffix(":*") {
                    Some(prefix) => {
                        let uri = element.resolve_prefix(prefix);
                        let uri = uri.ok_or_else(|| here.bad(format!("the prefix {prefix} is not bound")))?;
                        (Some(uri.into()), None)
                    }
                    None => {
                        let name = here.name(name)?;
                        (Some(name.uri), Some(name.local))
                    }
                },
            };
            rules.push(SpaceRule { uri, local, strips });
        }
        self.sheet.space.append(&mut rules);
        Ok(())
    }

    fn decimal_format(&mut self, element: Node<'_>) -> Compiled<()> {
        only_children(element, &[])?;
        let here = self.here(element);
        let allowed = [
            "name",
            "decimal-separator",
            "grouping-separator",
            "infinity",
            "minus-sign",
            "NaN",
            "percent",
            "per-mille",
            "zero-digit",
            "digit",
            "pattern-separator",
        ];
        let attributes = Attributes::of(&here, &allowed, &[])?;
        let mut format = DecimalFormat::default();
        let signs: [(&str, &mut char); 8] = [
            ("decimal-separator", &mut format.decimal_separator),
            ("grouping-separator", &mut format.grouping_separator),
            ("minus-sign", &mut format.minus_sign),
            ("percent", &mut format.percent),
            ("per-mille", &mut format.per_mille),
            ("zero-digit", &mut format.zero_digit),
            ("digit", &mut format.digit),
            ("pattern-separator", &mut format.pattern_separator),
        ];
        for (name, sign) in signs {
            if let Some(text) = attributes.get(name) {
                let mut chars = text.chars();
                match (chars.next(), chars.next()) {
                    (Some(c), None) => *sign = c,
                    _ => return Err(here.bad(format!("{name} is not one character"))),
                }
            }
        }
        if let Some(text) = attributes.get("infinity") {
            format.infinity = text.into();
        }
        if let Some(text) = attributes.get("NaN") {
            format.nan = text.into();
        }
        let name = match attributes.get("name") {
            Some(name) => here.name(name)?,
            None => ExpandedName { uri: "".into(), local: "".into() },
        };
        if self.sheet.formats.insert(name, format).is_some() {
            return Err(self.here(element).bad("the decimal format is there already"));
        }
        Ok(())
    }

    fn attribute_set(&mut self, element: Node<'_>) -> Compiled<()> {
        only_children(element, &["attribute"])?;
        let here = self.here(element);
        let attributes = Attributes::of(&here, &["name", "use-attribute-sets"], &[])?;
        let name = here.name(attributes.need("name")?)?;
        let uses = here.names(attributes.get("use-attribute-sets").unwrap_or_default())?;
        let attributes = self.body(element, &[])?;
        self.sheet.sets.entry(name).or_default().push(Set { uses, attributes });
        Ok(())
    }
}
