//! How large a document may be.

/// Bounds for reading a document. Every one holds; none can be switched off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole document.
    pub bytes: usize,
    /// Elements in elements.
    pub depth: usize,
    /// Nodes of all kinds, attributes included.
    pub nodes: usize,
    /// Attributes of one element, namespace declarations not counted.
    pub attributes: usize,
    /// Namespaces in scope at one element.
    pub namespaces: usize,
    /// Bytes of one name.
    pub name_bytes: usize,
    /// Bytes of one text, comment or attribute value.
    pub text_bytes: usize,
}

impl Default for Limits {
    /// Fits what a gateway holds in memory: 10 MiB, 200 levels, half a million nodes.
    fn default() -> Self {
        Self {
            bytes: 10 * 1024 * 1024,
            depth: 200,
            nodes: 500_000,
            attributes: 1_000,
            namespaces: 200,
            name_bytes: 1_024,
            text_bytes: 10 * 1024 * 1024,
        }
    }
}
