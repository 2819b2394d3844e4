//! Scripts and documents: those that are missing, and those that nothing refers to.

use crate::report::is_known_kind;
use crate::view::View;
use crate::xml::Node;
use crate::{Finding, Severity};

/// Kinds whose files are loaded by others of them, or by a server of their own: no policy has to name them.
const LOADED_BY_OTHERS: &[&str] = &["java", "node", "hosted", "py"];

pub(super) fn check(view: &View<'_>, said: &[Finding], findings: &mut Vec<Finding>) {
    for policy in &view.policies {
        let Some(root) = &policy.root else { continue };
        if !is_known_kind(&root.name) {
            continue;
        }
        each_url(root, &mut |node, kind, name| {
            let present = view.resources.iter().any(|file| file.kind == kind && file.name == name);
            let is_said = said.iter().any(|finding| {
                finding.file == policy.file
                    && finding.severity == Severity::Error
                    && finding.message.contains(name)
            });
            if !present && !is_said {
                let message = format!("the bundle has no resource '{kind}://{name}'");
                findings.push(policy.finding(Severity::Warning, "MissingResource", node.line, message));
            }
        });
    }
    for file in view.resources {
        let url = format!("{}://{}", file.kind, file.name);
        let named =
            |text: &str| text.contains(&url) || (file.kind == "properties" && text.contains("propertyset."));
        let in_policies = view.policies.iter().any(|policy| named(&policy.text.xml));
        // A property set is read by variables, which stand in conditions too.
        let in_conditions = view.steps.iter().any(|step| named(&step.condition) || named(&step.around));
        if in_policies || in_conditions || LOADED_BY_OTHERS.contains(&file.kind.as_str()) {
            continue;
        }
        let place = view.sources.resources.get(&url).map_or("", String::as_str);
        let message = format!("no policy refers to '{url}'");
        findings.push(Finding::new(Severity::Info, "UnusedResource", (place, 0), message));
    }
}

/// Texts of elements that are `<kind>://<name>` and not an address on the net.
fn each_url(node: &Node, visit: &mut dyn FnMut(&Node, &str, &str)) {
    if matches!(node.name.as_str(), "ResourceURL" | "IncludeURL" | "OASResource" | "WSDLResource")
        && let Some((kind, name)) = node.text().split_once("://")
        && !kind.starts_with("http")
        && !name.contains('{')
    {
        visit(node, kind, name);
    }
    node.children.iter().for_each(|child| each_url(child, visit));
}
