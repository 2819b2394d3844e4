//! What a script may touch, told from its text: which bodies it may read, which objects it may use.
//!
//! Guessing too much costs a body in memory or some microseconds; too little would give a script the wrong
//! answer. So a script that can put names together at run time is taken to need everything.

use pierhead_script::js;

use super::File;
use crate::policy::MessageReads;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) reads: MessageReads,
    /// It may call somebody or wait for a call.
    pub(super) waits: bool,
    /// The objects it may use.
    pub(super) prelude: Vec<&'static str>,
}

const CALLS: &[&str] =
    &["httpClient", "waitForComplete", "isComplete", "isSuccess", "isError", "getResponse"];

/// The parts of the prelude with the words that ask for them. The first is always there, and calls need messages.
const PARTS: &[(&str, &[&str])] = &[
    (
        include_str!("messages.js"),
        &["request", "response", "proxyRequest", "targetRequest", "proxyResponse", "targetResponse"],
    ),
    (include_str!("http.js"), CALLS),
    (include_str!("session.js"), &["session"]),
    (include_str!("crypto.js"), &["crypto"]),
    (include_str!("properties.js"), &["properties"]),
];

impl Needs {
    pub(super) fn of(files: &[File<'_>]) -> Self {
        let texts: Vec<&str> = files.iter().map(|file| file.text).collect();
        let mut words: Vec<&str> = texts.iter().flat_map(|text| js::words(text)).collect();
        words.sort_unstable();
        words.dedup();
        let mentions = |names: &[&str]| names.iter().any(|name| words.binary_search(name).is_ok());
        // A member of context by a computed name may be any of them.
        let everything = js::can_name_anything(&texts)
            || texts.iter().any(|text| text.contains("context[") || text.contains("context ["));
        let waits = everything || mentions(CALLS);
        let needed = |(at, (code, names)): (usize, &(&'static str, &[&str]))| {
            (everything || mentions(names) || waits && at == 0).then_some(*code)
        };
        let mut prelude = vec![include_str!("variables.js")];
        prelude.extend(PARTS.iter().enumerate().filter_map(needed));
        Self { reads: reads(files, everything), waits, prelude }
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
