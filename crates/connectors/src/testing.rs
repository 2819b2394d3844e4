//! What this room's tests share.

mod hub;
mod vendor;

use std::path::Path;
use std::sync::Arc;

use pierhead_domain::{EpochMillis, OrganizationId, SharedRng, SystemRng};
use pierhead_vault::{KeyRing, Vault};

pub(crate) use hub::{ADMIN, CLERK, NEIGHBOUR, STRANGER, STREAM_LIMIT, TestHub, element};
pub(crate) use vendor::Vendor;

use crate::catalogue::Catalogue;

/// A moment in 2026.
pub(crate) const NOW: EpochMillis = EpochMillis::new(1_795_000_000_000);

/// A vault with data keys for organizations 1 and 2.
pub(crate) fn vault() -> Arc<Vault> {
    let rng: SharedRng = Arc::new(SystemRng);
    let ring = KeyRing::generate(&SystemRng);
    let own = Vault::new_key(&ring, "own".into(), None, &rng).unwrap();
    let vault = Vault::open(ring, &own, rng).unwrap();
    for organization in [1, 2] {
        let key = vault.new_data_key(format!("k{organization}"), OrganizationId::new(organization)).unwrap();
        vault.install(&key).unwrap();
    }
    Arc::new(vault)
}

/// The connectors of the installation and those of [`Vendor`].
pub(crate) fn catalogue() -> Catalogue {
    let own = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/testing/catalogue"));
    Catalogue::load(&[own]).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}
