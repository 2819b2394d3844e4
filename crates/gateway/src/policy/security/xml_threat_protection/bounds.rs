//! The bounds as the policy has them.

use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;

/// The most of each; `None` is no bound. Lengths are in characters.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    pub(super) element_name: Option<usize>,
    pub(super) attribute_name: Option<usize>,
    pub(super) prefix: Option<usize>,
    pub(super) target: Option<usize>,
    pub(super) depth: Option<usize>,
    pub(super) attributes: Option<usize>,
    pub(super) namespaces: Option<usize>,
    pub(super) children: Option<usize>,
    pub(super) counted: Counted,
    pub(super) text: Option<usize>,
    pub(super) attribute: Option<usize>,
    pub(super) namespace: Option<usize>,
    pub(super) comment: Option<usize>,
    pub(super) instruction: Option<usize>,
}

/// What counts as a child.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) comments: bool,
    pub(super) elements: bool,
    pub(super) instructions: bool,
    pub(super) text: bool,
}

impl Default for Counted {
    fn default() -> Self {
        Self { comments: true, elements: true, instructions: true, text: true }
    }
}

impl Bounds {
    pub(super) fn read(policy: &mut Blueprint<'_>) -> Self {
        let mut bounds = Self::default();
        let root = policy.root;
        if let Some(names) = root.child("NameLimits") {
            policy.only(
                names,
                &[],
                &["Element", "Attribute", "NamespacePrefix", "ProcessingInstructionTarget"],
            );
            bounds.element_name = bound(policy, names, "Element");
            bounds.attribute_name = bound(policy, names, "Attribute");
            bounds.prefix = bound(policy, names, "NamespacePrefix");
            bounds.target = bound(policy, names, "ProcessingInstructionTarget");
        }
        if let Some(structure) = root.child("StructureLimits") {
            let children =
                ["NodeDepth", "AttributeCountPerElement", "NamespaceCountPerElement", "ChildCount"];
            policy.only(structure, &[], &children);
            bounds.depth = bound(policy, structure, "NodeDepth");
            bounds.attributes = bound(policy, structure, "AttributeCountPerElement");
            bounds.namespaces = bound(policy, structure, "NamespaceCountPerElement");
            if let Some(count) = structure.child("ChildCount") {
                let kinds =
                    ["includeComment", "includeElement", "includeProcessingInstruction", "includeText"];
                policy.only(count, &kinds, &[]);
                bounds.children = number(policy, count);
                bounds.counted = Counted {
                    comments: policy.flag(count, "includeComment", true),
                    elements: policy.flag(count, "includeElement", true),
                    instructions: policy.flag(count, "includeProcessingInstruction", true),
                    text: policy.flag(count, "includeText", true),
                };
            }
        }
        if let Some(values) = root.child("ValueLimits") {
            let children = ["Text", "Attribute", "NamespaceURI", "Comment", "ProcessingInstructionData"];
            policy.only(values, &[], &children);
            bounds.text = bound(policy, values, "Text");
            bounds.attribute = bound(policy, values, "Attribute");
            bounds.namespace = bound(policy, values, "NamespaceURI");
            bounds.comment = bound(policy, values, "Comment");
            bounds.instruction = bound(policy, values, "ProcessingInstructionData");
        }
        bounds
    }
}

fn bound<'d>(policy: &mut Blueprint<'d>, parent: &'d Element, name: &str) -> Option<usize> {
    let element = parent.child(name)?;
    policy.only(element, &[], &[]);
    number(policy, element)
}

fn number(policy: &mut Blueprint<'_>, element: &Element) -> Option<usize> {
    if element.text().is_empty() {
        return None;
    }
    let number: i64 = policy.number(element, element.text(), "InvalidLimit")?;
    // A negative one is none.
    usize::try_from(number).ok()
}
