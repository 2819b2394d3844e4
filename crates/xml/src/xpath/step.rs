//! Steps and predicates (XPath 1.0, 2.1 to 2.4).

use super::ast::{Axis, NameTest, NodeTest, Predicate, Step};
use super::eval::Evaluation;
use super::focus::Focus;
use super::{Value, XPathError};
use crate::document::{Document, Node, NodeKind};

type Nodes<'d> = Vec<Node<'d>>;

impl<'d> Evaluation<'_, 'd> {
    /// The nodes a step leads to from all of `from`, in document order.
    pub(crate) fn step(&self, step: &Step, from: &[Node<'d>]) -> Result<Nodes<'d>, XPathError> {
        let mut found = Vec::new();
        let mut test: Option<Test<'_, 'd>> = None;
        for node in from {
            let test = match &mut test {
                Some(test) if std::ptr::eq(test.document, node.document()) => test,
                other => other.insert(Test::new(step, node.document())),
            };
            let before = found.len();
            self.collect(step, *node, test, &mut found)?;
            if !step.predicates.is_empty() {
                let mut candidates = found.split_off(before);
                for predicate in &step.predicates {
                    candidates = self.filter(predicate, candidates)?;
                }
                found.append(&mut candidates);
            }
        }
        let in_order = found.windows(2).all(|pair| pair[0] < pair[1]);
        if !in_order {
            if from.len() == 1 && step.axis.is_reverse() {
                found.reverse();
            } else {
                self.work.spend(found.len() as u64)?;
                found.sort_unstable();
                found.dedup();
            }
        }
        Ok(found)
    }

    /// Candidates in the order of the axis.
    fn collect(
        &self,
        step: &Step,
        node: Node<'d>,
        test: &Test<'_, 'd>,
        found: &mut Nodes<'d>,
    ) -> Result<(), XPathError> {
        // `[1]` needs no second one.
        let enough = match step.predicates.first() {
            Some(Predicate::Position(position)) => found.len() + position,
            _ => usize::MAX,
        };
        let mut looked = 0u64;
        let mut take = |candidate: Node<'d>| {
            looked += 1;
            if test.holds(candidate) {
                found.push(candidate);
            }
            found.len() < enough && (looked & 0xfff != 0 || self.work.has(looked))
        };
        match step.axis {
            Axis::Child => all(node.children(), &mut take),
            Axis::Attribute => all(node.attributes(), &mut take),
            Axis::Descendant => all(node.descendants(), &mut take),
            Axis::DescendantOrSelf => all(std::iter::once(node).chain(node.descendants()), &mut take),
            Axis::Own => all(std::iter::once(node), &mut take),
            Axis::Parent => all(node.parent().into_iter(), &mut take),
            Axis::Ancestor => all(node.ancestors(), &mut take),
            Axis::AncestorOrSelf => all(std::iter::once(node).chain(node.ancestors()), &mut take),
            Axis::FollowingSibling => all(node.following_siblings(), &mut take),
            Axis::PrecedingSibling => all(node.preceding_siblings(), &mut take),
            Axis::Following => all(node.following(), &mut take),
            Axis::Preceding => all(node.preceding(), &mut take),
            Axis::Namespace => all(node.namespaces(), &mut take),
        }
        self.work.spend(looked + 1)
    }

    /// The nodes for which a predicate holds; positions count in the order given.
    pub(super) fn filter(&self, predicate: &Predicate, nodes: Nodes<'d>) -> Result<Nodes<'d>, XPathError> {
        let expr = match predicate {
            Predicate::Position(position) => {
                return Ok(nodes.get(position - 1).copied().into_iter().collect());
            }
            Predicate::Expr(expr) => expr,
        };
        let size = nodes.len();
        let mut kept = Vec::new();
        for (index, node) in nodes.into_iter().enumerate() {
            let focus = Focus { node, position: index + 1, size };
            #[expect(clippy::cast_precision_loss, reason = "there are fewer nodes than a double can count")]
            let holds = match self.value(expr, &focus)? {
                Value::Number(number) => number == focus.position as f64,
                value => value.to_boolean(),
            };
            if holds {
                kept.push(node);
            }
        }
        Ok(kept)
    }
}

fn all<'d>(nodes: impl Iterator<Item = Node<'d>>, take: &mut impl FnMut(Node<'d>) -> bool) {
    for node in nodes {
        if !take(node) {
            return;
        }
    }
}

impl Axis {
    const fn is_reverse(self) -> bool {
        matches!(self, Self::Ancestor | Self::AncestorOrSelf | Self::Preceding | Self::PrecedingSibling)
    }
}

/// A node test for the nodes of one document: names are compared by their index there.
pub(crate) struct Test<'t, 'd> {
    test: &'t NodeTest,
    document: &'d Document,
    principal: NodeKind,
    local: Option<u32>,
    uri: Option<u32>,
}

impl<'t, 'd> Test<'t, 'd> {
    pub(crate) fn new(step: &'t Step, document: &'d Document) -> Self {
        let principal = match step.axis {
            Axis::Attribute => NodeKind::Attribute,
            Axis::Namespace => NodeKind::Namespace,
            _ => NodeKind::Element,
        };
        let index = |text: &str| document.string_index(text);
        let (local, uri) = match &step.test {
            NodeTest::Name(NameTest::Name(name)) => (index(&name.local), index(&name.uri)),
            NodeTest::Name(NameTest::In(uri)) => (None, index(uri)),
            NodeTest::Name(NameTest::Local(local)) => (index(local), None),
            _ => (None, None),
        };
        Self { test: &step.test, document, principal, local, uri }
    }

    pub(crate) fn holds(&self, node: Node<'d>) -> bool {
        match self.test {
            NodeTest::Node => true,
            NodeTest::Text => node.kind() == NodeKind::Text,
            NodeTest::Comment => node.kind() == NodeKind::Comment,
            NodeTest::Instruction(target) => {
                node.kind() == NodeKind::Instruction
                    && target.as_ref().is_none_or(|target| **target == *node.local_name())
            }
            NodeTest::Name(test) if node.kind() == self.principal => self.is_named(test, node),
            NodeTest::Name(_) => false,
        }
    }

    fn is_named(&self, test: &NameTest, node: Node<'d>) -> bool {
        let Some((local, uri)) = node.name_indices() else {
            // Namespace nodes have their prefix as name, in no namespace.
            return match test {
                NameTest::Any => true,
                NameTest::In(_) => false,
                NameTest::Local(local) => **local == *node.local_name(),
                NameTest::Name(name) => name.uri.is_empty() && *name.local == *node.local_name(),
            };
        };
        match test {
            NameTest::Any => true,
            NameTest::In(_) => self.uri == Some(uri),
            NameTest::Local(_) => self.local == Some(local),
            NameTest::Name(_) => self.local == Some(local) && self.uri == Some(uri),
        }
    }
}
