//! What a root document says besides, kept as a list of paths and texts.

use pierhead_gateway::design::Property;

use crate::xml::{Node, XmlWriter};

/// Every text and attribute of `root` and below, but for the children and attributes that are `known`.
pub(crate) fn read(root: &Node, known: &[&str]) -> Vec<Property> {
    let mut all = Vec::new();
    for (name, value) in &root.attributes {
        let path = format!("@{name}");
        if !known.contains(&path.as_str()) {
            all.push(Property { name: path, value: value.clone() });
        }
    }
    for child in root.children.iter().filter(|child| !known.contains(&child.name.as_str())) {
        collect(child, &child.name, &mut all);
    }
    all
}

fn collect(node: &Node, path: &str, all: &mut Vec<Property>) {
    for (name, value) in &node.attributes {
        all.push(Property { name: format!("{path}@{name}"), value: value.clone() });
    }
    if !node.text().is_empty() {
        all.push(Property { name: path.to_owned(), value: node.text().to_owned() });
    }
    for child in &node.children {
        collect(child, &format!("{path}/{}", child.name), all);
    }
}

/// Attributes of the root itself.
pub(crate) fn of_root(annotations: &[Property]) -> impl Iterator<Item = (&str, &str)> {
    annotations
        .iter()
        .filter_map(|property| property.name.strip_prefix('@').map(|name| (name, property.value.as_str())))
}

/// Writes the elements again.
pub(crate) fn write(annotations: &[Property], writer: &mut XmlWriter) {
    let mut top = Element::default();
    for property in annotations.iter().filter(|property| !property.name.starts_with('@')) {
        let (path, attribute) = match property.name.split_once('@') {
            Some((path, attribute)) => (path, Some(attribute)),
            None => (property.name.as_str(), None),
        };
        top.put(path, attribute, &property.value);
    }
    top.write_children(writer);
}

#[derive(Default)]
struct Element<'p> {
    name: &'p str,
    attributes: Vec<(&'p str, &'p str)>,
    text: &'p str,
    children: Vec<Element<'p>>,
}

impl<'p> Element<'p> {
    fn put(&mut self, path: &'p str, attribute: Option<&'p str>, value: &'p str) {
        let (name, rest) = match path.split_once('/') {
            Some((name, rest)) => (name, Some(rest)),
            None => (path, None),
        };
        let takes = |last: &Self| {
            last.name == name
                && match (rest, attribute) {
                    (Some(_), _) => true,
                    (None, Some(key)) => last.is_open() && last.attributes.iter().all(|(old, _)| *old != key),
                    (None, None) => last.is_open(),
                }
        };
        if !self.children.last().is_some_and(takes) {
            self.children.push(Self { name, ..Self::default() });
        }
        let Some(last) = self.children.last_mut() else { return };
        match (rest, attribute) {
            (Some(rest), attribute) => last.put(rest, attribute, value),
            (None, Some(key)) => last.attributes.push((key, value)),
            (None, None) => last.text = value,
        }
    }

    fn is_open(&self) -> bool {
        self.text.is_empty() && self.children.is_empty()
    }

    fn write_children(&self, writer: &mut XmlWriter) {
        for child in &self.children {
            if child.children.is_empty() {
                writer.leaf_with(child.name, &child.attributes, child.text);
            } else {
                writer.open(child.name, &child.attributes);
                writer.some_text(child.text);
                child.write_children(writer);
                writer.close(child.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    #[test]
    fn what_is_not_interpreted_comes_back() {
        let xml = r#"<APIProxy name="a" revision="3"><Known>x</Known><ConfigurationVersion majorVersion="4" minorVersion="0"/>
            <life_cycle><created_by>I</created_by><changed_by>J</changed_by></life_cycle><Empty/><a>1</a><a>2</a></APIProxy>"#;
        let parse = |xml: &str| Node::parse(xml, &Limits::default()).unwrap();

        let annotations = read(&parse(xml), &["@name", "Known"]);

        let names: Vec<_> = annotations.iter().map(|property| property.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "@revision",
                "ConfigurationVersion@majorVersion",
                "ConfigurationVersion@minorVersion",
                "life_cycle/created_by",
                "life_cycle/changed_by",
                "a",
                "a",
            ]
        );
        let mut writer = XmlWriter::new();
        let attributes: Vec<_> = of_root(&annotations).collect();
        writer.open("APIProxy", &attributes);
        write(&annotations, &mut writer);
        writer.close("APIProxy");
        assert_eq!(read(&parse(&writer.finish().unwrap()), &[]), annotations);
    }
}
