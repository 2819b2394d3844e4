//! E4X (ECMA-357), XML inside the language, written anew as calls of `rhino_e4x.js`.
//!
//! `x.a.@b` becomes `x.a["@b"]`, `x..a` a call of `descendants`, `x.a.(@b == 1)` one of `__where`, `u::a` a name
//! with its namespace, `<a b={c}/>` a call of `XML`; `==` compares what is in XML. Lines stay where they are.
//! What cannot be written anew is refused with its line.

mod literal;
mod operand;
#[cfg(test)]
mod tests;

pub(super) use literal::length as literal_length;

use self::operand::{closing, first_of, last_of};
use super::{Kind, NotTranslated, Token, translate};

/// A place of the source, and what stands there instead.
pub(super) type Edit = (usize, usize, String);

/// Says whether a script has XML values; what it gets then is another `==` and the objects of `rhino_e4x.js`.
pub(super) fn is_used(source: &str, tokens: &[Token<'_>]) -> bool {
    source.contains("asXML")
        || tokens.iter().enumerate().any(|(at, token)| match token.kind {
            Kind::Xml => true,
            Kind::Word => matches!(token.text, "XML" | "XMLList" | "Namespace" | "QName"),
            Kind::Sign => token.text == "@" || is_colons(tokens, at) || is_descent(tokens, at),
            _ => false,
        })
}

/// Methods that filters may call without a dot.
const METHODS: &[&str] = &[
    "attribute",
    "attributes",
    "child",
    "childIndex",
    "children",
    "elements",
    "descendants",
    "hasSimpleContent",
    "hasComplexContent",
    "length",
    "localName",
    "name",
    "namespace",
    "nodeKind",
    "parent",
    "text",
    "toXMLString",
];

/// Methods of the standard that there are not.
const MISSING: &[&str] = &[
    "addNamespace",
    "comments",
    "inScopeNamespaces",
    "namespaceDeclarations",
    "processingInstructions",
    "removeNamespace",
];

/// What to put where, in order.
pub(super) fn edits(source: &str, tokens: &[Token<'_>]) -> Result<Vec<Edit>, NotTranslated> {
    let mut work = Work { source, tokens, edits: Vec::new(), filters: Vec::new() };
    let mut at = 0;
    while at < tokens.len() {
        at = work.rewrite(at)?.max(at + 1);
    }
    Ok(work.edits)
}

struct Work<'s, 't> {
    source: &'s str,
    tokens: &'t [Token<'s>],
    edits: Vec<Edit>,
    /// Tokens that close the filters which are open.
    filters: Vec<usize>,
}

impl Work<'_, '_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text)
    }

    fn before(&self, at: usize, ahead: usize) -> &str {
        at.checked_sub(ahead).map_or("", |at| self.text(at))
    }

    fn end(&self, at: usize) -> usize {
        self.tokens.get(at).map_or(self.source.len(), |token| token.start + token.text.len())
    }

    fn replace(&mut self, from: usize, to: usize, with: impl Into<String>) {
        self.edits.push((from, to, with.into()));
    }

    fn refused<T>(&self, at: usize, what: &str) -> Result<T, NotTranslated> {
        let at = self.tokens.get(at).map_or(self.source.len(), |token| token.start);
        Err(refused(self.source, at, what))
    }

    /// Looks at one token; gives the next to look at.
    fn rewrite(&mut self, at: usize) -> Result<usize, NotTranslated> {
        let Token { kind, text, start } = self.tokens[at];
        if self.filters.last() == Some(&at) {
            self.filters.pop();
            self.replace(start, start + 1, ")}})");
            return Ok(at + 1);
        }
        match (kind, text) {
            (Kind::Xml, _) => {
                let with = literal::as_call(text)
                    .map_err(|(ahead, what)| refused(self.source, start + ahead, what))?;
                self.added(at)?;
                self.replace(start, start + text.len(), with);
            }
            (Kind::Sign, ".") if is_descent(self.tokens, at) => return self.descendants(at),
            (Kind::Sign, ".") => return self.member(at),
            (Kind::Sign, "@") => {
                if self.filters.is_empty() {
                    return self.refused(at, "an attribute (@) of nothing");
                }
                let (name, next) = self.name(at)?;
                self.replace(start, self.end(next - 1), format!("__it[{name}]"));
                return Ok(next);
            }
            (Kind::Sign, ":") if is_colons(self.tokens, at) => {
                return self.refused(at, "a namespace (::) that no dot comes before");
            }
            (Kind::Sign, "=" | "!") if self.text(at + 1) == "=" && self.adjoins(at) => {
                return Ok(self.comparison(at));
            }
            (Kind::Word, "default") if self.text(at + 1) == "xml" && self.text(at + 2) == "namespace" => {
                if self.text(at + 3) != "=" {
                    return self.refused(at, "a default XML namespace without a value");
                }
                self.replace(start, self.end(at + 3), "globalThis.__xmlDefault =");
                return Ok(at + 4);
            }
            (Kind::Word, "XML" | "XMLList") if self.text(at + 1) == "." && self.before(at, 1) != "." => {
                return self.refused(at, "settings of XML");
            }
            (Kind::Word, "isXMLName") => return self.refused(at, "isXMLName"),
            (Kind::Word, "typeof") if self.source.contains("'xml'") || self.source.contains("\"xml\"") => {
                return self.refused(at, "typeof, which says 'object' of XML");
            }
            (Kind::Word, method)
                if METHODS.contains(&method) && !self.filters.is_empty() && self.text(at + 1) == "(" =>
            {
                self.replace(start, start, "__it.");
            }
            _ => {}
        }
        Ok(at + 1)
    }

    /// Two signs without anything between.
    fn adjoins(&self, at: usize) -> bool {
        self.tokens.get(at + 1).is_some_and(|next| next.start == self.end(at))
    }

    /// After a dot or an `@`: the name as an expression, and the token behind it.
    fn name(&self, at: usize) -> Result<(String, usize), NotTranslated> {
        let mark = if self.text(at) == "@" { "@" } else { "" };
        let first = if mark.is_empty() { at } else { at + 1 };
        let is_name =
            |at: usize| self.text(at) == "*" || self.tokens.get(at).is_some_and(|t| t.kind == Kind::Word);
        if !is_name(first) {
            return self.refused(at, "a name that is computed; write it in brackets with its @");
        }
        if !is_colons(self.tokens, first + 1) {
            return Ok((format!("\"{mark}{}\"", self.text(first)), first + 1));
        }
        let (space, local) = (self.text(first), self.text(first + 3));
        if !is_name(first + 3) {
            return self.refused(at, "a namespace (::) with a computed name");
        }
        let space = if space == "*" { "\"*\"" } else { space };
        Ok((format!("__xmlName({space}, \"{mark}{local}\")"), first + 4))
    }

    /// `.@a`, `.*`, `.u::a`, `.(…)`, `.@[…]`; other members stay.
    fn member(&mut self, at: usize) -> Result<usize, NotTranslated> {
        let start = self.tokens[at].start;
        let next = at + 1;
        match self.text(next) {
            "(" => {
                let Some(close) = closing(self.tokens, next) else { return Ok(next) };
                self.replace(start, self.end(next), ".__where(function(__it){with(__it){return(");
                self.filters.push(close);
                return Ok(next + 1);
            }
            "@" if self.text(next + 1) == "[" => {
                let Some(close) = closing(self.tokens, next + 1) else { return Ok(next) };
                self.replace(start, self.end(next + 1), "[\"@\"+(");
                let end = self.tokens[close].start;
                self.replace(end, end, ")");
                return Ok(next + 2);
            }
            "@" | "*" => {}
            name if MISSING.contains(&name) && self.text(next + 1) == "(" => {
                let what = format!("the method {name}");
                return self.refused(next, &what);
            }
            _ if is_colons(self.tokens, next + 1) => {}
            // A member, even one that is called like a word of the language.
            _ => return Ok(next + 1),
        }
        let (name, after) = self.name(next)?;
        self.replace(start, self.end(after - 1), format!("[{name}]"));
        Ok(after)
    }

    fn descendants(&mut self, at: usize) -> Result<usize, NotTranslated> {
        let (name, after) = self.name(at + 2)?;
        self.replace(self.tokens[at].start, self.end(after - 1), format!(".descendants({name})"));
        Ok(after)
    }

    /// `a == b` and `a != b`, where both sides are values or chains of members and calls.
    fn comparison(&mut self, at: usize) -> usize {
        let is_strict = self.text(at + 2) == "=" && self.adjoins(at + 1);
        let after = at + if is_strict { 3 } else { 2 };
        if is_strict || matches!(self.before(at, 1), "<" | ">" | "=" | "!") {
            return after;
        }
        let (Some(first), Some(last)) = (first_of(self.tokens, at), last_of(self.tokens, after)) else {
            return after;
        };
        let from = self.tokens[first].start;
        let (sign, end) = (self.tokens[at].start, self.end(last));
        let negated = if self.text(at) == "!" { "!" } else { "" };
        // Before what was found on the left of the sign already.
        let place = self.edits.iter().position(|edit| edit.0 >= from).unwrap_or(self.edits.len());
        self.edits.insert(place, (from, from, format!("{negated}__xmlSame(")));
        self.replace(sign, self.end(at + 1), ",");
        self.replace(end, end, ")");
        after
    }

    /// `a += <b/>` makes a list; other sums with a literal are refused.
    fn added(&mut self, at: usize) -> Result<(), NotTranslated> {
        let after = self.text(at + 1) == "+";
        if self.before(at, 1) == "=" && self.before(at, 2) == "+" {
            let first = first_of(self.tokens, at - 2);
            let (Some(first), false) = (first, after) else {
                return self.refused(at, "this sum of XML values");
            };
            let target = self.source[self.tokens[first].start..self.tokens[at - 2].start].trim_end();
            let written = translate(target, true)?;
            self.replace(self.tokens[at - 2].start, self.end(at - 1), format!("= __xmlAdd({written}, "));
            let end = self.end(at);
            // Behind the literal, which is not written anew yet: sorting keeps what ends a place in its order.
            self.replace(end, end, ")");
            return Ok(());
        }
        if after || self.before(at, 1) == "+" {
            return self.refused(at, "this sum of XML values; use appendChild or +=");
        }
        Ok(())
    }
}

fn refused(source: &str, place: usize, what: &str) -> NotTranslated {
    let line = 1 + source[..place].bytes().filter(|byte| *byte == b'\n').count();
    NotTranslated { line, message: format!("E4X is not supported in full: {what}") }
}

fn is_colons(tokens: &[Token<'_>], at: usize) -> bool {
    let (Some(first), Some(second)) = (tokens.get(at), tokens.get(at + 1)) else { return false };
    first.text == ":" && second.text == ":" && second.start == first.start + 1
}

/// Two dots, no more.
fn is_descent(tokens: &[Token<'_>], at: usize) -> bool {
    let is_dot = |at: usize| tokens.get(at).is_some_and(|token| token.text == ".");
    is_dot(at)
        && is_dot(at + 1)
        && tokens[at + 1].start == tokens[at].start + 1
        && !is_dot(at + 2)
        && at.checked_sub(1).is_none_or(|before| !is_dot(before))
}
