//! Saving: where a change lands, and what is said when it is refused.

use http::Method;
use serde_json::Value;

use super::Revision;
use crate::Console;
use crate::fields::{FormMistake, Mistakes};
use crate::wire::{Payload, Violation, Wire, WireProblem};

impl Revision {
    /// The address of a piece for a change: a deployed revision is never changed, the change makes a new one.
    fn address(&self, console: &Console, piece: &str) -> String {
        let at = self.path(console);
        let join = if piece.contains('?') { '&' } else { '?' };
        match self.is_live() {
            true => format!("{at}/{piece}{join}newRevision=true"),
            false => format!("{at}/{piece}"),
        }
    }

    /// Sends JSON; answers the number of the revision that holds the change.
    pub(super) async fn save_json(
        &self,
        console: &Console,
        wire: &Wire,
        method: Method,
        piece: &str,
        body: &Value,
    ) -> Result<String, WireProblem> {
        let answer = wire.send(method, &self.address(console, piece), Some(body)).await?;
        Ok(self.landed(&answer.headers))
    }

    /// Sends a document or a file; answers the number of the revision that holds the change.
    pub(super) async fn save_bytes(
        &self,
        console: &Console,
        wire: &Wire,
        method: Method,
        piece: &str,
        payload: Payload,
    ) -> Result<String, WireProblem> {
        let answer = wire.send_bytes(method, &self.address(console, piece), payload).await?;
        Ok(self.landed(&answer.headers))
    }

    /// Removes a piece; answers the number of the revision that lacks it.
    pub(super) async fn remove(
        &self,
        console: &Console,
        wire: &Wire,
        piece: &str,
    ) -> Result<String, WireProblem> {
        let answer = wire.send(Method::DELETE, &self.address(console, piece), None).await?;
        Ok(self.landed(&answer.headers))
    }

    /// The revision in `Location`.
    fn landed(&self, headers: &http::HeaderMap) -> String {
        let at = headers.get(http::header::LOCATION).and_then(|at| at.to_str().ok());
        let number = at.and_then(|at| at.split("/revisions/").nth(1)?.split('/').next());
        number.unwrap_or(&self.number).to_owned()
    }

    /// What saving will do, for the foot of a form.
    pub(super) fn landing(&self) -> String {
        match self.is_live() {
            true => format!(
                "Revision {} is deployed and stays as it is: saving makes a new revision, which runs once you deploy it.",
                self.number
            ),
            false => format!("Saving changes revision {}, which is not deployed.", self.number),
        }
    }
}

/// What a refused change says over the form: the places it named, or its sentence.
pub(super) fn refused(problem: WireProblem) -> (Mistakes, Vec<Violation>) {
    let mut mistakes = Mistakes::default();
    let message = match problem.violations.len() {
        0 => problem.sentence(),
        1 => "Nothing was saved: one mistake.".to_owned(),
        many => format!("Nothing was saved: {many} mistakes."),
    };
    mistakes.of_form = Some(FormMistake { message, request_id: problem.request_id });
    (mistakes, problem.violations)
}

/// Lines with a mistake, as the editor marks them.
pub(super) fn lines(violations: &[Violation]) -> String {
    let lines = violations.iter().filter(|one| one.line > 0).map(|one| one.line.to_string());
    lines.collect::<Vec<_>>().join(",")
}
