//! Stateful doubles of vendors, for the demo, for trying a connector with no account, and for tests.
//!
//! A double is believed only because somebody else's client works against it: Google's own Python
//! client runs against [`google::GoogleDrive`] in `tests/clients/google`. [`check::Description`]
//! judges requests by the vendor's published description.
//!
//! Invariant: nothing here is reached by `serve`; this room knows neither the store nor any face.

pub mod check;
pub mod google;
