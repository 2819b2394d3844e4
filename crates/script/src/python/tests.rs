use std::time::Duration;

use super::*;
use crate::js::{Host, HostFailure, HostValue, Language, Limits, Script, SourceFile, Surroundings};

/// Keeps what is printed; hashes are the algorithm's name.
#[derive(Default)]
struct Printed(Vec<String>);

impl Host for Printed {
    fn call(&mut self, operation: usize, arguments: Vec<HostValue>) -> Result<HostValue, HostFailure> {
        let text = arguments.first().and_then(HostValue::as_text).unwrap_or_default().to_owned();
        if operation == 1 {
            return Ok(HostValue::Text(text));
        }
        self.0.push(text);
        Ok(HostValue::Null)
    }
}

fn run(source: &str) -> Result<Vec<String>, String> {
    const AROUND: &str = "void 0, function (host) { globalThis.print = host.print; globalThis.context = { getVariable: function (n) { return n === 'none' ? null : n; }, setVariable: function (n, v) { host.print(n + '=' + v); } }; }";
    let translated = translate(source).map_err(|bad| format!("line {}: {bad}", bad.line))?;
    let surroundings =
        Surroundings { operations: &["print", "hash"], prelude: vec![AROUND, RUNTIME].into(), names: "" };
    let limits = Limits { time: Duration::from_secs(60), ..Limits::default() };
    let files = [SourceFile { name: "main.py", text: &translated }];
    let script = Script::compile(&files, Language::Es2020, limits, surroundings)
        .unwrap_or_else(|bad| panic!("{bad:?}\n{translated}"));
    let mut printed = Printed::default();
    script.run(&mut printed).map_err(|error| format!("{:?} {}", error.at.map(|at| at.1), error.message))?;
    Ok(printed.0)
}

fn shown(source: &str) -> String {
    run(source).unwrap_or_else(|why| panic!("{source}: {why}")).join("|")
}

#[test]
fn expressions_give_what_python_gives() {
    for (source, wanted) in [
        ("1 + 2 * 3 ** 2", "19"),
        ("7 / 2, -7 / 2, 7.0 / 2, 7 // 2, -7 % 3", "(3, -4, 3.5, 3, 2)"),
        ("4.0 / 2", "2.0"),
        ("0x1f, 010, 10L, 1e3", "(31, 8, 10, 1000.0)"),
        ("'a' + \"b\" 'c' * 2", "abcbc"),
        ("'%s is %d of %05.2f%%' % ('x', 3, 2.5)", "x is 3 of 02.50%"),
        ("'%(a)s' % {'a': 1}", "1"),
        ("[1, 'a', None, True, (2,)]", "[1, 'a', None, True, (2,)]"),
        ("{'a': 1}['a']", "1"),
        ("'abc'[1], 'abc'[-1], 'abcd'[1:3], 'abc'[::-1], [1,2,3][:-1]", "('b', 'c', 'bc', 'cba', [1, 2])"),
        ("1 < 2 < 3, 1 < 3 < 2, not 1, 1 and 0, '' or 'b'", "(True, False, False, 0, 'b')"),
        ("'b' in 'abc', 4 not in [1, 2], None is None, 1 is not None", "(True, True, True, True)"),
        ("'yes' if [] else 'no'", "no"),
        ("[x * y for x in range(3) for y in (1, 2) if x > 0]", "[1, 2, 2, 4]"),
        ("', '.join([k + '=' + str(v) for k, v in sorted({'b': 2, 'a': 1}.items())])", "a=1, b=2"),
        ("(lambda a, b=2: a + b)(1)", "3"),
        ("map(lambda x: x + 1, [1, 2]), sum([1, 2]), max(3, 1), len('abc')", "([2, 3], 3, 3, 3)"),
        ("' a b '.strip().split(), 'a,b,c'.split(',', 1)", "(['a', 'b'], ['a', 'b,c'])"),
        ("int('42') + int(3.9), float('1.5'), str(2.0), repr('x')", "(45, 1.5, '2.0', \"'x'\")"),
        ("isinstance('a', str), isinstance(1, (int, float)), isinstance('a', int)", "(True, True, False)"),
        ("'{0}-{1}-{}'.format('a', 'b') if False else '{}-{}'.format(1, 'b')", "1-b"),
        ("u'\\u00e9' == '\\xe9', r'\\d'", "(True, '\\\\d')"),
    ] {
        assert_eq!(shown(&format!("print ({source})")), wanted, "{source}");
    }
}

#[test]
fn statements_do_what_python_does() {
    let source = "\
# -*- coding: utf-8 -*-
import re, json as j
from urllib import quote
total = 0
def add(a, b=1):
    \"\"\"Adds.\"\"\"
    global total
    total += a + b
    if total > 100: return 'much'
    return total

for i in range(5):
    if i == 1:
        continue
    elif i == 4:
        break
    else:
        add(i)
while total < 20:
\ttotal = total + 5 # a tab
print total, add(1), add(b=1, a=1) if False else add(90)
try:
    {}['x']
except KeyError, e:
    print 'missing', e
except (ValueError, TypeError):
    print 'never'
finally:
    print 'finally'
try:
    raise ValueError('bad')
except Exception as e:
    print(e)
m = re.search(r'(?P<n>\\d+)', 'a12b')
if m is not None and m.group('n') == '12': print m.group(1), m.start()
d = j.loads('{\"a\": [1, 2.5, null]}')
d['a'][0] = 'x'; d[\"b\"] = quote('a b/c')
del d['a'][1]
print j.dumps(d)
a, b = 1, 2
[c, e] = 'xy'
x = y = a + b
print a, b, c, e, x, y
flow.setVariable('v', 1.5)
flow.setVariable('w', flow.getVariable('none'))
response.setVariable('header.X', 'y')
";
    let wanted = [
        "23 25 much",
        "missing 'x'",
        "finally",
        "bad",
        "12 1",
        "{\"a\": [\"x\", null], \"b\": \"a%20b/c\"}",
        "1 2 x y 3 3",
        "v=1.5",
        "w=null",
        "response.header.X=y",
    ];
    assert_eq!(run(source).unwrap(), wanted);
}

#[test]
fn modules_do_what_pythons_do() {
    let source = "\
import base64, hashlib, urlparse, urllib, math, time
print base64.b64encode('user:p\\xe4ss'), base64.b64decode('dXNlcjpww6Rzcw==') == 'user:p\\xe4ss'
p = urlparse.urlparse('http://a.example:80/b;p?c=d#e')
print p[0], p[1], p[2], p[3], p.query, p.fragment
print urlparse.urlunsplit(('https', 'h', '/p', 'q', ''))
print urllib.urlencode({'a b': 'c&d'}), urllib.unquote('%C3%A9'), urllib.quote_plus('a b')
print hashlib.sha256('x').hexdigest(), math.floor(1.5), time.time() > 0
print 'x'.encode('utf-8').decode('utf-8'), 'hi'.encode('hex')
";
    let wanted = [
        "dXNlcjpww6Rzcw== True",
        "http a.example:80 /b p c=d e",
        "https://h/p?q",
        "a+b=c%26d é a+b",
        "sha256 1.0 True",
        "x 6869",
    ];
    assert_eq!(run(source).unwrap(), wanted);
}

#[test]
fn errors_are_pythons_with_the_line_they_came_from() {
    for (source, wanted) in [
        ("x = 1\nprint y", "Some(2) NameError: name 'y' is not defined"),
        ("\n\n'a' + 1", "Some(3) TypeError: cannot concatenate 'str' and 'int' objects"),
        ("x = None\nx.split(' ')", "Some(2) AttributeError: 'NoneType' object has no attribute 'split'"),
        ("1 / 0", "Some(1) ZeroDivisionError"),
        ("[1][3]", "Some(1) IndexError: list index out of range"),
        ("import base64\nbase64.b64decode('abc')", "Some(2) TypeError: Incorrect padding"),
        ("def f(a): return a\nf()", "Some(2) TypeError: the function takes more"),
        ("if True:\n    print later\n    later = 1", "Some(2) NameError"),
    ] {
        let said = run(source).unwrap_err();
        assert!(said.starts_with(wanted), "{source}: {said}");
    }
}

#[test]
fn what_is_not_understood_is_refused_with_its_line() {
    for (source, line, part) in [
        ("import os", 1, "module os"),
        ("x = 1\nfrom java.lang import System", 2, "module java.lang"),
        ("class A:\n  pass", 1, "class"),
        ("with x: pass", 1, "with"),
        ("def f(*a): pass", 1, "parameters"),
        ("f(*a)", 1, "arguments"),
        ("x = {1, 2}", 1, "set"),
        ("def f():\n  yield 1", 2, "yield"),
        ("@d\ndef f(): pass", 1, "decorator"),
        ("if x:\nprint 1", 2, "indented"),
        ("if x:\n    y\n  z", 3, "indentation"),
        ("x = 'a", 1, "not closed"),
        ("f() = 1", 1, "assigned"),
        ("1 +", 1, "missing"),
        ("return 1", 1, "outside"),
        ("break", 1, "outside"),
        ("x = ?", 1, "'?'"),
        ("x y", 1, "not understood"),
    ] {
        let bad = translate(source).unwrap_err();
        assert!(bad.line == line && bad.message.contains(part), "{source}: {bad:?}");
    }
    assert!(translate(&format!("x = {}1", "(".repeat(5000))).is_err());
    assert!(translate(&format!("x = {}1", "-".repeat(5000))).is_err());
}

#[test]
fn no_word_of_javascript_is_a_word_of_python() {
    assert_eq!(
        shown(
            "var = this = null = 1\nfunction = lambda new: new + var\nprint function(null), typeof if False else this"
        ),
        "2 1"
    );
    assert!(run("print constructor").unwrap_err().contains("NameError"));
    assert!(run("print ''.constructor").unwrap_err().contains("AttributeError"));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_translation_panic(text in "(def |if |for |in |print |x|1|'|\"|\\(|\\)|\\[|:|\\n|  |\\t|=|,|\\.|lambda |é|\\\\|#|import ){0,30}") {
        let _ = translate(&text);
    }
}
