//! Transforming.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use ahash::AHashMap;

use super::avt::{Avt, Piece};
use super::grove::Grove;
use super::instruction::{Bound, Content, Mode, Variable};
use super::keys::Index;
use super::pattern::Pattern;
use super::{Select, Stylesheet, Template, TransformError, Transformed};
use crate::document::{Builder, Document, Node, NodeKind};
use crate::xpath::{Dynamic, Evaluation, ExpandedName, Focus, Value, Work, XPathError};

/// Steps of one transformation.
const WORK: u64 = 50_000_000;
/// Templates in templates, on the stack of the caller.
const SHALLOW: usize = 30;
/// The same on a stack of its own, which is made when the caller's is too small.
const DEEP: usize = 3_000;
const STACK_BYTES: usize = 512 * 1024 * 1024;
/// The longest result, and the longest tree on the way to it.
pub(super) const MAX_RESULT_BYTES: usize = 32 * 1024 * 1024;
const MAX_RESULT_NODES: usize = 2_000_000;
const MAX_RESULT_DEPTH: usize = 1_000;

pub(super) fn transform(
    sheet: &Stylesheet,
    source: &Document,
    parameters: &[(&str, &str)],
) -> Result<Transformed, TransformError> {
    match attempt(sheet, source, parameters, SHALLOW) {
        // A transformation has no effect but its result: it can be begun again.
        Err(TransformError::TooDeep(SHALLOW)) => std::thread::scope(|scope| {
            let deep = std::thread::Builder::new().stack_size(STACK_BYTES);
            let running = deep.spawn_scoped(scope, || attempt(sheet, source, parameters, DEEP));
            let result = running.ok().and_then(|running| running.join().ok());
            result.unwrap_or(Err(TransformError::TooDeep(SHALLOW)))
        }),
        result => result,
    }
}

fn attempt(
    sheet: &Stylesheet,
    source: &Document,
    parameters: &[(&str, &str)],
    depth: usize,
) -> Result<Transformed, TransformError> {
    let stripped = sheet.stripped(source);
    let source = stripped.as_ref().unwrap_or(source);
    let grove = Grove::default();
    let work = Work::new(WORK);
    let run = Run {
        sheet,
        source: source.root(),
        parameters,
        grove: Cell::new(&grove),
        planted: Cell::new(0),
        globals: RefCell::new(sheet.globals.iter().map(|_| State::Waiting).collect()),
        locals: RefCell::default(),
        frame: Cell::new(0),
        current: Cell::new(source.root()),
        mode: RefCell::new(None),
        group: RefCell::new(None),
        regex_groups: RefCell::default(),
        indices: RefCell::default(),
        indexing: Cell::new(false),
        messages: RefCell::default(),
        depth: Cell::new(0),
        max_depth: depth,
        work: &work,
        failure: RefCell::new(None),
    };
    let mut out = Builder::new(u32::MAX);
    run.apply(source.root(), &Focus::on(source.root()), Vec::new(), &mut out)?;
    let result = out.finish();
    let text = sheet.output.write(&result)?;
    let media_type = sheet.output.media_type();
    Ok(Transformed { text, media_type, messages: run.messages.into_inner() })
}

/// What is known of a global variable.
enum State<'d> {
    Waiting,
    /// It is being made: whoever asks now asks in a circle.
    Busy,
    Done(Value<'d>),
}

/// A transformation under way.
pub(super) struct Run<'r, 'd> {
    pub(super) sheet: &'r Stylesheet,
    source: Node<'d>,
    parameters: &'r [(&'r str, &'r str)],
    grove: Cell<&'d Grove>,
    planted: Cell<u32>,
    globals: RefCell<Vec<State<'d>>>,
    /// Local variables, innermost last; those before `frame` belong to callers.
    locals: RefCell<Vec<(ExpandedName, Value<'d>)>>,
    frame: Cell<usize>,
    /// What `current()` gives.
    pub(super) current: Cell<Node<'d>>,
    mode: RefCell<Option<ExpandedName>>,
    pub(super) group: RefCell<Option<(Value<'d>, Value<'d>)>>,
    pub(super) regex_groups: RefCell<Vec<String>>,
    /// Keys by name and address of their document.
    pub(super) indices: RefCell<AHashMap<(&'r str, usize), Index<'d>>>,
    pub(super) indexing: Cell<bool>,
    pub(super) messages: RefCell<Vec<String>>,
    depth: Cell<usize>,
    max_depth: usize,
    pub(super) work: &'r Work,
    /// What went wrong inside an expression, to be told as it was.
    failure: RefCell<Option<TransformError>>,
}

impl<'d> Dynamic<'d> for Run<'_, 'd> {
    fn variable(&self, name: &ExpandedName) -> Result<Option<Value<'d>>, XPathError> {
        let locals = self.locals.borrow();
        let own = locals.get(self.frame.get()..).unwrap_or_default();
        if let Some((_, value)) = own.iter().rev().find(|(local, _)| local == name) {
            return Ok(Some(value.clone()));
        }
        drop(locals);
        self.global(name)
    }

    fn call(
        &self,
        function: u32,
        arguments: Vec<Value<'d>>,
        focus: &Focus<'d>,
    ) -> Result<Value<'d>, XPathError> {
        self.call_host(function, arguments, focus)
    }
}

impl<'d> Run<'_, 'd> {
    pub(super) fn evaluation(&self) -> Evaluation<'_, 'd> {
        Evaluation { dynamic: self, work: self.work }
    }

    pub(super) fn spend(&self, steps: u64) -> Result<(), TransformError> {
        self.work.spend(steps).map_err(|error| self.failed(0, error))
    }

    pub(super) fn fail(&self, line: u32, why: impl Into<String>) -> TransformError {
        TransformError::Failed { line, why: why.into() }
    }

    /// An error of an expression; what failed inside a function or variable is told as it was.
    pub(super) fn failed(&self, line: u32, error: XPathError) -> TransformError {
        self.failure.borrow_mut().take().unwrap_or_else(|| self.fail(line, error.to_string()))
    }

    /// Carries an error through an expression.
    pub(super) fn nested(&self, error: TransformError) -> XPathError {
        let told = XPathError::Function(error.to_string());
        self.failure.replace(Some(error));
        told
    }

    pub(super) fn value(&self, select: &Select, focus: &Focus<'d>) -> Result<Value<'d>, TransformError> {
        self.evaluation().value(&select.expr, focus).map_err(|error| self.failed(select.line, error))
    }

    pub(super) fn matches_any(&self, patterns: &[Pattern], node: Node<'d>) -> Result<bool, XPathError> {
        let eval = self.evaluation();
        for pattern in patterns {
            if pattern.matches(node, &eval)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn global(&self, name: &ExpandedName) -> Result<Option<Value<'d>>, XPathError> {
        let Some(index) = self.sheet.globals.iter().position(|global| global.variable.name == *name) else {
            return Ok(None);
        };
        match self.globals.borrow().get(index) {
            Some(State::Done(value)) => return Ok(Some(value.clone())),
            Some(State::Busy) => {
                return Err(XPathError::Function(format!("the variable ${} needs itself", name.local)));
            }
            _ => {}
        }
        self.globals.borrow_mut()[index] = State::Busy;
        let global = &self.sheet.globals[index];
        let given = self.parameters.iter().find(|(given, _)| {
            global.is_parameter
                && global.variable.name.uri.is_empty()
                && *given == &*global.variable.name.local
        });
        let value = match given {
            Some((_, text)) => Value::Text(Cow::Owned((*text).to_owned())),
            None => {
                let make = || self.bound(&global.variable, &Focus::on(self.source));
                let made = self.in_frame(Vec::new(), || self.with_current(self.source, make));
                made.map_err(|error| self.nested(error))?
            }
        };
        self.globals.borrow_mut()[index] = State::Done(value.clone());
        Ok(Some(value))
    }

    /// The value of a variable's declaration.
    pub(super) fn bound(&self, variable: &Variable, focus: &Focus<'d>) -> Result<Value<'d>, TransformError> {
        match &variable.value {
            Bound::Select(select) => self.value(select, focus),
            Bound::Nothing => Ok("".into()),
            Bound::Tree(body) => {
                let document = self.tree(body, focus)?;
                Ok(Value::Nodes(vec![document.root()]))
            }
            Bound::Values(body) => self.values_at(body, focus),
        }
    }

    /// What a body writes, as a document of its own.
    pub(super) fn tree(
        &self,
        body: &super::instruction::Body,
        focus: &Focus<'d>,
    ) -> Result<&'d Document, TransformError> {
        let mut out = Builder::new(self.next_order());
        self.scoped(|| self.body(body, focus, &mut out))?;
        Ok(self.plant(out.finish()))
    }

    pub(super) fn next_order(&self) -> u32 {
        self.planted.set(self.planted.get() + 1);
        self.planted.get()
    }

    pub(super) fn plant(&self, document: Document) -> &'d Document {
        let (document, next) = self.grove.get().plant(document);
        self.grove.set(next);
        document
    }

    /// Runs with `node` as what `current()` gives.
    pub(super) fn with_current<T>(&self, node: Node<'d>, run: impl FnOnce() -> T) -> T {
        let before = self.current.replace(node);
        let result = run();
        self.current.set(before);
        result
    }

    /// Runs, and forgets the variables that were bound meanwhile.
    pub(super) fn scoped<T>(&self, run: impl FnOnce() -> T) -> T {
        let length = self.locals.borrow().len();
        let result = run();
        self.locals.borrow_mut().truncate(length);
        result
    }

    /// Runs a template or function: its callers' variables are not visible.
    pub(super) fn in_frame<T>(
        &self,
        variables: Vec<(ExpandedName, Value<'d>)>,
        run: impl FnOnce() -> Result<T, TransformError>,
    ) -> Result<T, TransformError> {
        if self.depth.get() >= self.max_depth {
            return Err(TransformError::TooDeep(self.max_depth));
        }
        self.depth.set(self.depth.get() + 1);
        let length = self.locals.borrow().len();
        let before = self.frame.replace(length);
        self.locals.borrow_mut().extend(variables);
        let result = run();
        self.locals.borrow_mut().truncate(length);
        self.frame.set(before);
        self.depth.set(self.depth.get() - 1);
        result
    }

    pub(super) fn bind(&self, name: &ExpandedName, value: Value<'d>) {
        self.locals.borrow_mut().push((name.clone(), value));
    }

    /// A focus on an item; on what is no node the context stays.
    pub(super) fn focus_on(
        &self,
        item: &Value<'d>,
        position: usize,
        size: usize,
        outer: &Focus<'d>,
    ) -> Focus<'d> {
        let node = match item {
            Value::Nodes(nodes) => nodes.first().copied().unwrap_or(outer.node),
            Value::Text(_) | Value::Number(_) | Value::Boolean(_) | Value::Sequence(_) => {
                // `.` of a value is the value: a text node of its own stands for it.
                let mut out = Builder::new(self.next_order());
                out.text(&item.to_text(), false);
                let root = self.plant(out.finish()).root();
                root.first_child().unwrap_or(root)
            }
        };
        Focus { node, position, size }
    }

    /// Values of parameters that are given to a template.
    pub(super) fn arguments(
        &self,
        with: &[Variable],
        focus: &Focus<'d>,
    ) -> Result<Vec<(ExpandedName, Value<'d>)>, TransformError> {
        with.iter().map(|variable| Ok((variable.name.clone(), self.bound(variable, focus)?))).collect()
    }

    /// Runs a template. Parameters it does not have are dropped.
    pub(super) fn template(
        &self,
        template: &Template,
        given: Vec<(ExpandedName, Value<'d>)>,
        focus: &Focus<'d>,
        out: &mut Builder,
    ) -> Result<(), TransformError> {
        let node = focus.node;
        self.in_frame(Vec::new(), || {
            for parameter in &template.parameters {
                let name = &parameter.variable.name;
                let value = match given.iter().find(|(own, _)| own == name) {
                    Some((_, value)) => value.clone(),
                    None if parameter.required => {
                        return Err(
                            self.fail(template.line, format!("the parameter {} is not given", name.local))
                        );
                    }
                    None => self.with_current(node, || self.bound(&parameter.variable, focus))?,
                };
                self.bind(name, value);
            }
            self.with_current(node, || self.body(&template.body, focus, out))
        })
    }

    /// Runs the best rule for a node, or what is built in.
    pub(super) fn apply(
        &self,
        node: Node<'d>,
        focus: &Focus<'d>,
        given: Vec<(ExpandedName, Value<'d>)>,
        out: &mut Builder,
    ) -> Result<(), TransformError> {
        if let Some(template) = self.rule_for(node)? {
            return self.template(template, given, focus, out);
        }
        match node.kind() {
            NodeKind::Root | NodeKind::Element => {
                let children: Vec<Node<'d>> = node.children().collect();
                let size = children.len();
                self.in_frame(Vec::new(), || {
                    for (index, child) in children.into_iter().enumerate() {
                        let focus = Focus { node: child, position: index + 1, size };
                        // XSLT 2.0 hands parameters on.
                        let given = if self.sheet.later { given.clone() } else { Vec::new() };
                        self.apply(child, &focus, given, out)?;
                    }
                    Ok(())
                })
            }
            NodeKind::Text | NodeKind::Attribute => {
                out.text(node.own_text(), false);
                self.checked(out)
            }
            NodeKind::Comment | NodeKind::Instruction | NodeKind::Namespace => Ok(()),
        }
    }

    fn rule_for(&self, node: Node<'d>) -> Result<Option<&Template>, TransformError> {
        let mode = self.mode.borrow();
        let Some(rules) = self.sheet.rules.get(&mode) else { return Ok(None) };
        let eval = self.evaluation();
        for rule in rules {
            let template = &self.sheet.templates[rule.template];
            if rule.pattern.matches(node, &eval).map_err(|error| self.failed(template.line, error))? {
                return Ok(Some(template));
            }
        }
        Ok(None)
    }

    /// Runs with another mode.
    pub(super) fn in_mode<T>(&self, mode: &Mode, run: impl FnOnce() -> T) -> T {
        let Mode::Named(mode) = mode else { return run() };
        let before = self.mode.replace(mode.clone());
        let result = run();
        self.mode.replace(before);
        result
    }

    /// Whether the result is still within bounds.
    pub(super) fn checked(&self, out: &Builder) -> Result<(), TransformError> {
        let fits = out.text_len() <= MAX_RESULT_BYTES
            && out.len() <= MAX_RESULT_NODES
            && out.depth() <= MAX_RESULT_DEPTH;
        if fits { Ok(()) } else { Err(TransformError::TooLong(MAX_RESULT_BYTES)) }
    }

    pub(super) fn avt<'a>(&self, avt: &'a Avt, focus: &Focus<'d>) -> Result<Cow<'a, str>, TransformError> {
        if let [Piece::Literal(text)] = avt.0.as_slice() {
            return Ok(Cow::Borrowed(text));
        }
        let mut text = String::new();
        for piece in &avt.0 {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Expr(select) => {
                    let value = self.value(select, focus)?;
                    text.push_str(&self.joined(&value, " "));
                }
            }
        }
        self.spend(1 + text.len() as u64 / 32)?;
        Ok(Cow::Owned(text))
    }

    /// The text of a value: XSLT 1.0 takes the first node, 2.0 all values with `separator` between.
    pub(super) fn joined(&self, value: &Value<'d>, separator: &str) -> Cow<'d, str> {
        if !self.sheet.later || value.len() <= 1 {
            return value.to_text();
        }
        let texts: Vec<Cow<'d, str>> = value.clone().into_items().iter().map(Value::to_text).collect();
        Cow::Owned(texts.join(separator))
    }

    /// The text of an expression or of what a body writes. Several values have `separator` between them.
    pub(super) fn content(
        &self,
        content: &Content,
        separator: Option<&str>,
        focus: &Focus<'d>,
    ) -> Result<Cow<'d, str>, TransformError> {
        match content {
            Content::Select(select) => {
                let value = self.value(select, focus)?;
                self.spend(value.weight())?;
                Ok(self.joined(&value, separator.unwrap_or(" ")))
            }
            Content::Body(body) => {
                let mut out = Builder::new(0);
                self.scoped(|| self.body(body, focus, &mut out))?;
                Ok(Cow::Owned(out.finish().root().text().into_owned()))
            }
        }
    }
}
