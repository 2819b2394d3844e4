//! Whether a script may change what all scripts share, told from its text.
//!
//! It decides only how fast a script runs and whether its changes have an effect at all: where built-in
//! objects are shared they are frozen, so nothing can leak through them whatever this says.

use super::{Kind, Token, begins_expression};

/// Words that lead to prototypes and to code from text, wherever they stand.
const TELLING: &[&str] = &[
    "prototype",
    "__proto__",
    "rototypeOf",
    "defineProp",
    "__define",
    "constructor",
    "StackTrace",
    "stackTrace",
];

/// The same as names: inside of others they say nothing.
const TELLING_NAMES: &[&str] = &[
    "eval",
    "Function",
    "Reflect",
    "globalThis",
    "with",
    "callee",
    "caller",
    "freeze",
    "seal",
    "preventExtensions",
];

const OBJECTS: &[&str] = &[
    "Object",
    "Array",
    "String",
    "Number",
    "Boolean",
    "Date",
    "RegExp",
    "Error",
    "TypeError",
    "RangeError",
    "SyntaxError",
    "ReferenceError",
    "EvalError",
    "URIError",
    "JSON",
    "Math",
    "Symbol",
    "Map",
    "Set",
    "WeakMap",
    "WeakSet",
    "Promise",
    "Proxy",
    "BigInt",
    "ArrayBuffer",
    "XML",
    "XMLList",
    "Namespace",
    "QName",
];

const FUNCTIONS: &[&str] = &[
    "parseInt",
    "parseFloat",
    "isNaN",
    "isFinite",
    "escape",
    "unescape",
    "encodeURI",
    "encodeURIComponent",
    "decodeURI",
    "decodeURIComponent",
];

/// Whether none of the files seems to change a built-in object: it neither names prototypes, nor gives a
/// built-in object away under another name, nor assigns to one or to a part of one.
pub(crate) fn leaves_alone(sources: &[&str]) -> bool {
    sources.iter().all(|source| {
        !TELLING.iter().any(|word| source.contains(word))
            && !source.contains("this[")
            && is_harmless(source, 0)
    })
}

fn is_harmless(source: &str, depth: usize) -> bool {
    let tokens = super::tokens(source);
    let mut braces = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match (token.kind, token.text) {
            // The script is inside of a function, and must not be able to close that.
            (Kind::Sign, "{") => braces += 1,
            (Kind::Sign, "}") => match braces.checked_sub(1) {
                Some(fewer) => braces = fewer,
                None => return false,
            },
            (Kind::Word, word) if TELLING_NAMES.contains(&word) => return false,
            (Kind::Word, word)
                if (OBJECTS.contains(&word) || FUNCTIONS.contains(&word))
                    && !is_member(&tokens, at)
                    && !is_harmless_use(&tokens, at, OBJECTS.contains(&word)) =>
            {
                return false;
            }
            // Code may stand in an XML literal.
            (Kind::Xml, text) if text.contains('{') => return false,
            // Code may stand in a template.
            (Kind::Text, text) if text.starts_with('`') && text.contains("${") => {
                let inside = text.trim_matches('`');
                if depth > 2 || inside.contains('=') || !is_harmless(&inside.replace('$', " "), depth + 1) {
                    return false;
                }
            }
            _ => {}
        }
    }
    braces == 0
}

/// Whether the name is one of a member, or a key: no built-in object at all.
fn is_member(tokens: &[Token<'_>], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before)).map(|token| token.text);
    let after = tokens.get(at + 1).map(|token| token.text);
    before == Some(".") || after == Some(":") && matches!(before, Some("{" | ","))
}

fn is_harmless_use(tokens: &[Token<'_>], at: usize, is_object: bool) -> bool {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let before = at.checked_sub(1).map_or("", text);
    // Counting up and down are assignments too.
    if matches!(before, "+" | "-") && at.checked_sub(2).map_or("", text) == before {
        return false;
    }
    if is_assigned(tokens, at + 1) {
        return false;
    }
    if !is_object || matches!(before, "new" | "instanceof" | "typeof") || text(at + 1) == "(" {
        return true;
    }
    if text(at + 1) == "." {
        // `Math.max(…)`, `Number.MAX_VALUE`; parts of parts are not followed.
        return !is_assigned(tokens, at + 3)
            && text(at + 3) != "["
            && !(text(at + 3) == "." && is_assigned(tokens, at + 5));
    }
    // As the one argument of a call: `map(String)`.
    before == "("
        && text(at + 1) == ")"
        && matches!(text(at), "String" | "Number" | "Boolean" | "Array" | "Object")
        && tokens.get(at.saturating_sub(2)).is_some_and(|token| !begins_expression(token))
}

/// Whether an assignment stands at this place: `=` and its kin, but no comparison.
fn is_assigned(tokens: &[Token<'_>], at: usize) -> bool {
    let sign = |ahead: usize| {
        let token = tokens.get(at + ahead)?;
        let adjoins = ahead == 0
            || tokens.get(at + ahead - 1).is_some_and(|last| last.start + last.text.len() == token.start);
        (token.kind == Kind::Sign && adjoins).then_some(token.text)
    };
    match (sign(0), sign(1)) {
        (Some("="), next) => !matches!(next, Some("=")),
        (Some("+"), Some("+")) | (Some("-"), Some("-")) => true,
        (Some("+" | "-" | "*" | "/" | "%" | "&" | "|" | "^"), Some("=")) => true,
        (Some("*" | "&" | "|" | "?" | "<" | ">"), Some(_)) => {
            // `**=`, `&&=`, `<<=`: told by the sign that ends them. `<=` and `>=` are comparisons.
            let shifts_or_doubles = sign(0) == sign(1);
            shifts_or_doubles && (sign(2) == Some("=") || sign(2) == Some(">") && sign(3) == Some("="))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::leaves_alone;

    #[test]
    fn usual_scripts_leave_built_in_objects_alone() {
        for source in [
            "var o = JSON.parse(request.body); o.n = Math.max(1, o.n) + Number.MAX_VALUE; x = JSON.stringify(o);",
            "var d = new Date(), e = new Error('no'); if (e instanceof Error && typeof JSON === 'object') { throw e; }",
            "list.map(String).filter(Boolean); Array.isArray(x); String(1) == Number('1'); new Array(3)",
            "Object.keys(o).forEach(function (k) { o[k] = parseInt(o[k], 10); }); isNaN(x) === false",
            "a.Map = 1; var o = {Set: 1, Date: 2}; o.String += 'x'; Math.PI <= x; Math.E == y; Date.now() >= 1",
            "function isFunction(f) { return typeof f === 'function'; } var s = '} eval'; // Function",
            "var t = `a ${b} ${c.d(1)}`;",
            "x = y / 2 + /}/.test(z) ? 1 : 2",
        ] {
            assert!(leaves_alone(&[source]), "{source}");
        }
    }

    #[test]
    fn what_may_change_a_built_in_object_is_seen() {
        for source in [
            "String.prototype.trim = f",
            "a.__proto__ = b",
            "x['proto' + 'type']; this['JSON'] = 1",
            "Math.max = f",
            "Math.max += 1",
            "Math.x++",
            "++Math",
            "Math ||= 1",
            "Math['max'] = f",
            "Object.keys.x = 1",
            "JSON = JSON || {}",
            "parseInt = f",
            "var M = Math; M.x = 1",
            "extend(String, {a: 1})",
            "[Date]",
            "new Function('x')",
            "eval('x')",
            "with (Math) { max = 1 }",
            "Reflect.set(a, b, c)",
            "(function () { arguments.callee.x = 1 })()",
            "} , evil(), function () {",
            "{",
            "var t = `${String.x = 1}`",
            "var t = `${Math}`",
        ] {
            assert!(!leaves_alone(&[source]), "{source}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_look_panic(source in "(Math|JSON|`\\$\\{|[.=+\\-\\[\\](){}<>&|*?:'\"`\\\\ a-z0-9é]){0,40}") {
            let _ = leaves_alone(&[&source]);
        }
    }
}
