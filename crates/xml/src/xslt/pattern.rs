//! Patterns (XSLT 1.0, 5.2) and the choice among template rules (5.5).

use super::BadStylesheet;
use super::statics::Here;
use crate::document::{Node, NodeKind};
use crate::xpath::{
    Axis, Evaluation, Expr, Focus, NameTest, NodeTest, Path, Predicate, Start, Step, Test, XPathError,
};

/// A template with one alternative of its pattern.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) pattern: Pattern,
    pub(super) priority: f64,
    pub(super) template: usize,
}

/// One alternative of a pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    anchor: Anchor,
    /// Outermost first.
    steps: Vec<PatternStep>,
}

#[derive(Debug, Clone)]
enum Anchor {
    /// Anywhere.
    Free,
    /// The root of the document.
    Root,
    /// `id(…)` or `key(…)`.
    Nodes(Expr),
}

#[derive(Debug, Clone)]
struct PatternStep {
    step: Step,
    /// `//` before it.
    deep: bool,
    /// A predicate counts: the step is taken from the parent to know the position.
    counts: bool,
}

/// The alternatives of a pattern.
pub(super) fn compile(text: &str, here: &Here<'_, '_>) -> Result<Vec<Pattern>, BadStylesheet> {
    let alternatives = match here.raw_expr(text)? {
        Expr::Union(all) => all,
        one => vec![one],
    };
    alternatives
        .into_iter()
        .map(|expr| alternative(expr).ok_or_else(|| here.bad(format!("'{text}' is no pattern"))))
        .collect()
}

fn alternative(expr: Expr) -> Option<Pattern> {
    let Path { start, predicates, steps } = match expr {
        Expr::Path(path) => path,
        call @ (Expr::Call(..) | Expr::HostCall(..)) => {
            Path { start: Start::Expr(Box::new(call)), predicates: Vec::new(), steps: Vec::new() }
        }
        _ => return None,
    };
    let anchor = match start {
        Start::Context => Anchor::Free,
        Start::Root => Anchor::Root,
        Start::Expr(call) if predicates.is_empty() && is_id_or_key(&call) => Anchor::Nodes(call.optimised()),
        Start::Expr(_) => return None,
    };
    let mut compiled = Vec::new();
    let mut deep = false;
    for mut step in steps {
        if step.is_descendants_or_self() {
            deep = true;
            continue;
        }
        if !matches!(step.axis, Axis::Child | Axis::Attribute) {
            return None;
        }
        let counts = step.predicates.iter().any(|predicate| match predicate {
            Predicate::Position(_) => true,
            Predicate::Expr(expr) => expr.is_positional(),
        });
        for predicate in &mut step.predicates {
            if let Predicate::Expr(expr) = predicate {
                *expr = std::mem::replace(expr, Expr::Number(0.0)).optimised();
            }
        }
        compiled.push(PatternStep { step, deep: std::mem::take(&mut deep), counts });
    }
    if deep || (compiled.is_empty() && matches!(anchor, Anchor::Free)) {
        return None;
    }
    Some(Pattern { anchor, steps: compiled })
}

fn is_id_or_key(call: &Expr) -> bool {
    let literal = |all: &[Expr]| all.iter().all(|expr| matches!(expr, Expr::Literal(_) | Expr::Variable(_)));
    match call {
        Expr::Call(..) => call.is_id() && matches!(call, Expr::Call(_, all) if literal(all)),
        Expr::HostCall(function, all) => super::functions::Host::is_key(*function) && literal(all),
        _ => false,
    }
}

impl Pattern {
    /// How specific the pattern is, where no priority is given.
    pub(super) fn priority(&self) -> f64 {
        match (&self.anchor, self.steps.as_slice()) {
            (Anchor::Free, [only]) if only.step.predicates.is_empty() => match &only.step.test {
                NodeTest::Name(NameTest::Name(_)) | NodeTest::Instruction(Some(_)) => 0.0,
                NodeTest::Name(NameTest::In(_) | NameTest::Local(_)) => -0.25,
                _ => -0.5,
            },
            _ => 0.5,
        }
    }

    /// Whether a node matches.
    pub(super) fn matches<'d>(&self, node: Node<'d>, eval: &Evaluation<'_, 'd>) -> Result<bool, XPathError> {
        self.matches_until(node, self.steps.len(), eval)
    }

    /// Whether a node matches the first `length` steps.
    fn matches_until<'d>(
        &self,
        node: Node<'d>,
        length: usize,
        eval: &Evaluation<'_, 'd>,
    ) -> Result<bool, XPathError> {
        eval.work.spend(1)?;
        let Some(last) = length.checked_sub(1).and_then(|last| self.steps.get(last)) else {
            return match &self.anchor {
                Anchor::Free => Ok(true),
                Anchor::Root => Ok(node.kind() == NodeKind::Root),
                Anchor::Nodes(call) => {
                    let nodes = eval.value(call, &Focus::on(node))?.into_nodes("a pattern")?;
                    Ok(nodes.binary_search(&node).is_ok())
                }
            };
        };
        if !last.holds(node, eval)? {
            return Ok(false);
        }
        if length == 1 && matches!(self.anchor, Anchor::Free) {
            return Ok(true);
        }
        let mut above = node.parent();
        while let Some(parent) = above {
            if self.matches_until(parent, length - 1, eval)? {
                return Ok(true);
            }
            above = if last.deep { parent.parent() } else { None };
        }
        Ok(false)
    }
}

impl PatternStep {
    fn holds<'d>(&self, node: Node<'d>, eval: &Evaluation<'_, 'd>) -> Result<bool, XPathError> {
        let step = &self.step;
        let is_of_axis = match step.axis {
            Axis::Attribute => node.kind() == NodeKind::Attribute,
            _ => !matches!(node.kind(), NodeKind::Attribute | NodeKind::Namespace | NodeKind::Root),
        };
        if !is_of_axis || !Test::new(step, node.document()).holds(node) {
            return Ok(false);
        }
        if self.counts {
            let Some(parent) = node.parent() else { return Ok(false) };
            return Ok(eval.step(step, &[parent])?.contains(&node));
        }
        for predicate in &step.predicates {
            if let Predicate::Expr(expr) = predicate
                && !eval.value(expr, &Focus::on(node))?.to_boolean()
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
