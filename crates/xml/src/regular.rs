//! Regular expressions of XML Schema (part 2, appendix F) and XPath 2.0 in the words of the `regex` crate.

/// What `\i` stands for, inside brackets.
const NAME_START: &str = r"\p{L}\p{Nl}_:";
/// What `\c` stands for, inside brackets.
const NAME_CHAR: &str = r"\p{L}\p{Nl}\p{Nd}\p{Mc}\p{Mn}\p{Lm}\-._:\x{b7}";

/// Translates a pattern. Anchors keep their meaning; a caller that wants the whole text adds its own.
pub(crate) fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    // Open brackets: a class, or a class taken away from one.
    let mut classes = 0usize;
    let mut previous = ' ';
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let escaped = chars.next().ok_or("a backslash at the end of a regular expression")?;
                match escaped {
                    'i' | 'c' | 'I' | 'C' => {
                        let set = if escaped.eq_ignore_ascii_case(&'i') { NAME_START } else { NAME_CHAR };
                        match (escaped.is_uppercase(), classes) {
                            (false, 0) => out.push_str(&format!("[{set}]")),
                            (false, _) => out.push_str(set),
                            (true, _) => out.push_str(&format!("[^{set}]")),
                        }
                    }
                    's' | 'S' => {
                        out.push_str(if escaped == 's' { r"[ \t\n\r]" } else { r"[^ \t\n\r]" });
                    }
                    'w' | 'W' => {
                        out.push_str(if escaped == 'w' {
                            r"[^\p{P}\p{Z}\p{C}]"
                        } else {
                            r"[\p{P}\p{Z}\p{C}]"
                        });
                    }
                    'p' | 'P' => {
                        out.push('\\');
                        out.push(escaped);
                        let rest: String = chars.clone().take_while(|c| *c != '}').collect();
                        if let Some(block) = rest.strip_prefix("{Is") {
                            let range = block_range(block).ok_or_else(|| {
                                format!("the block {block} of a regular expression is not known")
                            })?;
                            out.truncate(out.len() - 2);
                            out.push_str(&format!("[{}{range}]", if escaped == 'P' { "^" } else { "" }));
                            chars.by_ref().take(rest.chars().count() + 1).for_each(drop);
                        }
                    }
                    'n' | 'r' | 't' | 'd' | 'D' => out.extend(['\\', escaped]),
                    c if c.is_ascii_alphanumeric() => {
                        return Err(format!("a regular expression has no '\\{c}' here"));
                    }
                    c => {
                        if is_special(c) {
                            out.push('\\');
                        }
                        out.push(c);
                    }
                }
            }
            '[' if classes == 0 => {
                classes = 1;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    out.push('^');
                }
            }
            // Class subtraction: [a-z-[aeiou]].
            '[' if previous == '-' => {
                classes += 1;
                // The hyphen before it is the operator.
                out.pop();
                if out.ends_with('\\') {
                    out.pop();
                }
                out.push_str("--[");
                if chars.peek() == Some(&'^') {
                    chars.next();
                    out.push('^');
                }
            }
            '[' => out.push_str("\\["),
            ']' if classes > 0 => {
                classes -= 1;
                out.push(']');
            }
            // Doubled, these are operators between sets to the engine.
            '&' | '~' if classes > 0 => out.extend(['\\', c]),
            '-' if classes > 0 && (chars.peek() == Some(&']') || matches!(previous, '[' | '^')) => {
                out.push_str("\\-")
            }
            '(' if chars.peek() == Some(&'?') => {
                return Err("a regular expression has no groups with '?'".to_owned());
            }
            c => out.push(c),
        }
        previous = c;
    }
    if classes > 0 {
        return Err("a bracket of a regular expression is not closed".to_owned());
    }
    Ok(out)
}

const fn is_special(c: char) -> bool {
    c.is_ascii_punctuation()
}

/// The blocks that schemas use.
fn block_range(name: &str) -> Option<&'static str> {
    Some(match name {
        "BasicLatin" => r"\x{0}-\x{7f}",
        "Latin-1Supplement" => r"\x{80}-\x{ff}",
        "LatinExtended-A" => r"\x{100}-\x{17f}",
        "LatinExtended-B" => r"\x{180}-\x{24f}",
        "IPAExtensions" => r"\x{250}-\x{2af}",
        "SpacingModifierLetters" => r"\x{2b0}-\x{2ff}",
        "CombiningDiacriticalMarks" => r"\x{300}-\x{36f}",
        "Greek" | "GreekandCoptic" => r"\x{370}-\x{3ff}",
        "Cyrillic" => r"\x{400}-\x{4ff}",
        "Armenian" => r"\x{530}-\x{58f}",
        "Hebrew" => r"\x{590}-\x{5ff}",
        "Arabic" => r"\x{600}-\x{6ff}",
        "Devanagari" => r"\x{900}-\x{97f}",
        "Thai" => r"\x{e00}-\x{e7f}",
        "HangulJamo" => r"\x{1100}-\x{11ff}",
        "LatinExtendedAdditional" => r"\x{1e00}-\x{1eff}",
        "GreekExtended" => r"\x{1f00}-\x{1fff}",
        "GeneralPunctuation" => r"\x{2000}-\x{206f}",
        "SuperscriptsandSubscripts" => r"\x{2070}-\x{209f}",
        "CurrencySymbols" => r"\x{20a0}-\x{20cf}",
        "LetterlikeSymbols" => r"\x{2100}-\x{214f}",
        "NumberForms" => r"\x{2150}-\x{218f}",
        "Arrows" => r"\x{2190}-\x{21ff}",
        "MathematicalOperators" => r"\x{2200}-\x{22ff}",
        "BoxDrawing" => r"\x{2500}-\x{257f}",
        "CJKSymbolsandPunctuation" => r"\x{3000}-\x{303f}",
        "Hiragana" => r"\x{3040}-\x{309f}",
        "Katakana" => r"\x{30a0}-\x{30ff}",
        "CJKUnifiedIdeographs" => r"\x{4e00}-\x{9fff}",
        "HangulSyllables" => r"\x{ac00}-\x{d7a3}",
        "PrivateUse" | "PrivateUseArea" => r"\x{e000}-\x{f8ff}",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        let translated = translate(pattern).unwrap();
        regex::Regex::new(&format!("^(?:{translated})$"))
            .unwrap_or_else(|e| panic!("{pattern}: {e}"))
            .is_match(text)
    }

    #[test]
    fn patterns_of_schemas_mean_what_they_say() {
        for (pattern, yes, no) in [
            (r"[a-z-[aeiou]]+", "xyz", "xay"),
            (r"\i\c*", "a-b.c", "-a"),
            (r"[\i-[:]][\c-[:]]*", "abc", "a:b"),
            (r"\d{3}-\d{4}", "555-1234", "5555-123"),
            (r"[+\-]?[0-9]+", "-12", "--12"),
            (r"[^\s]+", "ab", "a b"),
            (r"\p{Lu}\P{Lu}", "Ab", "AB"),
            (r"\p{IsBasicLatin}+", "abc", "äbc"),
            (r"[a\]b]+", "a]b", "c"),
            (r"[&~&]+", "&~", "a"),
            (r"a|b", "b", "c"),
            (r"[-a]+", "-a", "b"),
            (r"[a-]+", "-a", "b"),
            (r"\.\*", ".*", "aa"),
            (r"[\w]+", "aZ9", "a-b"),
        ] {
            assert!(matches(pattern, yes), "{pattern} {yes}");
            assert!(!matches(pattern, no), "{pattern} {no}");
        }
    }

    #[test]
    fn what_they_cannot_say_is_refused() {
        for pattern in [r"(?i)a", r"a\", r"[a", r"\z", r"\p{IsNothing}"] {
            assert!(translate(pattern).is_err(), "{pattern}");
        }
    }
}
