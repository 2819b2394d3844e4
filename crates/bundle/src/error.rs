//! Why a bundle cannot be read at all.

/// A bundle that was refused. What is wrong inside a readable bundle is a [`crate::Finding`] instead.
#[derive(Debug, thiserror::Error)]
pub enum BadBundle {
    /// A bound of [`crate::Limits`] was passed.
    #[error("{file}: {rule}: more than {limit}")]
    TooMuch {
        /// The file, or the zip itself.
        file: String,
        /// Which bound.
        rule: &'static str,
        /// The bound, with its unit.
        limit: String,
    },
    /// A path that no bundle has.
    #[error("{file:?}: {rule}")]
    BadPath {
        /// As written in the zip.
        file: String,
        /// What is wrong with it.
        rule: &'static str,
    },
    /// The bytes are no zip, or one that is damaged or encrypted.
    #[error("{file}: not a zip that can be read: {why}")]
    NotAZip {
        /// The zip or its entry.
        file: String,
        /// What the reader says.
        why: String,
    },
    /// No folder of it is laid out as a bundle.
    #[error(
        "no bundle in it: looked for APIProxy/, apiproxy/, sharedflowbundle/ and PolicyTemplateContainer/"
    )]
    NoBundle,
    /// More than one folder is.
    #[error("more than one bundle in it: {0}; name one of them")]
    ManyBundles(String),
    /// A document that the bundle cannot do without is no XML.
    #[error("{file}, line {line}: {why}")]
    BadXml {
        /// The document.
        file: String,
        /// 1-based.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// The file system failed.
    #[error("{file}: {source}")]
    Io {
        /// What was read.
        file: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl BadBundle {
    pub(crate) fn too_much(file: &str, rule: &'static str, limit: impl ToString) -> Self {
        Self::TooMuch { file: file.to_owned(), rule, limit: limit.to_string() }
    }

    /// A short name for statistics: which rule was broken.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::TooMuch { rule, .. } => rule,
            Self::BadPath { .. } => "BadPath",
            Self::NotAZip { .. } => "NotAZip",
            Self::NoBundle => "NoBundle",
            Self::ManyBundles(_) => "ManyBundles",
            Self::BadXml { .. } => "BadXml",
            Self::Io { .. } => "Io",
        }
    }
}
