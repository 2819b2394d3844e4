//! How much a bundle may be.

/// Bounds of reading. A bundle beyond one is refused with the name of the bound, before it is held in memory.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest zip, in bytes.
    pub zip_bytes: u64,
    /// The most files.
    pub files: usize,
    /// The largest file, in bytes, inflated.
    pub file_bytes: u64,
    /// All files together, in bytes, inflated.
    pub total_bytes: u64,
    /// How many times its own size a zip may inflate to, beyond [`Self::free_bytes`].
    pub ratio: u64,
    /// What a zip may always inflate to: small texts pack well.
    pub free_bytes: u64,
    /// The longest path of a file, in bytes.
    pub path_bytes: usize,
    /// Folders within folders.
    pub path_depth: usize,
    /// The largest XML document that is interpreted, in bytes.
    pub xml_bytes: usize,
    /// Elements within elements.
    pub xml_depth: usize,
    /// The most elements of a document.
    pub xml_elements: usize,
    /// Zips within zips, where bundles are looked for.
    pub nested_zips: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            zip_bytes: 32 << 20,
            files: 5_000,
            file_bytes: 32 << 20,
            total_bytes: 128 << 20,
            ratio: 100,
            free_bytes: 4 << 20,
            path_bytes: 1_024,
            path_depth: 32,
            xml_bytes: 4 << 20,
            xml_depth: 64,
            xml_elements: 200_000,
            nested_zips: 2,
        }
    }
}
