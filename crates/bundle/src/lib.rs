//! Bundles of API proxies, shared flows and policy templates, in SAP's and in Apigee's layout: read into the
//! gateway's one model, checked, and written again.
//!
//! Invariants: nothing here is stored, nothing but [`local`] serves, and nothing but [`read_path`], [`find`] and
//! their kin touches a file system. No bytes make a reader panic, and none make it hold more than [`Limits`] allow. What a bundle holds
//! and the model does not interpret is kept or reported, never silently dropped.
//!
//! The way through: [`read_zip`] or [`read_path`] gives a [`Bundle`] with its [`Content`] and findings;
//! [`report`](report()) says what would run; [`export`] gives [`Files`], and [`write_archive`] a zip of them.

mod annotations;
mod archive;
mod content;
mod counterparts;
mod error;
mod files;
mod find;
mod finding;
mod folder;
mod limits;
mod lint;
pub mod local;
mod policy_text;
mod read;
mod report;
mod resource_kinds;
mod roots;
mod source;
mod substitutes;
mod view;
mod write;
mod xml;

pub use archive::{read_archive, write_archive};
pub use content::{Bundle, Content, Export, PolicyTemplate};
pub use error::BadBundle;
pub use files::Files;
pub use find::{Discovery, Found, find};
pub use finding::{Finding, Severity};
pub use folder::{read_folder, stamp};
pub use limits::Limits;
pub use read::{read_files, read_path, read_zip};
pub use report::{PolicyReport, Report, StepReport, Verdict, report, report_content};
pub use substitutes::{BadSubstitutes, read_substitutes};
pub use write::{CannotExport, export};

#[cfg(test)]
mod tests;
