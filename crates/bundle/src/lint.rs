//! Checks of what compiles and is perhaps not meant, of the kind that apigeelint makes.

mod attachment;
mod conditions;
mod maps;
mod resources;
mod routes;

use pierhead_gateway::compile::World;

use crate::Finding;
use crate::view::View;

/// All checks. `said` is what compiling found: nothing is said twice.
pub(crate) fn lint(view: &View<'_>, world: &World, said: &[Finding]) -> Vec<Finding> {
    let mut findings = Vec::new();
    attachment::check(view, &mut findings);
    conditions::check(view, &mut findings);
    maps::check(view, world, &mut findings);
    resources::check(view, said, &mut findings);
    routes::check(view, &mut findings);
    findings
}

#[cfg(test)]
mod tests;
