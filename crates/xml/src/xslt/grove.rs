//! Documents that are made while a transformation runs, and live as long as it.

use std::cell::OnceCell;

use crate::document::Document;

/// Where the next document goes. Documents stay where they are until all of them are dropped.
#[derive(Debug, Default)]
pub(super) struct Grove(OnceCell<Box<Plot>>);

#[derive(Debug)]
struct Plot {
    document: Document,
    next: Grove,
}

impl Grove {
    /// Keeps a document, and gives the place for the one after it.
    pub(super) fn plant(&self, document: Document) -> (&Document, &Self) {
        let plot = self.0.get_or_init(|| Box::new(Plot { document, next: Self::default() }));
        (&plot.document, &plot.next)
    }
}

impl Drop for Grove {
    /// One by one: dropping a long chain from its head would recurse as deep as it is long.
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut plot) = next {
            next = plot.next.0.take();
        }
    }
}
