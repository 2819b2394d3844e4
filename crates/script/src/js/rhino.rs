//! What Rhino understands and ECMAScript does not.
//!
//! `for each (x in y)` and E4X (XML inside the language, `e4x`) are written anew.

mod e4x;
mod frozen;

pub(super) use frozen::leaves_alone;

/// Says that Java is out of reach.
pub(super) const JAVA: &str = include_str!("rhino_java.js");

/// What a script finds of Rhino's: only what it may use, since all of it is read again for every run. Each is an
/// expression that gives a function.
pub(super) fn preludes(sources: &[&str]) -> Vec<&'static str> {
    const PARTS: [(&str, &[&str]); 2] = [
        (
            include_str!("rhino_strings.js"),
            &["equals", "equalsIgnoreCase", "isEmpty", "contains", "compareTo", "hashCode", "each"],
        ),
        (
            JAVA,
            &[
                "java",
                "javax",
                "Packages",
                "JavaAdapter",
                "JavaImporter",
                "importClass",
                "importPackage",
                "load",
                "quit",
            ],
        ),
    ];
    let mentioned: Vec<&str> = sources.iter().flat_map(|source| words(source)).collect();
    let everything = can_name_anything(sources);
    let needed = |names: &[&str]| everything || mentioned.iter().any(|word| names.contains(word));
    PARTS.iter().filter(|(_, names)| needed(names)).map(|(code, _)| *code).collect()
}

/// What XML values are made of.
pub(super) const XML: &str = include_str!("rhino_e4x.js");

/// Whether any of the files has XML values.
pub(super) fn has_xml(sources: &[&str]) -> bool {
    sources.iter().any(|source| e4x::is_used(source, &tokens(source)))
}

/// Whether a script can reach a global by a name that it puts together at run time, so that what it mentions is
/// not all it may use.
pub fn can_name_anything(sources: &[&str]) -> bool {
    const WORDS: &[&str] = &["eval", "Function", "globalThis", "with", "constructor"];
    sources.iter().any(|source| source.contains("this[") || words(source).any(|word| WORDS.contains(&word)))
}

/// A script that is not translated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotTranslated {
    /// 1-based.
    pub(super) line: usize,
    pub(super) message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Number,
    Text,
    Regex,
    /// An XML literal of E4X.
    Xml,
    Sign,
}

#[derive(Debug, Clone, Copy)]
struct Token<'s> {
    kind: Kind,
    text: &'s str,
    start: usize,
}

/// The script in ECMAScript; lines stay where they are. `has_xml` is what [`has_xml`] says of all its files.
pub(super) fn translate(source: &str, has_xml: bool) -> Result<String, NotTranslated> {
    let tokens = tokens(source);
    let mut edits = for_each_loops(&tokens);
    if has_xml {
        edits.extend(e4x::edits(source, &tokens)?);
    }
    edits.sort_by_key(|(from, to, _)| (*from, *to));
    let mut out = String::with_capacity(source.len() + 32);
    let mut copied = 0;
    for (from, to, replacement) in edits {
        // What is inside of something that was written anew went with it.
        if from < copied {
            continue;
        }
        out.push_str(&source[copied..from]);
        out.push_str(&replacement);
        copied = to;
    }
    out.push_str(&source[copied..]);
    Ok(out)
}

fn tokens(source: &str) -> Vec<Token<'_>> {
    Lexer { source, at: 0, tokens: Vec::new() }.run()
}

/// The names that a script mentions outside of comments and plain strings, repeated as often as they are.
pub fn words(source: &str) -> impl Iterator<Item = &str> {
    tokens(source).into_iter().flat_map(|token| {
        let may_hold_code = token.text.starts_with('`') || token.kind == Kind::Xml;
        // What stands between the braces of a template is code, and it is not worth telling from the rest.
        let inside = if may_hold_code { token.text } else { "" };
        let inside = inside.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
        (token.kind == Kind::Word).then_some(token.text).into_iter().chain(inside)
    })
}

/// What to put where, in order: `each` goes, `in` becomes `of` the values, and a parenthesis closes them.
fn for_each_loops(tokens: &[Token<'_>]) -> Vec<e4x::Edit> {
    let mut edits = Vec::new();
    for (index, window) in tokens.windows(3).enumerate() {
        let [a, b, c] = window else { continue };
        if (a.text, b.text, c.text) != ("for", "each", "(") || a.kind != Kind::Word {
            continue;
        }
        let (mut depth, mut keyword) = (0_usize, None);
        for token in &tokens[index + 2..] {
            match (token.kind, token.text) {
                (Kind::Sign, "(" | "[" | "{") => depth += 1,
                (Kind::Sign, ")" | "]" | "}") => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        if let Some(keyword) = keyword {
                            edits.push((b.start, b.start + b.text.len(), String::new()));
                            edits.push((keyword, keyword + 2, "of __values(".to_owned()));
                            edits.push((token.start, token.start + 1, "))".to_owned()));
                        }
                        break;
                    }
                }
                (Kind::Word, "in") if depth == 1 && keyword.is_none() => keyword = Some(token.start),
                _ => {}
            }
        }
    }
    edits
}

/// Whether an expression may begin after this token: what `/` and `<` mean depends on it.
fn begins_expression(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Number | Kind::Text | Kind::Regex | Kind::Xml => false,
        Kind::Word => matches!(
            token.text,
            "return" | "typeof" | "case" | "in" | "of" | "delete" | "void" | "throw" | "new" | "else" | "do"
        ),
        Kind::Sign => !matches!(token.text, ")" | "]" | "}"),
    }
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    tokens: Vec<Token<'s>>,
}

impl<'s> Lexer<'s> {
    fn run(mut self) -> Vec<Token<'s>> {
        let bytes = self.source.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            let rest = &self.source[self.at..];
            match byte {
                _ if byte.is_ascii_whitespace() => self.at += 1,
                b'/' if rest.starts_with("//") => self.at += rest.find('\n').unwrap_or(rest.len()),
                b'/' if rest.starts_with("/*") => {
                    self.at += rest[2..].find("*/").map_or(rest.len(), |end| end + 4);
                }
                b'<' if rest.starts_with("<!--") => self.at += rest.find('\n').unwrap_or(rest.len()),
                b'<' if self.tokens.last().is_none_or(begins_expression) => match e4x::literal_length(rest) {
                    Some(length) => self.push(Kind::Xml, length),
                    None => self.push(Kind::Sign, 1),
                },
                b'"' | b'\'' | b'`' => self.push(Kind::Text, quoted(rest, byte)),
                b'/' if self.tokens.last().is_none_or(begins_expression) => {
                    self.push(Kind::Regex, regex(rest))
                }
                b'0'..=b'9' => {
                    let word = |c: char| c.is_ascii_alphanumeric() || c == '.';
                    self.push(Kind::Number, rest.find(|c| !word(c)).unwrap_or(rest.len()));
                }
                _ if byte == b'_' || byte == b'$' || byte.is_ascii_alphabetic() || !byte.is_ascii() => {
                    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$' || !c.is_ascii();
                    self.push(Kind::Word, rest.find(|c| !word(c)).unwrap_or(rest.len()));
                }
                _ => self.push(Kind::Sign, 1),
            }
        }
        self.tokens
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let text = &self.source[self.at..self.at + length];
        self.tokens.push(Token { kind, text, start: self.at });
        self.at += length;
    }
}

/// Length of a string with its quotes. One that is not closed ends with its line: the engine will say so.
fn quoted(rest: &str, quote: u8) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'\n' if quote != b'`' => return at,
            _ if byte == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Length of a regular expression with its flags.
fn regex(rest: &str) -> usize {
    let (mut escaped, mut in_class) = (false, false);
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b'\n' => return at,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'/' if !in_class => {
                let flags = rest[at + 1..].bytes().take_while(u8::is_ascii_alphabetic).count();
                return at + 1 + flags;
            }
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_each_becomes_a_loop_over_values() {
        assert_eq!(
            translate("for each (var x in f(a, {in_: 1})) { y(x); }", false).unwrap(),
            "for  (var x of __values( f(a, {in_: 1}))) { y(x); }"
        );
        for same in [
            "for (var k in o) {}",
            "var each = 1; // for each (x in y)",
            "'for each (x in y)'",
            "/for each (/",
        ] {
            assert_eq!(translate(same, false).unwrap(), same);
        }
    }

    #[test]
    fn what_only_looks_like_e4x_is_left_alone() {
        for source in [
            "a<b>c",
            "f(...list)",
            "var s = '<a>@..::</a>';",
            "/[^@..::]<a>/.test(x)",
            "1..toString()",
            "a ? b : c",
            "// @deprecated ..",
            "/** @param {x} */",
            "if (i<n) {}",
            "x = a / b / c; // <a>",
            "switch (x) { default: xml = 1 }",
            "var o = {a: 1, b: ':' }",
            "`@ ${a}`",
            "<!-- old style",
        ] {
            assert!(!has_xml(&[source]), "{source}");
            assert_eq!(translate(source, true).as_deref(), Ok(source));
        }
    }

    #[test]
    fn words_are_told_from_strings_and_comments() {
        let source = "a.b('request') // c\n/* d */ + `x ${response.body}` + /e/.f";
        let found: Vec<_> = words(source).filter(|word| !word.is_empty()).collect();
        assert_eq!(found, ["a", "b", "x", "$", "response", "body", "f"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_translation_panic(source in "(for each|\\(|in|\\)|[<>/@:.'\"`\\\\\\n\\[\\] a-z0-9é{}]){0,40}") {
            let _ = translate(&source, false);
        }
    }
}
