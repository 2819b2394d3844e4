//! Pages: a token stands for a snapshot of what was found, so that pages never overlap or skip.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::super::bearer::Call;
use super::super::problem::Problem;

/// Listings remembered; the oldest is forgotten first, as Google's tokens expire.
const ROOM: usize = 1_000;

#[derive(Debug)]
struct Page {
    token: String,
    /// What was asked; a token goes with its own question only.
    question: String,
    found: Arc<[String]>,
    from: usize,
}

/// The page tokens that are still good.
#[derive(Debug, Default)]
pub(crate) struct Listings(Mutex<VecDeque<Page>>);

/// The ids on a page, and the token of the next one.
pub(crate) struct Slice {
    pub(crate) ids: Vec<String>,
    pub(crate) next: Option<String>,
}

impl Listings {
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The page that the call asks for: the first of what `find` finds, or the one its `pageToken` names.
    pub(crate) fn page(
        &self,
        call: &Call,
        question: &str,
        size: u32,
        find: impl FnOnce() -> Result<Vec<String>, Problem>,
    ) -> Result<Slice, Problem> {
        let (found, from) = match call.params.filled("pageToken") {
            None => (Arc::from(find()?), 0),
            Some(token) => self.recall(token, question).ok_or_else(|| Problem::invalid_value("pageToken"))?,
        };
        let end = found.len().min(from + size as usize);
        let ids = found[from..end].to_vec();
        let next = (end < found.len()).then(|| {
            let token = call.app.token("~!!~AI9FV7", 48);
            let page = Page { token: token.clone(), question: question.to_owned(), found, from: end };
            let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if pages.len() >= ROOM {
                pages.pop_front();
            }
            pages.push_back(page);
            token
        });
        Ok(Slice { ids, next })
    }

    fn recall(&self, token: &str, question: &str) -> Option<(Arc<[String]>, usize)> {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let page = pages.iter().find(|page| page.token == token && page.question == question)?;
        Some((Arc::clone(&page.found), page.from))
    }
}

/// A page of values that are few enough to be listed anew: the token is where to go on, made opaque.
pub(crate) fn page_of(
    call: &Call,
    size: u32,
    all: Vec<Value>,
) -> Result<(Vec<Value>, Option<String>), Problem> {
    const MARK: &str = "~!!~p";
    let from = match call.params.filled("pageToken") {
        None => 0,
        Some(token) => token
            .strip_prefix(MARK)
            .and_then(|at| at.parse::<usize>().ok())
            .filter(|at| *at <= all.len())
            .ok_or_else(|| Problem::invalid_value("pageToken"))?,
    };
    let end = all.len().min(from + size as usize);
    let next = (end < all.len()).then(|| format!("{MARK}{end}"));
    Ok((all.into_iter().skip(from).take(end - from).collect(), next))
}
