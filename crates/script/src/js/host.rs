//! The way out of a script.

use rquickjs::function::Rest;
use rquickjs::{Coerced, Ctx, Exception, Function, IntoJs, Object, Value};
use scoped_tls_hkt::scoped_thread_local;

/// What a script can reach. The operations are named by the surroundings a script is compiled with.
pub trait Host {
    /// Does an operation; `operation` is its place in [`super::Surroundings::operations`].
    fn call(&mut self, operation: usize, arguments: Vec<HostValue>) -> Result<HostValue, HostFailure>;

    /// Whether nobody waits for the run any more; it is then ended.
    fn is_gone(&self) -> bool {
        false
    }
}

/// A value on its way between a script and its host.
#[derive(Debug, Clone, PartialEq)]
pub enum HostValue {
    /// `null`; `undefined` arrives as this too.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// Text; what is neither of the others arrives as the text it converts to.
    Text(String),
    /// An array of texts.
    List(Vec<String>),
}

/// Why an operation failed; the script sees an error that it may catch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostFailure {
    /// It did not work.
    Failed(String),
    /// No script may do this.
    Forbidden(String),
}

impl HostValue {
    /// The text, when it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn read<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> rquickjs::Result<Self> {
        if value.is_null() || value.is_undefined() {
            return Ok(Self::Null);
        }
        if let Some(holds) = value.as_bool() {
            return Ok(Self::Boolean(holds));
        }
        if let Some(number) = value.as_number() {
            return Ok(Self::Number(number));
        }
        if let Some(array) = value.as_array() {
            let items = array.iter::<Coerced<String>>().map(|item| item.map(|item| item.0));
            return items.collect::<Result<_, _>>().map(Self::List);
        }
        // What a language of half pairs can say and UTF-8 cannot becomes a replacement character.
        let text = value.get::<Coerced<rquickjs::String<'js>>>()?.0;
        match text.to_string() {
            Ok(text) => Ok(Self::Text(text)),
            Err(_) => Err(Exception::throw_type(ctx, "the text is not well-formed Unicode")),
        }
    }
}

impl<'js> IntoJs<'js> for HostValue {
    fn into_js(self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        match self {
            Self::Null => Ok(Value::new_null(ctx.clone())),
            Self::Boolean(holds) => holds.into_js(ctx),
            Self::Number(number) => number.into_js(ctx),
            Self::Text(text) => text.into_js(ctx),
            Self::List(items) => items.into_js(ctx),
        }
    }
}

scoped_thread_local! {
    /// The host of the run that is under way on this thread.
    static mut HOST: for<'h> &'h mut (dyn Host + 'h)
}

/// Runs `body` with `host` answering.
pub(super) fn with_host<R>(host: &mut dyn Host, body: impl FnOnce() -> R) -> R {
    HOST.set(host, body)
}

/// Whether the run under way is to be ended because nobody waits for it.
pub(super) fn is_gone() -> bool {
    HOST.is_set() && HOST.with(|host| host.is_gone())
}

/// An object with one function per operation.
pub(super) fn operations<'js>(
    ctx: &Ctx<'js>,
    names: &'static [&'static str],
) -> rquickjs::Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    for (index, name) in names.iter().enumerate() {
        let function = Function::new(ctx.clone(), move |ctx: Ctx<'js>, arguments: Rest<Value<'js>>| {
            let arguments =
                arguments.iter().map(|value| HostValue::read(&ctx, value)).collect::<Result<Vec<_>, _>>()?;
            if !HOST.is_set() {
                return Err(Exception::throw_message(
                    &ctx,
                    "nothing can be reached while a script is made ready",
                ));
            }
            HOST.with(|host| host.call(index, arguments)).map_err(|failure| throw(&ctx, failure))
        })?;
        object.set(*name, function)?;
    }
    Ok(object)
}

fn throw(ctx: &Ctx<'_>, failure: HostFailure) -> rquickjs::Error {
    let (name, text) = match failure {
        HostFailure::Failed(text) => ("Error", text),
        HostFailure::Forbidden(text) => (SECURITY_ERROR, text),
    };
    match Exception::from_message(ctx.clone(), &text) {
        Ok(exception) => {
            // An error that cannot be named is still an error.
            let _ = exception.as_object().set("name", name);
            exception.throw()
        }
        Err(error) => error,
    }
}

/// The name of errors that are about what no script may do.
pub(super) const SECURITY_ERROR: &str = "SecurityError";
