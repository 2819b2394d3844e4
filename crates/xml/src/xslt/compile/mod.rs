//! From a stylesheet's document to what runs.

mod element;
mod flow;
mod instructions;
mod top_level;

use ahash::AHashMap;

use super::instruction::{Body, Instruction, Parameter, Sort, Variable};
use super::output::Settings;
use super::statics::{Here, Shared};
use super::{BadStylesheet, Global, OwnFunction, Stylesheet, Template, XSLT};
use crate::document::{Document, Node, NodeKind};
use crate::names::is_blank;
use crate::xpath::ExpandedName;
use element::Attributes;

type Compiled<T> = Result<T, BadStylesheet>;

/// Instructions of XSLT 1.0 and, after the first, those that came with 2.0.
const INSTRUCTIONS: [&[&str]; 2] = [
    &[
        "apply-templates",
        "attribute",
        "call-template",
        "choose",
        "comment",
        "copy",
        "copy-of",
        "element",
        "fallback",
        "for-each",
        "if",
        "message",
        "number",
        "processing-instruction",
        "text",
        "value-of",
        "variable",
    ],
    &["analyze-string", "for-each-group", "namespace", "perform-sort", "sequence"],
];

/// Whether there is an instruction of this name.
pub(super) fn is_instruction(local: &str, later: bool) -> bool {
    INSTRUCTIONS[0].contains(&local) || (later && INSTRUCTIONS[1].contains(&local))
}

pub(super) fn compile(document: &Document) -> Compiled<Stylesheet> {
    let Some(root) = document.element() else {
        return Err(BadStylesheet { line: 1, why: "there is no element".to_owned() });
    };
    let is_whole = root.is_named(XSLT, "stylesheet") || root.is_named(XSLT, "transform");
    let version = if is_whole { root.attribute("version") } else { root.attribute_of(XSLT, "version") };
    let bad = |why: &str| BadStylesheet { line: root.line(), why: why.to_owned() };
    let later = match version.map(str::trim) {
        Some("1.0" | "1.1" | "1") => false,
        Some("2.0" | "3.0" | "2" | "3") => true,
        Some(_) => return Err(bad("the version is none of 1.0, 2.0 and 3.0")),
        None => return Err(bad("the outermost element is no stylesheet: it has no version of XSLT")),
    };
    let mut compiler = Compiler {
        shared: Shared { later, ..Shared::default() },
        sheet: Stylesheet {
            later,
            templates: Vec::new(),
            rules: AHashMap::new(),
            named: AHashMap::new(),
            globals: Vec::new(),
            keys: AHashMap::new(),
            sets: AHashMap::new(),
            functions: Vec::new(),
            formats: AHashMap::new(),
            space: Vec::new(),
            output: Settings::default(),
        },
        aliases: AHashMap::new(),
        calls: Vec::new(),
    };
    if is_whole {
        compiler.stylesheet(root)?
    } else {
        compiler.simplified(root)?
    }
    compiler.finish()
}

pub(super) struct Compiler {
    shared: Shared,
    sheet: Stylesheet,
    /// `xsl:namespace-alias`: what stands in the stylesheet, by what is meant.
    aliases: AHashMap<Box<str>, (Box<str>, Box<str>)>,
    /// Calls of templates, to be checked when all are known: name, parameters that are given, line.
    calls: Vec<(ExpandedName, u32)>,
}

impl Compiler {
    /// The context of an element's expressions.
    fn here<'s, 'd>(&'s self, node: Node<'d>) -> Here<'s, 'd> {
        Here::new(&self.shared, node)
    }

    /// A literal element as a whole stylesheet (XSLT 1.0, 2.3).
    fn simplified(&mut self, root: Node<'_>) -> Compiled<()> {
        let body = vec![self.literal(root)?];
        let patterns = super::pattern::compile("/", &self.here(root))?;
        self.sheet.templates.push(Template { line: root.line(), parameters: Vec::new(), body });
        self.add_rules(patterns, None, 0, &[None]);
        Ok(())
    }

    fn finish(mut self) -> Compiled<Stylesheet> {
        for (name, line) in &self.calls {
            if !self.sheet.named.contains_key(name) {
                return Err(BadStylesheet {
                    line: *line,
                    why: format!("there is no template {}", name.local),
                });
            }
        }
        self.check_sets()?;
        for rules in self.sheet.rules.values_mut() {
            // Of two that match, the one with the higher priority; of equals the one that comes last.
            rules.sort_by(|a, b| b.priority.total_cmp(&a.priority).then(b.template.cmp(&a.template)));
        }
        Ok(self.sheet)
    }

    /// Attribute sets must exist and not use themselves.
    fn check_sets(&self) -> Compiled<()> {
        fn visit(compiler: &Compiler, name: &ExpandedName, path: &mut Vec<ExpandedName>) -> Compiled<()> {
            if path.contains(name) || path.len() > 50 {
                return Err(BadStylesheet {
                    line: 0,
                    why: format!("the attribute set {} uses itself", name.local),
                });
            }
            path.push(name.clone());
            for set in compiler.sheet.sets.get(name).into_iter().flatten() {
                for used in &set.uses {
                    visit(compiler, used, path)?;
                }
            }
            path.pop();
            Ok(())
        }
        self.sheet.sets.keys().try_for_each(|name| visit(self, name, &mut Vec::new()))
    }

    /// Runs with the local variables as they are, and forgets those that were added.
    fn scoped<T>(&mut self, run: impl FnOnce(&mut Self) -> Compiled<T>) -> Compiled<T> {
        let length = self.shared.locals.borrow().len();
        let result = run(self);
        self.shared.locals.borrow_mut().truncate(length);
        result
    }

    /// What is in an element, as instructions; parts that its instruction reads itself are left out.
    fn body(&mut self, element: Node<'_>, skip: &[&str]) -> Compiled<Body> {
        self.scoped(|compiler| {
            let mut body = Vec::new();
            for child in element.children() {
                match child.kind() {
                    NodeKind::Text if is_blank(child.own_text()) && !super::space::preserves(element) => {}
                    NodeKind::Text => {
                        body.push(Instruction::Text { text: child.own_text().into(), raw: false });
                    }
                    NodeKind::Element if child.namespace() == XSLT && skip.contains(&child.local_name()) => {}
                    NodeKind::Element => compiler.instruction(child, &mut body)?,
                    _ => {}
                }
            }
            Ok(body)
        })
    }

    /// Adds a local variable; one of the same name may hide a global one only.
    fn declare_local(&self, name: &ExpandedName, here: &Here<'_, '_>) -> Compiled<()> {
        let mut locals = self.shared.locals.borrow_mut();
        if locals.contains(name) && !self.shared.later {
            return Err(here.bad(format!("the variable {} is there already", name.local)));
        }
        locals.push(name.clone());
        Ok(())
    }
}

/// Refuses children of an instruction that must be empty or hold other elements only.
fn only_children(element: Node<'_>, allowed: &[&str]) -> Compiled<()> {
    for child in element.children() {
        let fits = match child.kind() {
            NodeKind::Element => child.namespace() == XSLT && allowed.contains(&child.local_name()),
            NodeKind::Text => is_blank(child.own_text()),
            _ => true,
        };
        if !fits {
            let why = format!(
                "{} may not hold {}",
                element.name(),
                if child.is_element() { child.name() } else { "text".into() }
            );
            return Err(BadStylesheet { line: child.line(), why });
        }
    }
    Ok(())
}
