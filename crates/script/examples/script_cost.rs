//! Prints what a script costs: microseconds per request for the run itself and for making the next engine ready.
//!
//! `cargo run --profile dist -p pierhead-script --example script_cost`. One thread; the best of several rounds,
//! since a busy machine only ever adds time. The same script with a comment that names prototypes is not
//! trusted to leave built-in objects alone: it gets a new engine for each run. The budget is 200 µs in all.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring tool, not the product")]

use std::time::{Duration, Instant};

use pierhead_script::js::{Host, HostFailure, HostValue, Language, Limits, Script, SourceFile, Surroundings};

const ROUNDS: usize = 30;
const RUNS: u32 = 100;

const OPERATIONS: &[&str] = &["get", "set", "flow", "print", "values", "put", "names", "xml", "same"];

const VARIABLES: &str = include_str!("../../gateway/src/policy/extension/javascript/variables.js");
const MESSAGES: &str = include_str!("../../gateway/src/policy/extension/javascript/messages.js");

/// A list of people as one system has it becomes one as another has it.
const BY_VARIABLE: &str = "var input = JSON.parse(context.getVariable('request.content'));\n\
    var people = input.people.map(function (one) {\n\
      return { id: one.id, name: one.first + ' ' + one.last, mail: one.mail.toLowerCase(), tags: one.tags.join(',') };\n\
    });\n\
    context.setVariable('request.content', JSON.stringify({ count: people.length, people: people }));\n\
    context.setVariable('request.header.x-count', people.length);";

const BY_MESSAGE: &str = "var body = request.content.asJSON;\n\
    body.people.forEach(function (one) { one.name = one.first + ' ' + one.last; delete one.first; delete one.last; });\n\
    request.headers['x-count'] = String(body.people.length);";

struct Answers {
    body: String,
    told: usize,
}

impl Host for Answers {
    fn call(&mut self, operation: usize, arguments: Vec<HostValue>) -> Result<HostValue, HostFailure> {
        self.told += arguments.len();
        Ok(match OPERATIONS[operation] {
            "get" if arguments[0].as_text() == Some("request.content") => HostValue::Text(self.body.clone()),
            "same" => HostValue::Boolean(false),
            "values" | "names" => HostValue::List(Vec::new()),
            _ => HostValue::Null,
        })
    }
}

fn main() {
    let person = "{\"id\":17,\"first\":\"Ann\",\"last\":\"Example\",\"mail\":\"Ann@Example.org\",\"tags\":[\"a\",\"b\",\"c\"],\"note\":\"more text that stays\"}";
    let people = vec![person; 18].join(",");
    let body = format!("{{\"people\":[{people}]}}");
    println!("a body of {} bytes; µs per request: run, making ready, both", body.len());
    for (name, source, prelude) in [
        ("nothing", "1", vec![VARIABLES]),
        ("2 KiB of JSON, by variables", BY_VARIABLE, vec![VARIABLES]),
        ("2 KiB of JSON, by messages", BY_MESSAGE, vec![VARIABLES, MESSAGES]),
    ] {
        for (how, comment) in [("an engine used again", ""), ("a new engine for each run", "\n// prototype")]
        {
            let text = format!("{source}{comment}");
            let files = [SourceFile { name: "main.js", text: &text }];
            let limits = Limits { time: Duration::from_secs(60), ..Limits::default() };
            let surroundings = Surroundings {
                operations: OPERATIONS,
                prelude: prelude.clone().into(),
                names: "context,request,response,print",
            };
            let script = Script::compile(&files, Language::Rhino, limits, surroundings).unwrap();
            let mut host = Answers { body: body.clone(), told: 0 };
            let mut best = (Duration::MAX, Duration::MAX);
            for _ in 0..ROUNDS {
                let (mut running, mut readying) = (Duration::ZERO, Duration::ZERO);
                for _ in 0..RUNS {
                    let begun = Instant::now();
                    script.run(&mut host).unwrap();
                    let ran = Instant::now();
                    script.restock();
                    running += ran - begun;
                    readying += ran.elapsed();
                }
                best = (best.0.min(running / RUNS), best.1.min(readying / RUNS));
            }
            let micros = |time: Duration| time.as_secs_f64() * 1e6;
            let (run, ready) = (micros(best.0), micros(best.1));
            println!("{name:30} {how:26} {run:8.1} {ready:8.1} {:8.1}", run + ready);
        }
    }
}
