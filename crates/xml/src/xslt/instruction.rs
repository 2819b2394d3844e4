//! What a stylesheet is compiled to.

use super::avt::Avt;
use super::grouping::GroupBy;
use super::number::Numbering;
use super::{Select, pattern};
use crate::xpath::ExpandedName;

/// Instructions in order.
pub(super) type Body = Vec<Instruction>;

#[derive(Debug)]
pub(super) enum Instruction {
    Text {
        text: Box<str>,
        raw: bool,
    },
    Literal(Box<LiteralElement>),
    ApplyTemplates {
        select: Option<Select>,
        mode: Mode,
        sorts: Vec<Sort>,
        with: Vec<Variable>,
    },
    CallTemplate {
        template: usize,
        with: Vec<Variable>,
    },
    ForEach {
        select: Select,
        sorts: Vec<Sort>,
        body: Body,
    },
    ForEachGroup {
        select: Select,
        by: GroupBy,
        sorts: Vec<Sort>,
        body: Body,
    },
    If {
        test: Select,
        body: Body,
    },
    Choose {
        when: Vec<(Select, Body)>,
        otherwise: Body,
    },
    ValueOf {
        value: Content,
        separator: Option<Avt>,
        raw: bool,
    },
    Element {
        name: Avt,
        namespace: Option<Avt>,
        scope: Scope,
        sets: Vec<ExpandedName>,
        body: Body,
        line: u32,
    },
    Attribute {
        name: Avt,
        namespace: Option<Avt>,
        scope: Scope,
        value: Content,
        separator: Option<Avt>,
        line: u32,
    },
    Comment {
        value: Content,
        line: u32,
    },
    Processing {
        name: Avt,
        value: Content,
        line: u32,
    },
    Namespace {
        name: Avt,
        value: Content,
        line: u32,
    },
    Copy {
        sets: Vec<ExpandedName>,
        body: Body,
        line: u32,
    },
    CopyOf {
        select: Select,
    },
    /// Of XSLT 2.0.
    Sequence {
        select: Select,
    },
    AnalyzeString {
        select: Select,
        regex: Avt,
        flags: Avt,
        matching: Body,
        other: Body,
        line: u32,
    },
    PerformSort {
        select: Select,
        sorts: Vec<Sort>,
    },
    Variable(Variable),
    Number(Box<Numbering>),
    Message {
        value: Content,
        terminate: Avt,
    },
}

/// Which templates are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mode {
    Named(Option<ExpandedName>),
    /// `#current` of XSLT 2.0.
    Current,
}

/// A text: the value of an expression, or what a body writes.
#[derive(Debug)]
pub(super) enum Content {
    Select(Select),
    Body(Body),
}

/// A variable, a parameter that is given, or a default.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: ExpandedName,
    pub(super) value: Bound,
    pub(super) line: u32,
}

#[derive(Debug)]
pub(super) enum Bound {
    Select(Select),
    /// A tree of its own.
    Tree(Body),
    /// Values in a row (`as` of XSLT 2.0).
    Values(Body),
    /// The empty text.
    Nothing,
}

/// A parameter of a template, with its default.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) variable: Variable,
    pub(super) required: bool,
}

/// The prefixes in scope of an instruction.
pub(super) type Scope = Box<[(Box<str>, Box<str>)]>;

#[derive(Debug)]
pub(super) struct LiteralElement {
    pub(super) prefix: Box<str>,
    pub(super) local: Box<str>,
    pub(super) uri: Box<str>,
    pub(super) namespaces: Scope,
    pub(super) sets: Vec<ExpandedName>,
    pub(super) attributes: Vec<LiteralAttribute>,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) struct LiteralAttribute {
    pub(super) prefix: Box<str>,
    pub(super) local: Box<str>,
    pub(super) uri: Box<str>,
    pub(super) value: Avt,
}

/// `xsl:attribute-set`: the sets it uses, then its own attributes.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) uses: Vec<ExpandedName>,
    pub(super) attributes: Body,
}

#[derive(Debug)]
pub(super) struct Sort {
    pub(super) key: Content,
    pub(super) order: Avt,
    pub(super) data_type: Avt,
    pub(super) case_order: Avt,
    pub(super) line: u32,
}

/// What `count` and `from` of `xsl:number` match.
pub(super) type Matching = Vec<pattern::Pattern>;
