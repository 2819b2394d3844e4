//! JavaScript in place of code that cannot run here.
//!
//! Whoever brings a bundle with Java or Python may add a script that does the same: as resource
//! `jsc://<name>.js` of the bundle, or from the operator for all bundles. It is a script like any other; the
//! policy's `Properties` are its properties.

use std::time::Duration;

use super::javascript::{self, File};
use super::tls::Tls;
use crate::compile::World;
use crate::design::FileResource;
use crate::policy::Compiled;
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;

/// Whether there is a substitute of `name`.
pub(super) fn exists(policy: &Blueprint<'_>, name: &str) -> bool {
    is_given(policy.resources, policy.world, name)
}

/// Whether a bundle, or else the operator, gives a substitute of `name`.
pub(crate) fn is_given(resources: &[&FileResource], world: &World, name: &str) -> bool {
    let file = format!("{name}.js");
    resources.iter().any(|found| found.name == file && matches!(&*found.kind, "jsc" | "js"))
        || world.substitutes.contains_key(name)
}

/// The policy that runs the substitute of `name`, which may take so long.
pub(crate) fn policy_of(name: &str, within: Duration) -> String {
    let millis = within.as_millis();
    format!("<JavaCallout timeLimit=\"{millis}\"><ClassName>{name}</ClassName></JavaCallout>")
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
