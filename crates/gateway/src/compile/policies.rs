//! Compiling the policies of a proxy.

use std::sync::Arc;

use super::{CompileProblem, CompiledPolicy, Compiler, Usable};
use crate::design::PolicyText;
use crate::policy::{Blueprint, Element, MessageReads, entry_of};

impl Compiler<'_> {
    pub(super) fn compile_policies(&mut self) {
        let limit = self.world.limits.policies;
        if self.design.policies.len() > limit {
            self.problem("API proxy", "TooManyPolicies", format!("an API proxy may have {limit} policies"));
            return;
        }
        for text in &self.design.policies {
            let usable = self.compile_policy(text);
            if self.policies.insert(&text.name, usable).is_some() {
                self.problem(file(text), "DuplicatePolicy", "there are two policies of this name");
            }
        }
    }

    fn compile_policy(&mut self, text: &PolicyText) -> Usable {
        let unusable =
            |kind: &str| Usable { compiled: None, reads: MessageReads::default(), kind: kind.to_owned() };
        let name_is_good = !text.name.is_empty()
            && text.name.len() <= 255
            && text
                .name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '$' | '%'));
        if !name_is_good {
            let message = "the name of a policy has 1 to 255 letters, digits, blanks, _ - . $ or %";
            self.problem(file(text), "InvalidPolicyName", message);
            return unusable(&text.kind);
        }
        let limit = self.world.limits.policy_bytes;
        if text.xml.len() > limit {
            self.problem(file(text), "PolicyTooLong", format!("a policy may have {limit} bytes"));
            return unusable(&text.kind);
        }
        let root = match Element::parse(&text.xml) {
            Ok(root) => root,
            Err(bad) => {
                let message = format!("not a policy document: {}", bad.why);
                self.problems.push(CompileProblem {
                    file: file(text),
                    line: bad.line,
                    rule: "BadXml",
                    message,
                });
                return unusable(&text.kind);
            }
        };
        let Some(entry) = entry_of(&root.name) else {
            let message = format!("policies of kind {} are not supported yet", root.name);
            self.problems.push(CompileProblem {
                file: file(text),
                line: root.line,
                rule: "UnknownPolicyKind",
                message,
            });
            return unusable(&root.name);
        };
        let mut blueprint = Blueprint {
            name: text.name.as_str().into(),
            proxy: self.design.name.as_str().into(),
            root: &root,
            resources: &self.design.resources,
            problems: Vec::new(),
            reads: MessageReads::default(),
            initial_entries: Vec::new(),
        };
        let enabled = blueprint.flag(&root, "enabled", true);
        let continue_on_error = blueprint.flag(&root, "continueOnError", false);
        // Accepted and without effect, as in the originals.
        blueprint.flag(&root, "async", false);
        let compiled = (entry.compile)(&mut blueprint);
        self.problems.append(&mut blueprint.problems);
        self.initial_entries.append(&mut blueprint.initial_entries);
        let name: Arc<str> = blueprint.name.clone();
        let compiled = compiled.map(|policy| {
            let failed_variable = format!("{}.{name}.failed", entry.prefix).into();
            Arc::new(CompiledPolicy { name, enabled, continue_on_error, failed_variable, policy })
        });
        Usable { compiled, reads: blueprint.reads, kind: root.name }
    }
}

fn file(text: &PolicyText) -> String {
    format!("policy {}", text.name)
}
