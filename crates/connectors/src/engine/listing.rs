//! Pages of a hub list over whatever pages a vendor has.
//!
//! Laws (open-connectors §5.1): page 1 ++ page 2 at size n equals page 1 at size 2n; a page past the end is
//! `[]`; the next-page token is there exactly when more follows.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, header};
use serde_json::{Value, json};

use super::answer::Parsed;
use super::scope::Scope;
use super::session::{Sending, Session};
use super::{CallHead, CallProblem};
use crate::ceql::{self, Condition, Order};
use crate::definition::{PageKind, VendorRequest};

/// Records in a hub page when the caller names no size, and the most there may be.
const DEFAULT_SIZE: usize = 200;
const MAX_SIZE: usize = 1000;
/// Vendor pages read for one hub page when filtering here.
const PAGE_BUDGET: usize = 100;
/// Records held at once when sorting here.
const SORT_BUDGET: usize = 20_000;
/// Vendor pages read for a list that is sorted or counted here; a vendor may lead on for ever.
const SORT_PAGES: usize = 2000;

/// What the caller wants of a list.
#[derive(Debug)]
pub(crate) struct ListAsk {
    page: usize,
    size: usize,
    token: Option<Token>,
    count: bool,
    pub(crate) condition: Option<Condition>,
    pub(crate) orders: Vec<Order>,
}

/// Where a page starts: inside a vendor page, or at an offset of a list made here.
#[derive(Debug, Clone)]
struct Token {
    cursor: Value,
    index: usize,
    vendor_size: usize,
}

/// One hub page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) items: Vec<Value>,
    pub(crate) next: Option<String>,
    pub(crate) total: Option<u64>,
}

/// Turns a vendor record into a hub record; none for records that are not shown.
pub(crate) type Mapper<'a> = &'a (dyn Fn(Value) -> Result<Option<Value>, CallProblem> + Send + Sync);

/// Where records come from.
pub(crate) enum Source<'a> {
    Vendor { session: &'a Session<'a>, request: &'a VendorRequest, scope: &'a Scope, map: Mapper<'a> },
    Ready(Vec<Value>),
}

/// What is done here because the vendor cannot.
#[derive(Debug, Default)]
pub(crate) struct Local {
    pub(crate) condition: Option<Condition>,
    pub(crate) orders: Vec<Order>,
}

impl ListAsk {
    /// Reads `page`, `pageSize`, `nextPage`, `returnCount`, `where` and `orderBy`.
    pub(crate) fn read(call: &CallHead) -> Result<Self, CallProblem> {
        let number = |name: &str| -> Result<Option<usize>, CallProblem> {
            let Some(text) = call.query(name).filter(|text| !text.is_empty()) else { return Ok(None) };
            let number = text.parse().ok().filter(|number| *number >= 1);
            number
                .map(Some)
                .ok_or_else(|| CallProblem::bad_request(format!("{name}: must be a whole number from 1")))
        };
        let size = number("pageSize")?.unwrap_or(DEFAULT_SIZE);
        if size > MAX_SIZE {
            return Err(CallProblem::bad_request(format!("pageSize: must be at most {MAX_SIZE}")));
        }
        let bad_query = |error: ceql::BadQuery| CallProblem::bad_request(error.to_string());
        let text = |name: &str| call.query(name).filter(|text| !text.trim().is_empty());
        Ok(Self {
            page: number("page")?.unwrap_or(1),
            size,
            token: text("nextPage").map(Token::read).transpose()?,
            count: call.flag("returnCount") || call.flag("returnTotalCount"),
            condition: text("where").map(ceql::where_clause).transpose().map_err(bad_query)?,
            orders: text("orderBy").map(ceql::order_by).transpose().map_err(bad_query)?.unwrap_or_default(),
        })
    }
}

impl Token {
    fn read(text: &str) -> Result<Self, CallProblem> {
        let bad = || CallProblem::bad_request("nextPage: is no token of this list");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| bad())?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|_| bad())?;
        let number = |name: &str| value[name].as_u64().and_then(|number| usize::try_from(number).ok());
        let index = number("i").ok_or_else(bad)?;
        let vendor_size = number("s").filter(|size| (1..=100_000).contains(size)).ok_or_else(bad)?;
        Ok(Self { cursor: value["c"].clone(), index, vendor_size })
    }

    fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(json!({"c": self.cursor, "i": self.index, "s": self.vendor_size}).to_string())
    }
}

/// Makes one hub page.
pub(crate) async fn page(source: Source<'_>, ask: &ListAsk, local: &Local) -> Result<Page, CallProblem> {
    match source {
        Source::Ready(records) => Ok(cut(records, ask, local)),
        Source::Vendor { session, request, scope, map } => {
            let vendor = Vendor { session, request, scope, map };
            if local.orders.is_empty() {
                vendor.walk(ask, local).await
            } else {
                vendor.sorted(ask, local).await
            }
        }
    }
}

/// A page of a list that is all here.
fn cut(mut records: Vec<Value>, ask: &ListAsk, local: &Local) -> Page {
    if let Some(condition) = &local.condition {
        records.retain(|record| ceql::holds(condition, record));
    }
    if !local.orders.is_empty() {
        ceql::sort(&mut records, &local.orders);
    }
    let all = records.len();
    let start = ask.token.as_ref().map_or((ask.page - 1).saturating_mul(ask.size), |token| token.index);
    let items: Vec<Value> = records.into_iter().skip(start).take(ask.size).collect();
    let end = start.saturating_add(items.len());
    let next = (end < all).then(|| Token { cursor: Value::Null, index: end, vendor_size: 1 }.write());
    Page { items, next, total: ask.count.then_some(all as u64) }
}

struct Vendor<'a> {
    session: &'a Session<'a>,
    request: &'a VendorRequest,
    scope: &'a Scope,
    map: Mapper<'a>,
}

impl Vendor<'_> {
    /// Follows vendor pages until the hub page is full and it is known whether more follows.
    async fn walk(&self, ask: &ListAsk, local: &Local) -> Result<Page, CallProblem> {
        let fits = |record: &Value| local.condition.as_ref().is_none_or(|filter| ceql::holds(filter, record));
        let filtered = local.condition.is_some();
        let (start, mut skip) = match &ask.token {
            Some(token) => (token.clone(), 0),
            None => {
                let wanted = if filtered || ask.page > 1 { MAX_SIZE } else { ask.size };
                let most = self.request.pagination.size_max.and_then(|max| usize::try_from(max).ok());
                let vendor_size = most.map_or(wanted, |most| most.min(wanted)).max(1);
                let start = Token { cursor: Value::Null, index: 0, vendor_size };
                (start, (ask.page - 1).saturating_mul(ask.size))
            }
        };
        let mut at = start;
        let mut page = Page::default();
        for _ in 0..PAGE_BUDGET.max(skip / at.vendor_size + 2) {
            let read = self.read(&at).await?;
            page.total = page.total.or(read.total.filter(|_| ask.count && !filtered));
            for (index, record) in read.records.into_iter().enumerate().skip(at.index) {
                let Some(record) = (self.map)(record)? else { continue };
                if !fits(&record) {
                    continue;
                }
                if skip > 0 {
                    skip -= 1;
                } else if page.items.len() < ask.size {
                    page.items.push(record);
                } else {
                    page.next = Some(Token { index, ..at }.write());
                    return self.counted(page, ask, local).await;
                }
            }
            let Some(cursor) = read.next else { return self.counted(page, ask, local).await };
            at = Token { cursor, index: 0, vendor_size: at.vendor_size };
            // Whether more follows is the vendor's to say; a full page alone is only a guess, so look.
            if page.items.len() == ask.size && !filtered && self.request.pagination.kind.tells_the_end() {
                break;
            }
        }
        page.next = Some(at.write());
        self.counted(page, ask, local).await
    }

    /// Reads the whole list to sort it here.
    async fn sorted(&self, ask: &ListAsk, local: &Local) -> Result<Page, CallProblem> {
        Ok(cut(self.everything().await?, ask, local))
    }

    async fn everything(&self) -> Result<Vec<Value>, CallProblem> {
        let size =
            self.request.pagination.size_max.and_then(|max| usize::try_from(max).ok()).unwrap_or(MAX_SIZE);
        let mut at = Token { cursor: Value::Null, index: 0, vendor_size: size };
        let mut all = Vec::new();
        for _ in 0..SORT_PAGES {
            let read = self.read(&at).await?;
            for record in read.records {
                all.extend((self.map)(record)?);
            }
            if all.len() > SORT_BUDGET {
                break;
            }
            match read.next {
                Some(cursor) => at.cursor = cursor,
                None => return Ok(all),
            }
        }
        Err(CallProblem::bad_request(format!(
            "the list is longer than {SORT_BUDGET} records or {SORT_PAGES} pages of the vendor, too long for this \
             where, orderBy or returnCount: narrow it"
        )))
    }

    /// Adds the total when it was asked for and the vendor did not say it.
    async fn counted(&self, mut page: Page, ask: &ListAsk, local: &Local) -> Result<Page, CallProblem> {
        if ask.count && page.total.is_none() {
            let all = self.everything().await?;
            let fits =
                |record: &&Value| local.condition.as_ref().is_none_or(|filter| ceql::holds(filter, record));
            page.total = Some(all.iter().filter(fits).count() as u64);
        }
        Ok(page)
    }

    async fn read(&self, at: &Token) -> Result<VendorPage, CallProblem> {
        let pagination = &self.request.pagination;
        let mut sending = Sending::default();
        let cursor_text = at.cursor.as_str().map(str::to_owned);
        if let Some(param) = &pagination.size_param {
            sending.query.push((param.clone(), at.vendor_size.to_string()));
        }
        let number = at.cursor.as_u64();
        match &pagination.kind {
            PageKind::None => {}
            PageKind::Page { param, start } => {
                sending.query.push((param.clone(), number.unwrap_or(*start).to_string()));
            }
            PageKind::Offset { param } => {
                sending.query.push((param.clone(), number.unwrap_or(0).to_string()))
            }
            PageKind::Cursor { param, .. } => {
                if let Some(cursor) = &cursor_text {
                    sending.query.push((param.clone(), cursor.clone()));
                }
            }
            PageKind::LinkHeader | PageKind::NextUrl { .. } => sending.address = cursor_text.as_deref(),
        }
        let scope = self.scope.clone().with("page", at.cursor.clone()).with("size", at.vendor_size as u64);
        let parsed = self.session.fetch_with(self.request, &scope, sending).await?;
        let records = parsed.records(self.request, &scope)?;
        let full = records.len() >= at.vendor_size;
        let next = match &pagination.kind {
            PageKind::None => None,
            PageKind::Page { start, .. } => full.then(|| (number.unwrap_or(*start) + 1).into()),
            PageKind::Offset { .. } => full.then(|| (number.unwrap_or(0) + records.len() as u64).into()),
            PageKind::Cursor { next, .. } | PageKind::NextUrl { next } => {
                let seen = parsed.scope(&scope);
                let next = self.session.eval(next, &parsed.content, &seen, &self.request.label)?;
                // Numbers are tokens, too.
                let text = next.as_str().map_or_else(|| next.to_string(), str::to_owned);
                (!matches!(next, Value::Null | Value::Bool(_)) && !text.is_empty()).then(|| text.into())
            }
            PageKind::LinkHeader => next_link(&parsed.raw_headers, &parsed.url).map(Value::from),
        };
        if next.is_some() && next.as_ref() == Some(&at.cursor) {
            return Err(CallProblem::bad_gateway("the vendor's next page is the page itself"));
        }
        let total = self.total(&parsed, &scope);
        Ok(VendorPage { records, next, total })
    }

    fn total(&self, parsed: &Parsed, scope: &Scope) -> Option<u64> {
        let program = self.request.total.as_ref()?;
        parsed.scope(scope).value(program, &parsed.content).ok()?.as_u64()
    }
}

struct VendorPage {
    records: Vec<Value>,
    next: Option<Value>,
    total: Option<u64>,
}

/// The target of `Link: <…>; rel="next"` (RFC 8288), resolved against the page's own URL.
fn next_link(headers: &HeaderMap, here: &str) -> Option<String> {
    let links = headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
    let target = links.flat_map(|line| line.split(',')).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let next = parameters.split(';').any(|parameter| {
            let parameter = parameter.trim().to_ascii_lowercase();
            parameter == "rel=next" || parameter == "rel=\"next\""
        });
        next.then(|| target.to_owned())
    })?;
    url::Url::parse(here).ok()?.join(&target).ok().map(String::from)
}
