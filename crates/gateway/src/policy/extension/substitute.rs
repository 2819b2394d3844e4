//! JavaScript in place of code that cannot run here.
//!
//! Whoever brings a bundle with Java or Python may add a script that does the same: as resource
//! `jsc://<name>.js` of the bundle, or from the operator for all bundles. It is a script like any other; the
//! policy's `Properties` are its properties.

use super::javascript::{self, File};
use super::tls::Tls;
use crate::policy::Compiled;
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;

/// Whether there is a substitute of `name`.
pub(super) fn exists(policy: &Blueprint<'_>, name: &str) -> bool {
    let file = format!("{name}.js");
    policy.resources.iter().any(|found| found.name == file && matches!(&*found.kind, "jsc" | "js"))
        || policy.world.substitutes.contains_key(name)
}

/// Compiles the substitute of `name`; without one the policy degrades, and says what would help.
pub(super) fn compile(policy: &mut Blueprint<'_>, at: &Element, name: &str, why: &str) -> Option<Compiled> {
    let file = format!("{name}.js");
    let resources = policy.resources;
    let own = resources.iter().find(|found| found.name == file && matches!(&*found.kind, "jsc" | "js"));
    let text = match own {
        Some(own) => own.content.as_str(),
        None => match policy.world.substitutes.get(name) {
            Some(given) => &**given,
            None => {
                let reason = format!("{why}; give a script that does the same as resource jsc://{file}");
                return policy.degrade(at, reason);
            }
        },
    };
    let url = format!("jsc://{file}");
    javascript::compile_files(policy, vec![File { url: &url, name: &file, text }], Tls::default())
}
