//! How a vendor cuts lists into pages.

use std::collections::BTreeMap;
use std::sync::Arc;

use pierhead_script::Program;

use super::block::Block;

/// Paginations by the name the definition gives them.
pub(crate) type NamedPaginations = BTreeMap<String, Arc<Pagination>>;

/// How a vendor cuts lists into pages.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pagination {
    pub(crate) kind: PageKind,
    /// Query parameter that asks for a page size.
    pub(crate) size_param: Option<String>,
    /// The most records the vendor gives in a page.
    pub(crate) size_max: Option<u64>,
}

/// What leads from one page to the next.
#[derive(Debug, Clone, Default)]
pub(crate) enum PageKind {
    /// The whole list is one page.
    #[default]
    None,
    /// A page number in `param`, counted from `start`; a page that is not full is the last.
    Page { param: String, start: u64 },
    /// A number of records to skip in `param`.
    Offset { param: String },
    /// A token in `param`, read by `next` from the page before.
    Cursor { param: String, next: Program },
    /// RFC 8288 `Link: <…>; rel="next"`.
    LinkHeader,
    /// The next page's whole URL, read by `next`.
    NextUrl { next: Program },
}

impl PageKind {
    /// Whether a page names the next one exactly when there is one.
    pub(crate) fn tells_the_end(&self) -> bool {
        !matches!(self, Self::Page { .. } | Self::Offset { .. })
    }
}

impl Pagination {
    pub(crate) fn read_all(definition: &Block<'_>) -> NamedPaginations {
        let Some(block) = definition.block("pagination", "paginations") else { return BTreeMap::new() };
        let named = block.members().iter().filter_map(|(name, node)| {
            let pagination = Self::read(&block.member(name, node, "pagination"))?;
            Some((name.clone(), Arc::new(pagination)))
        });
        named.collect()
    }

    fn read(block: &Block<'_>) -> Option<Self> {
        #[derive(Clone, Copy)]
        enum Word {
            None,
            Page,
            Offset,
            Cursor,
            LinkHeader,
            NextUrl,
        }
        let words = [
            ("none", Word::None),
            ("page", Word::Page),
            ("offset", Word::Offset),
            ("cursor", Word::Cursor),
            ("link_header", Word::LinkHeader),
            ("next_url", Word::NextUrl),
        ];
        let word = block.choice("kind", &words);
        let param = block.text("param");
        let start = block.number("start").unwrap_or(1);
        let next = block.program("next", &["request", "headers"]);
        let size = block.block("size", "page size");
        let size_param = size.as_ref().and_then(|size| size.text("param"));
        let size_max = size.as_ref().and_then(|size| size.number("max"));
        let need = |name: &str, there: bool| {
            if !there {
                block.mistake(name, "is required for this kind");
            }
        };
        let kind = match word? {
            Word::None => PageKind::None,
            Word::Page => {
                need("param", param.is_some());
                PageKind::Page { param: param?, start }
            }
            Word::Offset => {
                need("param", param.is_some());
                PageKind::Offset { param: param? }
            }
            Word::Cursor => {
                need("param", param.is_some());
                need("next", next.is_some());
                PageKind::Cursor { param: param?, next: next? }
            }
            Word::LinkHeader => PageKind::LinkHeader,
            Word::NextUrl => {
                need("next", next.is_some());
                PageKind::NextUrl { next: next? }
            }
        };
        if matches!(kind, PageKind::Page { .. } | PageKind::Offset { .. }) && size_max.is_none() {
            block.mistake("size", "is required for this kind, with max: a page that is not full is the last");
        }
        Some(Self { kind, size_param, size_max })
    }
}
