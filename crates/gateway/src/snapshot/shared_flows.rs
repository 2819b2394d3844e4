//! Shared flows and the flow hooks of an environment.

use std::sync::Arc;

use ahash::AHashMap;

use crate::compile::{Attached, BodyReads, CompiledSharedFlow, SharedCall, reads_of};

/// Where an environment runs a shared flow around every proxy. Unsourced: that the pre-target flow runs
/// before the target endpoint's own flows and the post-target flow after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HookPoint {
    /// `PreProxyFlowHook`: before the proxy endpoint's request flows.
    PreProxy,
    /// `PreTargetFlowHook`: before the target endpoint's request flows.
    PreTarget,
    /// `PostTargetFlowHook`: after the target endpoint's response flows.
    PostTarget,
    /// `PostProxyFlowHook`: after the proxy endpoint's response flows.
    PostProxy,
}

impl HookPoint {
    const fn attached(self) -> Attached {
        match self {
            Self::PreProxy | Self::PreTarget => Attached::Request,
            Self::PostTarget | Self::PostProxy => Attached::Response,
        }
    }
}

/// A shared flow at a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowHook {
    /// Name of the shared flow.
    pub shared_flow: Arc<str>,
    /// The proxy goes on when the shared flow fails.
    pub continue_on_error: bool,
}

/// The shared flows of an environment with what each needs, found out when one changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedFlows {
    flows: AHashMap<Arc<str>, Arc<CompiledSharedFlow>>,
    hooks: [Option<FlowHook>; 4],
    /// What a call reads, everything below it included; by name, for each kind of attachment.
    reads: AHashMap<Arc<str>, [BodyReads; 3]>,
    hook_reads: BodyReads,
}

impl SharedFlows {
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<CompiledSharedFlow>> {
        self.flows.get(name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<CompiledSharedFlow>> {
        self.flows.values()
    }

    pub(crate) const fn hook(&self, point: HookPoint) -> Option<&FlowHook> {
        self.hooks[point as usize].as_ref()
    }

    /// What calls of a proxy read, and what the hooks around it do.
    pub(crate) fn reads(&self, calls: &[SharedCall]) -> BodyReads {
        calls.iter().fold(self.hook_reads, |reads, call| {
            reads | self.reads.get(&call.flow).map_or(BodyReads::default(), |of| of[call.attached as usize])
        })
    }

    /// After this and the next two, [`Self::find_reads`] must follow.
    pub(super) fn put(&mut self, flow: Arc<CompiledSharedFlow>) {
        self.flows.insert(flow.name.clone(), flow);
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.flows.remove(name);
    }

    pub(super) fn set_hook(&mut self, point: HookPoint, hook: Option<FlowHook>) {
        self.hooks[point as usize] = hook;
    }

    pub(super) fn find_reads(&mut self) {
        let find = |name: &str| self.flows.get(name).map(Arc::as_ref);
        let all = |flow: &Arc<str>| {
            [Attached::Request, Attached::Response, Attached::Fault].map(|attached| {
                reads_of(&SharedCall { attached, flow: flow.clone() }, &find, &mut Vec::new())
            })
        };
        self.reads = self.flows.keys().map(|name| (name.clone(), all(name))).collect();
        let points = [HookPoint::PreProxy, HookPoint::PreTarget, HookPoint::PostTarget, HookPoint::PostProxy];
        self.hook_reads = points.into_iter().fold(BodyReads::default(), |reads, point| {
            let of = self.hook(point).and_then(|hook| self.reads.get(&hook.shared_flow));
            reads | of.map_or(BodyReads::default(), |of| of[point.attached() as usize])
        });
    }
}
