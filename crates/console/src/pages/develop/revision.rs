//! The revision that a page is about.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::Console;
use crate::interrupted::Interrupted;
use crate::shell::{Place, Shell};
use crate::visit::{SignedIn, Visit};
use crate::wire::{Revisions, Wire, escape};

/// What revisions are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pages) enum Subject {
    Proxy,
    SharedFlow,
}

impl Subject {
    /// The collection on the wire.
    pub(in crate::pages) fn collection(self) -> &'static str {
        if self == Self::Proxy { "apis" } else { "sharedflows" }
    }

    /// Where its pages are.
    pub(in crate::pages) fn pages(self) -> &'static str {
        if self == Self::Proxy { "/console/proxies" } else { "/console/shared-flows" }
    }

    /// The title of its list.
    pub(in crate::pages) fn list(self) -> &'static str {
        if self == Self::Proxy { "API proxies" } else { "Shared flows" }
    }

    /// Its place in the navigation.
    pub(in crate::pages) fn place(self) -> Place {
        if self == Self::Proxy { Place::Proxies } else { Place::SharedFlows }
    }

    /// As people say it.
    pub(in crate::pages) fn noun(self) -> &'static str {
        if self == Self::Proxy { "API proxy" } else { "shared flow" }
    }
}

/// The revision that a page is about.
pub(in crate::pages) struct Revision {
    pub(in crate::pages) of: Subject,
    pub(in crate::pages) name: String,
    pub(in crate::pages) number: String,
    pub(in crate::pages) revisions: Revisions,
}

impl Revision {
    /// Revision `number`, or the newest when there is none.
    pub(in crate::pages) async fn read(
        console: &Console,
        wire: &Wire,
        of: Subject,
        name: &str,
        number: &str,
    ) -> Result<Self, Interrupted> {
        let revisions = wire.revisions(&console.gateway, of.collection(), name).await?;
        let number = if number.is_empty() { revisions.newest().to_owned() } else { number.to_owned() };
        if !revisions.all.contains(&number) {
            return Err(Interrupted::Missing(format!("revision {number} of the {} {name}", of.noun())));
        }
        Ok(Self { of, name: name.to_owned(), number, revisions })
    }

    /// The page of what this is a revision of.
    pub(in crate::pages) fn object_href(&self) -> String {
        format!("{}/{}", self.of.pages(), escape(&self.name))
    }

    /// The page of this revision.
    pub(in crate::pages) fn href(&self) -> String {
        self.href_of(&self.number)
    }

    /// The page of another revision.
    pub(in crate::pages) fn href_of(&self, number: &str) -> String {
        format!("{}/revisions/{}", self.object_href(), escape(number))
    }

    /// Where this revision is on the wire.
    pub(in crate::pages) fn path(&self, console: &Console) -> String {
        console.gateway.revision(self.of.collection(), &self.name, &self.number)
    }

    pub(in crate::pages) fn is_live(&self) -> bool {
        self.revisions.live == self.number
    }

    /// What stands around a page below this revision's.
    pub(in crate::pages) fn shell(&self, visit: &Visit, title: impl Into<String>) -> Shell {
        self.above(visit, title.into()).crumb(format!("Revision {}", self.number), self.href())
    }

    /// What stands around this revision's own page.
    pub(in crate::pages) fn own_shell(&self, visit: &Visit) -> Shell {
        self.above(visit, format!("Revision {}", self.number))
    }

    fn above(&self, visit: &Visit, title: String) -> Shell {
        Shell::new(visit, title, self.of.place())
            .crumb(self.of.list(), self.of.pages())
            .crumb(&self.name, self.object_href())
    }
}

/// A signed-in person at a revision, which is there.
pub(in crate::pages) struct Open {
    pub(in crate::pages) visit: Visit,
    pub(in crate::pages) wire: Wire,
    pub(in crate::pages) at: Revision,
    path: HashMap<String, String>,
}

impl Open {
    /// A part of the address below the revision.
    pub(in crate::pages) fn part(&self, name: &str) -> String {
        self.path.get(name).cloned().unwrap_or_default()
    }
}

impl FromRequestParts<Arc<Console>> for Open {
    type Rejection = Interrupted;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Self, Interrupted> {
        let SignedIn { visit, wire } = SignedIn::from_request_parts(parts, console).await?;
        let of = parts.extensions.get::<Subject>().copied().ok_or(Interrupted::Broken)?;
        let path = Path::<HashMap<String, String>>::from_request_parts(parts, console).await;
        let Path(path) = path.map_err(|_| Interrupted::Broken)?;
        let part = |name: &str| path.get(name).map(String::as_str).unwrap_or_default();
        let at = Revision::read(console, &wire, of, part("name"), part("revision")).await?;
        Ok(Self { visit, wire, at, path })
    }
}
