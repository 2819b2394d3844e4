//! The vocabulary every room shares: ids, secrets, time, randomness, callers.
//!
//! Invariant: nothing here does I/O, is async, or knows a framework. The one exception is
//! [`SystemClock`] and [`SystemRng`], which exist so that no other room reads ambient time or
//! randomness.

mod caller;
mod clock;
pub mod hub_paths;
mod ids;
mod rng;
mod secret;

pub use caller::{Caller, Role, Roles, UnknownRole};
pub use clock::{Clock, EpochMillis, SharedClock, StoppedClock, SystemClock};
pub use ids::{AccountId, BadId, InstanceId, OrganizationId, RequestId, UserId, time_ordered_id};
pub use rng::{Rng, SeededRng, SharedRng, SystemRng};
pub use secret::{InstanceToken, OrganizationSecret, SecretString, UserSecret};
