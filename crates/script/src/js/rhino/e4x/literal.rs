//! XML literals: how far they go, and the calls that they become.

use crate::js::rhino::translate;

/// Length of an XML literal at the beginning of `rest`; `None` when none begins there or it does not end.
pub(in crate::js::rhino) fn length(rest: &str) -> Option<usize> {
    let begins = |c: char| c.is_alphabetic() || matches!(c, '_' | '>' | '?' | '{');
    if !(rest[1..].starts_with(begins) || rest.starts_with("<![CDATA[")) {
        return None;
    }
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        let here = rest.get(at..)?;
        let ends = |mark: &str| here.find(mark).map(|end| end + mark.len());
        at += match here.as_bytes().first()? {
            b'<' if here.starts_with("<!--") => ends("-->")?,
            b'<' if here.starts_with("<![CDATA[") => ends("]]>")?,
            b'<' if here.starts_with("<?") => ends("?>")?,
            b'<' if here.starts_with("</") => {
                depth = depth.checked_sub(1)?;
                ends(">")?
            }
            b'<' => {
                let length = tag(here)?;
                depth += usize::from(!here[..length].ends_with("/>"));
                length
            }
            b'{' => braces(here)?,
            _ => here.chars().next()?.len_utf8(),
        };
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Length of a tag that opens an element.
fn tag(rest: &str) -> Option<usize> {
    let mut at = 1;
    loop {
        let here = rest.get(at..)?;
        at += match here.as_bytes().first()? {
            b'>' => return Some(at + 1),
            quote @ (b'"' | b'\'') => 2 + here[1..].find(char::from(*quote))?,
            b'{' => braces(here)?,
            b'<' => return None,
            _ => here.chars().next()?.len_utf8(),
        };
    }
}

/// Length of an expression in braces, with them. Strings in it may hold braces.
fn braces(rest: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate() {
        match (quote, byte) {
            _ if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(open), _) => quote = (open != byte).then_some(open),
            (None, b'"' | b'\'' | b'`') => quote = Some(byte),
            (None, b'{') => depth += 1,
            (None, b'}') => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// A literal as a call of `XML`; the error says how far in and what.
pub(super) fn as_call(literal: &str) -> Result<String, (usize, &'static str)> {
    let (kind, mut at, end) = match literal.strip_prefix("<>") {
        Some(_) if literal.ends_with("</>") => ("XMLList", 2, literal.len() - 3),
        Some(_) => return Err((0, "a list that is not closed by </>")),
        None => ("XML", 0, literal.len()),
    };
    let (mut out, mut plain, mut lines) = (format!("{kind}("), String::new(), 0);
    let mut in_tag = false;
    while at < end {
        let here = &literal[at..end];
        let skipped =
            [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")].into_iter().find_map(|(open, close)| {
                (!in_tag && here.starts_with(open))
                    .then(|| here.find(close).map_or(here.len(), |end| end + close.len()))
            });
        let length = match here.as_bytes()[0] {
            _ if skipped.is_some() => skipped.unwrap_or_default(),
            b'{' => {
                let length = braces(here).ok_or((at, "braces in an XML literal"))?;
                if in_tag && !plain.ends_with('=') {
                    return Err((at, "a computed name in an XML literal"));
                }
                let inside = translate(&here[1..length - 1], true)
                    .map_err(|_| (at, "an expression in an XML literal"))?;
                out.push_str(&text(&mut plain));
                out.push_str(if in_tag { "+__xmlQuoted(" } else { "+__xmlText(" });
                out.push_str(&inside);
                out.push_str(")+");
                at += length;
                continue;
            }
            quote @ (b'"' | b'\'') if in_tag => {
                here[1..].find(char::from(quote)).map_or(here.len(), |end| end + 2)
            }
            byte => {
                in_tag = match byte {
                    b'<' => true,
                    b'>' => false,
                    _ => in_tag,
                };
                here.chars().next().map_or(1, char::len_utf8)
            }
        };
        let part = &here[..length];
        lines += part.bytes().filter(|byte| *byte == b'\n').count();
        plain.push_str(part);
        at += length;
    }
    out.push_str(&text(&mut plain));
    out.push_str(&"\n".repeat(lines));
    out.push(')');
    Ok(out)
}

fn text(plain: &mut String) -> String {
    serde_json::Value::from(std::mem::take(plain)).to_string()
}
