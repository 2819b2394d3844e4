use std::time::{Duration, Instant};

use super::*;

/// Remembers what it was told and answers what was laid ready.
#[derive(Default)]
struct Notes {
    told: Vec<HostValue>,
    answer: Option<Result<HostValue, HostFailure>>,
    gone: bool,
}

impl Host for Notes {
    fn call(&mut self, operation: usize, arguments: Vec<HostValue>) -> Result<HostValue, HostFailure> {
        match operation {
            0 => {
                self.told.extend(arguments);
                Ok(HostValue::Null)
            }
            _ => self.answer.clone().unwrap_or(Ok(HostValue::Null)),
        }
    }

    fn is_gone(&self) -> bool {
        self.gone
    }
}

const AROUND: Surroundings = Surroundings {
    operations: &["tell", "ask"],
    prelude: std::borrow::Cow::Borrowed(&[
        "(function (host) { globalThis.tell = host.tell; globalThis.ask = host.ask; globalThis.own = 7; })",
    ]),
    names: "tell,ask,own",
};

fn script_in(language: Language, source: &str) -> Script {
    let files = [SourceFile { name: "main.js", text: source }];
    Script::compile(&files, language, Limits::default(), AROUND).unwrap_or_else(|bad| panic!("{bad:?}"))
}

fn script(source: &str) -> Script {
    script_in(Language::Rhino, source)
}

fn run(source: &str) -> Result<Vec<HostValue>, ScriptError> {
    let mut notes = Notes::default();
    script(source).run(&mut notes).map(|()| notes.told)
}

fn shown(source: &str) -> String {
    match run(source).unwrap_or_else(|error| panic!("{source}: {error:?}")).as_slice() {
        [HostValue::Text(text)] => text.clone(),
        other => panic!("{source}: {other:?}"),
    }
}

fn fails(source: &str) -> ScriptError {
    run(source).expect_err(source)
}

#[test]
fn values_cross_to_the_host_and_back_with_their_types() {
    let mut notes = Notes::default();
    let all = script("tell(null, undefined, true, 1.5, 'é', ['a', 2], new String('s')); tell(typeof ask())");
    notes.answer = Some(Ok(HostValue::Number(2.0)));
    all.run(&mut notes).unwrap();

    let text = |text: &str| HostValue::Text(text.into());
    assert_eq!(
        notes.told,
        [
            HostValue::Null,
            HostValue::Null,
            HostValue::Boolean(true),
            HostValue::Number(1.5),
            text("é"),
            HostValue::List(vec!["a".into(), "2".into()]),
            text("s"),
            text("number"),
        ]
    );
}

#[test]
fn nothing_a_run_changes_is_seen_by_the_next() {
    let vandal = script(
        "tell('' + [typeof leak, typeof this.other, ''.extra, [].push === original(), JSON.stringify({a: 1}), \
         Object.prototype.x, Math.max(1, 2), own, typeof tell2, String(new Date(0).getTime()), /a/.test('a')]);\
         leak = 1; this.other = 2; own = 8; tell2 = 1;\
         String.prototype.extra = 'x'; Object.prototype.x = 'y'; Array.prototype.push = null;\
         JSON.stringify = function () { return 'stolen' }; Math.max = null; Date.prototype.getTime = null;\
         RegExp.prototype.test = null; Object.freeze(Array.prototype); delete globalThis.String; tell = null;\
         function original() { return (function () {}).constructor('return Array.prototype.push')(); }",
    );
    let mut seen = Vec::new();
    for round in 0..5 {
        let mut notes = Notes::default();
        vandal.run(&mut notes).unwrap();
        seen.extend(notes.told);
        // With and without engines that were made ready before.
        if round % 2 == 0 {
            vandal.restock();
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.iter().all(|told| *told == seen[0]), "{seen:?}");
    assert_eq!(seen[0].as_text(), Some("undefined,undefined,,true,{\"a\":1},,2,7,undefined,0,true"));
}

#[test]
fn a_script_that_loops_is_stopped_and_the_next_runs() {
    let files = [SourceFile { name: "main.js", text: "while (true) { try { for (;;) {} } catch (e) {} }" }];
    let limits = Limits { time: Duration::from_millis(30), ..Limits::default() };
    let looping = Script::compile(&files, Language::Rhino, limits, AROUND).unwrap();

    assert_eq!(looping.run(&mut Notes::default()).unwrap_err().kind, ScriptErrorKind::Time);
    assert_eq!(shown("tell('next')"), "next");
}

#[test]
fn a_regular_expression_that_never_ends_is_stopped() {
    let source = "/^(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab')";
    assert_eq!(fails(source).kind, ScriptErrorKind::Time);
}

#[test]
fn a_script_that_allocates_without_end_is_stopped_and_the_next_runs() {
    let limits = Limits { time: Duration::from_secs(60), memory: 4 * 1024 * 1024, ..Limits::default() };
    for source in [
        "var a = []; while (true) a.push(new Array(1000).join('y'));",
        "var a = []; while (true) a.push({b: [1, 2, 3]});",
        "new Array(1e9).fill(0)",
    ] {
        let files = [SourceFile { name: "main.js", text: source }];
        let greedy = Script::compile(&files, Language::Rhino, limits, AROUND).unwrap();
        let error = greedy.run(&mut Notes::default()).unwrap_err();
        assert_eq!(error.kind, ScriptErrorKind::Memory, "{source}: {error:?}");
    }
    assert_eq!(fails("var s = 'x'; while (true) s += s;").message, "InternalError: string too long");
    assert_eq!(shown("tell('next')"), "next");
}

#[test]
fn a_script_that_calls_itself_for_ever_is_stopped_with_its_line() {
    let error = fails("\nfunction f() { return f() + 1; }\nf();");
    assert_eq!(error.kind, ScriptErrorKind::Depth, "{error:?}");
    assert_eq!(error.at, Some(("main.js".into(), 2)));
}

#[test]
fn what_is_thrown_is_told_with_file_and_line() {
    let files = [
        SourceFile { name: "lib.js", text: "function check(x) {\n  if (!x) throw new TypeError('no x');\n}" },
        SourceFile { name: "main.js", text: "// first\ncheck(1);\n\nmissing.call();" },
    ];
    let both = Script::compile(&files, Language::Rhino, Limits::default(), AROUND).unwrap();
    let error = both.run(&mut Notes::default()).unwrap_err();
    assert_eq!(error.kind, ScriptErrorKind::Thrown);
    assert_eq!(error.at, Some(("main.js".into(), 4)), "{error:?}");
    assert_eq!(error.message, "ReferenceError: missing is not defined");

    let files = [files[0], SourceFile { name: "main.js", text: "check(0)" }];
    let error = Script::compile(&files, Language::Rhino, Limits::default(), AROUND)
        .unwrap()
        .run(&mut Notes::default())
        .unwrap_err();
    assert_eq!((error.message.as_str(), error.at), ("TypeError: no x", Some(("lib.js".into(), 2))));

    let error = fails("throw 'just text'");
    assert_eq!((error.message.as_str(), error.at), ("just text", None));
    assert_eq!(fails("throw {toString: function () { throw 1 }}").message, "a value that has no text");
}

#[test]
fn what_does_not_parse_is_refused_with_file_and_line() {
    let files = [
        SourceFile { name: "lib.js", text: "var a = 1;\n" },
        SourceFile { name: "main.js", text: "var b = 2;\nvar = 3;" },
    ];
    let bad = Script::compile(&files, Language::Rhino, Limits::default(), AROUND).unwrap_err();
    assert_eq!((bad.file.as_str(), bad.line), ("main.js", 2), "{bad:?}");
    assert!(bad.message.contains("SyntaxError"), "{bad:?}");

    let files = [SourceFile { name: "x.js", text: "\nvar t = a.@b + @c" }];
    let bad = Script::compile(&files, Language::Rhino, Limits::default(), AROUND).unwrap_err();
    assert_eq!((bad.file.as_str(), bad.line), ("x.js", 2));
}

#[test]
fn compiling_reaches_no_host() {
    let files = [SourceFile { name: "x.js", text: "}, tell('outside'), function () {" }];
    let bad = Script::compile(&files, Language::Rhino, Limits::default(), AROUND).unwrap_err();
    assert!(bad.message.contains("made ready"), "{bad:?}");
}

#[test]
fn files_share_one_scope_and_names_may_be_declared_again() {
    assert_eq!(shown("var own = own || 1; tell('' + own)"), "7");
    assert_eq!(shown("const own = 1; tell('' + own)"), "1");
    assert_eq!(shown("tell('' + (this === globalThis)); "), "true");
}

#[test]
fn rhino_has_the_methods_of_javas_strings_and_for_each() {
    assert_eq!(
        shown(
            "tell('' + ['a'.equals('a'), 'a'.equals(null), 'A'.equalsIgnoreCase('a'), ''.isEmpty(), 'abc'.contains('b'), 'a'.compareTo('c'), 'ab'.hashCode()])"
        ),
        "true,false,true,true,true,-2,3105"
    );
    assert_eq!(
        shown(
            "var all = ''; for each (var v in {a: 1, b: 2}) all += v; for each (v in null) all += 'x'; tell(all)"
        ),
        "12"
    );
    assert_eq!(shown("var keys = []; for (var k in 'ab') keys.push(k); tell(keys.join())"), "0,1");
}

#[test]
fn java_is_out_of_reach_and_says_so() {
    for source in [
        "java.lang.System.exit(1)",
        "new Packages.java.io.File('x')",
        "importPackage(java.util)",
        "load('x.js')",
    ] {
        let error = fails(source);
        assert_eq!(error.kind, ScriptErrorKind::Security, "{source}: {error:?}");
    }
    assert_eq!(
        shown("tell(typeof require + typeof process + typeof std + typeof os)"),
        "undefined".repeat(4)
    );
}

#[test]
fn es2020_is_strict_and_has_promises_and_typed_arrays() {
    let modern = script_in(
        Language::Es2020,
        "const f = async (x) => { await null; return x ?? 'none' };\n\
         f(null).then((v) => tell(v + new Uint8Array([300])[0] + typeof ''.equals));",
    );
    let mut notes = Notes::default();
    modern.run(&mut notes).unwrap();
    assert_eq!(notes.told, [HostValue::Text("none44undefined".into())]);

    let sloppy = script_in(Language::Es2020, "undeclared = 1");
    assert_eq!(sloppy.run(&mut Notes::default()).unwrap_err().kind, ScriptErrorKind::Thrown);
    let rejected = script_in(Language::Es2020, "(async () => { throw new Error('late') })()");
    assert!(rejected.run(&mut Notes::default()).unwrap_err().message.contains("late"));
}

#[test]
fn a_host_that_fails_throws_into_the_script() {
    let mut notes =
        Notes { answer: Some(Err(HostFailure::Failed("no such thing".into()))), ..Notes::default() };
    script("try { ask() } catch (e) { tell(e.message) }").run(&mut notes).unwrap();
    assert_eq!(notes.told, [HostValue::Text("no such thing".into())]);

    notes.answer = Some(Err(HostFailure::Forbidden("not that".into())));
    let error = script("\nask()").run(&mut notes).unwrap_err();
    assert_eq!(error.kind, ScriptErrorKind::Security);
    assert_eq!(error.at, Some(("main.js".into(), 2)));
}

#[test]
fn a_run_that_nobody_waits_for_is_ended() {
    let mut notes = Notes { gone: true, ..Notes::default() };
    let before = Instant::now();
    let error = script("for (;;) {}").run(&mut notes).unwrap_err();
    assert_eq!(error.kind, ScriptErrorKind::Abandoned);
    assert!(before <= Instant::now());
}

#[test]
fn a_host_may_run_another_script_inside_a_call_no_more_than_the_limits_let_it() {
    struct Nested;
    impl Host for Nested {
        fn call(&mut self, _: usize, _: Vec<HostValue>) -> Result<HostValue, HostFailure> {
            let mut notes = Notes::default();
            script("tell('inner')").run(&mut notes).map_err(|e| HostFailure::Failed(e.message))?;
            Ok(notes.told[0].clone())
        }
    }
    script("if (ask() !== 'inner') throw 1").run(&mut Nested).unwrap();
}
