//! Compiling the policies of a proxy.

use std::sync::Arc;

use super::{CompiledPolicy, Compiler, DesignPart, Usable};
use crate::design::PolicyText;
use crate::policy::{Blueprint, Element, MessageReads, Policy, Unavailable, entry_of, why_not};

impl Compiler<'_> {
    pub(super) fn compile_policies(&mut self, whole: &DesignPart) {
        let limit = self.world.limits.policies;
        if self.texts.len() > limit {
            self.problem(whole, "TooManyPolicies", format!("there may be {limit} policies"));
            return;
        }
        for text in self.texts {
            let usable = self.compile_policy(text);
            if self.policies.insert(&text.name, usable).is_some() {
                self.problem(&part(text), "DuplicatePolicy", "there are two policies of this name");
            }
        }
    }

    pub(super) fn compile_policy(&mut self, text: &PolicyText) -> Usable {
        let unusable = |kind: &str| Usable {
            compiled: None,
            reads: MessageReads::default(),
            kind: kind.to_owned(),
            calls: Vec::new(),
        };
        let name_is_good = !text.name.is_empty()
            && text.name.len() <= 255
            && text
                .name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '$' | '%'));
        if !name_is_good {
            let message = "the name of a policy has 1 to 255 letters, digits, blanks, _ - . $ or %";
            self.problem(&part(text), "InvalidPolicyName", message);
            return unusable(&text.kind);
        }
        let limit = self.world.limits.policy_bytes;
        if text.xml.len() > limit {
            self.problem(&part(text), "PolicyTooLong", format!("a policy may have {limit} bytes"));
            return unusable(&text.kind);
        }
        let root = match Element::parse(&text.xml) {
            Ok(root) => root,
            Err(bad) => {
                let message = format!("not a policy document: {}", bad.why);
                self.problem_at(&part(text), bad.line, "BadXml", message);
                return unusable(&text.kind);
            }
        };
        let entry = entry_of(&root.name);
        let obstacle = why_not(&root.name);
        if entry.is_none() && obstacle.is_none() {
            let message = format!("neither original has policies of kind {}", root.name);
            self.problem_at(&part(text), root.line, "UnknownPolicyKind", message);
            return unusable(&root.name);
        }
        let name: Arc<str> = text.name.as_str().into();
        let mut blueprint = Blueprint {
            name: name.clone(),
            proxy: self.name.into(),
            dialect: self.world.dialect,
            root: &root,
            resources: &self.resources,
            problems: Vec::new(),
            warnings: Vec::new(),
            reads: MessageReads::default(),
            initial_entries: Vec::new(),
            degraded: None,
            degraded_in_part: None,
            running: &self.world.running,
            world: self.world,
            calls: Vec::new(),
        };
        let enabled = blueprint.flag(&root, "enabled", true);
        let continue_on_error = blueprint.flag(&root, "continueOnError", false);
        // Accepted and without effect, as in the originals.
        blueprint.flag(&root, "async", false);
        let mut compiled = match entry {
            Some(entry) => (entry.compile)(&mut blueprint),
            None => blueprint.degrade(&root, obstacle.unwrap_or_default()),
        };
        let Blueprint {
            problems, warnings, reads, initial_entries, degraded, degraded_in_part, calls, ..
        } = blueprint;
        self.problems.extend(problems);
        self.warnings.extend(warnings);
        self.initial_entries.extend(initial_entries);
        if let Some((line, reason)) = degraded {
            self.degradation(&part(text), line, &root.name, reason.clone());
            compiled = Some(Box::new(Unavailable::new(&name, &root.name, &reason)) as Box<dyn Policy>);
        } else if let Some((line, reason)) = degraded_in_part {
            self.degradation(&part(text), line, &root.name, reason);
        }
        #[cfg(test)]
        let compiled = compiled.map(|policy| crate::testing::unless_removed(&root.name, policy));
        let prefix = entry.map_or_else(|| root.name.to_lowercase(), |entry| entry.prefix.to_owned());
        let compiled = compiled.map(|policy| {
            let failed_variable = format!("{prefix}.{name}.failed").into();
            let kind = root.name.as_str().into();
            Arc::new(CompiledPolicy { name, kind, enabled, continue_on_error, failed_variable, policy })
        });
        Usable { compiled, reads, kind: root.name, calls }
    }
}

fn part(text: &PolicyText) -> DesignPart {
    DesignPart::Policy(text.name.clone())
}
