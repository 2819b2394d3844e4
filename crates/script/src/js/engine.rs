//! An engine: a runtime with its own heap and realm, the surroundings in place, the script parsed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rquickjs::context::{EvalOptions, intrinsic};
use rquickjs::{
    CatchResultExt, CaughtError, Coerced, Context, Ctx, Function, Object, Persistent, Runtime, Value,
};

use super::error::{ScriptError, ScriptErrorKind};
use super::host::{self, Host, SECURITY_ERROR};
use super::script::{Inner, Language};

/// Makes a realm that can be used again.
const REALM: &str = include_str!("realm.js");

/// The name of the one source in stack traces.
const SCRIPT: &str = "script";

/// What getting ready may take: it is parsing, and the prelude's few lines.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// So often a realm is used before it gives way to a new one: what a proof may have missed does not add up.
const MOST_RUNS: u32 = 1_000;

/// After so many runs garbage that refers to itself is collected, so that no run pays for many.
const RUNS_PER_COLLECTION: u32 = 32;

/// An engine that is ready for a run, or has run.
///
/// Where the script leaves the built-in objects alone they are frozen and the engine is used again: its
/// surroundings are made anew for each run, by the code that is here already, and what a run added to the
/// globals is taken away (`realm.js`, decision 056). Else an engine runs once.
pub(super) struct Engine {
    // Freed in this order: values before the heap they lie in.
    next: RefCell<Option<Next>>,
    parts: RefCell<Option<Parts>>,
    context: Context,
    watch: Rc<Watch>,
    runs: Cell<u32>,
    runtime: Runtime,
}

/// What one run needs and uses up.
struct Next {
    main: Persistent<Function<'static>>,
    finish: Option<Persistent<Function<'static>>>,
}

/// What each run is made from. No script can reach any of it.
struct Parts {
    /// Takes away what the last run added and gives the host's operations; without it there is one run.
    renew: Option<Persistent<Function<'static>>>,
    preludes: Vec<Persistent<Function<'static>>>,
    /// Gives the function that the script is in.
    main: Persistent<Function<'static>>,
}

/// What the engine asks while it runs.
struct Watch {
    until: Cell<Instant>,
    out_of_time: Cell<bool>,
    abandoned: Cell<bool>,
    /// A promise that was rejected with nobody to hear it.
    rejected: RefCell<Option<String>>,
}

type RhinoObjects = (
    intrinsic::Date,
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::Proxy,
    intrinsic::MapSet,
    intrinsic::Promise,
);

impl Engine {
    pub(super) fn new(script: &Inner) -> Result<Self, ScriptError> {
        let new = || -> rquickjs::Result<Self> {
            let runtime = Runtime::new()?;
            runtime.set_memory_limit(script.limits.memory);
            runtime.set_max_stack_size(script.limits.stack);
            let watch = Rc::new(Watch {
                until: Cell::new(Instant::now() + READY_WITHIN),
                out_of_time: Cell::new(false),
                abandoned: Cell::new(false),
                rejected: RefCell::default(),
            });
            let asked = Rc::clone(&watch);
            runtime.set_interrupt_handler(Some(Box::new(move || asked.must_stop())));
            let told = Rc::clone(&watch);
            runtime.set_host_promise_rejection_tracker(Some(Box::new(move |_, _, reason, is_handled| {
                *told.rejected.borrow_mut() = if is_handled { None } else { Some(describe(&reason).1) };
            })));
            let context = match script.language {
                Language::Rhino => Context::custom::<RhinoObjects>(&runtime)?,
                Language::Es2020 => Context::custom::<(RhinoObjects, intrinsic::TypedArrays)>(&runtime)?,
            };
            let (next, parts) = (RefCell::default(), RefCell::default());
            Ok(Self { next, parts, context, watch, runs: Cell::new(0), runtime })
        };
        let engine = new().map_err(|error| ScriptError::engine(&error))?;
        engine.prepare(script)?;
        Ok(engine)
    }

    /// Puts the surroundings in place and parses the script.
    fn prepare(&self, script: &Inner) -> Result<(), ScriptError> {
        self.context.with(|ctx| {
            let ready = || -> rquickjs::Result<()> {
                let operations = host::operations(&ctx, script.surroundings.operations)?;
                for code in &script.rhino {
                    let part: Function<'_> = eval(&ctx, "rhino", code, false)?;
                    part.call::<_, Value<'_>>((operations.clone(),))?;
                }
                let renew = if script.is_reusable {
                    let realm: Function<'_> = eval(&ctx, "realm", REALM, true)?;
                    Some(realm.call::<_, Function<'_>>((operations.clone(),))?)
                } else {
                    None
                };
                let mut preludes = Vec::new();
                for code in &*script.surroundings.prelude {
                    preludes.push(Persistent::save(&ctx, eval::<Function<'_>>(&ctx, "prelude", code, true)?));
                }
                let strict = script.language == Language::Es2020;
                let main: Function<'_> = eval(&ctx, SCRIPT, &script.source, strict)?;
                let renew = renew.map(|renew| Persistent::save(&ctx, renew));
                let parts = Parts { renew, preludes, main: Persistent::save(&ctx, main) };
                *self.next.borrow_mut() = parts.next(&ctx, Some(operations))?;
                *self.parts.borrow_mut() = Some(parts);
                Ok(())
            };
            ready().catch(&ctx).map_err(|error| self.error(script, error))
        })
    }

    #[cfg(test)]
    pub(super) fn has_run(&self) -> bool {
        self.runs.get() > 0
    }

    /// Makes an engine ready again whose last run ended well. Whether it may be used.
    pub(super) fn renew(&self) -> bool {
        let runs = self.runs.get();
        if runs >= MOST_RUNS || self.next.borrow().is_some() {
            return false;
        }
        if runs.is_multiple_of(RUNS_PER_COLLECTION) {
            self.runtime.run_gc();
        }
        self.watch.begin(Instant::now() + READY_WITHIN);
        let parts = self.parts.borrow();
        let next =
            self.context.with(|ctx| parts.as_ref().and_then(|parts| parts.next(&ctx, None).ok().flatten()));
        *self.next.borrow_mut() = next;
        self.next.borrow().is_some() && !self.watch.must_stop()
    }

    /// Runs the script to its end, once for each time the engine was made ready.
    pub(super) fn run(&self, script: &Inner, host: &mut dyn Host, until: Instant) -> Result<(), ScriptError> {
        self.watch.begin(until);
        self.runs.set(self.runs.get() + 1);
        let next = self.next.take();
        let run = || {
            self.context.with(|ctx| {
                let whole = || -> rquickjs::Result<()> {
                    let Some(Next { main, finish }) = next else { return Ok(()) };
                    let globals = ctx.globals();
                    let main = main.restore(&ctx)?;
                    let mut arguments = rquickjs::function::Args::new_unsized(ctx.clone());
                    arguments.this(globals.clone())?;
                    for name in script.surroundings.names.split(',').filter(|name| !name.is_empty()) {
                        arguments.push_arg(globals.get::<_, Value<'_>>(name)?)?;
                    }
                    main.call_arg::<Value<'_>>(arguments)?;
                    while ctx.execute_pending_job() {}
                    if let Some(finish) = finish {
                        finish.restore(&ctx)?.call::<_, Value<'_>>(())?;
                        while ctx.execute_pending_job() {}
                    }
                    Ok(())
                };
                whole().catch(&ctx).map_err(|error| self.error(script, error))
            })
        };
        host::with_host(host, run)?;
        if self.watch.must_stop() {
            return Err(self.stopped());
        }
        match self.watch.rejected.take() {
            Some(message) => Err(ScriptError { kind: ScriptErrorKind::Thrown, message, at: None }),
            None => Ok(()),
        }
    }

    fn error(&self, script: &Inner, error: CaughtError<'_>) -> ScriptError {
        if self.watch.out_of_time.get() || self.watch.abandoned.get() {
            return self.stopped();
        }
        let thrown = match error {
            CaughtError::Error(error) => return ScriptError::engine(&error),
            CaughtError::Exception(exception) => exception.into_object().into_value(),
            CaughtError::Value(value) => value,
        };
        let (stack, message) = describe(&thrown);
        let at = stack.as_deref().and_then(line_of).and_then(|line| script.place(line));
        let is_security = thrown.as_object().is_some_and(|object| {
            object
                .get::<_, Option<Coerced<String>>>("name")
                .ok()
                .flatten()
                .is_some_and(|n| n.0 == SECURITY_ERROR)
        });
        let kind = if is_security {
            ScriptErrorKind::Security
        } else if message.contains("out of memory") || thrown.is_null() && at.is_none() {
            // With no memory left for an error, null is thrown.
            ScriptErrorKind::Memory
        } else if message.contains("call stack size exceeded") || message.contains("stack overflow") {
            ScriptErrorKind::Depth
        } else {
            ScriptErrorKind::Thrown
        };
        ScriptError { kind, message, at }
    }

    fn stopped(&self) -> ScriptError {
        let (kind, message) = if self.watch.abandoned.get() {
            (ScriptErrorKind::Abandoned, "nobody waits for the script any more")
        } else {
            (ScriptErrorKind::Time, "the time limit was exceeded")
        };
        ScriptError { kind, message: message.into(), at: None }
    }
}

impl Parts {
    /// What the next run needs; nothing when the realm cannot be used again.
    fn next<'js>(&self, ctx: &Ctx<'js>, first: Option<Object<'js>>) -> rquickjs::Result<Option<Next>> {
        let host = match (&self.renew, first) {
            (Some(renew), _) => renew.clone().restore(ctx)?.call::<_, Option<Object<'_>>>(())?,
            (None, first) => first,
        };
        let Some(host) = host else { return Ok(None) };
        let mut finish = None;
        for prelude in &self.preludes {
            let end: Value<'_> = prelude.clone().restore(ctx)?.call((host.clone(),))?;
            if let Some(end) = end.into_function() {
                finish = Some(Persistent::save(ctx, end));
            }
        }
        let main: Function<'_> = self.main.clone().restore(ctx)?.call(())?;
        Ok(Some(Next { main: Persistent::save(ctx, main), finish }))
    }
}

impl Watch {
    fn begin(&self, until: Instant) {
        self.until.set(until);
        self.out_of_time.set(false);
        self.abandoned.set(false);
        self.rejected.take();
    }

    fn must_stop(&self) -> bool {
        if host::is_gone() {
            self.abandoned.set(true);
        } else if Instant::now() >= self.until.get() {
            self.out_of_time.set(true);
        }
        self.abandoned.get() || self.out_of_time.get()
    }
}

fn eval<'js, V: rquickjs::FromJs<'js>>(
    ctx: &Ctx<'js>,
    name: &str,
    code: &str,
    strict: bool,
) -> rquickjs::Result<V> {
    let mut options = EvalOptions::default();
    options.global = true;
    options.strict = strict;
    options.filename = Some(name.to_owned());
    ctx.eval_with_options(code, options)
}

/// Stack trace and text of what was thrown.
fn describe(thrown: &Value<'_>) -> (Option<String>, String) {
    let text = |value: &Value<'_>| value.get::<Coerced<String>>().map(|text| text.0).ok();
    let Some(object) = thrown.as_object().filter(|object| object.is_error()) else {
        // A value whose conversion throws in its turn has no text.
        let shown = text(thrown).unwrap_or_else(|| {
            let _ = thrown.ctx().catch();
            "a value that has no text".to_owned()
        });
        return (None, shown);
    };
    let stack = object.get::<_, Option<Coerced<String>>>("stack").ok().flatten().map(|stack| stack.0);
    (stack, text(thrown).unwrap_or_default())
}

/// The line of the innermost frame of the script.
fn line_of(stack: &str) -> Option<usize> {
    stack.lines().find_map(|frame| {
        let (_, place) = frame.rsplit_once(SCRIPT)?;
        place.strip_prefix(':')?.split([':', ')']).next()?.parse().ok()
    })
}
