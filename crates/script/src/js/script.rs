//! A script as it is deployed.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::engine::Engine;
use super::error::{BadScript, ScriptError};
use super::host::Host;
use super::{pool, rhino};

/// A script that compiled, with its surroundings. Cheap to clone; may be run on any thread.
#[derive(Debug, Clone)]
pub struct Script(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    /// A function that gives the one function around all files.
    pub(super) source: String,
    pub(super) files: Vec<Placed>,
    pub(super) language: Language,
    pub(super) limits: Limits,
    pub(super) surroundings: Surroundings,
    /// What comes before the surroundings.
    pub(super) rhino: Vec<&'static str>,
    /// Whether an engine may run it more than once.
    pub(super) is_reusable: bool,
}

/// A file in the one source.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) name: String,
    /// Its first line, counted from 0.
    pub(super) first_line: usize,
}

/// A file of a script. All files of a script share one scope, in their order.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'s> {
    /// For error messages.
    pub name: &'s str,
    /// The code.
    pub text: &'s str,
}

/// Which language a script is written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// What the originals' Rhino understands: sloppy mode, `for each`, the methods of Java's strings. Newer
    /// syntax does no harm. E4X, XML inside the language, is written anew when the script is compiled, and what
    /// cannot be is refused. It reads XML by an operation `xml` of the host: text to a JSON list of trees.
    #[default]
    Rhino,
    /// ECMAScript 2020 in strict mode, typed arrays and promises included.
    Es2020,
}

/// What one run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From begin to end, waiting for the host included.
    pub time: Duration,
    /// Bytes of the engine and of all that the script makes.
    pub memory: usize,
    /// Bytes of stack.
    pub stack: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_millis(200), memory: 32 * 1024 * 1024, stack: 256 * 1024 }
    }
}

/// What a script finds around itself.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Names of the host's operations.
    pub operations: &'static [&'static str],
    /// Code that runs before the script does: each is an expression that gives a function, which is called with
    /// an object that has the operations as functions. A function that one returns is called when the script
    /// has ended. An expression that begins with a parenthesis is read twice: `void 0, function …` is not.
    pub prelude: Cow<'static, [&'static str]>,
    /// Globals that the script may declare anew without losing their value, parted by commas.
    pub names: &'static str,
}

impl Script {
    /// Reads and checks a script. Nothing of it runs.
    pub fn compile(
        files: &[SourceFile<'_>],
        language: Language,
        limits: Limits,
        surroundings: Surroundings,
    ) -> Result<Self, BadScript> {
        let texts: Vec<&str> = files.iter().map(|file| file.text).collect();
        let has_xml = rhino::has_xml(&texts);
        let mut code = String::new();
        let mut placed = Vec::with_capacity(files.len());
        for file in files {
            let first_line = code.bytes().filter(|byte| *byte == b'\n').count();
            placed.push(Placed { name: file.name.to_owned(), first_line });
            match language {
                Language::Rhino => {
                    code.push_str(&rhino::translate(file.text, has_xml).map_err(|bad| BadScript {
                        file: file.name.to_owned(),
                        line: bad.line,
                        message: bad.message,
                        foreign: true,
                    })?)
                }
                Language::Es2020 => code.push_str(file.text),
            }
            code.push('\n');
        }
        let mut rhino = match language {
            Language::Rhino => rhino::preludes(&texts),
            Language::Es2020 => Vec::new(),
        };
        if has_xml {
            rhino.push(rhino::XML);
        }
        let is_reusable = rhino::leaves_alone(&texts) && !rhino.contains(&rhino::JAVA);
        let whole = |names: &str| format!("void 0,function(){{return function({names}){{{code}}}}}");
        let source = whole(surroundings.names);
        let mut inner = Inner { source, files: placed, language, limits, surroundings, rhino, is_reusable };
        if Engine::new(&inner).is_err() {
            // `let` and `const` of such a name hide the global and cannot stand beside an argument.
            inner.source = whole("");
            Engine::new(&inner).map_err(|error| inner.bad(error))?;
        }
        Ok(Self(Arc::new(inner)))
    }

    /// Runs the script with `host` answering. Uses an engine that was made ready on this thread, or makes one.
    pub fn run(&self, host: &mut dyn Host) -> Result<(), ScriptError> {
        let engine = match pool::take(self) {
            Some(engine) => engine,
            None => Engine::new(&self.0)?,
        };
        let result = engine.run(&self.0, host, Instant::now() + self.0.limits.time);
        pool::used(self, engine, result.is_ok());
        result
    }

    /// Makes ready what the next run on this thread needs, and clears away what the last ones left. To be
    /// called when the thread has nothing more urgent to do; without it runs are only slower.
    pub fn restock(&self) {
        pool::restock(self);
    }
}

impl Inner {
    /// The file of a line of the one source, both lines counted from 1.
    pub(super) fn place(&self, line: usize) -> Option<(String, usize)> {
        let file = self.files.iter().rev().find(|file| file.first_line < line)?;
        Some((file.name.clone(), line - file.first_line))
    }

    fn bad(&self, error: ScriptError) -> BadScript {
        let (file, line) = error
            .at
            .unwrap_or_else(|| (self.files.last().map(|file| file.name.clone()).unwrap_or_default(), 0));
        BadScript { file, line, message: error.message, foreign: false }
    }
}
