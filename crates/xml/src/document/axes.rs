//! From a node to others (XPath 1.0, 2.2).

use super::{NONE, Node, NodeKind};

impl<'d> Node<'d> {
    fn sibling(self, id: u32) -> Option<Self> {
        (id != NONE).then(|| Self::at(self.document(), id))
    }

    fn has_siblings(self) -> bool {
        !matches!(self.kind(), NodeKind::Attribute | NodeKind::Namespace | NodeKind::Root)
    }

    /// The first node inside that is no attribute.
    pub fn first_child(self) -> Option<Self> {
        let entry = self.entry();
        let first = match self.kind() {
            NodeKind::Element => self.id() + 1 + entry.start,
            NodeKind::Root => self.id() + 1,
            _ => return None,
        };
        (first < entry.end).then(|| Self::at(self.document(), first))
    }

    /// The nodes directly inside.
    pub fn children(self) -> impl Iterator<Item = Self> + use<'d> {
        std::iter::successors(self.first_child(), |node| node.sibling(node.entry().next))
    }

    /// The elements directly inside.
    pub fn child_elements(self) -> impl Iterator<Item = Self> + use<'d> {
        self.children().filter(|node| node.is_element())
    }

    /// All nodes inside, attributes not.
    pub fn descendants(self) -> impl Iterator<Item = Self> + use<'d> {
        let (first, end) = match self.kind() {
            NodeKind::Root | NodeKind::Element => (self.id() + 1, self.entry().end),
            _ => (0, 0),
        };
        self.range(first, end)
    }

    fn range(self, first: u32, end: u32) -> impl DoubleEndedIterator<Item = Self> + use<'d> {
        let document = self.document();
        (first..end)
            .filter(move |id| document.entry(*id).kind != NodeKind::Attribute)
            .map(move |id| Self::at(document, id))
    }

    /// The nodes it is in, from the inside out.
    pub fn ancestors(self) -> impl Iterator<Item = Self> + use<'d> {
        std::iter::successors(self.parent(), |node| node.parent())
    }

    /// What follows in the same parent.
    pub fn following_siblings(self) -> impl Iterator<Item = Self> + use<'d> {
        let first = if self.has_siblings() { self.sibling(self.entry().next) } else { None };
        std::iter::successors(first, |node| node.sibling(node.entry().next))
    }

    /// What comes before in the same parent, nearest first.
    pub fn preceding_siblings(self) -> impl Iterator<Item = Self> + use<'d> {
        let first = if self.has_siblings() { self.sibling(self.entry().previous) } else { None };
        std::iter::successors(first, |node| node.sibling(node.entry().previous))
    }

    /// All that begins after this node has ended.
    pub fn following(self) -> impl Iterator<Item = Self> + use<'d> {
        let document = self.document();
        let end = u32::try_from(document.entries.len()).unwrap_or(NONE);
        let first = match self.kind() {
            // After an attribute or a namespace comes what is in its element.
            NodeKind::Attribute => document.entry(self.entry().parent).start + self.entry().parent + 1,
            NodeKind::Namespace => self.entry().start + self.id() + 1,
            _ => self.entry().end,
        };
        self.range(first, end)
    }

    /// All that has ended before this node begins, nearest first.
    pub fn preceding(self) -> impl Iterator<Item = Self> + use<'d> {
        let own = match self.kind() {
            NodeKind::Attribute => self.entry().parent,
            _ => self.id(),
        };
        self.range(0, own).rev().filter(move |node| node.entry().end <= own)
    }
}
