//! `xsl:sort` (XSLT 1.0, 10). Text is compared by its characters; with `case-order` first without regard to case.

use std::cmp::Ordering;

use super::TransformError;
use super::instruction::Sort;
use super::run::Run;
use crate::xpath::{Focus, Value};

/// How one key is compared.
struct Order {
    descending: bool,
    numbers: bool,
    /// Upper case first, or lower case first, when asked for.
    upper_first: Option<bool>,
}

enum SortKey {
    Number(f64),
    Text(String),
}

impl<'d> Run<'_, 'd> {
    /// Values in the order that the sorts say; those equal stay as they were.
    pub(super) fn sorted(
        &self,
        items: Vec<Value<'d>>,
        sorts: &[Sort],
        outer: &Focus<'d>,
    ) -> Result<Vec<Value<'d>>, TransformError> {
        if sorts.is_empty() {
            return Ok(items);
        }
        let size = items.len();
        let mut keyed = Vec::with_capacity(size);
        for (index, item) in items.into_iter().enumerate() {
            let focus = self.focus_on(&item, index + 1, size, outer);
            keyed.push((item, self.sort_keys(sorts, &focus)?));
        }
        self.order(keyed, sorts, outer)
    }

    /// The keys of one item, as text.
    pub(super) fn sort_keys(&self, sorts: &[Sort], focus: &Focus<'d>) -> Result<Vec<String>, TransformError> {
        let key = |sort: &Sort| {
            let text = self.with_current(focus.node, || self.content(&sort.key, None, focus))?;
            Ok(text.into_owned())
        };
        sorts.iter().map(key).collect()
    }

    /// Puts things with their keys in order.
    pub(super) fn order<T>(
        &self,
        keyed: Vec<(T, Vec<String>)>,
        sorts: &[Sort],
        outer: &Focus<'d>,
    ) -> Result<Vec<T>, TransformError> {
        let orders: Vec<Order> =
            sorts.iter().map(|sort| self.read_order(sort, outer)).collect::<Result<_, _>>()?;
        self.spend(keyed.len() as u64 * 8)?;
        let typed = |(thing, texts): (T, Vec<String>)| {
            let keys = texts.into_iter().zip(&orders).map(|(text, order)| match order.numbers {
                true => SortKey::Number(crate::xpath::parse_number(&text)),
                false => SortKey::Text(text),
            });
            (keys.collect::<Vec<_>>(), thing)
        };
        let mut keyed: Vec<_> = keyed.into_iter().map(typed).collect();
        keyed.sort_by(|(a, _), (b, _)| {
            let by_key = a.iter().zip(b).zip(&orders).map(|((a, b), order)| {
                let ordering = compare(a, b, order);
                if order.descending { ordering.reverse() } else { ordering }
            });
            by_key.fold(Ordering::Equal, Ordering::then)
        });
        Ok(keyed.into_iter().map(|(_, thing)| thing).collect())
    }

    fn read_order(&self, sort: &Sort, outer: &Focus<'d>) -> Result<Order, TransformError> {
        let is_second =
            |text: &str, names: [&str; 2]| match names.iter().position(|name| *name == text.trim()) {
                Some(index) => Ok(index == 1),
                None => {
                    let why = format!("xsl:sort: '{}' is neither {} nor {}", text.trim(), names[0], names[1]);
                    Err(self.fail(sort.line, why))
                }
            };
        let case_order = self.avt(&sort.case_order, outer)?;
        Ok(Order {
            descending: is_second(&self.avt(&sort.order, outer)?, ["ascending", "descending"])?,
            numbers: is_second(&self.avt(&sort.data_type, outer)?, ["text", "number"])?,
            upper_first: match &*case_order {
                "" => None,
                given => Some(!is_second(given, ["upper-first", "lower-first"])?),
            },
        })
    }
}

fn compare(a: &SortKey, b: &SortKey, order: &Order) -> Ordering {
    match (a, b) {
        // What is no number comes before the numbers.
        (SortKey::Number(a), SortKey::Number(b)) => {
            b.is_nan().cmp(&a.is_nan()).then(a.partial_cmp(b).unwrap_or(Ordering::Equal))
        }
        (SortKey::Text(a), SortKey::Text(b)) => match order.upper_first {
            None => a.cmp(b),
            Some(upper_first) => {
                let by_letter = a.to_lowercase().cmp(&b.to_lowercase());
                by_letter.then(if upper_first { a.cmp(b) } else { b.cmp(a) })
            }
        },
        _ => Ordering::Equal,
    }
}
