//! The vendor is asked whether credentials work before an instance has them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, ready};
use http::StatusCode;
use pierhead_domain::{InstanceId, SecretString};

use super::draft::Draft;
use crate::credentials::{Held, Issued};
use crate::definition::Connector;
use crate::engine::{CallProblem, Connection, Credential};
use crate::hub::{Hub, HubProblem};

const TRIAL_TIME: Duration = Duration::from_secs(30);

/// An instance that is not there yet.
struct Trial<'a> {
    connector: &'a Arc<Connector>,
    draft: &'a Draft,
    credential: Credential,
}

impl Connection for Trial<'_> {
    fn instance_id(&self) -> InstanceId {
        InstanceId::new(0)
    }

    fn connector(&self) -> &Arc<Connector> {
        self.connector
    }

    fn setting(&self, key: &str) -> Option<&str> {
        self.draft.get(key)
    }

    fn credential(&self) -> BoxFuture<'_, Result<Credential, CallProblem>> {
        Box::pin(ready(Ok(self.credential.clone())))
    }

    fn rejected(&self, _: u64) -> BoxFuture<'_, Result<Credential, CallProblem>> {
        let message = "Check them and try again";
        Box::pin(ready(Err(CallProblem::new(StatusCode::UNAUTHORIZED, message))))
    }
}

impl Hub {
    /// Asks the vendor with the draft's credentials. A refusal is the client's mistake (400), since 401
    /// would blame the secrets of the call itself.
    pub(super) async fn prove(
        &self,
        connector: &Arc<Connector>,
        draft: &Draft,
        issued: Option<&Issued>,
    ) -> Result<(), HubProblem> {
        let credential = match issued {
            Some(issued) => Credential::bearer(SecretString::clone(&issued.material.access_token), 0),
            None => Held::fixed(connector, &draft.clear()).credential,
        };
        let trial = Trial { connector, draft, credential };
        let proof = tokio::time::timeout(TRIAL_TIME, self.engine.verify(&trial)).await;
        match proof.unwrap_or_else(|_| Err(CallProblem::timeout("The vendor did not answer in time"))) {
            Ok(_) => Ok(()),
            Err(problem) if matches!(problem.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                let message = format!(
                    "The vendor refused these credentials; no instance was made or changed. {}",
                    problem.message
                );
                Err(CallProblem { status: StatusCode::BAD_REQUEST, message, ..problem }.into())
            }
            Err(problem) if problem.address_refused => {
                let message = format!("No instance was made or changed: {}", problem.message);
                Err(CallProblem { status: StatusCode::BAD_REQUEST, message, ..problem }.into())
            }
            Err(problem) => Err(problem.into()),
        }
    }
}
