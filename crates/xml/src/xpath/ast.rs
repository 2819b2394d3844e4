//! What an expression is compiled to.

use super::functions::Function;

/// A name with its namespace; an empty one is none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ExpandedName {
    pub(crate) uri: Box<str>,
    pub(crate) local: Box<str>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Or(Vec<Expr>),
    And(Vec<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    Negate(Box<Expr>),
    Union(Vec<Expr>),
    Path(Path),
    Literal(Box<str>),
    Number(f64),
    Variable(ExpandedName),
    Call(Function, Vec<Expr>),
    /// A function of the host, by the number it gave.
    HostCall(u32, Vec<Expr>),
    /// XPath 2.0, only where the host asks for it.
    Later(Box<Later>),
}

/// What XPath 2.0 adds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Later {
    Sequence(Vec<Expr>),
    Range(Expr, Expr),
    If { test: Expr, then: Expr, otherwise: Expr },
    For { variable: ExpandedName, over: Expr, each: Expr },
    Quantified { every: bool, variable: ExpandedName, over: Expr, holds: Expr },
    ValueCompare(Comparison, Expr, Expr),
    Intersect(Expr, Expr),
    Except(Expr, Expr),
    Is(Expr, Expr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// Cut towards zero (XPath 2.0 `idiv`).
    DivideWhole,
    Modulo,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    pub(crate) start: Start,
    /// Of the start expression.
    pub(crate) predicates: Vec<Predicate>,
    pub(crate) steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Start {
    Context,
    Root,
    Expr(Box<Expr>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub(crate) axis: Axis,
    pub(crate) test: NodeTest,
    pub(crate) predicates: Vec<Predicate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Axis {
    Ancestor,
    AncestorOrSelf,
    Attribute,
    Child,
    Descendant,
    DescendantOrSelf,
    Following,
    FollowingSibling,
    Namespace,
    Parent,
    Preceding,
    PrecedingSibling,
    Own,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NodeTest {
    Node,
    Text,
    Comment,
    Instruction(Option<Box<str>>),
    Name(NameTest),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NameTest {
    Any,
    /// `prefix:*`
    In(Box<str>),
    /// `*:local` of XPath 2.0.
    Local(Box<str>),
    Name(ExpandedName),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Predicate {
    /// `[3]`
    Position(usize),
    Expr(Expr),
}

impl Axis {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ancestor" => Self::Ancestor,
            "ancestor-or-self" => Self::AncestorOrSelf,
            "attribute" => Self::Attribute,
            "child" => Self::Child,
            "descendant" => Self::Descendant,
            "descendant-or-self" => Self::DescendantOrSelf,
            "following" => Self::Following,
            "following-sibling" => Self::FollowingSibling,
            "namespace" => Self::Namespace,
            "parent" => Self::Parent,
            "preceding" => Self::Preceding,
            "preceding-sibling" => Self::PrecedingSibling,
            "self" => Self::Own,
            _ => return None,
        })
    }
}

impl Step {
    /// What `//` stands for.
    pub(super) const fn descendants_or_self() -> Self {
        Self { axis: Axis::DescendantOrSelf, test: NodeTest::Node, predicates: Vec::new() }
    }

    pub(crate) fn is_descendants_or_self(&self) -> bool {
        self.axis == Axis::DescendantOrSelf && self.test == NodeTest::Node && self.predicates.is_empty()
    }
}

impl Expr {
    pub(super) fn gives_nodes(&self) -> bool {
        matches!(self, Self::Path(_) | Self::Union(_) | Self::Call(Function::Id, _))
    }

    /// Whether this is a call of `id`.
    pub(crate) const fn is_id(&self) -> bool {
        matches!(self, Self::Call(Function::Id, _))
    }

    /// `//name` looks at every node twice unless it becomes `descendant::name`, which means the same where
    /// no predicate counts positions.
    pub(crate) fn optimised(mut self) -> Self {
        self.visit(&mut |expr| {
            if let Self::Path(path) = expr {
                path.join_descendants();
            }
        });
        self
    }

    /// Calls `change` for every expression inside, innermost first.
    pub(crate) fn visit(&mut self, change: &mut dyn FnMut(&mut Self)) {
        match self {
            Self::Or(all)
            | Self::And(all)
            | Self::Union(all)
            | Self::Call(_, all)
            | Self::HostCall(_, all) => {
                all.iter_mut().for_each(|expr| expr.visit(change));
            }
            Self::Compare(_, a, b) | Self::Arithmetic(_, a, b) => {
                a.visit(change);
                b.visit(change);
            }
            Self::Negate(a) => a.visit(change),
            Self::Path(path) => path.visit(change),
            Self::Literal(_) | Self::Number(_) | Self::Variable(_) => {}
            Self::Later(later) => match &mut **later {
                Later::Sequence(all) => all.iter_mut().for_each(|expr| expr.visit(change)),
                Later::Range(a, b)
                | Later::ValueCompare(_, a, b)
                | Later::Intersect(a, b)
                | Later::Except(a, b)
                | Later::Is(a, b)
                | Later::For { over: a, each: b, .. }
                | Later::Quantified { over: a, holds: b, .. } => {
                    a.visit(change);
                    b.visit(change);
                }
                Later::If { test, then, otherwise } => {
                    test.visit(change);
                    then.visit(change);
                    otherwise.visit(change);
                }
            },
        }
        change(self);
    }

    /// Whether the value may be a number, which as a predicate is a position, or depends on one.
    pub(crate) fn is_positional(&self) -> bool {
        match self {
            Self::Number(_)
            | Self::Arithmetic(..)
            | Self::Negate(_)
            | Self::Variable(_)
            | Self::HostCall(..) => true,
            Self::Or(_) | Self::And(_) | Self::Compare(..) => self.mentions_position(),
            Self::Call(function, _) => function.gives_number() || self.mentions_position(),
            Self::Union(_) | Self::Path(_) | Self::Literal(_) => false,
            Self::Later(_) => true,
        }
    }

    /// Whether `position()` or `last()` of this very focus is asked for.
    fn mentions_position(&self) -> bool {
        match self {
            Self::Call(Function::Position | Function::Last, _) | Self::Later(_) | Self::HostCall(..) => true,
            Self::Or(all) | Self::And(all) | Self::Union(all) | Self::Call(_, all) => {
                all.iter().any(Self::mentions_position)
            }
            Self::Compare(_, a, b) | Self::Arithmetic(_, a, b) => {
                a.mentions_position() || b.mentions_position()
            }
            Self::Negate(a) => a.mentions_position(),
            Self::Path(Path { start: Start::Expr(start), .. }) => start.mentions_position(),
            Self::Path(_) | Self::Literal(_) | Self::Number(_) | Self::Variable(_) => false,
        }
    }
}

impl Path {
    fn visit(&mut self, change: &mut dyn FnMut(&mut Expr)) {
        if let Start::Expr(start) = &mut self.start {
            start.visit(change);
        }
        let steps = self.steps.iter_mut().flat_map(|step| &mut step.predicates);
        for predicate in self.predicates.iter_mut().chain(steps) {
            if let Predicate::Expr(expr) = predicate {
                expr.visit(change);
            }
        }
    }

    fn join_descendants(&mut self) {
        let mut at = 0;
        while at + 1 < self.steps.len() {
            let next = &self.steps[at + 1];
            let counts = next.predicates.iter().any(|predicate| match predicate {
                Predicate::Position(_) => true,
                Predicate::Expr(expr) => expr.is_positional(),
            });
            if self.steps[at].is_descendants_or_self() && next.axis == Axis::Child && !counts {
                self.steps.remove(at);
                self.steps[at].axis = Axis::Descendant;
            }
            at += 1;
        }
    }
}
