//! Page parameters of the hub: `page` and `pageSize`, or `nextPage` (open-connectors §5.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The default and the greatest page of a platform list.
pub const MAX_PAGE_SIZE: usize = 200;

/// Which slice of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Items to leave out before the first.
    pub offset: usize,
    /// Items to answer at most; 1 to [`MAX_PAGE_SIZE`].
    pub size: usize,
}

/// A page parameter that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPage {
    /// `pageSize` out of range.
    #[error("pageSize must be a whole number from 1 to {MAX_PAGE_SIZE}")]
    Size,
    /// `page` below 1 or no number.
    #[error("page must be a whole number from 1")]
    Number,
    /// A `nextPage` that we did not make.
    #[error("nextPage is not a token of this list")]
    Token,
}

impl Page {
    /// Reads the parameters from a query.
    pub fn read(query: &[(String, String)]) -> Result<Self, BadPage> {
        let of = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let size = match of("pageSize") {
            None => MAX_PAGE_SIZE,
            Some(text) => {
                text.parse().ok().filter(|size| (1..=MAX_PAGE_SIZE).contains(size)).ok_or(BadPage::Size)?
            }
        };
        if let Some(token) = of("nextPage") {
            let offset = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let offset =
                offset.and_then(|text| text.strip_prefix("o:")?.parse().ok()).ok_or(BadPage::Token)?;
            return Ok(Self { offset, size });
        }
        let page: usize = match of("page") {
            None => 1,
            Some(text) => text.parse().ok().filter(|page| *page >= 1).ok_or(BadPage::Number)?,
        };
        Ok(Self { offset: (page - 1).saturating_mul(size), size })
    }

    /// The token of the page after this one, when there is one in a list of `total` items.
    pub fn next(&self, total: usize) -> Option<String> {
        let offset = self.offset.saturating_add(self.size);
        (offset < total).then(|| URL_SAFE_NO_PAD.encode(format!("o:{offset}")))
    }

    /// This page of a whole list.
    pub fn of<T>(&self, items: Vec<T>) -> Vec<T> {
        items.into_iter().skip(self.offset).take(self.size).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn walking_by_token_sees_every_item_once() {
        let items: Vec<usize> = (0..5).collect();
        let mut page = Page::read(&query(&[("pageSize", "2")])).unwrap();
        let mut seen = page.of(items.clone());
        while let Some(token) = page.next(items.len()) {
            page = Page::read(&query(&[("pageSize", "2"), ("nextPage", &token)])).unwrap();
            seen.extend(page.of(items.clone()));
        }
        assert_eq!(seen, items);
    }

    #[test]
    fn parameters_out_of_range_are_named() {
        for (pairs, rule) in [
            ([("pageSize", "0")], BadPage::Size),
            ([("pageSize", "201")], BadPage::Size),
            ([("page", "0")], BadPage::Number),
            ([("nextPage", "x")], BadPage::Token),
        ] {
            assert_eq!(Page::read(&query(&pairs)), Err(rule));
        }
    }
}
