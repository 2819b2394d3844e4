//! One file or folder, as the hub shows it and as the vendor knows it.

use serde_json::{Map, Value};

use super::Documents;
use super::path::HubItemPath;
use crate::definition::Address;
use crate::engine::CallProblem;

/// A file or folder.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// The hub's JSON but for `raw`.
    fields: Map<String, Value>,
    /// The vendor's own record.
    raw: Value,
}

impl Item {
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    pub(super) fn name(&self) -> &str {
        self.text("name").unwrap_or_default()
    }

    /// The id on the hub's wire.
    pub(super) fn id(&self) -> &str {
        self.text("id").unwrap_or_default()
    }

    pub(super) fn path(&self) -> Option<&str> {
        self.text("path")
    }

    /// What requests address the item by when they use `$id`.
    pub(crate) fn vendor_id(&self) -> &str {
        self.id()
    }

    pub(super) fn is_folder(&self) -> bool {
        self.fields.get("directory") == Some(&Value::Bool(true))
    }

    pub(super) fn raw(&self) -> &Value {
        &self.raw
    }

    pub(super) fn set_path(&mut self, path: Option<&str>) {
        match path {
            Some(path) => self.fields.insert("path".to_owned(), path.into()),
            None => self.fields.remove("path"),
        };
    }

    /// What expressions see as `$item`: the hub's fields and `raw`.
    pub(crate) fn value(&self) -> Value {
        let mut fields = self.fields.clone();
        fields.insert("raw".to_owned(), self.raw.clone());
        Value::Object(fields)
    }

    /// The hub's JSON: without null members, with `raw` when asked.
    pub(super) fn show(self, raw: bool, nulls: bool) -> Value {
        let mut fields = self.fields;
        if !nulls {
            fields.retain(|_, value| !value.is_null());
        }
        if raw {
            fields.insert("raw".to_owned(), self.raw);
        }
        Value::Object(fields)
    }
}

impl Documents<'_> {
    /// A vendor's record as an item. `path` is where it is known to be.
    pub(super) fn item(&self, raw: Value, path: Option<&HubItemPath>) -> Result<Item, CallProblem> {
        let mut fields = Map::new();
        for (name, program) in &self.files.item {
            let value =
                self.session.eval(program, &raw, &self.session.scope, &format!("files.item.{name}"))?;
            fields.insert(name.clone(), value);
        }
        fields.entry("tags").or_insert_with(|| Value::Array(Vec::new()));
        let mut item = Item { fields, raw };
        match self.files.address {
            Address::Id => {
                if item.id().is_empty() {
                    return Err(CallProblem::bad_gateway("the vendor's record of a file has no id"));
                }
                if let Some(path) = path {
                    item.set_path(Some(path.as_str()));
                }
            }
            Address::Path => {
                let mapped = item.path().map(HubItemPath::parse).transpose();
                let path = match (path, mapped) {
                    (Some(path), _) => path.clone(),
                    (None, Ok(Some(path))) => path,
                    (None, _) => {
                        return Err(CallProblem::bad_gateway("the vendor's record of a file has no path"));
                    }
                };
                item.fields.insert("id".to_owned(), path.token().into());
                item.fields.insert("path".to_owned(), path.as_str().into());
                let split = path.split();
                let name = split.as_ref().map_or("", |(_, name)| *name);
                item.fields.insert("name".to_owned(), name.into());
                let parent = split.as_ref().map(|(parent, _)| parent.token());
                item.fields.insert("parentFolderId".to_owned(), parent.into());
            }
        }
        Ok(item)
    }

    /// Whether a listed record is one that is shown.
    pub(super) fn is_visible(&self, raw: &Value) -> Result<bool, CallProblem> {
        let Some(program) = &self.files.visible else { return Ok(true) };
        let value = self.session.eval(program, raw, &self.session.scope, "files.visible")?;
        Ok(!matches!(value, Value::Null | Value::Bool(false)))
    }

    /// The setting `filter.response.nulls`, turned round.
    pub(super) fn keeps_nulls(&self) -> bool {
        self.session.scope.get("connection")["filter.response.nulls"] == "false"
    }
}
