//! `orderBy` of `files.list`.

use std::cmp::Ordering;

use super::super::problem::Problem;
use super::node::Node;
use super::tree::Person;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Created,
    Folder,
    ModifiedByMe,
    Modified,
    Name,
    NaturalName,
    Quota,
    Recency,
    SharedWithMe,
    Starred,
    ViewedByMe,
}

/// Sort keys, each with whether it runs downwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ordered(Vec<(Key, bool)>);

impl Ordered {
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, Problem> {
        let Some(text) = text else { return Ok(Self(vec![(Key::Recency, true)])) };
        let bad = || Problem::invalid_value("orderBy");
        let keys = text.split(',').map(|part| {
            let mut words = part.split_whitespace();
            let key = match words.next().ok_or_else(bad)? {
                "createdTime" => Key::Created,
                "folder" => Key::Folder,
                "modifiedByMeTime" => Key::ModifiedByMe,
                "modifiedTime" => Key::Modified,
                "name" => Key::Name,
                "name_natural" => Key::NaturalName,
                "quotaBytesUsed" => Key::Quota,
                "recency" => Key::Recency,
                "sharedWithMeTime" => Key::SharedWithMe,
                "starred" => Key::Starred,
                "viewedByMeTime" => Key::ViewedByMe,
                _ => return Err(bad()),
            };
            match (words.next(), words.next()) {
                (None, _) | (Some("asc"), None) => Ok((key, false)),
                (Some("desc"), None) => Ok((key, true)),
                _ => Err(bad()),
            }
        });
        keys.collect::<Result<_, _>>().map(Self)
    }

    /// The order of two files for a person; the id settles ties, so that pages never overlap.
    pub(crate) fn compare(&self, left: &Node, right: &Node, person: Person) -> Ordering {
        let by_keys = self.0.iter().map(|(key, down)| {
            let order = key.compare(left, right, person);
            if *down { order.reverse() } else { order }
        });
        by_keys.fold(Ordering::Equal, Ordering::then).then_with(|| left.id.cmp(&right.id))
    }
}

impl Key {
    fn compare(self, left: &Node, right: &Node, person: Person) -> Ordering {
        let recency =
            |node: &Node| node.viewed.get(&person).copied().unwrap_or(node.modified).max(node.modified);
        match self {
            Self::Created => left.created.cmp(&right.created),
            // Folders come first in the ascending order.
            Self::Folder => right.is_folder().cmp(&left.is_folder()),
            Self::ModifiedByMe => {
                left.modified_by_person.get(&person).cmp(&right.modified_by_person.get(&person))
            }
            Self::Modified => left.modified.cmp(&right.modified),
            Self::Name => left.name.to_lowercase().cmp(&right.name.to_lowercase()),
            Self::NaturalName => natural(&left.name, &right.name),
            Self::Quota => left.quota_bytes().cmp(&right.quota_bytes()),
            Self::Recency => recency(left).cmp(&recency(right)),
            Self::SharedWithMe => left.shared_with.get(&person).cmp(&right.shared_with.get(&person)),
            // Starred ones come first in the ascending order.
            Self::Starred => right.starred.contains(&person).cmp(&left.starred.contains(&person)),
            Self::ViewedByMe => left.viewed.get(&person).cmp(&right.viewed.get(&person)),
        }
    }
}

/// Runs of digits compare as numbers: 1, 2, 12, 22.
fn natural(left: &str, right: &str) -> Ordering {
    let (left, right) = (pieces(left), pieces(right));
    left.cmp(&right)
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    /// The digits without leading zeros, longer ones being greater.
    Number(usize, String),
    Text(String),
}

fn pieces(name: &str) -> Vec<Piece> {
    let name = name.to_lowercase();
    let mut found = Vec::new();
    let mut rest = name.as_str();
    while let Some(first) = rest.chars().next() {
        let digits = first.is_ascii_digit();
        let end = rest.find(|symbol: char| symbol.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (piece, tail) = rest.split_at(end);
        found.push(if digits {
            let number = piece.trim_start_matches('0');
            Piece::Number(number.len(), number.to_owned())
        } else {
            Piece::Text(piece.to_owned())
        });
        rest = tail;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natural_names_count_their_numbers() {
        let mut names = ["22", "file 12", "1", "file 2", "12", "2"];
        names.sort_by(|left, right| natural(left, right));
        assert_eq!(names, ["1", "2", "12", "22", "file 2", "file 12"]);
    }

    #[test]
    fn an_unknown_key_or_direction_is_refused() {
        assert!(Ordered::parse(Some("folder,name desc,modifiedTime")).is_ok());
        for bad in ["", "title", "name up", "name desc desc", "name,,folder"] {
            assert!(Ordered::parse(Some(bad)).is_err(), "{bad:?}");
        }
    }
}
