//! Names and tags of instances: HTML stripped, bounded, and an `@tag` in the name is also a tag.

use crate::hub::HubProblem;

const NAME_CHARS: usize = 255;
const TAGS: usize = 100;

/// The clean form of a name.
pub(crate) fn name(given: &str) -> Result<String, HubProblem> {
    let name = strip_html(given);
    if name.is_empty() {
        return Err(HubProblem::Bad("name is required".into()));
    }
    if name.chars().count() > NAME_CHARS {
        return Err(HubProblem::Bad(format!("name must have at most {NAME_CHARS} characters")));
    }
    Ok(name)
}

/// The clean form of tags, with those that stand in the name; each once, in order.
pub(crate) fn tags(given: &[String], name: &str) -> Result<Vec<String>, HubProblem> {
    let mut tags: Vec<String> = Vec::new();
    let listed = given.iter().map(|tag| strip_html(tag));
    for tag in listed.chain(tags_in(name)).filter(|tag| !tag.is_empty()) {
        if tag.chars().count() > NAME_CHARS {
            return Err(HubProblem::Bad(format!("each of tags must have at most {NAME_CHARS} characters")));
        }
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.len() > TAGS {
        return Err(HubProblem::Bad(format!("tags must be at most {TAGS}")));
    }
    Ok(tags)
}

fn tags_in(name: &str) -> impl Iterator<Item = String> + '_ {
    name.split_whitespace().filter_map(|word| word.strip_prefix('@')).map(str::to_owned)
}

/// Without tags (`<a href=…>x</a>` is `x`) and control characters. A `<` that opens no tag stays.
fn strip_html(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let opens = rest[start + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
        clean.push_str(&rest[..start]);
        rest = match (opens, rest[start..].find('>')) {
            (true, Some(length)) => &rest[start + length + 1..],
            // A tag that never ends swallows the rest, as a browser would.
            (true, None) => "",
            (false, _) => {
                clean.push('<');
                &rest[start + 1..]
            }
        };
    }
    clean.push_str(rest);
    clean.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_stripped_and_comparison_signs_stay() {
        for (given, clean) in [
            ("<a href='http://x'>name</a>", "name"),
            ("a < b and b > c", "a < b and b > c"),
            ("x<script>alert(1)", "xalert(1)"),
            ("x<script", "x"),
            ("a\r\n\0b", "ab"),
            ("<<b>i>", "<i>"),
        ] {
            assert_eq!(strip_html(given), clean, "{given}");
        }
    }

    #[test]
    fn a_tag_in_the_name_is_a_tag_too() {
        let given = ["red".into(), "<b>blue</b>".into(), "red".into()];
        assert_eq!(tags(&given, "my drive @sales a@b").unwrap(), ["red", "blue", "sales"]);
    }

    #[test]
    fn names_are_required_and_bounded() {
        assert!(name("<b></b>").is_err());
        assert!(name(&"x".repeat(256)).is_err());
        assert_eq!(name(&"é".repeat(255)).unwrap().chars().count(), 255);
    }
}
