//! One engine for one run.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rquickjs::context::{EvalOptions, intrinsic};
use rquickjs::{CatchResultExt, CaughtError, Coerced, Context, Ctx, Function, Persistent, Runtime, Value};

use super::error::{ScriptError, ScriptErrorKind};
use super::host::{self, Host, SECURITY_ERROR};
use super::script::{Inner, Language};

/// The name of the one source in stack traces.
const SCRIPT: &str = "script";

/// What getting ready may take: it is parsing, and the prelude's few lines.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// A runtime with its own heap, the surroundings in place, and the script parsed and not begun.
pub(super) struct Engine {
    // Freed in this order: values before the heap they lie in.
    main: RefCell<Option<Persistent<Function<'static>>>>,
    finish: RefCell<Option<Persistent<Function<'static>>>>,
    context: Context,
    watch: Rc<Watch>,
    _runtime: Runtime,
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
            Ok(Self {
                main: RefCell::default(),
                finish: RefCell::default(),
                context,
                watch,
                _runtime: runtime,
            })
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
                    eval::<Function<'_>>(&ctx, "rhino", code, false)?.call::<_, Value<'_>>(())?;
                }
                for code in &*script.surroundings.prelude {
                    let prelude: Function<'_> = eval(&ctx, "prelude", code, true)?;
                    let finish: Value<'_> = prelude.call((operations.clone(),))?;
                    if let Some(finish) = finish.into_function() {
                        *self.finish.borrow_mut() = Some(Persistent::save(&ctx, finish));
                    }
                }
                let strict = script.language == Language::Es2020;
                let main: Function<'_> = eval(&ctx, SCRIPT, &script.source, strict)?;
                *self.main.borrow_mut() = Some(Persistent::save(&ctx, main));
                Ok(())
            };
            ready().catch(&ctx).map_err(|error| self.error(script, error))
        })
    }

    /// Runs the script to its end. An engine runs once.
    pub(super) fn run(&self, script: &Inner, host: &mut dyn Host, until: Instant) -> Result<(), ScriptError> {
        self.watch.until.set(until);
        let run = || {
            self.context.with(|ctx| {
                let whole = || -> rquickjs::Result<()> {
                    let globals = ctx.globals();
                    if let Some(main) = self.main.take() {
                        let main = main.restore(&ctx)?;
                        let mut arguments = rquickjs::function::Args::new_unsized(ctx.clone());
                        arguments.this(globals.clone())?;
                        for name in script.surroundings.names.split(',').filter(|name| !name.is_empty()) {
                            arguments.push_arg(globals.get::<_, Value<'_>>(name)?)?;
                        }
                        main.call_arg::<Value<'_>>(arguments)?;
                    }
                    while ctx.execute_pending_job() {}
                    if let Some(finish) = self.finish.take() {
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

impl Watch {
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
