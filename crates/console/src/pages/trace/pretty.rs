//! Bodies made readable.

use serde_json::Value;

/// JSON and XML with a line for each member and element; everything else as it is.
pub(super) fn pretty(text: &str) -> String {
    match text.trim_start().chars().next() {
        Some('{' | '[') => serde_json::from_str::<Value>(text)
            .and_then(|value| serde_json::to_string_pretty(&value))
            .unwrap_or_else(|_| text.to_owned()),
        Some('<') => xml(text).unwrap_or_else(|| text.to_owned()),
        _ => text.to_owned(),
    }
}

/// Puts each tag on a line of its own where only blanks stand between two. `None` when it is no element text.
fn xml(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0usize;
    let mut rest = text.trim();
    let mut after_text = false;
    while let Some(stripped) = rest.strip_prefix('<') {
        let end = match stripped {
            comment if comment.starts_with("!--") => comment.find("-->")? + 3,
            data if data.starts_with("![CDATA[") => data.find("]]>")? + 3,
            tag => tag.find('>')? + 1,
        };
        let tag = &rest[..=end];
        let closes = tag.starts_with("</");
        if closes {
            depth = depth.checked_sub(1)?;
        }
        let empty = closes && out.ends_with('>') && opened_last(&out, tag);
        if !(after_text || out.is_empty() || empty) {
            out.push('\n');
            out.push_str(&"  ".repeat(depth.min(40)));
        }
        out.push_str(tag);
        if !closes && !tag.ends_with("/>") && !tag.starts_with("<?") && !tag.starts_with("<!") {
            depth += 1;
        }
        rest = &rest[end + 1..];
        let content = rest.find('<').unwrap_or(rest.len());
        after_text = !rest[..content].trim().is_empty();
        if after_text {
            out.push_str(&rest[..content]);
        }
        rest = &rest[content..];
    }
    rest.is_empty().then_some(out)
}

/// Whether the last line opens the element that `tag` closes: `<a></a>` stays together.
fn opened_last(out: &str, tag: &str) -> bool {
    let name = tag.trim_start_matches("</").trim_end_matches('>').trim();
    let line = out.rsplit('\n').next().unwrap_or_default().trim_start();
    line.strip_prefix('<').and_then(|line| line.strip_prefix(name)).is_some_and(|after| {
        after.starts_with(['>', ' ']) && !line.ends_with("/>") && line.matches('<').count() == 1
    })
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn documents_get_a_line_for_each_part() {
        assert_eq!(pretty("{\"a\":[1]}"), "{\n  \"a\": [\n    1\n  ]\n}");
        assert_eq!(
            pretty("<?xml version='1.0'?><a x='1'> <b>t</b><c/><d></d><!-- n --></a>"),
            "<?xml version='1.0'?>\n<a x='1'>\n  <b>t</b>\n  <c/>\n  <d></d>\n  <!-- n -->\n</a>"
        );
    }

    #[test]
    fn what_is_no_document_stays_as_it_is() {
        for text in ["plain", "{broken", "<a><b></a></b></c>", "<", "<a", "a=1&b=2", ""] {
            assert_eq!(pretty(text), text, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_shown(text in "[<>/a='!\\-\\[\\]?{} é]{0,40}") {
            pretty(&text);
        }
    }
}
