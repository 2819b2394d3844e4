//! That an engine which is used again shows nothing of its earlier runs.

use std::time::Duration;

use super::pool;
use super::*;

#[derive(Default)]
struct Told(Vec<String>);

impl Host for Told {
    fn call(&mut self, _: usize, arguments: Vec<HostValue>) -> Result<HostValue, HostFailure> {
        self.0.extend(arguments.iter().map(|one| one.as_text().unwrap_or_default().to_owned()));
        Ok(HostValue::Null)
    }
}

const AROUND: Surroundings = Surroundings {
    operations: &["tell"],
    prelude: std::borrow::Cow::Borrowed(&[
        "void 0, function (host) { 'use strict'; var box = {}; Object.defineProperty(globalThis, 'box', { value: box, writable: true, configurable: true }); globalThis.tell = host.tell; return function () { host.tell('end'); }; }",
    ]),
    names: "tell,box",
};

fn script_in(language: Language, text: &str) -> Script {
    let files = [SourceFile { name: "main.js", text }];
    // Time enough on a machine that is busy with other things.
    let limits = Limits { time: Duration::from_secs(60), ..Limits::default() };
    Script::compile(&files, language, limits, AROUND).unwrap_or_else(|bad| panic!("{bad:?}"))
}

/// What each of `rounds` runs told, and in how many engines that had run before.
fn runs(script: &Script, rounds: usize) -> (Vec<String>, usize) {
    let mut again = 0;
    let told = (0..rounds).map(|round| {
        let mut told = Told::default();
        script.run(&mut told).unwrap_or_else(|error| panic!("round {round}: {error:?}"));
        if round % 3 != 0 {
            script.restock();
        }
        again += usize::from(pool::has_used_engine(script));
        told.0.join("|")
    });
    (told.collect(), again)
}

fn assert_clean(text: &str, expected: &str) {
    for language in [Language::Rhino, Language::Es2020] {
        let script = script_in(language, text);
        assert!(script.0.is_reusable, "{text}");
        let (told, again) = runs(&script, 7);
        assert!(told.iter().all(|one| one == expected), "{language:?} {told:?}");
        assert!(again > 0, "no engine was used again: {text}");
    }
}

#[test]
fn an_engine_is_used_again_and_begins_anew() {
    assert_clean(
        "tell(typeof box.seen + typeof tell.seen); box.seen = 1; try { tell.seen = 1; } catch (e) {}",
        "undefinedundefined|end",
    );
    let globals = "tell(typeof leak + typeof this.other); leak = 1; this.other = {};";
    let sloppy = script_in(Language::Rhino, globals);
    let (told, again) = runs(&sloppy, 7);
    assert!(told.iter().all(|one| one == "undefinedundefined|end") && again > 0, "{told:?}");
}

/// Ways to built-in objects that no look at the text finds.
const WAYS: &str = "var P = '__pro' + 'to__', C = 'construc' + 'tor', T = 'proto' + 'type';\n\
    var F = (function () {})[C], all = F('return this')();\n\
    function vandal(f) { try { f(); } catch (e) {} }\n";

#[test]
fn built_in_objects_cannot_carry_anything_to_the_next_run() {
    let look = "tell([typeof ({}).polluted, typeof [].push, [3, 1].map(function (x) { return x + 1; }).join(), JSON.stringify({a: 1}), \
        Math.max(1, 2), typeof 'x'.extra, /(a)/.exec('a')[1], typeof Date.now(), typeof all['leak' + 'ed'], \
        typeof (function () {}).kept, typeof all.String, isNaN(NaN), typeof tell.kept, typeof new Error('x').kept, \
        typeof (function* () {})()[P].kept, typeof [][Symbol.iterator]().kept, typeof Promise.kept, typeof Symbol.for('k').kept].join());\n";
    let harm = "vandal(function () { ({})[P].polluted = 1; });\n\
        vandal(function () { [][P].push = null; [][P].map = null; });\n\
        vandal(function () { all['JS' + 'ON'].stringify = null; all['JS' + 'ON'] = null; });\n\
        vandal(function () { F('Ma' + 'th.max = null')(); });\n\
        vandal(function () { F('Da' + 'te.now = null')(); });\n\
        vandal(function () { 'x'[P].extra = 1; });\n\
        vandal(function () { /a/[P].exec = null; });\n\
        vandal(function () { F[T].kept = 1; F[T].call = null; });\n\
        vandal(function () { delete all['Str' + 'ing']; all['is' + 'NaN'] = null; });\n\
        vandal(function () { all['leak' + 'ed'] = 1; all[Symbol.for('leak')] = 1; });\n\
        vandal(function () { tell.kept = 1; });\n\
        vandal(function () { new Error('x')[P].kept = 1; new Error('x')[C].kept = 1; });\n\
        vandal(function () { (function* () {})()[P].kept = 1; (function* () {})()[P][P].kept = 1; (function* () {})()[P][P][P].kept = 1; });\n\
        vandal(function () { [][Symbol.iterator]()[P].kept = 1; [][Symbol.iterator]()[P].next = null; });\n\
        vandal(function () { F('Promi' + 'se.kept = 1')(); });\n\
        vandal(function () { F('Object.define' + 'Property(Object.proto' + 'type, \"polluted\", {get: function () { return 1; }, set: function () {}})')(); });\n\
        vandal(function () { F('Error.prepareStack' + 'Trace = function () { return 1; }; Error.stack' + 'TraceLimit = 0')(); });\n\
        vandal(function () { F('return Object.getOwnPropertyDescriptor(Array.proto' + 'type, \"push\")')().get.kept = 1; });\n";
    let source = format!("{WAYS}{look}{harm}{look}");
    let clean = "undefined,function,4,2,{\"a\":1},2,undefined,a,number,undefined,undefined,function,true,undefined,undefined,undefined,undefined,undefined,undefined";
    let script = script_in(Language::Rhino, &source);
    assert!(script.0.is_reusable);
    let (told, again) = runs(&script, 7);
    for one in &told {
        // What a run adds to the globals it may see itself.
        let (first, second) = one.split_once('|').unwrap();
        assert_eq!(first, clean);
        assert_eq!(second.trim_end_matches("|end").replace("number,number", "number,undefined"), clean);
    }
    assert!(again > 0);
}

#[test]
fn what_cannot_be_taken_away_takes_the_engine_with_it() {
    for harm in [
        "F('Object.define' + 'Property(globalThis, \"fixed\", {value: 1})')()",
        "F('Object.setProto' + 'typeOf(globalThis, {fixed: 1})')()",
        "F('Object.preventEx' + 'tensions(globalThis)')()",
        "F('Object.free' + 'ze(globalThis)')()",
    ] {
        let script = script_in(
            Language::Rhino,
            &format!("{WAYS} tell(typeof all.fixed); all.free = 1; tell(typeof all.free); {harm};"),
        );
        assert!(script.0.is_reusable);
        let (told, _) = runs(&script, 5);
        assert!(told.iter().all(|one| one == "undefined|number|end"), "{harm}: {told:?}");
    }
}

#[test]
fn functions_and_promises_of_a_run_do_not_outlive_it() {
    // The function that the script is in is another one each time.
    let callee = "var me = arguments['cal' + 'lee']; tell(typeof me.kept); me.kept = 1;";
    let script = script_in(Language::Rhino, callee);
    assert!(script.0.is_reusable);
    assert!(runs(&script, 5).0.iter().all(|one| one == "undefined|end"));

    let late = "let go; const never = new Promise((done) => { go = done; }); never.then(() => tell('late'));\n\
        Promise.resolve().then(() => tell('soon'));";
    assert_clean(late, "soon|end");
    assert_eq!(
        runs(
            &script_in(
                Language::Es2020,
                "tell(typeof WeakRef + typeof FinalizationRegistry + typeof setTimeout)"
            ),
            2
        )
        .0,
        ["undefinedundefinedundefined|end"; 2]
    );
}

#[test]
fn legacy_properties_of_regular_expressions_are_not_there() {
    let source = format!(
        "{WAYS} tell(typeof F('return RegExp.$1')() + typeof F('return RegExp.lastMatch')()); /(a)/.test('a');"
    );
    assert_clean(&source, "undefinedundefined|end");
}

#[test]
fn frozen_prototypes_let_objects_have_properties_of_the_same_name() {
    let source = "var o = {}; o.toString = function () { return 'mine'; }; o.valueOf = 1; o['const' + 'ructor'] = 2;\n\
        var counts = {}; 'toString hasOwnProperty a a'.split(' ').forEach(function (w) { counts[w] = (typeof counts[w] === 'number' ? counts[w] : 0) + 1; });\n\
        var e = new Error('x'); e.name = 'Mine'; e.message = 'y'; var list = []; list.push = 3; var f = function () {}; f.call = 4;\n\
        tell([String(o), o.valueOf, o['const' + 'ructor'], JSON.stringify(counts), String(e), list.push, f.call, Object.keys(o).join('+')].join());";
    assert_clean(
        source,
        "mine,1,2,{\"toString\":1,\"hasOwnProperty\":1,\"a\":2},Mine: y,3,4,toString+valueOf+constructor|end",
    );
}

#[test]
fn a_run_that_fails_takes_its_engine_with_it() {
    let script = script_in(Language::Rhino, "tell(typeof left); left = 1; throw new Error('no')");
    assert!(script.0.is_reusable);
    for _ in 0..4 {
        let mut told = Told::default();
        script.run(&mut told).unwrap_err();
        assert_eq!(told.0, ["undefined"]);
        assert!(!pool::has_used_engine(&script));
        script.restock();
    }
}

#[test]
fn a_script_that_extends_prototypes_has_an_engine_for_each_run() {
    let source = "tell(typeof 'x'.shout); String.prototype.shout = function () { return this + '!'; }; tell('x'.shout());";
    let script = script_in(Language::Rhino, source);
    assert!(!script.0.is_reusable);
    let (told, again) = runs(&script, 5);
    assert!(told.iter().all(|one| one == "undefined|x!|end"), "{told:?}");
    assert_eq!(again, 0);
}

#[test]
fn javas_methods_of_strings_are_there_in_each_run() {
    let source = "var all = ''; for each (var v in {a: 'x', b: 'y'}) all += v; tell(all + 'a'.equals('a') + 'abc'.contains('b'));";
    let script = script_in(Language::Rhino, source);
    assert!(script.0.is_reusable);
    let (told, again) = runs(&script, 5);
    assert!(told.iter().all(|one| one == "xytruetrue|end") && again > 0, "{told:?}");
}

#[test]
fn many_runs_neither_grow_nor_end() {
    let source = "var ring = {text: 'x'.repeat(100000)}; ring.self = ring; tell(String(ring.text.length));";
    let script = script_in(Language::Rhino, source);
    let (told, _) = runs(&script, 1500);
    assert!(told.iter().all(|one| one == "100000|end"));
}
