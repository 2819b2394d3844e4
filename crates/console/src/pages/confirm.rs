//! The pages before something changes: a plain question, and before something is deleted for good what will break and
//! the name to type.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::fields::{Fields, Mistakes};
use crate::interrupted::Interrupted;
use crate::shell::{Crumb, Place, Shell, html};
use crate::visit::Visit;
use crate::wire::WireProblem;

/// A question before something changes that can be made good again, or is not worth a typed name.
#[derive(Template)]
#[template(path = "pages/sure.html")]
pub(super) struct SurePage {
    pub(super) shell: Shell,
    pub(super) question: String,
    pub(super) sentence: String,
    /// What needs it: as long as there is any, it cannot go.
    pub(super) used_by: Vec<String>,
    pub(super) verb: &'static str,
    pub(super) back: String,
    pub(super) danger: bool,
}

/// What is to be deleted.
pub(super) struct Deletion {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) sentence: String,
    pub(super) breaks_heading: &'static str,
    /// Objects that stop working, as links.
    pub(super) breaks: Vec<Crumb>,
    /// The object's own page.
    pub(super) back: String,
    pub(super) place: Place,
    pub(super) list: (&'static str, &'static str),
}

#[derive(Template)]
#[template(path = "pages/delete.html")]
struct DeletePage {
    shell: Shell,
    asked: Deletion,
    typed: String,
    mistakes: Mistakes,
}

impl Deletion {
    /// What is wrong with the typed confirmation, if anything.
    pub(super) fn check(&self, typed: &Fields) -> Mistakes {
        let mut mistakes = Mistakes::default();
        if typed.trimmed("confirm") != self.name {
            mistakes.field("confirm", "This is not the name. Type it exactly as it is written above.");
        }
        mistakes
    }

    /// The question.
    pub(super) fn ask(self, visit: &Visit) -> Result<Response, Interrupted> {
        self.page(visit, String::new(), Mistakes::default())
    }

    /// The question again, with what was wrong.
    pub(super) fn again(
        self,
        visit: &Visit,
        typed: &Fields,
        mistakes: Mistakes,
    ) -> Result<Response, Interrupted> {
        let page = self.page(visit, typed.get("confirm").to_owned(), mistakes)?;
        Ok((StatusCode::BAD_REQUEST, page).into_response())
    }

    /// The question again, after the wire refused.
    pub(super) fn refused(
        self,
        visit: &Visit,
        typed: &Fields,
        problem: WireProblem,
    ) -> Result<Response, Interrupted> {
        if problem.is_signed_out() {
            return Err(Interrupted::SignIn);
        }
        let mut mistakes = Mistakes::default();
        problem.onto(&mut mistakes, &[]);
        self.again(visit, typed, mistakes)
    }

    fn page(self, visit: &Visit, typed: String, mistakes: Mistakes) -> Result<Response, Interrupted> {
        let shell = Shell::new(visit, "Delete", self.place)
            .crumb(self.list.0, self.list.1)
            .crumb(&self.name, &self.back);
        html(&DeletePage { shell, asked: self, typed, mistakes })
    }
}
