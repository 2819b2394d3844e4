//! `xeger(regex)`: a random text that a regular expression matches.

use pierhead_domain::Rng;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::condition::java_regex;

/// Repetitions beyond the least number that an open end (`*`, `+`, `{3,}`) may draw.
const MORE: u32 = 10;

/// No text grows longer.
const MAX_BYTES: usize = 4096;

/// An expression that texts are drawn from.
#[derive(Debug, Clone)]
pub(super) struct Xeger(Hir);

impl Xeger {
    /// Reads a Java expression; refuses what cannot be drawn from.
    pub(super) fn parse(java: &str) -> Result<Self, String> {
        let pattern = java_regex::translated(java)?;
        let parsed = regex_syntax::ParserBuilder::new().nest_limit(50).build().parse(&pattern);
        parsed.map(Self).map_err(|_| format!("the regular expression \"{java}\" does not compile"))
    }

    pub(super) fn draw(&self, rng: &dyn Rng) -> String {
        let mut out = String::new();
        write(&self.0, rng, &mut out);
        out
    }
}

fn write(hir: &Hir, rng: &dyn Rng, out: &mut String) {
    if out.len() >= MAX_BYTES {
        return;
    }
    match hir.kind() {
        // Where something stands is not for a random text to decide.
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => out.extend(one_of(class, rng)),
        HirKind::Repetition(repeated) => {
            let most = repeated.max.unwrap_or(repeated.min.saturating_add(MORE));
            let times = repeated.min + below(rng, u64::from(most - repeated.min) + 1);
            for _ in 0..times {
                write(&repeated.sub, rng, out);
                if out.len() >= MAX_BYTES {
                    return;
                }
            }
        }
        HirKind::Capture(group) => write(&group.sub, rng, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, rng, out)),
        HirKind::Alternation(choices) => {
            let index = below(rng, choices.len() as u64);
            if let Some(choice) = choices.get(index as usize) {
                write(choice, rng, out);
            }
        }
    }
}

/// One character of a class; printable ASCII as long as the class has some.
fn one_of(class: &Class, rng: &dyn Rng) -> Option<char> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => {
            class.iter().map(|range| (u32::from(range.start()), u32::from(range.end()))).collect()
        }
        Class::Bytes(class) => {
            class.iter().map(|range| (u32::from(range.start()), u32::from(range.end()))).collect()
        }
    };
    let printable: Vec<(u32, u32)> = ranges
        .iter()
        .map(|(from, to)| (*from.max(&0x20), *to.min(&0x7e)))
        .filter(|(from, to)| from <= to)
        .collect();
    let ranges = if printable.is_empty() { ranges } else { printable };
    let total: u64 = ranges.iter().map(|(from, to)| u64::from(to - from) + 1).sum();
    let mut nth = below(rng, total.max(1));
    for (from, to) in ranges {
        let size = to - from + 1;
        if nth < size {
            return char::from_u32(from + nth);
        }
        nth -= size;
    }
    None
}

/// A number below `end`.
fn below(rng: &dyn Rng, end: u64) -> u32 {
    let mut bytes = [0u8; 8];
    rng.fill(&mut bytes);
    u32::try_from(u64::from_le_bytes(bytes) % end.max(1)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use pierhead_domain::SeededRng;

    use super::*;

    #[test]
    fn what_is_drawn_matches() {
        let rng = SeededRng::new(3);
        for pattern in [
            "[0-9]{9}",
            "ab?c*d+",
            "(GET|POST) /[a-z]{1,3}",
            "\\d\\w\\s",
            ".{3}",
            "[^a]",
            "[à-ü]{2}",
            "",
            "x{2,}",
            "^a$",
        ] {
            let whole = java_regex::whole(pattern).unwrap();
            let xeger = Xeger::parse(pattern).unwrap();
            for _ in 0..50 {
                let drawn = xeger.draw(&rng);
                assert!(whole.is_match(&drawn), "{pattern}: {drawn:?}");
            }
        }
    }

    #[test]
    fn texts_are_bounded_and_bad_expressions_refused() {
        let long = Xeger::parse("(((a{99}){99}){99}){99}").map(|xeger| xeger.draw(&SeededRng::new(3)).len());
        assert!(long.is_err() || long.is_ok_and(|length| length <= MAX_BYTES + 1));
        assert!(Xeger::parse("(a").is_err());
        assert!(Xeger::parse("(?=a)").unwrap_err().contains("look-ahead"));
    }
}
