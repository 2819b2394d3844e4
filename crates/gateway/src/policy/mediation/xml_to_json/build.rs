//! The JSON of one element while it is read.

use std::borrow::Cow;

use ahash::AHashMap;

use super::options::{Options, Recognized};
use crate::json::Json;

/// An element whose end has not come.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// As the parent names it.
    pub(super) name: String,
    members: Members,
    texts: Vec<String>,
    /// Name of the only kind of child that is unwrapped.
    unwrapped: Option<String>,
}

/// Members in order; the same name again makes an array.
#[derive(Debug, Default)]
pub(super) struct Members {
    list: Vec<(String, Json<'static>, bool)>,
    /// Where names are, once there are many.
    places: Option<AHashMap<String, usize>>,
}

const MANY: usize = 12;

impl Members {
    /// `as_array`: in an array even when it stays alone.
    fn add(&mut self, name: String, value: Json<'static>, as_array: bool) {
        let place = match &self.places {
            Some(places) => places.get(&name).copied(),
            None => self.list.iter().position(|(known, ..)| *known == name),
        };
        if let Some((_, old, is_array)) = place.and_then(|place| self.list.get_mut(place)) {
            match old {
                Json::Array(items) if *is_array => items.push(value),
                old => {
                    *old = Json::Array(vec![std::mem::replace(old, Json::Null), value]);
                    *is_array = true;
                }
            }
            return;
        }
        if let Some(places) = &mut self.places {
            places.insert(name.clone(), self.list.len());
        }
        let value = if as_array { Json::Array(vec![value]) } else { value };
        self.list.push((name, value, as_array));
        if self.places.is_none() && self.list.len() > MANY {
            self.places =
                Some(self.list.iter().enumerate().map(|(at, (name, ..))| (name.clone(), at)).collect());
        }
    }

    fn into_json(self) -> Json<'static> {
        Json::Object(self.list.into_iter().map(|(name, value, _)| (Cow::Owned(name), value)).collect())
    }
}

impl Open {
    pub(super) fn named(name: String) -> Self {
        Self { name, ..Self::default() }
    }

    pub(super) fn add(&mut self, name: String, value: Json<'static>, as_array: Option<bool>) {
        if as_array == Some(true) {
            self.unwrapped = Some(name.clone());
        }
        self.members.add(name, value, as_array.is_some());
    }

    /// Text between elements; what is only blank is none.
    pub(super) fn add_text(&mut self, text: String) {
        if !text.trim().is_empty() {
            self.texts.push(text);
        }
    }

    /// Takes the members of a level that is stripped.
    pub(super) fn take_in(&mut self, inner: Self) {
        for (name, value, is_array) in inner.members.list {
            match value {
                Json::Array(items) if is_array => {
                    items.into_iter().for_each(|item| self.members.add(name.clone(), item, true))
                }
                value => self.members.add(name, value, false),
            }
        }
        self.texts.extend(inner.texts);
    }

    /// The value of the whole element.
    pub(super) fn finish(mut self, options: &Options, recognized: Recognized) -> Json<'static> {
        if self.members.list.is_empty() {
            if self.texts.is_empty() {
                return if recognized.null { Json::Null } else { Json::Object(Vec::new()) };
            }
            if self.texts.len() == 1 && !options.text_always {
                return recognize(self.texts.pop().unwrap_or_default(), options, recognized);
            }
        }
        if let (Some(name), [(only, ..)]) = (&self.unwrapped, self.members.list.as_slice())
            && only == name
            && self.texts.is_empty()
        {
            return self.members.list.pop().map_or(Json::Null, |(_, value, _)| value);
        }
        for text in std::mem::take(&mut self.texts) {
            let text = recognize(text, options, recognized);
            self.members.add(options.text_node.to_string(), text, false);
        }
        self.members.into_json()
    }
}

/// Text as a number, a boolean or null, where that is asked for and it is one.
pub(super) fn recognize(text: String, options: &Options, recognized: Recognized) -> Json<'static> {
    let trimmed = text.trim();
    if recognized.null && (trimmed.is_empty() || *trimmed == *options.null_value) {
        return Json::Null;
    }
    if recognized.boolean && matches!(trimmed, "true" | "false") {
        return Json::Bool(trimmed == "true");
    }
    if recognized.number
        && let Ok(Json::Number(number)) = Json::parse(trimmed)
    {
        return Json::Number(Cow::Owned(number.into_owned()));
    }
    Json::Text(Cow::Owned(text))
}
