//! The way to the vendor's consent page and back (open-connectors §8.3).
//!
//! What must survive between the two is a row that holds no secret: the PKCE verifier is an HMAC of the
//! row's nonce under the installation's key. Clients of the original seldom send the state back, and the
//! default state is the same for everybody, so all consents of one OAuth client that are under way at a
//! time share a nonce: whichever comes back, its verifier is known.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pierhead_domain::time_ordered_id;
use pierhead_store::connectors::StoredConsent;

use crate::hub::{Hub, HubProblem};

/// How long a person may take on the vendor's page.
const LIFETIME: Duration = Duration::from_secs(600);

/// Whose consent it is: the connector, the client registered with the vendor, and where it comes back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConsentClient<'a> {
    pub(crate) element: &'a str,
    pub(crate) api_key: &'a str,
    pub(crate) callback: &'a str,
}

/// What goes to the vendor's page.
#[derive(Debug)]
pub(crate) struct ConsentBegun {
    pub(crate) state: String,
    pub(crate) verifier: String,
}

impl Hub {
    /// Begins a consent. Without `state` it is the element's key, as the original does.
    pub(crate) async fn begin_consent(
        &self,
        client: ConsentClient<'_>,
        state: Option<&str>,
    ) -> Result<ConsentBegun, HubProblem> {
        let now = self.clock.now();
        let hash = self.client_hash(client);
        let under_way = self.store.consent_of_client(&hash, now).await?;
        let nonce = under_way.map(|consent| consent.nonce);
        let consent = StoredConsent {
            id: self.consent_id(&hash, state.unwrap_or(client.element)),
            nonce: nonce.unwrap_or_else(|| time_ordered_id(now, self.rng.as_ref())),
            client: hash,
            shared: state.is_none(),
            expires: now.plus(LIFETIME),
        };
        let tx = self.store.write().await?;
        tx.put_consent(&consent, now).await?;
        tx.commit().await?;
        Ok(ConsentBegun {
            state: state.unwrap_or(client.element).to_owned(),
            verifier: self.verifier(&consent),
        })
    }

    /// Ends a consent and gives it, for its verifier. A state of the caller's own is good once; without one the
    /// verifier is that of the client's consents under way, if there are any.
    pub(super) async fn end_consent(
        &self,
        client: ConsentClient<'_>,
        state: Option<&str>,
    ) -> Result<Option<StoredConsent>, HubProblem> {
        let now = self.clock.now();
        let hash = self.client_hash(client);
        let Some(state) = state.filter(|state| *state != client.element) else {
            return Ok(self.store.consent_of_client(&hash, now).await?);
        };
        let tx = self.store.write().await?;
        let consent = tx.use_consent(&self.consent_id(&hash, state), now).await?;
        tx.commit().await?;
        let Some(consent) = consent else {
            return Err(HubProblem::Bad(format!(
                "providerData.state is unknown here, was used already or is older than {} minutes; ask for \
                 consent again: GET /elements/{}/oauth/url",
                LIFETIME.as_secs() / 60,
                client.element
            )));
        };
        Ok(Some(consent))
    }

    /// Makes a consent good again as it was, since the vendor could not be asked.
    pub(super) async fn restore_consent(&self, consent: &StoredConsent) -> Result<(), HubProblem> {
        let tx = self.store.write().await?;
        tx.put_consent(consent, self.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    fn client_hash(&self, client: ConsentClient<'_>) -> String {
        let ConsentClient { element, api_key, callback } = client;
        let whole = format!("{element}\n{api_key}\n{callback}");
        self.vault.lookup_hash("consent-client", &whole).as_str().to_owned()
    }

    fn consent_id(&self, client: &str, state: &str) -> String {
        self.vault.lookup_hash("consent", &format!("{client}\n{state}")).as_str().to_owned()
    }

    /// RFC 7636 §4.1: 43 characters.
    pub(super) fn verifier(&self, consent: &StoredConsent) -> String {
        URL_SAFE_NO_PAD.encode(self.vault.digest("pkce", &format!("{}\n{}", consent.nonce, consent.client)))
    }
}
