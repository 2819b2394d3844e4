//! Who has an account, and what a caller can see.

use super::super::options::Account;

/// One of the double's accounts, by its place in the options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Person(usize);

impl Person {
    pub(crate) const FIRST: Self = Self(0);

    pub(crate) fn at(index: usize) -> Self {
        Self(index)
    }

    pub(crate) fn index(self) -> usize {
        self.0
    }
}

/// A caller's eyes: the person, and what the granted scopes show of the person's Drive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Viewer {
    pub(crate) person: Person,
    /// Every file of the person; otherwise only files that the app made (`drive.file`).
    pub(crate) every_file: bool,
    /// The app's own data folder.
    pub(crate) app_data: bool,
}

/// An account with what Drive knows of it.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) account: Account,
    pub(crate) permission_id: String,
    pub(crate) root: String,
    pub(crate) app_data: String,
}
