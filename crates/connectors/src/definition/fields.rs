//! Field mappings: ours ↔ the vendor's, in both directions.

use std::collections::BTreeMap;

use pierhead_script::Program;

use super::block::Block;
use super::connector::ObjectField;
use super::yaml::NodeData;

/// One field of a model.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// Reads the field from a vendor record.
    pub(crate) read: Option<Program>,
    pub(crate) kind: FieldKind,
    /// How the field gets into a vendor body.
    pub(crate) write: Write,
    /// Hub value → vendor value.
    pub(crate) values: BTreeMap<String, String>,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    Any,
    String,
    Number,
    Integer,
    Boolean,
    /// Written in the hub as `2017-06-06T18:54:51Z`.
    Date,
}

/// How a field gets into a vendor body.
#[derive(Debug, Clone)]
pub(crate) enum Write {
    Never,
    /// At this member path.
    Path(Vec<String>),
    /// Merged in: an object made by an expression that sees the value as `$value`.
    Merge(Program),
}

impl Field {
    /// Reads a `fields` block; none when there is none.
    pub(crate) fn read_all(parent: &Block<'_>, key: &str) -> Option<Vec<Self>> {
        let fields = parent.block(key, "fields")?;
        let read = fields.members().iter().filter_map(|(name, node)| {
            if matches!(node.data, NodeData::Map(_)) {
                return Some(Self::read_block(&fields.member(name, node, "field"), name));
            }
            let read = fields.program(name, &[])?;
            let write = write_back(&read);
            Some(Self {
                name: name.clone(),
                read: Some(read),
                kind: FieldKind::Any,
                write,
                values: BTreeMap::new(),
            })
        });
        Some(read.collect())
    }

    fn read_block(block: &Block<'_>, name: &str) -> Self {
        const KINDS: &[(&str, FieldKind)] = &[
            ("string", FieldKind::String),
            ("number", FieldKind::Number),
            ("integer", FieldKind::Integer),
            ("boolean", FieldKind::Boolean),
            ("date", FieldKind::Date),
        ];
        let read = block.program("vendor", &[]);
        let kind = block.choice("as", KINDS).unwrap_or(FieldKind::Any);
        let read_only = block.flag("read_only").unwrap_or(false);
        let merge = block.program("write", &["value"]);
        let write = match (read_only, merge, &read) {
            (true, ..) => Write::Never,
            (false, Some(program), _) => Write::Merge(program),
            (false, None, Some(read)) => write_back(read),
            (false, None, None) => Write::Never,
        };
        let values = block.block("values", "texts").map_or_else(BTreeMap::new, |values| {
            let pair = |(hub, _): &(String, _)| values.text(hub).map(|vendor| (hub.clone(), vendor));
            values.members().iter().filter_map(pair).collect()
        });
        Self { name: name.to_owned(), read, kind, write, values }
    }

    pub(crate) fn describe(&self) -> ObjectField {
        let writable = !matches!(self.write, Write::Never);
        let kind = match self.kind {
            FieldKind::Any | FieldKind::String => "string",
            FieldKind::Number | FieldKind::Integer => "number",
            FieldKind::Boolean => "boolean",
            FieldKind::Date => "date",
        };
        ObjectField {
            path: self.name.clone(),
            kind: kind.to_owned(),
            filterable: true,
            createable: writable,
            updateable: writable,
        }
    }
}

fn write_back(read: &Program) -> Write {
    match read.as_path() {
        Some(path) if !path.is_empty() => Write::Path(path.into_iter().map(str::to_owned).collect()),
        _ => Write::Never,
    }
}
