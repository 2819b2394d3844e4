//! Whether a file matches a query.

use pierhead_domain::EpochMillis;

use super::{Expr, Order, Part, Term, TextOp, TimeField, Visibility};
use crate::google::drive::node::Node;
use crate::google::drive::permission::{Grantee, Role};
use crate::google::drive::tree::{Person, Tree};

/// How much of a text is searched, in bytes.
const SEARCHED: u64 = 256 << 10;

/// A file being tried against a query, by somebody.
pub(crate) struct Subject<'t> {
    pub(crate) tree: &'t Tree,
    pub(crate) node: &'t Node,
    pub(crate) person: Person,
    pub(crate) now: EpochMillis,
}

impl Subject<'_> {
    pub(crate) fn matches(&self, expr: &Expr) -> bool {
        match expr {
            Expr::And(left, right) => self.matches(left) && self.matches(right),
            Expr::Or(left, right) => self.matches(left) || self.matches(right),
            Expr::Not(inner) => !self.matches(inner),
            Expr::Is(term) => self.is(term),
        }
    }

    fn is(&self, term: &Term) -> bool {
        let Self { tree, node, person, now } = *self;
        match term {
            Term::Name(TextOp::Contains, text) => begins_words(&words(&node.name), text),
            Term::Name(op, text) => (*op == TextOp::Equal) == same_ignoring_case(&node.name, text),
            Term::MimeType(TextOp::Contains, text) => node.mime_type.contains(text.as_str()),
            Term::MimeType(op, text) => (*op == TextOp::Equal) == (node.mime_type == *text),
            Term::FullText(text) => self.full_text(text),
            Term::Time(field, order, at) => self.time(*field).is_some_and(|time| compare(time, *order, *at)),
            Term::Trashed(wanted) => tree.trashed(&node.id) == *wanted,
            Term::Starred(wanted) => node.starred.contains(&person) == *wanted,
            Term::SharedWithMe(wanted) => node.shared_with.contains_key(&person) == *wanted,
            Term::Parent(id) => node.parent.as_deref() == Some(tree.canonical(person, id)),
            Term::Member(part, email) => self.member(*part, email),
            Term::Property { private, key, value } => {
                let properties = if *private { &node.app_properties } else { &node.properties };
                properties.get(key) == Some(value)
            }
            Term::Visibility(wanted, equal) => (self.visibility(now) == *wanted) == *equal,
            Term::ShortcutTarget(id, equal) => (node.shortcut_target.as_ref() == Some(id)) == *equal,
        }
    }

    fn time(&self, field: TimeField) -> Option<EpochMillis> {
        match field {
            TimeField::Created => Some(self.node.created),
            TimeField::Modified => Some(self.node.modified),
            TimeField::ViewedByMe => self.node.viewed.get(&self.person).copied(),
            TimeField::SharedWithMe => self.node.shared_with.get(&self.person).copied(),
        }
    }

    fn member(&self, part: Part, email: &str) -> bool {
        let email = if email == "me" { self.tree.email(self.person) } else { email };
        let least = match part {
            Part::Owners => Role::Owner,
            Part::Writers => Role::Writer,
            Part::Readers => Role::Reader,
        };
        self.tree.effective(&self.node.id, self.now).iter().any(|effective| {
            let given = &effective.permission;
            given.role >= least && given.grantee.email().is_some_and(|of| of.eq_ignore_ascii_case(email))
        })
    }

    fn visibility(&self, now: EpochMillis) -> Visibility {
        let all = self.tree.effective(&self.node.id, now);
        let widest = all.iter().filter_map(|effective| {
            let found = effective.permission.discoverable;
            match effective.permission.grantee {
                Grantee::Anyone if found => Some((0, Visibility::AnyoneCanFind)),
                Grantee::Anyone => Some((1, Visibility::AnyoneWithLink)),
                Grantee::Domain(_) if found => Some((2, Visibility::DomainCanFind)),
                Grantee::Domain(_) => Some((3, Visibility::DomainWithLink)),
                Grantee::User(_) | Grantee::Group(_) => None,
            }
        });
        widest.min_by_key(|(rank, _)| *rank).map_or(Visibility::Limited, |(_, visibility)| visibility)
    }

    /// Words in the name, the description and the contents; a phrase in double quotes as it stands.
    fn full_text(&self, text: &str) -> bool {
        let mut all = words(&self.node.name);
        for more in [&self.node.description, &self.node.index_text].into_iter().flatten() {
            all.extend(words(more));
        }
        let head = self.node.head().filter(|head| {
            self.node.is_native() || head.mime_type.starts_with("text/") || head.mime_type.ends_with("json")
        });
        if let Some(content) = head.and_then(|head| head.blob.text(SEARCHED).ok()) {
            all.extend(words(&content));
        }
        match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(phrase) => {
                let phrase = words(phrase);
                !phrase.is_empty() && all.windows(phrase.len()).any(|window| window == phrase)
            }
            None => {
                let wanted = words(text);
                !wanted.is_empty() && wanted.iter().all(|word| all.contains(word))
            }
        }
    }
}

fn compare(left: EpochMillis, order: Order, right: EpochMillis) -> bool {
    match order {
        Order::Less => left < right,
        Order::LessOrEqual => left <= right,
        Order::Equal => left == right,
        Order::NotEqual => left != right,
        Order::GreaterOrEqual => left >= right,
        Order::Greater => left > right,
    }
}

/// Drive's `=` on names ignores case: a client that needs the exact name must compare for itself.
fn same_ignoring_case(left: &str, right: &str) -> bool {
    left == right || left.to_lowercase() == right.to_lowercase()
}

/// The words of a text, in lower case.
fn words(text: &str) -> Vec<String> {
    text.split(|symbol: char| !symbol.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// `contains` on a name finds the beginnings of words only: `Hello` is in `HelloWorld`, `World` is not.
fn begins_words(of: &[String], text: &str) -> bool {
    words(text).iter().all(|wanted| of.iter().any(|word| word.starts_with(wanted.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contains_finds_beginnings_of_words_only() {
        assert!(begins_words(&words("HelloWorld"), "hello"));
        assert!(!begins_words(&words("HelloWorld"), "World"));
        assert!(begins_words(&words("Quarterly report, 2026.pdf"), "rep 20"));
    }
}
