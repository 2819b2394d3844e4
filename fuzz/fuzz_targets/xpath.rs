#![no_main]

use pierhead_xml::{Document, Limits, XPath};

// The first line is the expression, the rest the document.
libfuzzer_sys::fuzz_target!(|text: &str| {
    let (expression, document) = text.split_once('\n').unwrap_or((text, "<a b='1'><c>2</c><c/></a>"));
    let (Ok(path), Ok(document)) = (XPath::compile(expression, &[]), Document::parse(document, &Limits::default()))
    else {
        return;
    };
    let _ = path.evaluate(document.root());
});
