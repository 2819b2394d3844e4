//! From what is committed to what runs: one change of the snapshot for however many parts.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use pierhead_domain::SecretString;
use pierhead_gateway::compile::{
    Coming, CompileProblem, CompiledProxy, CompiledSharedFlow, World, compile, compile_shared_flow,
};
use pierhead_gateway::design::{ProxyDesign, SharedFlowDesign};
use pierhead_gateway::snapshot::{Snapshot, SnapshotEdit};
use pierhead_store::management::{StoredEntry, StoredMap};
use pierhead_vault::VaultError;

use super::part::{Committed, LiveDesign, LivePart};
use super::{StartFailure, scope_of};
use crate::live_environment::set_hooks;
use crate::management::Parts;

/// Designs compiled in a row before other work of the runtime has its turn.
const BEFORE_A_PAUSE: usize = 16;

/// A part that is committed and cannot run. What ran of it goes on.
#[derive(Debug)]
pub(crate) struct Unserved {
    pub(crate) part: LivePart,
    pub(crate) why: String,
}

/// What a change of the snapshot begins with.
#[derive(Clone, Copy)]
pub(super) enum Base<'s> {
    /// What runs: all other parts stay.
    Running,
    /// The same; designs that are compiled in this one are taken from it.
    Staged(&'s Snapshot),
    /// Nothing: what is not among the parts is gone.
    Nothing,
}

impl Parts {
    /// Reads parts and puts them into the snapshot. Whoever changes designs holds the gate.
    pub(crate) async fn publish(
        &self,
        parts: &[LivePart],
        staged: Option<&Snapshot>,
    ) -> Result<Vec<Unserved>, StartFailure> {
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let _one_at_a_time = self.publishing.lock().await;
        let mut committed = Vec::with_capacity(parts.len());
        for part in parts {
            committed.push(self.committed(part).await?);
        }
        let unserved = self.apply(&committed, staged.map_or(Base::Running, Base::Staged)).await?;
        self.last_good.note(committed);
        Ok(unserved)
    }

    /// Puts committed parts into the snapshot in one change. The caller holds [`Parts::publishing`], so that an
    /// older state never replaces a newer one.
    pub(super) async fn apply(
        &self,
        committed: &[Committed],
        base: Base<'_>,
    ) -> Result<Vec<Unserved>, StartFailure> {
        let running = self.snapshots.load();
        let mut edit = match base {
            Base::Nothing => running.anew(self.settings.virtual_hosts.iter().map(|host| host.for_snapshot())),
            Base::Running | Base::Staged(_) => running.edit(),
        };
        for one in committed {
            match one {
                Committed::Surroundings(stored) => {
                    let read = self.surroundings(stored);
                    self.set_surroundings(read.map_err(|why| StartFailure::Surroundings(why.into()))?);
                }
                Committed::Map(key, Some((map, entries))) => {
                    edit.put_kvm_map(
                        scope_of(key),
                        &key.name,
                        self.open_entries(map, entries)?,
                        map.encrypted,
                    );
                }
                Committed::Map(key, None) => edit.remove_kvm_map(&scope_of(key), &key.name),
                Committed::Keys(stored) => edit.set_keys(self.key_table(stored)?),
                Committed::Hooks(items) => set_hooks(&mut edit, items),
                Committed::SharedFlow(..) | Committed::Proxy(..) => {}
            }
        }
        let mut work = Designs { parts: self, base, running: &running, unserved: Vec::new() };
        // Flows first: proxies call them.
        work.put_flows(committed, &mut edit).await;
        work.put_proxies(committed, &mut edit).await;
        let unserved = work.unserved;
        self.snapshots.update(|_| edit.finish());
        Ok(unserved)
    }

    fn open_entries(
        &self,
        map: &StoredMap,
        entries: &[StoredEntry],
    ) -> Result<Vec<(String, SecretString)>, VaultError> {
        entries.iter().map(|entry| Ok((entry.name.clone(), self.open_entry(&map.key, entry)?))).collect()
    }

    /// Compiles a design.
    pub(crate) fn compile(
        &self,
        design: &ProxyDesign,
        revision: i64,
        world: &World,
    ) -> Result<CompiledProxy, Vec<CompileProblem>> {
        self.compilations.fetch_add(1, Ordering::Relaxed);
        compile(design, &revision.to_string(), world)
    }

    /// Compiles a shared flow.
    pub(crate) fn compile_shared_flow(
        &self,
        design: &SharedFlowDesign,
        revision: i64,
        world: &World,
    ) -> Result<CompiledSharedFlow, Vec<CompileProblem>> {
        self.compilations.fetch_add(1, Ordering::Relaxed);
        compile_shared_flow(design, &revision.to_string(), world)
    }
}

/// Designs on their way into a snapshot.
struct Designs<'a> {
    parts: &'a Parts,
    base: Base<'a>,
    running: &'a Snapshot,
    unserved: Vec<Unserved>,
}

impl Designs<'_> {
    async fn put_flows(&mut self, committed: &[Committed], edit: &mut SnapshotEdit) {
        let world = self.world(committed, edit);
        let flows = committed.iter().filter_map(|one| match one {
            Committed::SharedFlow(name, live) => Some((name, live)),
            _ => None,
        });
        for (turn, (name, live)) in flows.enumerate() {
            pause(turn).await;
            let Some(live) = live else {
                edit.remove_shared_flow(name);
                continue;
            };
            let staged = match self.base {
                Base::Staged(staged) => staged.shared_flow(name).cloned(),
                Base::Running | Base::Nothing => None,
            };
            let staged = staged.filter(|flow| *flow.revision == *live.revision.to_string());
            let flow = staged.map_or_else(|| self.flow(live, &world), Ok);
            let known = self.running.shared_flow(name).cloned();
            match flow {
                Ok(flow) => edit.put_shared_flow(flow),
                Err(why) => {
                    self.unserved.push(Unserved { part: LivePart::SharedFlow(name.clone()), why });
                    known.into_iter().for_each(|flow| edit.put_shared_flow(flow));
                }
            }
        }
    }

    async fn put_proxies(&mut self, committed: &[Committed], edit: &mut SnapshotEdit) {
        let world = self.world(committed, edit);
        let proxies = || {
            committed.iter().filter_map(|one| match one {
                Committed::Proxy(name, live) => Some((name, live)),
                _ => None,
            })
        };
        // Those that go first: another may take their base paths.
        proxies().filter(|(_, live)| live.is_none()).for_each(|(name, _)| edit.stop(name));
        for (turn, (name, live)) in proxies().enumerate() {
            pause(turn).await;
            let Some(live) = live else { continue };
            let staged = match self.base {
                Base::Staged(staged) => staged.proxy(name).cloned(),
                Base::Running | Base::Nothing => None,
            };
            let staged = staged.filter(|proxy| *proxy.revision == *live.revision.to_string());
            let proxy = staged.map_or_else(|| self.proxy(live, &world), Ok);
            let served = proxy.and_then(|proxy| edit.serve(proxy).map_err(|taken| taken.to_string()));
            if let Err(why) = served {
                self.unserved.push(Unserved { part: LivePart::Proxy(name.clone()), why });
                // Taken meanwhile by one that is good: then there is nothing to go on.
                let known = self.running.proxy(name).cloned();
                known.into_iter().for_each(|proxy| drop(edit.serve(proxy)));
            }
        }
    }

    /// What designs are compiled against at this point of the change.
    fn world(&self, committed: &[Committed], edit: &SnapshotEdit) -> World {
        let mut coming = Coming::default();
        for one in committed {
            match one {
                Committed::SharedFlow(name, Some(_)) => drop(coming.shared_flows.insert(name.clone())),
                Committed::Proxy(name, Some(_)) => drop(coming.proxies.insert(name.clone())),
                _ => {}
            }
        }
        let running = Arc::new(edit.so_far().clone());
        World {
            coming: Arc::new(coming),
            ..self.parts.present_surroundings().world(&self.parts.settings, running)
        }
    }

    fn proxy(&self, live: &LiveDesign, world: &World) -> Result<Arc<CompiledProxy>, String> {
        let design: ProxyDesign = serde_json::from_str(&live.design).map_err(|error| error.to_string())?;
        self.parts.compile(&design, live.revision, world).map(Arc::new).map_err(|problems| said(&problems))
    }

    fn flow(&self, live: &LiveDesign, world: &World) -> Result<Arc<CompiledSharedFlow>, String> {
        let design: SharedFlowDesign =
            serde_json::from_str(&live.design).map_err(|error| error.to_string())?;
        let compiled = self.parts.compile_shared_flow(&design, live.revision, world);
        compiled.map(Arc::new).map_err(|problems| said(&problems))
    }
}

/// All problems in one line.
pub(crate) fn said(problems: &[CompileProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

async fn pause(turn: usize) {
    if turn % BEFORE_A_PAUSE == BEFORE_A_PAUSE - 1 {
        tokio::task::yield_now().await;
    }
}
