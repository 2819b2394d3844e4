//! Variables that steps set.

use std::sync::Arc;

use ahash::AHashMap;

use super::message::Message;
use crate::variable::{Stored, Value};

/// A group of variables under one prefix that is computed when read: what a key check found costs nothing
/// unless somebody looks at it.
pub trait ComputedVariables: Send + Sync {
    /// The value of `<prefix><name>`.
    fn get(&self, name: &str) -> Option<Value<'_>>;
}

/// Variables that are not part of the exchange's own state.
#[derive(Default)]
pub(crate) struct VariableStore {
    single: AHashMap<Arc<str>, Stored>,
    groups: Vec<(Arc<str>, Arc<dyn ComputedVariables>)>,
    messages: Vec<(Arc<str>, Message)>,
}

impl VariableStore {
    pub(crate) fn get(&self, name: &str) -> Option<Value<'_>> {
        if let Some(stored) = self.single.get(name) {
            return Some(stored.view());
        }
        self.groups.iter().rev().find_map(|(prefix, group)| group.get(name.strip_prefix(&**prefix)?))
    }

    /// Every variable that was set by itself.
    pub(crate) const fn all(&self) -> &AHashMap<Arc<str>, Stored> {
        &self.single
    }

    /// The messages that policies made.
    pub(crate) fn messages(&self) -> impl Iterator<Item = (&Arc<str>, &Message)> {
        self.messages.iter().map(|(name, message)| (name, message))
    }

    /// A variable that was set by itself.
    pub(crate) fn stored(&self, name: &str) -> Option<&Stored> {
        self.single.get(name)
    }

    pub(crate) fn set(&mut self, name: &Arc<str>, value: Stored) {
        match self.single.get_mut(name) {
            Some(old) => *old = value,
            None => {
                self.single.insert(name.clone(), value);
            }
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.single.remove(name);
    }

    /// Adds a group; its variables hide those of the same name that were set before.
    pub(crate) fn provide(&mut self, prefix: &Arc<str>, group: Arc<dyn ComputedVariables>) {
        self.single
            .retain(|name, _| name.strip_prefix(&**prefix).is_none_or(|rest| group.get(rest).is_none()));
        match self.groups.iter_mut().find(|(known, _)| known == prefix) {
            Some((_, old)) => *old = group,
            None => self.groups.push((prefix.clone(), group)),
        }
    }

    pub(crate) fn message(&self, name: &str) -> Option<&Message> {
        self.messages.iter().find(|(known, _)| **known == *name).map(|(_, message)| message)
    }

    pub(crate) fn message_mut(&mut self, name: &str) -> Option<&mut Message> {
        self.messages.iter_mut().find(|(known, _)| **known == *name).map(|(_, message)| message)
    }

    pub(crate) fn take_message(&mut self, name: &str) -> Option<Message> {
        let at = self.messages.iter().position(|(known, _)| **known == *name)?;
        Some(self.messages.swap_remove(at).1)
    }

    pub(crate) fn set_message(&mut self, name: &Arc<str>, message: Message) {
        match self.message_mut(name) {
            Some(old) => *old = message,
            None => self.messages.push((name.clone(), message)),
        }
    }
}
