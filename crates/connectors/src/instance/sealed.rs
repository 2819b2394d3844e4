//! How an instance's secrets are sealed: its token, its secret settings, its credential.

use std::collections::BTreeMap;
use std::sync::Arc;

use pierhead_domain::{InstanceToken, OrganizationId, SecretString};
use pierhead_vault::{LookupHash, Sealed, Vault, VaultError};

use super::TOKEN_KIND;
use crate::credentials::Material;

/// Secret settings by wire key, in clear.
pub(crate) type SecretSettings = BTreeMap<String, SecretString>;

/// The vault as instances see it. Values are bound to the instance by its token's look-up hash, which is
/// known before the row has an id and never changes.
#[derive(Debug, Clone)]
pub(crate) struct InstanceVault(Arc<Vault>);

impl InstanceVault {
    pub(crate) fn new(vault: Arc<Vault>) -> Self {
        Self(vault)
    }

    pub(crate) fn token_hash(&self, token: &str) -> LookupHash {
        self.0.lookup_hash(TOKEN_KIND, token)
    }

    pub(crate) fn lookup_hash(&self, kind: &str, text: &str) -> LookupHash {
        self.0.lookup_hash(kind, text)
    }

    pub(crate) fn digest(&self, kind: &str, text: &str) -> [u8; 32] {
        self.0.lookup().digest(kind, text)
    }

    pub(crate) fn seal_token(
        &self,
        organization: OrganizationId,
        hash: &str,
        token: &InstanceToken,
    ) -> Result<Vec<u8>, VaultError> {
        let sealed = self.0.seal(organization, &place("token", hash), token.expose().as_bytes())?;
        Ok(sealed.into_bytes())
    }

    pub(crate) fn open_token(
        &self,
        organization: OrganizationId,
        hash: &str,
        sealed: Vec<u8>,
    ) -> Result<InstanceToken, VaultError> {
        let text = self.0.open_text(organization, &place("token", hash), &Sealed::from_stored(sealed))?;
        Ok(InstanceToken::from(text))
    }

    pub(crate) fn seal_secrets(
        &self,
        organization: OrganizationId,
        hash: &str,
        secrets: &SecretSettings,
    ) -> Result<Vec<u8>, VaultError> {
        let clear: BTreeMap<&str, &str> =
            secrets.iter().map(|(key, value)| (&**key, value.expose())).collect();
        let json = SecretString::new(serde_json::to_string(&clear).unwrap_or_default());
        Ok(self.0.seal_text(organization, &place("secrets", hash), &json)?.into_bytes())
    }

    pub(crate) fn open_secrets(
        &self,
        organization: OrganizationId,
        hash: &str,
        sealed: Vec<u8>,
    ) -> Result<SecretSettings, VaultError> {
        let place = place("secrets", hash);
        let json = self.0.open_text(organization, &place, &Sealed::from_stored(sealed))?;
        let clear: BTreeMap<String, String> =
            serde_json::from_str(json.expose()).map_err(|_| VaultError::DoesNotOpen(place))?;
        Ok(clear.into_iter().map(|(key, value)| (key, value.into())).collect())
    }

    pub(crate) fn seal_material(
        &self,
        organization: OrganizationId,
        hash: &str,
        material: &Material,
    ) -> Result<Vec<u8>, VaultError> {
        Ok(self.0.seal_text(organization, &place("credential", hash), &material.to_json())?.into_bytes())
    }

    pub(crate) fn open_material(
        &self,
        organization: OrganizationId,
        hash: &str,
        sealed: Vec<u8>,
    ) -> Result<Material, VaultError> {
        let place = place("credential", hash);
        let json = self.0.open_text(organization, &place, &Sealed::from_stored(sealed))?;
        Material::from_json(&json).ok_or(VaultError::DoesNotOpen(place))
    }
}

fn place(column: &str, hash: &str) -> String {
    format!("connector_instance/{column}/{hash}")
}
