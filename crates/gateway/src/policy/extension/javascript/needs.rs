//! What a script may touch, told from its text: which bodies it may read, which objects it may use.
//!
//! Guessing too much costs a body in memory or some microseconds; too little would give a script the wrong
//! answer. So a script that can put names together at run time is taken to need everything.

use pierhead_script::js;

use super::File;
use crate::policy::MessageReads;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) reads: MessageReads,
    /// The message objects.
    messages: bool,
    /// It may call somebody or wait for a call.
    pub(super) waits: bool,
}

const EVERYTHING: &[&str] = &["eval", "Function", "globalThis", "with", "constructor"];
const MESSAGES: &[&str] =
    &["request", "response", "proxyRequest", "targetRequest", "proxyResponse", "targetResponse"];
const CALLS: &[&str] =
    &["httpClient", "waitForComplete", "isComplete", "isSuccess", "isError", "getResponse"];

impl Needs {
    pub(super) fn of(files: &[File<'_>]) -> Self {
        let mut words: Vec<&str> = files.iter().flat_map(|file| js::words(file.text)).collect();
        words.sort_unstable();
        words.dedup();
        let mentions = |names: &[&str]| names.iter().any(|name| words.binary_search(name).is_ok());
        // A member by a computed name may be any of them.
        let computes =
            |text: &str| ["context[", "context [", "this["].iter().any(|member| text.contains(member));
        let everything = mentions(EVERYTHING) || files.iter().any(|file| computes(file.text));
        let waits = everything || mentions(CALLS);
        Self { reads: reads(files, everything), messages: everything || waits || mentions(MESSAGES), waits }
    }

    pub(super) const fn prelude(self) -> &'static [&'static str] {
        const VARIABLES: &str = include_str!("variables.js");
        const MESSAGES: &str = include_str!("messages.js");
        const HTTP: &str = include_str!("http.js");
        match (self.waits, self.messages) {
            (true, _) => &[VARIABLES, MESSAGES, HTTP],
            (false, true) => &[VARIABLES, MESSAGES],
            (false, false) => &[VARIABLES],
        }
    }
}

/// Bodies, by any mention of one: in names of variables as well as in code.
fn reads(files: &[File<'_>], everything: bool) -> MessageReads {
    let text: String = files.iter().map(|file| file.text.to_ascii_lowercase()).collect();
    let has = |part: &str| text.contains(part);
    let of_body = ["content", "body", "form"].iter().any(|part| has(part));
    let computed = everything || has_computed_variable(&text);
    // A message by its own name is its body too: getVariable("request").
    let whole = |name: &str| has(&format!("\"{name}\"")) || has(&format!("'{name}'"));
    let read = |name: &str| computed || of_body && has(name) || whole(name);
    MessageReads {
        request: read("request"),
        response: read("response"),
        error: read("error"),
        message: read("message"),
    }
}

/// Whether a variable is named by anything but plain text.
fn has_computed_variable(text: &str) -> bool {
    text.match_indices("getvariable").any(|(at, word)| {
        let rest = text[at + word.len()..].trim_start();
        let Some(argument) = rest.strip_prefix('(').map(str::trim_start) else { return true };
        let Some(quote) = argument.chars().next().filter(|c| matches!(c, '"' | '\'')) else { return true };
        let after = argument[1..].split_once(quote).map_or("", |(_, after)| after);
        !after.trim_start().starts_with(')')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(text: &str) -> Needs {
        Needs::of(&[File { url: "", name: "x.js", text }])
    }

    #[test]
    fn a_script_that_mentions_no_body_lets_bodies_stream() {
        for text in [
            "context.setVariable('x', context.getVariable('request.header.a'))",
            "response.headers['X'] = request.queryParams.q",
            "var path = context.getVariable(\"proxy.pathsuffix\"); throw new Error(path)",
        ] {
            assert_eq!(needs(text).reads, MessageReads::default(), "{text}");
        }
    }

    #[test]
    fn a_script_that_may_read_a_body_has_it_in_memory() {
        for (text, request, response) in [
            ("context.getVariable('request.content')", true, false),
            ("JSON.parse(request.body)", true, false),
            ("context.proxyResponse.content", false, true),
            ("context.getVariable('request.formparam.a')", true, false),
            ("context.getVariable('response')", false, true),
            ("context.getVariable('re' + 'quest.con' + 'tent')", true, true),
            ("context.getVariable(name)", true, true),
            ("var get = context.getVariable; get('x')", true, true),
            ("eval('x')", true, true),
            ("var c = context; c[k]; context[k]", true, true),
        ] {
            let reads = needs(text).reads;
            assert_eq!((reads.request, reads.response), (request, response), "{text}");
        }
        assert!(needs("context.getVariable('message.content')").reads.message);
    }

    #[test]
    fn only_scripts_that_may_wait_run_aside() {
        assert!(!needs("context.setVariable('httpClient', 1) // httpClient").waits);
        for text in
            ["httpClient.get('http://a')", "context.session.x.waitForComplete()", "eval('httpCl' + 'ient')"]
        {
            assert!(needs(text).waits, "{text}");
        }
    }
}
